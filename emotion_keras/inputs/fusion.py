"""Fusion: examples of several modalities, each read by its own `Input`. No Keras before needed."""

import abc
import copy
import copyreg
import dataclasses
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.inputs.base import Input
from emotion_keras.inputs.encoders import Encoder
from emotion_keras.inputs.media import count
from emotion_keras.inputs.sequences import FusedSequences, PartialSequences, Sequences
from emotion_keras.record.options import COUNT, PART, Options, option

if TYPE_CHECKING:
    from emotion_keras.inputs.embedded import Embedded
    from emotion_keras.tables import CellColumns

# Between the names of modalities, and of their encoders.
AND = "+"
# What each modality has of its own, though it is called alike.
_OF_EACH = ("sequence_length", "freeze_encoder")

# A cell: a JSON object of the cells by modality, or, where one has noise or is cut, a tuple.
Cell = str | tuple


class FusionOptions(Options):
    """How cells of several modalities become tokens, and tokens vectors of one width.

    Attributes:
        modalities: Their classes.
    """

    modalities: ClassVar[tuple[type[Input], ...]]

    def __post_init__(self):
        super().__post_init__()
        for part in self.modalities:  # What is wrong for one of them is refused here.
            self.of(part)

    def __reduce__(self):
        return _make_options, (self.modalities, self.to_dict())

    def of(self, part: type[Input]) -> Options:
        """The options of one of the modalities."""
        values = self.to_dict()
        own = {name: values[f"{part.name}_{name}"] for name in _own_names(part)}
        encoder = _split_encoder(self.modalities, values["encoder"])[self.modalities.index(part)]
        return part.options_class.pick({**values, **own, "encoder": encoder})


class FusedEncoder(Encoder):
    """The encoders of several modalities, in their order.

    Args:
        name: Their names, with `AND` between them.
        encoders: An `Encoder` each.
    """

    def __init__(self, name: str, encoders: Sequence[Encoder]):
        super().__init__(name)
        self.encoders = list(encoders)
        kinds = [encoder.kind for encoder in self.encoders]
        # Pretrained if one of them is.
        self.kind = next((k for k in ("pretrained", "embeddings") if k in kinds), "scratch")

    def sha256(self) -> str | None:
        found = [encoder.sha256() or "" for encoder in self.encoders]
        return AND.join(found) if any(found) else None


class _FusedClass(abc.ABCMeta):
    """The class of classes that `fuse` makes, which processes hand to each other by their parts."""


