"""Training one model: the loss by hand, early stopping, balance, and continuing after a stop."""

import errno
import os

import keras
import numpy as np
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inference.prediction import compute_vectors, predict
from emotion_keras.inputs.embedded import embedded_features
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.models import GatedTransformer
from emotion_keras.targets import SingleLabel
from emotion_keras.training.loop import CHECKPOINT, train

DIM = 4


def make_data(counts, seed=0):
    """Sequences of 2 to 9 vectors; a text's label shifts one feature."""
    rng = np.random.default_rng(seed)
    label_ids = np.repeat(np.arange(len(counts)), counts).astype("int32")
    lengths = rng.integers(2, 10, len(label_ids))
    values = rng.normal(size=(lengths.sum(), DIM)).astype("float32")
    values[np.arange(len(values)), np.repeat(label_ids, lengths)] += 0.7
    return Sequences(values, np.concatenate([[0], np.cumsum(lengths)]), "features"), label_ids


def make_model(num_classes=3, seed=0, dropout=0.2, dtype="float32", normalized=False):
    keras.utils.set_random_seed(seed)
    form, embedded = GatedTransformer(num_layers=0, dropout=dropout), embedded_features(DIM)
    if normalized:
        normalize = keras.layers.BatchNormalization(momentum=0.8)
        embedded = embedded._replace(vectors=normalize(embedded.vectors))
    return form.build(embedded, SingleLabel("abcdefgh"[:num_classes]), dtype)


def run(model, data, directory, val_data=None, **options):
    directory.mkdir(exist_ok=True)
    settings = {"batch_size": 16, "epochs": 2, "learning_rate": 0.01, "patience": 0, "seed": 0}
    val_data = val_data or make_data([9, 9, 9], seed=1)
    num_classes = model.output_shape[-1]
    return train(
        model,
        *(
            (sequences, np.eye(num_classes, dtype="float32")[ids])
            for sequences, ids in (data, val_data)
        ),
        target=SingleLabel("abcdefgh"[:num_classes]),
        sequence_length=16,
        directory=directory,
        **{**settings, **options},
    )


def probabilities(model, sequences):
    return predict(model, sequences, sequence_length=16)


def weights(model):
    return [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]


def cross_entropy(found, label_ids, smoothing=0.0):
    target = np.eye(3)[label_ids] * (1 - smoothing) + smoothing / 3
    return -(target * np.log(found)).sum(axis=1)


