"""Trains one Keras model on one dataset, from texts to probabilities."""

import gc
import math
import shutil

import keras

from emotion_keras import record
from emotion_keras.command import durations
from emotion_keras.data import audit_balance
from emotion_keras.data.cache import once
from emotion_keras.errors import UserError
from emotion_keras.inference.explanation import (
    describe_layers,
    explained_outputs,
    explaining_model,
    has_gate,
)
from emotion_keras.inference.latency import measure_latency
from emotion_keras.inference.outputs import explain_words
from emotion_keras.inference.prediction import compute_vectors, predict
from emotion_keras.inputs.batches import TrainingBatches
from emotion_keras.inputs.embedded import embedded_features
from emotion_keras.machine import devices
from emotion_keras.training.loop import CHECKPOINT, train


def train_network(
    dataset,
    settings,
    *,
    noise,
    precision,
    directory,
    tensorboard=False,
    notify=print,
    cache=None,
):
    """Trains a Keras model, and leaves it with its tokenizer in the run's folder.

    Args:
        dataset: `Dataset`.
        settings: `Settings` of a model of `MODELS`.
        noise: `TrainingNoise`.
        precision: Name of a Keras dtype policy to train in.
        directory: `pathlib.Path` of the run's folder.
        tensorboard: Whether to write TensorBoard logs.
        notify: Called with messages for the user.
        cache: Dictionary that keeps encoded texts and compiled models from one call to the next, or
            `None` to keep nothing.

    Returns:
        What `train` returned, with `probabilities` of the run's splits by name, arrays
        `(num_examples, num_classes)`, `latency`, what `measure_latency` returned,
        `num_parameters`, `audit`, what balancing did, for the audit of the data, `layers`, what
        `describe_layers` returned, and where the gate can be explained `explain`, a function from
        texts to what `explain_words` returns, `marks`, the set of its words that are no words, and
        `predict`, a function from texts to probabilities.

    Raises:
        UserError: If an option is wrong, the disk is full, or on Ctrl-C.
    """

    splits = settings.splits
    compiled = devices.resolve_jit(settings.training.jit)
    if noise.touches_cells and settings.inputs.freeze_encoder:
        raise UserError(
            "With a frozen encoder texts cannot have noise, since its outputs are computed once: "
            "leave out `--noise` or `--freeze-encoder`."
        )

    def build(precision, features_dim=None, load_weights=True):
        keras.utils.set_random_seed(settings.seed)
        keras.config.set_dtype_policy(precision)
        try:
            if features_dim:
                embedded = embedded_features(features_dim)
            else:
                embedded = text.embed(load_weights)
            built = settings.hyperparameters.build(embedded, len(dataset.corpus.labels))
        finally:
            keras.config.set_dtype_policy("float32")
        # Unless told, Keras compiles with XLA what a model predicts, on CPU too.
        built.jit_compile = compiled
        return built

    def encode():
        text = dataset.corpus.modality.learn(dataset.cells("train"), settings.inputs)
        return text, {name: text.encode(dataset.cells(name)) for name in ("train", *splits)}

    made_from = {
        "inputs": settings.inputs.to_dict(),
        "corpus": dataset.corpus.sha256,
        "preparation": settings.preparation.to_dict(),
        "protocol": dataset.split.protocol,
        "splits": splits,
    }
    shared = {} if cache is None else cache
    text, sequences = once(shared, "sequences", made_from, encode)
    feature, inputs, features_dim = text.feature, sequences, None
    if text.is_frozen:
        feature, inputs = "features", _encode_once(text, sequences, directory, compiled, notify)
        features_dim = inputs["train"].values.shape[-1]
    devices.choose_kernels()
    label_ids = noise.perturb_labels(dataset.label_ids("train"), len(dataset.corpus.labels))
    balance = settings.training.balance
    balanced = audit_balance(label_ids, dataset.corpus.labels, balance, settings.seed)
    # All that is compiled into a training step; the learning rate is a variable of the optimizer.
    training = {k: v for k, v in settings.training.to_dict().items() if k != "learning_rate"}
    # How many texts are left decides how many steps the schedule has.
    num_texts = sum(counts["num_out"] for counts in balanced["labels"].values())
    compiled_from = [
        settings.model,
        settings.hyperparameters.to_dict(),
        made_from,
        training,
        precision,
        num_texts,
    ]
    # The optimizer's variables must be made for all devices, too.
    with devices.data_parallel():
        trained = build(precision, features_dim)
        if cache is not None:
            trained = _keep_compiled(cache, compiled_from, trained)
        _check_space(directory, trained)
        notify(_plan(dataset, settings, trained, inputs, precision))
        if balance != "none":
            notify(_balance_in_words(balanced))
        if (directory / CHECKPOINT).exists():
            notify("It goes on from the last finished epoch.")
        outcome = train(
            trained,
            (inputs["train"], label_ids),
            (inputs["val"], dataset.label_ids("val")),
            feature=feature,
            sequence_length=text.sequence_length,
            seed=settings.seed,
            directory=directory,
            options=settings.training,
            callbacks=[keras.callbacks.TensorBoard(directory / "tensorboard")]
            if tensorboard
            else [],
            resample=(lambda epoch: text.encode(noise.perturb(dataset.cells("train"), epoch)))
            if noise.touches_cells
            else None,
        )
    # What is measured and kept computes in float32, whatever it was trained in: so the record's
    # numbers are those that the saved model gives, on any backend.
    weights = {layer.name: layer.get_weights() for layer in trained.layers}
    del trained
    gc.collect()  # The optimizer's state and the pretrained weights are not held at a time.
    # A frozen encoder was no part of what was trained.
    final = once(
        shared,
        "final",
        [*compiled_from[:3], compiled],
        lambda: build("float32", load_weights=text.is_frozen),
    )
    for name, values in weights.items():
        if values:
            final.get_layer(name).set_weights(values)

    def predict_with_final(sequences):
        return predict(final, sequences, feature=text.feature, sequence_length=text.sequence_length)

    def predict_texts(texts):
        return predict_with_final(text.encode(texts))

    outcome["probabilities"] = {name: predict_with_final(sequences[name]) for name in splits}
    outcome["latency"] = measure_latency(predict_texts, dataset.cells(splits[-1]))
    outcome["audit"] = {"balance": balanced}
    outcome["num_parameters"] = final.count_params()
    outcome["layers"] = describe_layers(final)
    if has_gate(final):

        def explain(texts):
            sequences = text.encode(texts)
            explaining = explaining_model(final)
            outputs = explained_outputs(explaining, sequences, sequence_length=text.sequence_length)
            return explain_words(text.units(texts), outputs)

        outcome["explain"] = explain
        outcome["marks"] = text.special_units
        outcome["predict"] = predict_texts
    final.save(directory / record.MODEL)
    text.tokenizer.save(directory)
    return outcome