class FusionInput(Input, metaclass=_FusedClass):
    """Examples of several modalities; `fuse` makes the class of some.

    What an example lacks is masked, so that a model works with what is there.

    Args:
        options: Of `options_class`.
        inputs: The `Input` of each modality, by its name.

    Attributes:
        modalities: Their classes.
    """

    modalities: ClassVar[tuple[type[Input], ...]]
    plural = "examples"
    size_unit = "modalities"
    unit_plural = "parts"
    units_recur = False
    value_types = (dict,)

    @classmethod
    def parts(cls) -> tuple[type[Input], ...]:
        return cls.modalities

    @classmethod
    def column_options(cls) -> tuple[str, ...]:
        return tuple(part.column_option for part in cls.modalities)

    @classmethod
    def split(cls, cell: Cell) -> tuple:
        """The cells of the modalities, in their order; empty ones where there are none."""
        if isinstance(cell, tuple):
            return cell
        found = _parse(cell) if cell else {}
        return tuple(found.get(part.name, "") for part in cls.modalities)

    @classmethod
    def join(cls, cells: Sequence[Any]) -> Cell:
        """The cell that is made of cells of the modalities, in their order."""
        if not all(isinstance(cell, str) for cell in cells):
            return tuple(cells)
        pairs = zip(cls.modalities, cells, strict=True)
        found = {part.name: cell for part, cell in pairs if cell}
        return json.dumps(found, ensure_ascii=False) if found else ""

    @classmethod
    def flaws_of(cls, cell: Cell) -> dict[str, str]:
        """Why a modality of a cell cannot be read, by the modality's name."""
        pairs = zip(cls.modalities, cls.split(cell), strict=True)
        # Of no file a modality would say that it is missing.
        found = {part.name: "empty" if one == "" else _flaw(part, one) for part, one in pairs}
        return {name: flaw for name, flaw in found.items() if flaw}

    @classmethod
    def read(cls, value: Any) -> str:
        if value is None or (isinstance(value, str) and not value.strip()):
            return ""
        names = [part.name for part in cls.modalities]
        expected = f"JSON object of {' and '.join(names)}, or of some of them"
        try:
            found = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            raise UserError(f"no {expected}: {' '.join(str(value).split())[:60]!r}") from None
        if not isinstance(found, Mapping) or not found.keys() <= {*names}:
            raise UserError(f"no {expected}: {' '.join(str(value).split())[:60]!r}")
        return str(cls.join([part.read(found.get(part.name)) for part in cls.modalities]))

    @classmethod
    def choose_columns(cls, path: Path, columns: Sequence[str], asked: Any) -> "CellColumns":
        from emotion_keras.tables import CellColumns

        asked = asked or {}
        chosen = [
            part.choose_columns(path, columns, asked.get(part.column_option))
            for part in cls.modalities
        ]
        names = [name for of_part in chosen for name in of_part.names]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(
                f"{path}: one column cannot hold several modalities: {', '.join(twice)}. Name "
                f"others with {_in_words(cls.column_options())}."
            )
        ends = np.cumsum([len(of_part.names) for of_part in chosen]).tolist()

        def read(values):
            starts = [0, *ends[:-1]]
            found = zip(chosen, starts, ends, strict=True)
            return cls.join([of_part.read(values[start:end]) for of_part, start, end in found])

        return CellColumns(tuple(names), read)

    @classmethod
    def layout(cls) -> dict[str, str]:
        return {part.name: str(part.layout()) for part in cls.modalities}

    @classmethod
    def lacks(cls, cell: Cell) -> str:
        return ", ".join(f"{name} {flaw}" for name, flaw in cls.flaws_of(cell).items())

    @classmethod
    def placeholder(cls) -> str:
        return json.dumps({part.name: part.placeholder() for part in cls.modalities})

    @classmethod
    def asked_columns(cls, given: Mapping[str, str | None]) -> dict[str, str | None]:
        return {name: given.get(name) for name in cls.column_options()}

    @classmethod
    def is_cut(cls, cell: Cell) -> bool:
        pairs = zip(cls.modalities, cls.split(cell), strict=True)
        return any(part.is_cut(of_part) for part, of_part in pairs if of_part)

    @classmethod
    def locate(cls, cell: Cell, folder: Path) -> Cell:
        pairs = zip(cls.modalities, cls.split(cell), strict=True)
        return cls.join([part.locate(of_part, folder) for part, of_part in pairs])

    @classmethod
    def fetch(cls, cells: Sequence[Cell], notify: Callable[[str], Any] = print) -> None:
        for part, column in cls._columns(cells):
            part.fetch([cell for cell in column if cell], notify)

    @classmethod
    def content(cls, cell: Cell) -> str:
        pairs = zip(cls.modalities, cls.split(cell), strict=True)
        contents = [part.content(of_part) if of_part else "" for part, of_part in pairs]
        return "\n".join(contents) if any(contents) else ""

    @classmethod
    def flaw(cls, cell: Cell) -> str:
        return "empty" if len(cls.flaws_of(cell)) == len(cls.modalities) else ""

    @classmethod
    def fold(cls, cell: Cell) -> str:
        pairs = zip(cls.modalities, cls.split(cell), strict=True)
        return "\n".join(part.fold(of_part) if of_part else "" for part, of_part in pairs)

    @classmethod
    def elements(cls, cell: Cell) -> Sequence[str]:
        pairs = zip(cls.modalities, cls.split(cell), strict=True)
        return [_named(part, one) for part, own in pairs if own for one in part.elements(own)]

    @classmethod
    def size(cls, cell: Cell) -> int:
        return len(cls.modalities) - len(cls.flaws_of(cell))

    @classmethod
    def part(cls, cell: Cell, units: Sequence[str], kept: Sequence[int]) -> tuple:
        """See `Input.part`; a modality of which nothing is kept is left out, unless nothing is."""
        found, start = [], 0
        for part, of_part in zip(cls.modalities, cls.split(cell), strict=True):
            own = [unit for unit in units if unit.startswith(_named(part, ""))]
            positions = [k - start for k in kept if start <= k < start + len(own)]
            start += len(own)
            is_left_out = kept and not positions
            names = [unit.removeprefix(_named(part, "")) for unit in own]
            found.append("" if is_left_out or not own else part.part(of_part, names, positions))
        return tuple(found)

    @classmethod
    def is_mark(cls, unit: str) -> bool:
        name, _, rest = unit.partition(": ")
        return any(part.is_mark(rest) for part in cls.modalities if part.name == name)

    @classmethod
    def describe(cls, cells: Sequence[Cell]) -> dict[str, dict[str, int]]:
        described = {}
        for part, column in cls._columns(cells):
            held = [cell for cell in column if not _flaw(part, cell)]
            has_it = [not _flaw(part, cell) for cell in column]
            described[f"with {part.name}"] = count("yes" if one else "no" for one in has_it)
            described |= part.describe(held)
        return described

    @classmethod
    def doubts(cls, cells: Sequence[Cell]) -> Iterable[str]:
        for part, column in cls._columns(cells):
            held = [cell for cell in column if cell]
            yield from part.doubts(held)
            if len(held) < len(column):
                yield (
                    f"{len(column) - len(held):,} of {len(column):,} examples have no {part.name}: "
                    "they are learned from by what they have."
                )

    @classmethod
    def find_encoder(cls, name: str) -> FusedEncoder:
        pairs = zip(cls.modalities, _split_encoder(cls.modalities, name), strict=True)
        return FusedEncoder(name, [part.find_encoder(of_part) for part, of_part in pairs])

    @classmethod
    def _columns(cls, cells):
        """Pairs of the class of a modality and its cells."""
        columns = (
            zip(*map(cls.split, cells), strict=True) if len(cells) else [()] * len(cls.modalities)
        )
        return zip(cls.modalities, map(list, columns), strict=True)

    # Of which each class has its own fields.
    options: Any

    def __init__(self, options: Any, inputs: Mapping[str, Any]):
        self.options = options
        self.inputs = dict(inputs)
        self.sequence_length = max(one.sequence_length for one in self.inputs.values())
        self.needs_keras = any(one.needs_keras for one in self.inputs.values())
        self.is_frozen = any(one.is_frozen for one in self.inputs.values())

    @classmethod
    def learn(cls, cells: Sequence[Cell], options: Options | None = None, **given: Any) -> Self:
        chosen = cast(FusionOptions, options or cls.options_class(**given))
        inputs = {}
        for part, column in cls._columns(cells):
            held = [cell for cell in column if not _flaw(part, cell)]
            if not held:
                raise UserError(
                    f"No example of the training split has {part.name}: leave it out of "
                    f"`--modality`. Received: modality={cls.name!r}"
                )
            inputs[part.name] = part.learn(held, chosen.of(part))
        return cls(chosen, inputs)

    def encode(self, cells: Sequence[Cell], longest: int | None = None) -> FusedSequences:
        """See `Input.encode`; each modality has a length of its own, whatever `longest` is."""
        found = {}
        for reader, held, rows in self._by_modality(cells):
            found[reader.name] = self._partial(reader, reader.encode(held) if held else None, rows)
        return FusedSequences(found)

    def encode_and_mark(self, cells: Sequence[Cell]) -> tuple[FusedSequences, np.ndarray]:
        found, is_long = {}, np.zeros(len(cells), bool)
        for reader, held, rows in self._by_modality(cells):
            sequences = None
            if held:
                sequences, of_held = reader.encode_and_mark(held)
                is_long[rows >= 0] |= of_held
            found[reader.name] = self._partial(reader, sequences, rows)
        return FusedSequences(found), is_long

    def windows(self, cells: Sequence[Cell]) -> tuple[FusedSequences, np.ndarray]:
        """See `Input.windows`; what has fewer windows than another is shown in each."""
        found, numbers = [], np.ones(len(cells), int)
        for reader, held, rows in self._by_modality(cells):
            sequences, own = reader.windows(held) if held else (None, np.zeros(0, int))
            of_cell = np.zeros(len(cells), int)
            of_cell[rows >= 0] = np.bincount(own, minlength=len(held))
            found.append((reader, sequences, of_cell))
            numbers = np.maximum(numbers, of_cell)
        cell_of = np.repeat(np.arange(len(cells)), numbers)
        position = np.concatenate([np.arange(number) for number in numbers])
        parts = {}
        for reader, sequences, of_cell in found:
            first = np.concatenate([[0], np.cumsum(of_cell)])[cell_of]
            rows = first + np.minimum(position, of_cell[cell_of] - 1)
            rows[of_cell[cell_of] == 0] = -1
            parts[reader.name] = self._partial(reader, sequences, rows)
        return FusedSequences(parts), cell_of

    def _by_modality(self, cells: Sequence[Cell]) -> Iterator[tuple[Input, list[Any], np.ndarray]]:
        """What reads each modality, its cells that say something, and whose they are, or -1."""
        for part, column in self._columns(cells):
            is_there = np.array([not _flaw(part, cell) for cell in column], bool)
            rows = np.where(is_there, np.cumsum(is_there) - 1, -1)
            held = [cell for cell, one in zip(column, is_there, strict=True) if one]
            yield self.inputs[part.name], held, rows

    @staticmethod
    def _partial(reader, sequences, rows):
        return PartialSequences(
            sequences, rows, reader.feature, reader.token_shape, reader.fixed_length
        )

    def fitting_samples(self) -> tuple[Cell, ...]:
        of_modalities = [reader.fitting_samples() for reader in self.inputs.values()]
        return tuple(map(self.join, zip(*of_modalities, strict=False)))

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(
            f"{name}_{one}" for name, reader in self.inputs.items() for one in reader.input_names
        )

    def are_silent(self, sequences: Sequences) -> np.ndarray:
        silent = np.ones(len(sequences), bool)
        for name, part in cast(FusedSequences, sequences).parts.items():
            is_there = part.rows >= 0
            if is_there.any():
                held = part.sequences.take(part.rows[is_there])
                silent[is_there] &= self.inputs[name].are_silent(held)
        return silent

    def embed(self, load_weights: bool = True, dtype: str = "float32") -> "Embedded":
        import keras

        from emotion_keras.inputs.embedded import Embedded
        from emotion_keras.layers import Fusion

        inputs, vectors, masks = {}, [], []
        for name, reader in self.inputs.items():
            embedded = reader.embed(load_weights, dtype)
            # A model of its own, so that the names of layers do not meet.
            outputs = [embedded.vectors, embedded.padding_mask]
            model = keras.Model(embedded.inputs, outputs, name=name)
            own = {
                one: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=f"{name}_{one}")
                for one, tensor in embedded.inputs.items()
            }
            of_modality, mask = model(own)
            inputs |= {f"{name}_{one}": tensor for one, tensor in own.items()}
            vectors.append(of_modality)
            masks.append(mask)
        options = self.options
        fuse = Fusion(options.embedding_dim, options.modality_dropout, dtype=dtype, name="fusion")
        fused, padding_mask, weights = fuse(vectors, masks)
        return Embedded(inputs, fused, padding_mask, weights=weights)

    def precompute(
        self,
        splits: Mapping[str, Sequences],
        compute: Callable[[Input, str, Sequences], Sequences],
    ) -> tuple[Self, dict[str, Sequences]]:
        readers = dict(self.inputs)
        computed: dict[str, dict[str, PartialSequences]] = {name: {} for name in splits}
        for name, reader in self.inputs.items():
            fused = cast(dict[str, FusedSequences], splits)
            parts = {split: sequences.parts[name] for split, sequences in fused.items()}
            held = {split: part.sequences for split, part in parts.items() if part.sequences}
            readers[name], found = reader.precompute(held, compute)
            for split, part in parts.items():
                computed[split][name] = self._partial(readers[name], found.get(split), part.rows)
        changed = copy.copy(self)
        changed.inputs = readers
        return changed, {split: FusedSequences(parts) for split, parts in computed.items()}

    def units(self, cells: Sequence[Cell]) -> list[list[tuple[str, int]]]:
        units: list[list[tuple[str, int]]] = [[] for _ in cells]
        for reader, held, rows in self._by_modality(cells):
            found = reader.units(held) if held else []
            for i in np.flatnonzero(rows >= 0):
                units[i] += [(_named(reader, unit), number) for unit, number in found[rows[i]]]
        return units

    @property
    def special_units(self) -> set[str]:
        return {
            _named(part, unit)
            for part in self.modalities
            for unit in self.inputs[part.name].special_units
        }

    def save(self, directory: Path) -> None:
        for reader in self.inputs.values():
            reader.save(directory)

    def state(self) -> dict:
        return {name: reader.state() for name, reader in self.inputs.items()}

    @classmethod
    def load(cls, directory: Path, options: Options, state: dict | None, remedy: str) -> Self:
        inputs = {
            part.name: part.load(
                directory,
                cast(FusionOptions, options).of(part),
                (state or {})[part.name],
                remedy,
            )
            for part in cls.modalities
        }
        return cls(options, inputs)