def test_it_learns(tmp_path):
    model, data = make_model(), make_data([40, 40, 40])
    outcome = run(model, data, tmp_path, epochs=15, learning_rate=0.05)
    losses = [row["loss"] for row in outcome["history"]]
    assert min(losses) < 0.75 * losses[0]
    assert np.mean(probabilities(model, data[0]).argmax(axis=1) == data[1]) > 0.7
    assert [row["epoch"] for row in outcome["history"]] == list(range(1, 16))


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_first_loss_is_the_cross_entropy_of_the_initial_weights(tmp_path, smoothing):
    model, data = make_model(dropout=0.0), make_data([10, 10, 10])
    expected = cross_entropy(probabilities(model, data[0]), data[1], smoothing).mean()
    outcome = run(model, data, tmp_path, batch_size=30, epochs=1, label_smoothing=smoothing)
    assert outcome["history"][0]["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("balance", ["none", "undersample", "oversample", "class_weight"])
def test_balance_gives_each_label_the_same_say(tmp_path, balance):
    # All texts of a label are alike, so that it does not matter which are left out or repeated.
    counts, rows = [12, 6, 3], np.eye(3, DIM, dtype="float32")
    label_ids = np.repeat([0, 1, 2], counts).astype("int32")
    data = (
        Sequences(np.repeat(rows[label_ids], 2, axis=0), np.arange(0, 43, 2), "features"),
        label_ids,
    )
    model = make_model(dropout=0.0)
    losses = cross_entropy(probabilities(model, data[0]), label_ids)
    by_label = [losses[label_ids == number].mean() for number in range(3)]
    expected = losses.mean() if balance == "none" else np.mean(by_label)
    assert abs(losses.mean() - np.mean(by_label)) > 1e-3
    outcome = run(model, data, tmp_path, data, batch_size=36, epochs=1, balance=balance)
    assert outcome["history"][0]["loss"] == pytest.approx(expected, rel=1e-5)
    num_texts = {"undersample": 9, "oversample": 36}.get(balance, 21)
    texts = outcome["examples_per_second"] * outcome["seconds"]
    assert texts == pytest.approx(num_texts)


def test_biases_are_not_decayed_and_matrices_are(tmp_path):
    before, after = [], []
    for weight_decay in (0.0, 5.0):
        model = make_model(dropout=0.0)
        for variable in model.trainable_variables:
            variable.assign(variable + 0.5)
        before = weights(model)
        options = {"epochs": 1, "batch_size": 30, "warmup": 0.0, "weight_decay": weight_decay}
        run(model, make_data([10, 10, 10]), tmp_path / str(weight_decay), **options)
        after.append(weights(model))
    for initial, free, decayed in zip(before, *after, strict=True):
        expected = 0.01 * 5.0 * initial if initial.ndim > 1 else np.zeros_like(initial)
        np.testing.assert_allclose(free - decayed, expected, atol=1e-6)


def test_the_gradient_is_cut_to_the_given_length(tmp_path):
    lengths = []

    class Seen(keras.optimizers.AdamW):
        def _clip_gradients(self, gradients):
            clipped = super()._clip_gradients(gradients)
            squares = [keras.ops.sum(keras.ops.square(g)) for g in clipped]
            lengths.append(keras.ops.sqrt(sum(squares)))
            return clipped

    for clip_norm in (1e-3, 0.0):
        model, data = make_model(dropout=0.0), make_data([10, 10, 10])
        directory = tmp_path / str(clip_norm)
        options = {"epochs": 1, "batch_size": 30, "jit": "off", "clip_norm": clip_norm}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keras.optimizers, "AdamW", Seen)
            patch.setattr(keras.Model, "compile", compile_eagerly)
            run(model, data, directory, **options)
    clipped, free = (float(keras.ops.convert_to_numpy(length)) for length in lengths)
    assert clipped == pytest.approx(1e-3, rel=1e-3)
    assert free > 1e-2


def compile_eagerly(self, *args, original=keras.Model.compile, **options):
    return original(self, *args, **{**options, "run_eagerly": True})


def scripted_scores(monkeypatch, scores):
    scores = iter(scores)
    measured = {"loss": 1.0, "accuracy": 0.5}
    monkeypatch.setattr(
        SingleLabel, "validate", lambda *args: {**measured, "macro_f1": next(scores)}
    )


class Weights(keras.callbacks.Callback):
    """Keeps the weights of each epoch's end."""

    def __init__(self):
        super().__init__()
        self.by_epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.by_epoch.append(weights(self.model))


