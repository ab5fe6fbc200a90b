"""What is in a batch, in which order, and what Keras makes of it."""

import keras
import numpy as np
import pytest

from emotion_keras.inputs.batches import LENGTHS, PredictionBatches, TrainingBatches, bucket_length
from emotion_keras.inputs.sequences import Sequences


def make(lengths):
    """Sequences whose items are their own number, counted from 1."""
    return Sequences.from_list([[i + 1] * length for i, length in enumerate(lengths)])


def training_batches(lengths, batch_size=8, sequence_length=64, seed=0, **options):
    return TrainingBatches(
        make(lengths),
        np.arange(len(lengths)),
        batch_size=batch_size,
        sequence_length=sequence_length,
        seed=seed,
        **options,
    )


def layout(batches):
    """Which sequences are in each batch."""
    return [batches[i][0]["token_ids"][:, 0] - 1 for i in range(len(batches))]


def widths(batches):
    return [batches[i][0]["token_ids"].shape[1] for i in range(len(batches))]


@pytest.fixture
def lengths():
    return np.random.default_rng(3).integers(2, 90, 1003)


@pytest.mark.parametrize(
    "length, longest, expected",
    [
        (1, 64, 8),
        (8, 64, 8),
        (9, 64, 16),
        (50, 64, 64),
        (50, 60, 60),
        (90, 60, 60),
        (600, 900, 900),
    ],
)
def test_bucket_length(length, longest, expected):
    assert bucket_length(length, longest) == expected


@pytest.mark.parametrize(
    "length, longest, expected",
    [(1, 64, 4), (4, 64, 4), (5, 64, 8), (49, 64, 52), (53, 54, 54), (90, 60, 60)],
)
def test_bucket_length_is_closer_where_nothing_is_compiled(length, longest, expected):
    assert bucket_length(length, longest, compiled=False) == expected


def test_batches_for_steps_that_are_not_compiled_are_padded_less(lengths):
    few, close = (training_batches(lengths, compiled=compiled) for compiled in (True, False))
    assert [list(a) for a in layout(few)] == [list(b) for b in layout(close)]
    assert all(b <= a for a, b in zip(widths(few), widths(close), strict=True))
    assert close.num_tokens() < 0.96 * few.num_tokens()


@pytest.mark.parametrize("epoch", [0, 1, 5])
def test_an_epoch_shows_every_text_and_fills_the_last_batch(lengths, epoch):
    batches = training_batches(lengths)
    batches.set_epoch(epoch)
    rows = layout(batches)
    assert {len(row) for row in rows} == {8}
    times = np.bincount(np.concatenate(rows), minlength=1003)
    assert len(batches) == 126
    assert sorted(np.unique(times)) == [1, 2]
    assert (times == 2).sum() == 126 * 8 - 1003


def test_other_texts_are_shown_twice_in_another_epoch(lengths):
    batches = training_batches(lengths)
    twice = []
    for epoch in range(2):
        batches.set_epoch(epoch)
        times = np.bincount(np.concatenate(layout(batches)))
        twice.append(set(np.flatnonzero(times == 2)))
    assert twice[0] != twice[1]


def test_a_batch_larger_than_the_split_holds_each_text_once():
    batches = training_batches([3, 5, 4], batch_size=32)
    assert [sorted(row) for row in layout(batches)] == [[0, 1, 2]]


def test_rows_are_padded_sequences_with_their_targets_and_weights(lengths):
    weight = np.linspace(0, 1, len(lengths))
    batches = training_batches(lengths, sample_weight=weight)
    for i in range(len(batches)):
        inputs, targets, weights = batches[i]
        np.testing.assert_array_equal(inputs["token_ids"][:, 0] - 1, targets)
        np.testing.assert_array_equal(weights, weight[targets])
        kept = np.minimum(lengths[targets], 64)
        np.testing.assert_array_equal(inputs["padding_mask"].sum(axis=1), kept)
        assert (inputs["token_ids"] == (targets[:, None] + 1) * inputs["padding_mask"]).all()


def test_lengths_are_few_and_alike_in_a_batch(lengths):
    batches = training_batches(lengths, sequence_length=60)
    assert set(widths(batches)) <= {length for length in LENGTHS if length < 60} | {60}
    naive = training_batches(lengths, batch_size=1003, sequence_length=60).num_tokens()
    assert batches.num_tokens() == sum(8 * width for width in widths(batches))
    # 1003 texts of 2 to 60 tokens, cut: half of what one batch of them all takes, and little more
    # than their own tokens.
    assert batches.num_tokens() < 0.85 * naive
    assert batches.num_tokens() < 1.2 * np.minimum(lengths, 60).sum()


def test_order_follows_from_seed_and_epoch(lengths):
    one, other = training_batches(lengths, seed=4), training_batches(lengths, seed=4)
    other.set_epoch(7)
    one.set_epoch(3)
    other.set_epoch(3)
    np.testing.assert_array_equal(layout(one), layout(other))
    other.set_epoch(4)
    assert not np.array_equal(layout(one), layout(other))
    third = training_batches(lengths, seed=5)
    third.set_epoch(3)
    assert not np.array_equal(layout(one), layout(third))


def test_long_and_short_batches_are_mixed(lengths):
    assert abs(np.corrcoef(widths(training_batches(lengths)), np.arange(126))[0, 1]) < 0.3