@functools.cache
def fuse(*parts: type[Input]) -> type[FusionInput]:
    """Makes the class of examples of several modalities.

    Args:
        *parts: The modalities' classes, in the order in which a model has their tokens.

    Returns:
        A class of `FusionInput`, whose `name` is that of the modalities with `AND` between them.
    """
    name = AND.join(part.name for part in parts)
    values = {
        "name": name,
        "modalities": parts,
        "column_option": parts[0].column_option,
        "column_names": (),
        "reads_files": any(part.reads_files for part in parts),
        "steps": _lift_steps(parts),
        "samples": tuple(_sample(parts, i) for i in range(min(len(p.samples) for p in parts))),
        "noises": _lift_noises(parts),
        "default_encoder": AND.join(part.default_encoder for part in parts),
        "options_class": _options_class(parts),
        "feature": name,
    }
    made: Any = _FusedClass("".join(part.__name__ for part in parts), (FusionInput,), values)
    return made


def _reduce(fused):
    if fused is FusionInput:
        return fused.__qualname__
    return fuse, fused.modalities


copyreg.pickle(_FusedClass, _reduce)


def _make_options(parts, values):
    return fuse(*parts).options_class(**values)


@functools.lru_cache(maxsize=2**17)
def _parse(cell):
    return json.loads(cell)


