"""Sequences of unequal length, against plain lists."""

import numpy as np
import pytest

from emotion_keras.inputs.sequences import (
    FusedSequences,
    PartialSequences,
    Sequences,
    real_tokens,
)

LISTS = [[5], [6, 7, 8], [], [9, 1, 2, 3], [4, 4]]


def to_lists(sequences):
    return [
        sequences.values[start:end].tolist()
        for start, end in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)
    ]


def test_from_list_keeps_all():
    sequences = Sequences.from_list(LISTS)
    assert to_lists(sequences) == LISTS
    assert len(sequences) == 5
    assert sequences.lengths.tolist() == [1, 3, 0, 4, 2]
    assert sequences.values.dtype == np.int32


@pytest.mark.parametrize("indices", [[3, 0, 3], [2], [], [4, 3, 2, 1, 0]])
def test_take(indices):
    taken = Sequences.from_list(LISTS).take(np.array(indices, int))
    assert to_lists(taken) == [LISTS[i] for i in indices]
    assert taken.lengths.tolist() == [len(LISTS[i]) for i in indices]


def test_take_of_taken():
    taken = Sequences.from_list(LISTS).take(np.array([4, 3, 1])).take(np.array([2, 0]))
    assert to_lists(taken) == [[6, 7, 8], [4, 4]]


@pytest.mark.parametrize("length", [1, 3, 6])
def test_pad(length):
    indices = [3, 2, 0, 3]
    values, mask = Sequences.from_list(LISTS).pad(indices, length)
    cut = [LISTS[i][:length] for i in indices]
    assert values.tolist() == [row + [0] * (length - len(row)) for row in cut]
    assert mask.tolist() == [[1] * len(row) + [0] * (length - len(row)) for row in cut]
    assert (values.dtype, mask.dtype) == (np.int32, np.int32)


def test_pad_of_vectors():
    vectors = np.arange(12, dtype="float32").reshape(6, 2)
    values, mask = Sequences(vectors, np.array([0, 2, 6])).pad([1, 0], 3)
    assert values.tolist() == [[[4, 5], [6, 7], [8, 9]], [[0, 1], [2, 3], [0, 0]]]
    assert mask.tolist() == [[1, 1, 1], [1, 1, 0]]


def test_concatenate():
    parts = [Sequences.from_list(LISTS[:2]), Sequences.from_list(LISTS[2:])]
    assert to_lists(Sequences.concatenate(parts)) == LISTS


def test_arrays_of_vectors_are_stored_as_they_are():
    arrays = [np.array([[0.5, 1], [2, 3]], "float32"), np.array([[4, 5]], "float32")]
    stored = Sequences.from_list(arrays)
    assert stored.lengths.tolist() == [2, 1] and stored.values.dtype == np.float32
    assert stored.values.tolist() == [[0.5, 1], [2, 3], [4, 5]]


IDS = Sequences.from_list([[7, 8, 9, 10, 11], [5]])
VECTORS = Sequences(np.arange(1, 7, dtype="float32").reshape(3, 2), np.array([0, 1, 2, 3]), "faces")


def fused():
    """Four examples: with both, with ids alone, with a vector alone, with nothing."""
    return FusedSequences(
        {
            "text": PartialSequences(IDS, [0, 1, -1, -1], "token_ids", ()),
            "face": PartialSequences(VECTORS, [2, -1, 0, -1], "faces", (2,)),
        }
    )


def test_what_an_example_lacks_is_padding():
    inputs = fused().inputs([3, 2, 1, 0], 8)
    assert list(inputs) == [
        "text_token_ids",
        "text_padding_mask",
        "face_faces",
        "face_padding_mask",
    ]
    assert inputs["text_token_ids"].tolist() == [
        [0] * 8,
        [0] * 8,
        [5, 0, 0, 0, 0, 0, 0, 0],
        [7, 8, 9, 10, 11, 0, 0, 0],
    ]
    assert inputs["face_faces"].tolist() == [[[0, 0]], [[1, 2]], [[0, 0]], [[5, 6]]]
    assert [inputs[name].dtype for name in inputs] == [np.int32, np.int32, np.float32, np.int32]
    masks = [[0] * 9, [0] * 8 + [1], [1] + [0] * 8, [1] * 5 + [0] * 3 + [1]]
    assert real_tokens(inputs).tolist() == np.array(masks, bool).tolist()


def test_no_modality_is_padded_far_beyond_its_longest():
    sequences = fused()
    assert sequences.lengths.tolist() == [5, 1, 1, 0] and len(sequences) == 4
    for length, width in [(4, 4 + 1), (8, 8 + 1), (64, 8 + 1)]:
        assert sequences.width(length) == width
        assert real_tokens(sequences.inputs([0], length)).shape == (1, width)


def test_a_modality_of_one_length_has_it_whatever_is_there():
    part = PartialSequences(None, [-1, -1], "patches", (3,), fixed_length=4)
    sequences = FusedSequences({"image": part, "text": PartialSequences(IDS, [1, 0], "ids", ())})
    assert sequences.inputs([0], 1)["image_patches"].shape == (1, 4, 3)
    assert sequences.width(2) == 4 + 2


def test_examples_of_several_modalities_are_taken():
    taken = fused().take(np.array([2, 0]))
    assert taken.lengths.tolist() == [1, 5]
    assert taken.inputs([0, 1], 8)["face_faces"].tolist() == [[[1, 2]], [[5, 6]]]
