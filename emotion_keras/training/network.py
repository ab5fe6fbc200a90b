"""Trains one Keras model on one dataset, from cells to a model that answers."""

import gc
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras

from emotion_keras.data import audit_balance
from emotion_keras.data.cache import once
from emotion_keras.data.dataset import Dataset
from emotion_keras.data.noise import TrainingNoise
from emotion_keras.errors import UserError
from emotion_keras.inference.explanation import has_gate
from emotion_keras.inference.keras_model import KerasModel
from emotion_keras.inference.latency import NUM_TIMED
from emotion_keras.inference.prediction import compute_vectors
from emotion_keras.inference.ways import count_answers
from emotion_keras.inputs import Input
from emotion_keras.machine import devices
from emotion_keras.targets import Target
from emotion_keras.training.lesson import Lesson
from emotion_keras.training.loop import CHECKPOINT, train
from emotion_keras.training.regularization import regularize
from emotion_keras.training.settings import Settings
from emotion_keras.training.trained import Trained


def train_network(
    dataset: Dataset,
    settings: Settings,
    *,
    noise: TrainingNoise,
    precision: str,
    directory: Path,
    lesson: Lesson | None = None,
    is_looked_at: bool = False,
    tensorboard: bool = False,
    notify: Callable[[str], Any] = print,
    cache: dict[str, Any] | None = None,
) -> Trained:
    """Trains a Keras model.

    Args:
        dataset: `Dataset`.
        settings: `Settings` of a model of `MODELS`.
        noise: `TrainingNoise`.
        precision: Name of a Keras dtype policy to train in.
        directory: The run's folder, for the state of a training that is stopped.
        lesson: What is learned beside the labels; nothing where it is `None`.
        is_looked_at: Whether the test examples are explained once training has ended.
        tensorboard: Whether to write TensorBoard logs.
        notify: Called with messages for the user.
        cache: Dictionary that keeps encoded cells and compiled models from one call to the next, or
            `None` to keep nothing.

    Returns:
        `Trained` of a `KerasModel`. Whatever it was trained in, it computes in float32, so that a
        record's numbers are those that the saved model gives, on any backend.

    Raises:
        UserError: If an option is wrong, the disk is full, or on Ctrl-C.
    """
    shared = {} if cache is None else cache
    made_from = _made_from(dataset, settings)
    reader, sequences = once(shared, "sequences", made_from, lambda: _encode(dataset, settings))
    more_cells = lesson.more_cells if lesson else []
    if more_cells:
        train_sequences = reader.encode([*dataset.cells("train"), *more_cells])
        sequences = {**sequences, "train": train_sequences}
    if noise.touches_cells and reader.is_frozen:
        raise UserError(
            f"With a frozen encoder {reader.plural} cannot have noise, since its outputs are "
            "computed once: leave out `--noise`, or say `--freeze-encoder false`; of several "
            "modalities with the modality's name, as in `--speech-freeze-encoder false`."
        )
    truth = noise.perturb_labels(dataset.truth("train"))
    target, balance = dataset.corpus.target, settings.training.balance
    balanced = audit_balance(truth, target, balance, settings.seed)
    # All that is compiled into a training step; the learning rate is a variable of the optimizer.
    training = {k: v for k, v in settings.training.to_dict().items() if k != "learning_rate"}
    # How many examples are left decides how many steps the schedule has.
    num_examples = len(truth)
    if not target.several:  # Others are neither left out nor repeated.
        num_examples = sum(counts["num_out"] for counts in balanced["labels"].values())
    num_examples += len(more_cells)
    if lesson:
        truth = lesson.mix(truth)
    own = [settings.model, settings.hyperparameters.to_dict(), made_from]
    builder = _Builder(reader, target, settings, devices.resolve_jit(settings.training.jit))
    with devices.chosen_kernels():
        trained, inputs = _precompute(builder, sequences, directory, notify)
        # The optimizer's variables must be made for all devices, too.
        with devices.data_parallel():
            network = builder.build(precision, trained)
            num_answers = _count_answers(dataset, settings, network, is_looked_at)
            network = regularize(network, settings.training, target)
            if cache is not None:
                compiled_from = [*own, training, precision, num_examples]
                network = _keep_compiled(cache, compiled_from, network)
            _check_space(directory, network)
            notify(_plan(dataset, settings, network, precision))
            if balance != "none":
                notify(_balance_in_words(balanced))
            if (directory / CHECKPOINT).exists():
                notify("It continues from the last finished epoch.")
            outcome = train(
                network,
                (inputs["train"], truth),
                (inputs["val"], dataset.truth("val")),
                target=target,
                sequence_length=reader.sequence_length,
                seed=settings.seed,
                directory=directory,
                options=settings.training,
                callbacks=_tensorboard(directory) if tensorboard else [],
                resample=_perturbed(noise, dataset, more_cells, reader),
                num_answers=num_answers,
            )
        weights = {layer.name: layer.get_weights() for layer in network.layers}
        del network
        gc.collect()  # The optimizer's state and the pretrained weights are not held at a time.
        final = once(
            shared,
            "final",
            [*own, builder.compiled],
            # A frozen encoder was no part of what was trained.
            lambda: builder.build("float32", load_weights=reader.is_frozen),
        )
    for name, values in weights.items():
        if values:
            final.get_layer(name).set_weights(values)
    model = KerasModel(final, reader, target)
    return Trained(model, **outcome, audit={"balance": balanced})