def test_early_stopping_restores_the_best_epoch(tmp_path, monkeypatch):
    scripted_scores(monkeypatch, [0.3, 0.5, 0.5, 0.4, 0.9])
    model, seen = make_model(), Weights()
    data = make_data([10, 10, 10])
    outcome = run(model, data, tmp_path, epochs=9, patience=2, callbacks=[seen])
    assert outcome["best_epoch"] == 2
    assert [row["val_macro_f1"] for row in outcome["history"]] == [0.3, 0.5, 0.5, 0.4]
    for found, expected in zip(weights(model), seen.by_epoch[1], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert any((a != b).any() for a, b in zip(weights(model), seen.by_epoch[3], strict=True))


def test_without_patience_all_epochs_are_trained(tmp_path, monkeypatch):
    scripted_scores(monkeypatch, [0.5, 0.4, 0.3, 0.2])
    outcome = run(make_model(), make_data([10, 10, 10]), tmp_path, epochs=4, patience=0)
    assert (len(outcome["history"]), outcome["best_epoch"]) == (4, 1)


def test_validation_is_measured_on_all_texts_with_the_weights_of_the_epoch(tmp_path):
    model, val_data = make_model(), make_data([13, 5, 9], seed=1)
    outcome = run(model, make_data([20, 20, 20]), tmp_path, val_data, epochs=1)
    found = probabilities(model, val_data[0])
    row = outcome["history"][0]
    assert row["val_loss"] == pytest.approx(cross_entropy(found, val_data[1]).mean(), rel=1e-5)
    assert row["val_accuracy"] == pytest.approx(np.mean(found.argmax(axis=1) == val_data[1]))


class StopAt(keras.callbacks.Callback):
    """Breaks off in the middle of an epoch, as a crash does."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise InterruptedError


@pytest.mark.parametrize("at", [(0, 2), (1, 1), (3, 0)])
def test_a_broken_off_training_continues_to_the_same_weights(tmp_path, at):
    data, whole = make_data([20, 20, 20]), make_model()
    expected = run(whole, data, tmp_path / "whole", epochs=4)
    broken = make_model()
    with pytest.raises(InterruptedError):
        run(broken, data, tmp_path / "broken", epochs=4, callbacks=[StopAt(*at)])
    continued, seen = make_model(), Weights()
    outcome = run(continued, data, tmp_path / "broken", epochs=4, callbacks=[seen])
    assert len(seen.by_epoch) == 4 - at[0]
    for found, exact in zip(weights(continued), weights(whole), strict=True):
        np.testing.assert_array_equal(found, exact)
    for row, other in zip(outcome["history"], expected["history"], strict=True):
        for name in ("seconds", "val_seconds"):
            del row[name], other[name]
        assert row == other
    assert outcome["best_epoch"] == expected["best_epoch"]


def test_moving_statistics_continue_and_are_those_of_the_best_epoch(tmp_path, monkeypatch):
    data, whole = make_data([20, 20, 20]), make_model(normalized=True)
    run(whole, data, tmp_path / "whole", epochs=4)
    broken, continued = make_model(normalized=True), make_model(normalized=True)
    with pytest.raises(InterruptedError):
        run(broken, data, tmp_path / "broken", epochs=4, callbacks=[StopAt(2, 1)])
    run(continued, data, tmp_path / "broken", epochs=4)
    for found, exact in zip(continued.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(found, exact)
    monkeypatch.setattr(SingleLabel, "validate", falling())
    best, one = make_model(normalized=True), make_model(normalized=True)
    run(best, data, tmp_path / "best", epochs=3, schedule="constant", warmup=0.0)
    run(one, data, tmp_path / "one", epochs=1, schedule="constant", warmup=0.0)
    for found, exact in zip(best.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_array_equal(found, exact)


def falling():
    """A validation that finds each epoch worse than the one before."""
    scores = iter(np.linspace(0.9, 0.1, 100))
    return lambda target, truth, found: {
        "loss": 1.0,
        "accuracy": 0.5,
        "macro_f1": float(next(scores)),
    }


def test_a_finished_training_is_not_trained_again(tmp_path):
    data = make_data([20, 20, 20])
    run(make_model(), data, tmp_path)
    model, seen = make_model(), Weights()
    run(model, data, tmp_path, callbacks=[seen])
    assert seen.by_epoch == []


def test_a_checkpoint_is_never_half_there(tmp_path, monkeypatch):
    data, directory = make_data([20, 20, 20]), tmp_path
    replace, calls = os.replace, []

    def fail_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(*args)

    monkeypatch.setattr(os, "replace", fail_second)
    with pytest.raises(UserError, match="after epoch 2 cannot be written.*No space left"):
        run(make_model(), data, directory, epochs=3)
    with np.load(directory / CHECKPOINT) as checkpoint:
        assert len(checkpoint["history"]) == 1
    assert [path.name for path in directory.iterdir()] == [CHECKPOINT]


def test_averaged_weights_are_those_of_the_steps(tmp_path):
    class Epochs(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            by_step.append(weights(self.model))

    by_step, data = [], make_data([16, 16, 16])
    model = make_model(dropout=0.0)
    # A step an epoch: on JAX Keras shows weights at an epoch's end alone.
    options = {"batch_size": 48, "epochs": 4, "weight_average": 0.6, "callbacks": [Epochs()]}
    outcome = run(model, data, tmp_path, **options)
    assert len(by_step) == 4
    averages = [by_step[0]]
    for of_step in by_step[1:]:
        pairs = zip(averages[-1], of_step, strict=True)
        averages.append([0.6 * average + 0.4 * value for average, value in pairs])
    best = outcome["best_epoch"] - 1
    for found, average in zip(weights(model), averages[best], strict=True):
        np.testing.assert_allclose(found, average, atol=1e-6)
    assert not np.allclose(by_step[-1][0], averages[-1][0], atol=1e-6)


def test_averaged_weights_are_validated_and_training_goes_on_with_its_own(tmp_path):
    data, val_data = make_data([16, 16, 16]), make_data([9, 9, 9], seed=1)
    options = {"epochs": 3}
    plain, averaged = make_model(dropout=0.0), make_model(dropout=0.0)
    without = run(plain, data, tmp_path / "plain", val_data, **options)["history"]
    outcome = run(averaged, data, tmp_path / "averaged", val_data, weight_average=0.9, **options)
    history = outcome["history"]
    # The same steps, and so the same losses; another model is validated.
    assert [row["loss"] for row in history] == pytest.approx([row["loss"] for row in without])
    assert history[-1]["val_loss"] != pytest.approx(without[-1]["val_loss"], rel=1e-3)
    found = probabilities(averaged, val_data[0])[np.arange(27), val_data[1]]
    best = history[outcome["best_epoch"] - 1]
    assert -np.log(found).mean() == pytest.approx(best["val_loss"], rel=1e-4)


def test_frozen_vectors_are_the_encoders_outputs(tmp_path):
    features = keras.Input((None, DIM), name="features")
    mask = keras.Input((None,), dtype="int32", name="padding_mask")
    inputs = {"features": features, "padding_mask": mask}
    dense = keras.layers.Dense(3)
    encoder = keras.Model(inputs, dense(features))
    sequences = make_data([7, 6, 5])[0]
    vectors = compute_vectors(
        encoder,
        sequences,
        sequence_length=8,
        path=tmp_path / "vectors.npy",
        batch_size=4,
    )
    kernel, bias = dense.get_weights()
    assert vectors.lengths.tolist() == np.minimum(sequences.lengths, 8).tolist()
    for i in range(len(sequences)):
        start = sequences.offsets[i]
        text = sequences.values[start : start + vectors.lengths[i]]
        found = vectors.values[vectors.offsets[i] : vectors.offsets[i + 1]]
        np.testing.assert_allclose(found, text @ kernel + bias, atol=1e-5)


def test_the_loss_scale_is_kept_in_float16(tmp_path):
    data, model = make_data([20, 20, 20]), make_model(dtype="mixed_float16")
    run(model, data, tmp_path / "one", epochs=3)
    model = make_model(dtype="mixed_float16")
    with pytest.raises(InterruptedError):
        run(model, data, tmp_path / "two", epochs=3, callbacks=[StopAt(2, 0)])
    with np.load(tmp_path / "two" / CHECKPOINT) as checkpoint:
        values = [checkpoint[name] for name in checkpoint if name.startswith("state_")]
    # The scale starts at 2**15, and only it is so large.
    assert max(float(np.max(value)) for value in values) >= 2**15
    model = make_model(dtype="mixed_float16")
    run(model, data, tmp_path / "two", epochs=3)
    assert float(keras.ops.convert_to_numpy(model.optimizer.dynamic_scale)) >= 2**15