def _keep_compiled(cache, compiled_from, fresh):
    """A new model, or the one of the same computation that is compiled, with the new one's weights.

    Building is cheap, and draws the weights that the run's seed stands for; compiling is not.
    """
    kept = once(cache, "trained", compiled_from, lambda: fresh)
    if kept is not fresh:
        for variable, value in zip(kept.weights, fresh.weights, strict=True):
            variable.assign(value)
    return kept


def remove_state(directory):
    """Removes what only a run that is not finished needs."""
    checkpoints = directory / CHECKPOINT, directory / f"{CHECKPOINT}.part"
    for path in (*checkpoints, *directory.glob(_vectors_file("*"))):
        path.unlink(missing_ok=True)


def _encode_once(text, sequences, directory, compiled, notify):
    """Outputs of a frozen encoder for all texts."""
    notify("Computing the frozen encoder's outputs, once.")
    embedded = text.embed()
    encoder = keras.Model(embedded.inputs, embedded.vectors)
    encoder.jit_compile = compiled
    return {
        name: compute_vectors(
            encoder,
            sequences[name],
            feature=text.feature,
            sequence_length=text.sequence_length,
            path=directory / _vectors_file(name),
        )
        for name in sequences
    }


def _vectors_file(name):
    return f"vectors-{name}.npy"


def _check_space(directory, model):
    """Makes sure that the state of the training and the model will fit on the disk."""
    # Weights and the two moments of AdamW, the best weights, twice while a file replaces another,
    # and the finished model; and what is small beside a model that is not.
    needed = 4 * (9 * model.count_params()) + 10_000_000
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise UserError(
            f"The disk is too full to train: {directory} needs up to {needed / 1e6:,.0f} MB and "
            f"{free / 1e6:,.0f} MB are free. Make room, or choose another folder with `--runs-dir`."
        )


def _plan(dataset, settings, built, inputs, precision):
    """What will happen, in a line or two, and about how long it will take."""
    corpus, training = dataset.corpus, settings.training
    batches = TrainingBatches(
        inputs["train"],
        dataset.label_ids("train"),
        feature="",
        batch_size=training.batch_size,
        sequence_length=settings.inputs.sequence_length,
        seed=0,
        compiled=built.jit_compile,
    )
    trainable = sum(math.prod(v.shape) for v in built.trainable_variables)
    products = batches.num_tokens() * _flops_per_token(built)
    speed = _EFFICIENCY * devices.matmul_flops_per_second(precision)
    seconds = training.epochs * (products / speed + len(batches) * _SECONDS_PER_STEP)
    return (
        f"{settings.model} over {settings.inputs.encoder}: {built.count_params():,} parameters, "
        f"{trainable:,} of them trained, in {precision}, with {keras.backend.backend()} on "
        f"{devices.describe()}.\n"
        f"{corpus.name}: {len(dataset.split.train):,} texts to train on, "
        f"{len(dataset.split.val):,} to validate, {len(dataset.split.test):,} to test; "
        f"{len(corpus.labels)} labels.\n"
        f"About {durations.in_words(seconds)} for {training.epochs} "
        f"epoch{'s' if training.epochs > 1 else ''}."
    )


def _balance_in_words(balanced):
    changes = [
        f"{label} {counts['num_in']:,} -> {counts['num_out']:,}, weight {counts['weight']:.2f}"
        for label, counts in balanced["labels"].items()
    ]
    return f"Balanced by {balanced['method']}, training split alone: {'; '.join(changes)}."


# What a training step reaches of the device's matrix products, and what it costs beside them:
# measured with the encoders of this package on CPU; an estimate wants no more.
_EFFICIENCY = 0.35
_SECONDS_PER_STEP = 0.02


def _flops_per_token(model):
    """Operations of a training step a token: 2 a weight forward, 2 for inputs, 2 for weights."""
    frozen = {id(v) for v in model.non_trainable_variables}
    flops = 0
    for variable in model.weights:
        if len(variable.shape) > 1 and "embedding" not in variable.path:
            flops += (2 if id(variable) in frozen else 6) * math.prod(variable.shape)
    return flops
