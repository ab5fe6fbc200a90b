"""A loss that holds gates to a share of the words."""

from typing import Any

import keras


def find_words(padding_mask: Any, special: tuple[int, int] = (0, 0)) -> Any:
    """Which tokens are of words, or of what else an example is made of.

    Args:
        padding_mask: Tensor `(batch, length)`, 1 for what is real, with padding at its end.
        special: Two integers, how many special tokens each example begins and ends with.

    Returns:
        Float32 tensor `(batch, length)`, 1 for a token that is neither padding nor special.

    Example:

    >>> words = find_words(keras.ops.array([[1, 1, 1, 1, 0]]), special=(1, 1))
    >>> keras.ops.convert_to_numpy(words).tolist()
    [[0.0, 1.0, 1.0, 0.0, 0.0]]
    """
    ops = keras.ops
    mask = ops.cast(padding_mask, "float32")
    before, after = special
    # Counted from the start, and from the end.
    first = ops.cumsum(mask, axis=1)
    last = ops.sum(mask, axis=1, keepdims=True) - first
    is_word = ops.logical_and(first > before, last >= after)
    return mask * ops.cast(is_word, "float32")


def penalty(opened: Any, words: Any, keep: float, weight: float) -> Any:
    """How far the mean of words' gates is from what it is to be, `weight |mean - keep|`.

    The mean is that over a batch, so that one text may keep more of its words than another.

    Args:
        opened: Tensor `(batch, length)`, the gates.
        words: What `find_words` gives.
        keep: Float, what their mean is to be.
        weight: Float.

    Returns:
        Float32 scalar tensor.
    """
    ops = keras.ops
    number = ops.maximum(ops.sum(words), 1.0)
    mean = ops.sum(ops.cast(opened, "float32") * words) / number
    return weight * ops.abs(mean - keep)


def check_keep(keep: float) -> None:
    """Makes sure that a share to keep is one."""
    if not 0 < keep <= 1:
        raise ValueError(f"`keep` must be above 0 and at most 1. Received: keep={keep}")
