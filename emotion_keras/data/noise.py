"""Noise: what may happen to cells and labels on their way to a model, at a level that is chosen.

Which kinds of noise cells can have is known to their modality: see `Input.noises`.
"""

import zlib
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from emotion_keras.data.options import NoiseOptions
from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.inputs import Input, TextInput
from emotion_keras.targets import SingleLabel, Target

LABELS = "labels"


def perturb(
    cells: Sequence[Any],
    kind: str,
    level: float,
    *,
    seed: int | Sequence[int] = 0,
    modality: type[Input] = TextInput,
) -> list[Any]:
    """Perturbs cells; the noise of a cell follows from the seed and the cell alone.

    Of a cell that is the path of a file, it follows from the file's content.

    Args:
        cells: Sequence of cells, such as texts.
        kind: Name of a kind of the modality's `noises`.
        level: Float in `[0, 1]`, the expected share of what the kind is about (characters, words,
            marks, emotion words; power, samples, time) that is touched; 0 leaves a cell as it is. A
            higher level touches what a lower one does and more, except where neighbours are
            swapped.
        seed: Integer, or sequence of them.
        modality: Class of the `Input` that knows the cells.

    Returns:
        List of cells. Of a text that has a word something stays at any level.

    Raises:
        UserError: If there is no such kind, or on a level outside of 0 to 1.

    Example:

    >>> perturb(["I was late", "We won"], "mask_words", 1.0)
    ['▒ ▒ ▒', '▒ ▒']
    """
    check_kind(kind, modality.noises)
    check_level(level)
    if not level:
        return list(cells)
    seed = [*np.atleast_1d(seed), zlib.crc32(kind.encode())]
    touch = modality.noises[kind]
    contents = (modality.content(cell) or str(cell) for cell in cells)
    return [
        touch(cell, level, np.random.default_rng([*seed, zlib.crc32(content.encode())]))
        for cell, content in zip(cells, contents, strict=True)
    ]


def perturb_labels(
    truth: np.ndarray, level: float, *, seed: int = 0, several: bool = False
) -> np.ndarray:
    """Gives some examples another label, each of the others with the same chance.

    Where an example may have several labels, one is drawn, and holds if it did not, or the reverse.

    Args:
        truth: Rows of `Target.encode`, `(num_examples, num_labels)`.
        level: Float in `[0, 1]`, the expected share of examples with another label than theirs.
        seed: Integer.
        several: Whether an example may have several labels.

    Returns:
        Array like `truth`, in which a row that is touched is shifted round by a number of labels;
        with several a number of it is 1 in place of 0, or 0 in place of 1.

    Raises:
        UserError: On a level outside of 0 to 1.
    """
    check_level(level)
    rng = np.random.default_rng([seed, zlib.crc32(LABELS.encode())])
    num_examples, num_labels = truth.shape
    touched = rng.random(num_examples) < level
    if several:
        turned = np.zeros(truth.shape, bool)
        turned[np.arange(num_examples), rng.integers(0, num_labels, num_examples)] = touched
        return np.where(turned, 1 - truth, truth).astype(truth.dtype)
    shifts = np.where(touched, rng.integers(1, num_labels, num_examples), 0)
    sources = (np.arange(num_labels) - shifts[:, None]) % num_labels
    return np.take_along_axis(truth, sources, axis=1)


class TrainingNoise:
    """Noise for the training split: of cells again in each epoch, of labels once.

    Args:
        seed: Integer.
        options: `NoiseOptions`.
        modality: Class of the `Input` that knows the cells.
        target: Class of the `Target`.
        **given: Its fields, in place of the object.

    Raises:
        UserError: If `noise` says something else.
    """

    def __init__(
        self,
        seed: int,
        options: NoiseOptions | None = None,
        *,
        modality: type[Input] = TextInput,
        target: type[Target] = SingleLabel,
        **given: Any,
    ):
        noise = (options or NoiseOptions(**given)).noise
        self.seed = seed
        self.modality = modality
        self.target = target
        known = (*modality.noises, LABELS)
        levels = [] if noise is None else [_parse(part, known) for part in noise.split(",")]
        self._levels = dict(levels)
        if len(self._levels) < len(levels):
            raise UserError(f"A kind of noise has one level. Received: noise={noise!r}")
        self._label_level = self._levels.pop(LABELS, 0)
        self.touches_cells = bool(self._levels)

    def perturb(self, cells: Sequence[Any], epoch: int) -> Sequence[Any]:
        """Perturbs cells for an epoch, counted from 0."""
        for kind, level in self._levels.items():
            # Cells to test on have noise of seeds without an epoch: no model has seen theirs.
            seed = [self.seed, 1 + epoch]
            cells = perturb(cells, kind, level, seed=seed, modality=self.modality)
        return cells

    def perturb_labels(self, truth: np.ndarray) -> np.ndarray:
        """Perturbs labels; see the function of the same name."""
        several = self.target.several
        return perturb_labels(truth, self._label_level, seed=self.seed, several=several)


def _parse(part, known):
    """Kind and level from a string such as `typos:0.05`."""
    kind, _, level = part.strip().partition(":")
    check_kind(kind, known)
    try:
        level = float(level)
    except ValueError as error:
        raise UserError(
            f"Noise is a kind and its level, as in {kind}:0.05. Received: {part!r}"
        ) from error
    check_level(level)
    return kind, level


def check_kind(kind: str, known: Collection[str]) -> None:
    """Raises `UserError` if a kind of noise is not one of those that are known."""
    if kind not in known:
        accepted = f"{did_you_mean(kind, known)} Accepted: {', '.join(known)}."
        raise UserError(f"Unknown kind of noise.{accepted} Received: {kind!r}")


def check_level(level: float) -> None:
    """Raises `UserError` if a level of noise is not a share."""
    if not 0 <= level <= 1:
        raise UserError(f"A level of noise is a share from 0 to 1. Received: {level}")
