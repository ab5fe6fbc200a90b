"""What modalities of numbers have in common: they are standardized on the training split."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from emotion_keras.inputs.base import Input
from emotion_keras.record.options import Options


class StandardizedInput(Input):
    """A modality whose numbers have the mean 0 and the standard deviation 1 in the training split.

    Args:
        options: Of `options_class`.
        mean: Float32 array `(num_numbers,)`, what is taken from each number.
        deviation: Float32 array `(num_numbers,)`, what it is divided by then.
    """

    def __init__(self, options: Any, mean: np.ndarray, deviation: np.ndarray):
        self.options = options
        self.sequence_length = options.sequence_length
        self._mean, self._deviation = mean, deviation

    def save(self, directory: Path) -> None:
        """What was learned is small enough for the record."""

    def state(self) -> dict[str, Any]:
        return {"mean": self._mean.tolist(), "deviation": self._deviation.tolist()}

    @classmethod
    def load(
        cls, directory: Path, options: Options, state: dict[str, Any] | None, remedy: str
    ) -> Self:
        learned = [np.array(state[name], "float32") for name in ("mean", "deviation")]
        return cls(cls.options_class(**options.to_dict()), *learned)
