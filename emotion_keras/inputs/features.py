"""Features: vectors of numbers that another program has made. No Keras before it is needed.

Action units of a face, functionals of a recording, physiology: a vector an example, or a list of
vectors, such as one for each second.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.inputs.standardized import StandardizedInput
from emotion_keras.record.options import COUNT, NOT_NEGATIVE, PART, Options, option

if TYPE_CHECKING:
    from emotion_keras.inputs.embedded import Embedded
    from emotion_keras.tables import CellColumns


@dataclass(frozen=True, kw_only=True)
class FeaturesOptions(Options):
    """How vectors of numbers become the vectors that a model works on."""

    encoder: Literal["scratch"] = option(
        "scratch", "Where the vectors come from: `scratch` learns a dense layer."
    )
    sequence_length: int = option(
        128, "Most vectors of an example that are read; of more the last are cut off.", COUNT
    )
    embedding_dim: int = option(128, "Width of the vectors.", COUNT)
    feature_dropout: float = option(
        0.2, "Share of the numbers that are replaced by their mean while training.", PART
    )
    feature_noise: float = option(
        0.1,
        "Standard deviation of the noise that is added while training, as a share of each "
        "number's own.",
        NOT_NEGATIVE,
    )


def parse(cell: str) -> np.ndarray:
    """The vectors of a cell, float64 `(num_vectors, dim)`.

    Example:

    >>> parse("[1, 2.5]").tolist(), parse("[[1, 2], [3, 4]]").shape
    ([[1.0, 2.5]], (2, 2))
    """
    return np.atleast_2d(np.array(json.loads(cell), "float64"))


def _jitter(cell, level, rng):
    """Numbers with noise, `level` times as large as they differ among themselves."""
    vectors = parse(cell)
    noisy = vectors + level * vectors.std() * rng.normal(size=vectors.shape)
    return json.dumps(noisy.tolist())


def _drop(cell, level, rng):
    """Numbers of which a share is 0."""
    vectors = parse(cell)
    return json.dumps((vectors * (rng.random(vectors.shape) >= level)).tolist())


class FeaturesInput(StandardizedInput):
    """Vectors of numbers, as JSON: a list of numbers, or a list of such lists.

    Args:
        options: `FeaturesOptions`.
        mean: Float32 array `(dim,)`, the mean of each number in the training split.
        deviation: Float32 array `(dim,)`, the standard deviation likewise.

    Example:

    >>> features = FeaturesInput.learn(["[1, 5]", "[3, 5]"])
    >>> features.encode(["[3, 5]"]).values.tolist()
    [[1.0, 0.0]]
    """

    name = "features"
    singular = "vector"
    plural = "vectors"
    size_unit = "vectors"
    column_option = "feature_columns"
    column_names = ("features", "vector", "vectors", "embedding", "action_units")
    unit_plural = "vectors"
    units_recur = False
    flaws = ("empty",)
    value_types = (list, tuple, np.ndarray)
    samples = ("[0.5, -1.0, 2.0]", "[[1.0, 0.0, 0.25], [0.5, 3.0, -2.0]]", "[2.0, 1.0, 0.0]")
    noises = {"jitter": _jitter, "drop_numbers": _drop}
    options_class = FeaturesOptions
    feature = "vectors"

    @classmethod
    def choose_columns(cls, path: Path, columns: Sequence[str], asked: Any) -> "CellColumns":
        from emotion_keras.tables import CellColumns, match_columns

        if asked is None:
            return super().choose_columns(path, columns, asked)
        found = match_columns(path, columns, asked, cls.column_option)
        if len(found) == 1:
            return super().choose_columns(path, columns, found[0])
        return CellColumns(tuple(found), cls._read_numbers)

    @classmethod
    def _read_numbers(cls, values):
        """A vector from as many columns as it has numbers; nothing where one of them is empty."""
        if any(value is None or value == "" for value in values):
            return ""
        return cls.read(list(values))

    @classmethod
    def read(cls, value: Any) -> str:
        if value is None or (isinstance(value, str) and not value.strip()):
            return ""
        try:
            found = json.loads(value) if isinstance(value, str) else value
            vectors = np.array(found, "float64")
        except (ValueError, TypeError, RecursionError):
            raise UserError(
                "no list of numbers and no list of such lists of one length: "
                f"{' '.join(str(value).split())[:60]!r}"
            ) from None
        if vectors.size == 0 or (vectors.ndim == 0 and np.isnan(vectors)):
            return ""
        if not np.isfinite(vectors).all():
            raise UserError("a number that is infinite or none: leave such a cell empty")
        if vectors.ndim > 2:
            raise UserError("lists within lists within lists, where a list of vectors is needed")
        return json.dumps(np.atleast_1d(vectors).tolist())

    @classmethod
    def flaw(cls, cell: str) -> str:
        return "" if cell else "empty"

    @classmethod
    def size(cls, cell: str) -> int:
        return len(parse(cell)) if cell else 0

    @classmethod
    def part(cls, cell: str, units: Sequence[str], kept: Sequence[int]) -> str:
        return json.dumps(parse(cell)[list(kept)].tolist()) if kept else ""

    options: FeaturesOptions

    def fitting_samples(self) -> tuple[str, ...]:
        """The mean of the training split, once and twice."""
        mean = self._mean.tolist()
        return json.dumps(mean), json.dumps([mean, mean])

    @property
    def token_shape(self) -> tuple[int, ...]:
        return self._mean.shape

    @classmethod
    def learn(cls, cells: Sequence[str], options: Options | None = None, **given: Any) -> Self:
        chosen = FeaturesOptions(**(options.to_dict() if options else given))
        vectors = [parse(cell) for cell in cells]
        if len(dims := sorted({found.shape[1] for found in vectors})) > 1:
            raise UserError(
                "The vectors of all examples have as many numbers. Received: "
                f"vectors of {', '.join(map(str, dims[:5]))} numbers"
            )
        whole = np.concatenate(vectors)
        deviation = whole.std(axis=0)
        # A number that is always the same says nothing.
        deviation[deviation < 1e-8] = 1
        return cls(chosen, whole.mean(axis=0).astype("float32"), deviation.astype("float32"))

    def encode(self, cells: Sequence[str], longest: int | None = None) -> Sequences:
        return Sequences.from_list([self._encode(cell, longest) for cell in cells], self.feature)

    def _encode(self, cell, longest):
        if not cell:  # Of a part of which nothing is kept: the mean.
            return np.zeros((1, len(self._mean)), "float32")
        vectors = parse(cell)[: longest or self.sequence_length]
        if vectors.shape[1] != len(self._mean):
            raise UserError(
                f"The model takes vectors of {len(self._mean)} numbers. Received: one of "
                f"{vectors.shape[1]}"
            )
        return ((vectors - self._mean) / self._deviation).astype("float32")

    def embed(self, load_weights: bool = True, dtype: str = "float32") -> "Embedded":
        import keras

        from emotion_keras.inputs.embedded import Embedded
        from emotion_keras.inputs.features_embedding import embed_vectors

        vectors = keras.Input((None, *self.token_shape), dtype="float32", name=self.feature)
        padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
        inputs = {self.feature: vectors, "padding_mask": padding_mask}
        return Embedded(inputs, embed_vectors(vectors, self.options, dtype), padding_mask)

    def units(self, cells: Sequence[str]) -> list[list[tuple[str, int]]]:
        return [[(str(i + 1), 1) for i in range(n)] for n in self.encode(cells).lengths]