class _Builder(NamedTuple):
    """Builds the model of a run, always with the same first weights.

    Args:
        reader: `Input` that has learned from the training split.
        target: `Target`.
        settings: `Settings`.
        compiled: Whether what it computes is compiled.
    """

    reader: Input
    target: Target
    settings: Settings
    compiled: bool

    def build(self, precision, reader=None, load_weights=True):
        """Builds it.

        Args:
            precision: Name of a Keras dtype policy.
            reader: What it begins with in place of the input; see `Input.precompute`.
            load_weights: Whether a pretrained encoder has its pretrained weights.
        """
        keras.utils.set_random_seed(self.settings.seed)
        embedded = (reader or self.reader).embed(load_weights, precision)
        built = self.settings.hyperparameters.build(embedded, self.target, precision)
        # Unless it is set, Keras compiles with XLA what a model predicts, on CPU too.
        built.jit_compile = self.compiled
        return built


def _made_from(dataset, settings):
    """What the encoded cells depend on, for the cache."""
    return {
        "modality": dataset.corpus.modality.name,
        "inputs": settings.inputs.to_dict(),
        "corpus": dataset.corpus.sha256,
        "target": dataset.corpus.target.name,
        "preparation": settings.preparation.to_dict(),
        "protocol": dataset.split.protocol,
    }


def _encode(dataset, settings):
    reader = dataset.corpus.modality.learn(dataset.cells("train"), settings.inputs)
    return reader, {name: reader.encode(dataset.cells(name)) for name in ("train", "val")}


def _perturbed(noise, dataset, more_cells, reader):
    """The examples to train on with noise, by the epoch; `None` where noise touches no cells."""
    if not noise.touches_cells:
        return None
    cells = [*dataset.cells("train"), *more_cells]
    return lambda epoch: reader.encode(noise.perturb(cells, epoch))


def _tensorboard(directory):
    return [keras.callbacks.TensorBoard(directory / "tensorboard")]


def _keep_compiled(cache, compiled_from, fresh):
    """A new model, or the one of the same computation that is compiled, with the new one's weights.

    Building is cheap, and draws the weights that the run's seed stands for; compiling is not.
    """
    kept = once(cache, "trained", compiled_from, lambda: fresh)
    if kept is not fresh:
        for variable, value in zip(kept.weights, fresh.weights, strict=True):
            variable.assign(value)
    return kept


def remove_state(directory: Path) -> None:
    """Removes what only a run that is not finished needs."""
    checkpoints = directory / CHECKPOINT, directory / f"{CHECKPOINT}.part"
    for path in (*checkpoints, *directory.glob(_vectors_file("*"))):
        path.unlink(missing_ok=True)


def _precompute(builder, sequences, directory, notify):
    """What a frozen encoder gives, once for all epochs; see `Input.precompute`."""
    if builder.reader.is_frozen:
        notify("Computing the frozen encoder's outputs, once.")
    encoders = {}

    def compute(reader, split, of_split):
        if reader.name not in encoders:
            embedded = reader.embed()
            encoders[reader.name] = keras.Model(embedded.inputs, embedded.vectors)
            encoders[reader.name].jit_compile = builder.compiled
        path = directory / _vectors_file(f"{reader.name}-{split}")
        longest = reader.sequence_length
        return compute_vectors(encoders[reader.name], of_split, sequence_length=longest, path=path)

    return builder.reader.precompute(sequences, compute)


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


def _plan(dataset, settings, network, precision):
    """What will happen, in a line or two."""
    corpus, training, plural = dataset.corpus, settings.training, dataset.corpus.modality.plural
    trainable = sum(math.prod(v.shape) for v in network.trainable_variables)
    over = getattr(settings.inputs, "encoder", plural)
    return (
        f"{settings.model} over {over}: {network.count_params():,} parameters, "
        f"{trainable:,} of them trained, in {precision}, with {keras.backend.backend()} on "
        f"{devices.describe()}.\n"
        f"{corpus.name}: {len(dataset.split.train):,} {plural} to train on, "
        f"{len(dataset.split.val):,} to validate, {len(dataset.split.test):,} to test; "
        f"{len(corpus.labels)} labels; "
        f"{training.epochs} epoch{'s' if training.epochs > 1 else ''}."
    )


def _count_answers(dataset, settings, network, is_looked_at):
    """About how many examples are predicted once training has ended."""
    number = NUM_TIMED + sum(len(dataset.cells(name)) for name in settings.splits)
    if is_looked_at and has_gate(network):
        number_of_test = len(dataset.cells("test"))
        number += number_of_test + count_answers(number_of_test)
    return number


def _balance_in_words(balanced):
    changes = [
        f"{label} {counts['num_in']:,} -> {counts['num_out']:,}, weight {counts['weight']:.2f}"
        for label, counts in balanced["labels"].items()
    ]
    return f"Balanced by {balanced['method']}, training split alone: {'; '.join(changes)}."