def _flaw(part, cell):
    """Why a modality of an example is of no use; of what has noise or is cut nothing is asked."""
    return part.flaw(cell) if isinstance(cell, str) else ""


def _named(part, unit):
    return f"{part.name}: {unit}"


def _in_words(options):
    return " and ".join(f"`--{name.replace('_', '-')}`" for name in options)


def _sample(parts, index):
    found = {part.name: part.samples[index] for part in parts}
    return json.dumps(found, ensure_ascii=False)


def _lift(parts, part, change):
    """What changes the cells of one modality, as what changes those of all."""
    position = parts.index(part)

    def change_one(cell, *arguments):
        fused = fuse(*parts)
        cells = list(fused.split(cell))
        if not isinstance(cells[position], str) or cells[position]:
            cells[position] = change(cells[position], *arguments)
        return fused.join(cells)

    return change_one


def _lift_steps(parts):
    return {name: _lift(parts, part, step) for part in parts for name, step in part.steps.items()}


def _lift_noises(parts):
    return {
        name: _lift(parts, part, noise) for part in parts for name, noise in part.noises.items()
    }


def _split_encoder(parts, name):
    """The names of the encoders of modalities."""
    names = name.split(AND)
    if len(names) != len(parts):
        usual = AND.join(part.default_encoder for part in parts)
        raise UserError(
            f"The encoders of {AND.join(part.name for part in parts)} are {len(parts)} names with "
            f"{AND} between them, as in {usual}. Received: encoder={name!r}"
        )
    return names


