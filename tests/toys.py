"""A toy modality: short sequences of numbers, from cells such as `0.1 0.5 0.3`."""

from dataclasses import dataclass

import keras
import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.inputs import Input
from emotion_keras.inputs.embedded import Embedded
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.record.options import COUNT, Options, option


@dataclass(frozen=True, kw_only=True)
class NumbersOptions(Options):
    encoder: str = option("scratch", "Where the vectors come from.")
    sequence_length: int = option(8, "Most numbers that are read.", COUNT)
    embedding_dim: int = option(4, "Width of the vectors.", COUNT)


class NumbersInput(Input):
    name, plural, size_unit, feature = "numbers", "sequences", "numbers", "numbers"
    column_names, samples = ("numbers", "series"), ("0.1 0.5 0.3", "2 -1", "0")
    noises = {
        "flip_sign": lambda cell, level, rng: " ".join(
            f"-{x}".removeprefix("--") for x in cell.split()
        )
    }
    options_class = NumbersOptions
    flaw = classmethod(lambda cls, cell: "" if cell else "empty")
    size = classmethod(lambda cls, cell: len(cell.split()))

    def __init__(self, options, scale):
        self.options, self.sequence_length, self.scale = options, options.sequence_length, scale

    @classmethod
    def read(cls, value):
        try:
            return " ".join(str(float(number)) for number in str(value or "").split())
        except ValueError as error:
            raise UserError(f"no numbers with blanks between them: {value!r}") from error

    @classmethod
    def learn(cls, cells, options=None, **given):
        largest = max(abs(float(number)) for cell in cells for number in cell.split())
        return cls(options or NumbersOptions(**given), largest)

    def encode(self, cells, longest=None):
        rows = [cell.split()[: longest or self.sequence_length] for cell in cells]
        values = np.array(sum(rows, []), "float32")[:, None] / self.scale
        return Sequences(values, np.cumsum([0, *map(len, rows)]), self.feature)

    def embed(self, load_weights=True, dtype="float32"):
        numbers = keras.Input((None, 1), name="numbers")
        mask = keras.Input((None,), dtype="int32", name="padding_mask")
        project = keras.layers.Dense(self.options.embedding_dim, dtype=dtype, name="projection")
        return Embedded({"numbers": numbers, "padding_mask": mask}, project(numbers), mask)

    def units(self, cells):
        return [[(number, 1) for number in c.split()[: self.sequence_length]] for c in cells]

    def save(self, directory):
        """What was learned is small enough for the record."""

    def state(self):
        return {"scale": self.scale}

    @classmethod
    def load(cls, directory, options, state, remedy):
        return cls(options, state["scale"])