def test_the_first_two_batches_differ_in_length_where_any_do():
    for seed in range(20):
        batches = training_batches([5] * 100 + [30] * 8, seed=seed)
        assert len(set(widths(batches))) == 2
        assert widths(batches)[0] != widths(batches)[1]
    assert set(widths(training_batches([5] * 50))) == {8}


class Recorder(keras.layers.Layer):
    """Writes the first item of each row into a weight, a row of it a step."""

    def __init__(self, num_steps, batch_size):
        super().__init__()
        self.log = self.add_weight(shape=(num_steps, batch_size), trainable=False)
        self.step = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs):
        first = keras.ops.cast(inputs[:, :1], "float32")
        row = keras.ops.transpose(first)
        self.log.assign(keras.ops.slice_update(self.log.value, [self.step.value, 0], row))
        self.step.assign(self.step + 1)
        return self.scale * first


def recorded_layouts(batches, initial_epoch, epochs):
    size = batches.batch_size
    token_ids = keras.Input((None,), batch_size=size, dtype="int32", name="token_ids")
    mask = keras.Input((None,), batch_size=size, dtype="int32", name="padding_mask")
    recorder = Recorder(len(batches), size)
    model = keras.Model({"token_ids": token_ids, "padding_mask": mask}, recorder(token_ids))
    model.compile("sgd", "mse")
    fed = []

    class Epochs(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            batches.set_epoch(epoch)
            recorder.step.assign(0)

        def on_epoch_end(self, epoch, logs=None):
            fed.append(keras.ops.convert_to_numpy(recorder.log).astype(int) - 1)

    model.fit(
        batches,
        initial_epoch=initial_epoch,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[Epochs()],
    )
    return fed


@pytest.mark.parametrize("initial_epoch", [0, 2])
def test_keras_feeds_the_layout_of_each_epoch(initial_epoch):
    lengths = np.random.default_rng(1).integers(2, 30, 75)
    fed = recorded_layouts(training_batches(lengths), initial_epoch, initial_epoch + 3)
    expected = training_batches(lengths)
    for i, rows in enumerate(fed):
        expected.set_epoch(initial_epoch + i)
        np.testing.assert_array_equal(rows, layout(expected))


def test_keras_takes_a_length_that_comes_up_in_a_later_epoch_alone():
    # Nine long texts in three batches of four: whether the three short ones are together in one
    # batch is up to the texts that fill the last one.
    lengths = [5] * 3 + [30] * 8
    by_epoch = []
    batches = training_batches(lengths, batch_size=4)
    for epoch in range(10):
        batches.set_epoch(epoch)
        by_epoch.append(set(widths(batches)))
    first = next(i for i, found in enumerate(by_epoch) if len(found) == 1)
    later = next(i for i, found in enumerate(by_epoch) if len(found) == 2 and i > first)
    fed = recorded_layouts(training_batches(lengths, batch_size=4), first, later + 1)
    assert len(fed) == later + 1 - first


@pytest.mark.parametrize("batch_size", [4, 16])
def test_keras_takes_sequences_that_are_others_in_each_epoch(batch_size):
    by_epoch = [[5] * 12, [30] * 12, [12] * 11 + [60], [5] * 12]
    batches = training_batches(
        by_epoch[0], batch_size=batch_size, resample=lambda epoch: make(by_epoch[epoch])
    )
    fed = recorded_layouts(batches, 0, 4)
    for epoch, rows in enumerate(fed):
        batches.set_epoch(epoch)
        np.testing.assert_array_equal(batches.sequences.lengths, by_epoch[epoch])
        np.testing.assert_array_equal(rows, layout(batches))
        assert sorted(rows.ravel()) == list(range(12))


def prediction_batches(lengths, batch_size=8):
    return PredictionBatches(make(lengths), batch_size=batch_size, sequence_length=64)


@pytest.mark.parametrize("batch_size", [1, 8, 2000])
def test_prediction_batches_restore_order(lengths, batch_size):
    batches = prediction_batches(lengths, batch_size)
    outputs = np.concatenate([batches[i][0]["token_ids"][:, :1] for i in range(len(batches))])
    np.testing.assert_array_equal(batches.restore_order(outputs)[:, 0] - 1, np.arange(1003))


def test_prediction_batches_go_from_short_to_long_but_for_the_second(lengths):
    batches = prediction_batches(lengths)
    found = widths(batches)
    assert found[0] != found[1]
    assert sorted(found) == sorted([found[0], *found[2:], found[1]])
    for i in range(len(batches)):
        assert batches[i][0]["token_ids"].shape[0] == 8
        np.testing.assert_array_equal(batches.indices(i), layout(batches)[i])


def test_keras_predicts_every_row_in_order():
    lengths = np.random.default_rng(1).integers(2, 60, 75)
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="int32", name="padding_mask")
    total = keras.ops.sum(token_ids * mask, axis=1, keepdims=True)
    model = keras.Model({"token_ids": token_ids, "padding_mask": mask}, total)
    batches = prediction_batches(lengths)
    sums = batches.restore_order(model.predict(batches, verbose=0))[:, 0]
    np.testing.assert_array_equal(sums, lengths * np.arange(1, 76))
