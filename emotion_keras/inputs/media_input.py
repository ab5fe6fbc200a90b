"""What modalities of files have in common."""

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from emotion_keras.inputs.media import Excerpt, Perturbed, read_cell
from emotion_keras.inputs.standardized import StandardizedInput


class Medium(Protocol):
    """What is known of every file: the checksum of its content, and why it is of no use."""

    @property
    def sha256(self) -> str:
        """Empty where there is no file."""

    @property
    def flaw(self) -> str:
        """One of `Input.flaws`, or empty."""


class MediaInput(StandardizedInput):
    """A modality whose cells are paths of files."""

    reads_files = True
    units_recur = False

    @classmethod
    @abc.abstractmethod
    def inspect(cls, cell: str | Perturbed) -> Medium:
        """Says what a file is."""

    @classmethod
    def read(cls, value: Any) -> str:
        return read_cell(value)

    @classmethod
    def locate(cls, cell: str, folder: Path) -> str:
        return str(folder / cell) if cell else cell

    @classmethod
    def content(cls, cell: str | Perturbed) -> str:
        return cls.inspect(cell).sha256

    @classmethod
    def flaw(cls, cell: str | Perturbed) -> str:
        return cls.inspect(cell).flaw

    @classmethod
    def part(cls, cell: str | Perturbed, units: Sequence[str], kept: Sequence[int]) -> Excerpt:
        return Excerpt(cell, tuple(kept))