def _own_names(part):
    return [name for name in _OF_EACH if name in part.options_class.names()]


def _options_class(parts):
    """The options of all modalities; those that each has of its own begin with its name."""
    plurals = " and ".join(part.plural for part in parts)
    names = ", ".join(part.name for part in parts)
    default = AND.join(part.default_encoder for part in parts)
    fields = {
        "encoder": (
            str,
            option(default, f"Encoders of {names}, in this order, with {AND} between them."),
        ),
        "embedding_dim": (int, option(128, "Width that all vectors are brought to.", COUNT)),
        "modality_dropout": (
            float,
            option(
                0.4,
                "Chance of a modality of an example to be left out while training, so that the "
                "model learns to do without it.",
                PART,
            ),
        ),
    }
    for part in parts:
        for field in dataclasses.fields(part.options_class):
            name = f"{part.name}_{field.name}" if field.name in _OF_EACH else field.name
            if name not in fields:
                made = option(field.default, **field.metadata)
                fields[name] = (field.type, made)
    return dataclasses.make_dataclass(
        "FusionOptions",
        [(name, kind, field) for name, (kind, field) in fields.items()],
        bases=(FusionOptions,),
        namespace={
            "modalities": parts,
            "__doc__": f"How {plurals} become tokens, and tokens vectors of one width.",
        },
        frozen=True,
        kw_only=True,
    )
