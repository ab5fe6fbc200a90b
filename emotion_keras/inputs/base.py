"""What the software knows of a modality: the interface that one file a modality implements."""

import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from emotion_keras.inputs.encoders import Encoder
from emotion_keras.inputs.sequences import PADDING_MASK, Sequences
from emotion_keras.record.options import Options

if TYPE_CHECKING:
    from emotion_keras.inputs.embedded import Embedded
    from emotion_keras.tables import CellColumns


class Input(abc.ABC):
    """A modality: from the cells of a table to the vectors that a model works on.

    The class itself knows what a cell is; this is all that corpora, preparation and models without
    vectors need. An object has learned from the cells of a training split, and encodes and embeds.

    Attributes:
        name: What one cell is called, such as `text`: the value of the option `modality`, the
            column of a corpus's examples, and the folder of what was learned.
        singular: What one is called in sentences, such as `text`.
        plural: What several are called.
        size_unit: What `size` counts, in the plural, such as `words`.
        column_option: Option of `Reading` that names its column in a table.
        column_names: Usual names of that column, in lower case.
        reads_files: Whether a cell is the path of a file.
        suffixes: Endings of its files, in lower case.
        flaws: Why nothing may be to be learned from a cell: what `flaw` gives.
        cell_type: Type of a cell, for messages about wrong cells.
        value_types: Types beside strings that `read` takes from a caller in Python.
        unit_plural: What the units are called that tokens stand for.
        units_recur: Whether the same units come up in many cells, as words do.
        units_fill_a_square: Whether the units lie in a square, row by row.
        samples: A few prepared cells, to try a model with where no data is at hand.
        steps: The steps of the preparation of a cell, in order: functions from a cell to a cell by
            the name of the option of `Preparation` that asks for it. One without such an option is
            always taken.
        noises: Kinds of noise that cells can have, by name: functions of a cell, a level between 0
            and 1, and a `numpy.random.Generator`, that give a cell, or what `flaw`, `content`,
            `encode`, `units` and baselines take in place of one.
        options_class: Class of the options that `learn` takes; `encoder` and `sequence_length` are
            among them.
        default_encoder: The encoder of models that can start from a pretrained one.
        usually_frozen: Whether a pretrained encoder is frozen unless asked otherwise.
        feature: Name of the model's input that takes what `encode` gives.
        needs_keras: Whether `encode` needs Keras: an exported model has none.
        is_frozen: Whether something is computed once for all epochs: nothing of what `embed` builds
            is trained, or not its lowest layers, or of several modalities nothing of one.
        options: The options of an object.
        sequence_length: The longest sequence that a model reads at once.
    """

    name: ClassVar[str]
    singular: ClassVar[str] = "example"
    plural: ClassVar[str]
    size_unit: ClassVar[str]
    column_option: ClassVar[str] = "text_column"
    column_names: ClassVar[tuple[str, ...]]
    reads_files: ClassVar[bool] = False
    suffixes: ClassVar[tuple[str, ...]] = ()
    flaws: ClassVar[tuple[str, ...]] = ("empty",)
    cell_type: ClassVar[type] = str
    value_types: ClassVar[tuple[type, ...]] = ()
    unit_plural: ClassVar[str] = "words"
    units_recur: ClassVar[bool] = True
    units_fill_a_square: ClassVar[bool] = False
    samples: ClassVar[tuple[Any, ...]]
    steps: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    noises: ClassVar[Mapping[str, Callable]] = {}
    options_class: ClassVar[type[Options]]
    default_encoder: ClassVar[str] = "scratch"
    usually_frozen: ClassVar[bool] = False
    feature: ClassVar[str]
    needs_keras: bool = False
    is_frozen: bool = False
    options: Options
    sequence_length: int

    # Of the class: what a cell is.

    @classmethod
    @abc.abstractmethod
    def read(cls, value: Any) -> Any:
        """Makes a cell of a table's value.

        Args:
            value: String, number, date, bytes, list, object, or `None` for nothing.

        Returns:
            The cell; of nothing an empty one.

        Raises:
            UserError: If it is no such cell; the caller adds where it stands.
        """

    @classmethod
    def parts(cls) -> tuple[type["Input"], ...]:
        """The modalities that it is made of: itself, or of several each."""
        return (cls,)

    @classmethod
    def column_options(cls) -> tuple[str, ...]:
        """The options that name its columns in a table."""
        return (cls.column_option,)

    @classmethod
    def asked_columns(cls, given: Mapping[str, str | None]) -> Any:
        """What `choose_columns` takes of the values of all options that name columns of cells."""
        return given.get(cls.column_option)

    @classmethod
    def choose_columns(cls, path: Path, columns: Sequence[str], asked: Any) -> "CellColumns":
        """Chooses the columns of a table that make up its cells.

        Args:
            path: The table's path, for messages.
            columns: Names of its columns.
            asked: What `asked_columns` gives; `None` for a guess from usual names.

        Raises:
            UserError: If there are no such columns, or none of a usual name.
        """
        from emotion_keras.tables import CellColumns, choose_column

        name = choose_column(path, columns, cls.name, asked, cls.column_names, cls.column_option)
        return CellColumns((name,), lambda values: cls.read(values[0]))

    @classmethod
    def layout(cls) -> str | dict[str, str]:
        """How the units lie: `words` in a text, moments in a `strip`, patches in a `square`.

        Of several modalities how those of each do, by its name; the units' names begin with it.
        """
        if cls.units_recur:
            return "words"
        return "square" if cls.units_fill_a_square else "strip"

    @classmethod
    def lacks(cls, cell: Any) -> str:
        """What of a prepared cell cannot be read although the rest can, in a few words."""
        return ""

    @classmethod
    def placeholder(cls) -> str:
        """What stands for a cell in a command that is shown."""
        return f"a{cls.suffixes[0]}" if cls.reads_files else "..."

    @classmethod
    def steps_for(cls, preparation: Mapping[str, Any]) -> dict[str, Callable[[Any], Any]]:
        """The steps that the values by option of a `Preparation` ask for."""
        return {name: step for name, step in cls.steps.items() if preparation.get(name, True)}

    @classmethod
    def prepare(cls, cells: Iterable[Any], preparation: Mapping[str, Any]) -> list:
        """Prepares cells for a model, in training and after; see `steps`."""
        for step in cls.steps_for(preparation).values():
            cells = [step(cell) for cell in cells]
        return list(cells)

    @classmethod
    def is_cut(cls, cell: Any) -> bool:
        """Whether a cell is so long that its preparation leaves a part of it away."""
        return False

    @classmethod
    def locate(cls, cell: Any, folder: Path) -> Any:
        """The cell of a table that lies in a folder, where a path in it is from there on."""
        return cell

    @classmethod
    def fetch(cls, cells: Sequence[Any], notify: Callable[[str], Any] = print) -> None:
        """Makes once, and keeps, what reading a corpus's cells again and again would cost.

        Args:
            cells: The cells, as they were read.
            notify: Called with messages.
        """
        return None

    @classmethod
    def content(cls, cell: Any) -> str:
        """The checksum of what lies outside of a cell, such as a file; empty where nothing does."""
        return ""

    @classmethod
    def rewrite(cls, path: str, target: str, longest: float) -> float:
        """Writes an untrusted file as a plain one, which can be read without harm.

        Decoding a file can end its process: call this in one that may end.

        Args:
            path: The file's path.
            target: Path of the new file, a cell with the same features and the same flaw.
            longest: The largest `size` that is read.

        Returns:
            The `size` of the file.
        """
        raise NotImplementedError(f"{cls.__name__} reads no files")

    @classmethod
    @abc.abstractmethod
    def flaw(cls, cell: Any) -> str:
        """Why nothing can be learned from a prepared cell: one of `flaws`, or an empty string."""

    @classmethod
    def fold(cls, cell: Any) -> str:
        """A string that two prepared cells share if they count as the same."""
        return str(cell)

    @classmethod
    def elements(cls, cell: Any) -> Sequence[str]:
        """What two cells must share to be nearly the same, such as their words."""
        return [cls.fold(cell)]

    @classmethod
    @abc.abstractmethod
    def size(cls, cell: Any) -> float:
        """How large a prepared cell is, in `size_unit`."""

    @classmethod
    def part(cls, cell: Any, units: Sequence[str], kept: Sequence[int]) -> Any:
        """A cell that says what some of another's units say, and nothing else.

        Args:
            cell: The whole cell.
            units: Its units without the special ones; see `units`.
            kept: Positions in `units`, ascending.

        Returns:
            What `encode` takes, hashable.
        """
        return " ".join(units[position] for position in kept)

    @classmethod
    def pieces(cls, cell: Any) -> list[str]:
        """The units of a cell for a model without vectors, of which `part` makes what it takes.

        Returns:
            List of strings, empty where such models take cells as a whole.
        """
        return []

    @classmethod
    def is_mark(cls, unit: str) -> bool:
        """Whether a unit says nothing by itself, such as a punctuation mark."""
        return False

    @classmethod
    def describe(cls, cells: Sequence[Any]) -> dict[str, dict[str, int]]:
        """How many of the cells have which value of each property, for the audit."""
        return {}

    @classmethod
    def doubts(cls, cells: Sequence[Any]) -> Iterable[str]:
        """What may be wrong with cells as they were read: sentences that go on after a colon."""
        return ()

    @classmethod
    def find_encoder(cls, name: str) -> Encoder:
        """The encoder that a name stands for.

        Raises:
            UserError: If it stands for none.
        """
        return Encoder(name)

    # Of an object: what was learned from a training split.

    @property
    def token_shape(self) -> tuple[int, ...]:
        """Shape of what `encode` gives for one token: `()` for an id."""
        return ()

    @property
    def fixed_length(self) -> int | None:
        """The number of tokens, where every cell has the same; otherwise `None`."""
        return None

    @classmethod
    @abc.abstractmethod
    def learn(cls, cells: Sequence[Any], options: Options | None = None, **given: Any) -> Self:
        """Learns from the cells of a training split.

        Args:
            cells: Prepared cells.
            options: Of `options_class`.
            **given: Its fields, in place of the object.

        Raises:
            UserError: If an option is wrong, or what it names cannot be loaded.
        """

    @abc.abstractmethod
    def encode(self, cells: Sequence[Any], longest: int | None = None) -> Sequences:
        """Encodes prepared cells.

        Args:
            cells: The cells.
            longest: Length of a sequence at most, from longer ones the end is cut off;
                `sequence_length` unless given.

        Returns:
            `Sequences`, each of one token or more.
        """

    def encode_and_mark(self, cells: Sequence[Any]) -> tuple[Sequences, np.ndarray]:
        """Encodes prepared cells, and says which of them lose their end.

        Returns:
            `Sequences`, and a boolean array `(len(cells),)`.
        """
        sequences = self.encode(cells, self.sequence_length + 1)
        is_long = sequences.lengths > self.sequence_length
        return self.encode(cells) if is_long.any() else sequences, is_long

    def windows(self, cells: Sequence[Any]) -> tuple[Sequences, np.ndarray]:
        """Encodes cells of any length as sequences of at most `sequence_length`.

        Returns:
            `Sequences`, and an integer array `(num_sequences,)`: which cell each is of, ascending.
        """
        windows = [self._cut(cell) for cell in cells]
        cell_of = np.repeat(np.arange(len(cells)), [len(of_cell) for of_cell in windows])
        return Sequences.from_list(sum(windows, []), self.feature), cell_of

    def _cut(self, cell: Any) -> list:
        longest = self.sequence_length
        whole = self.encode([cell], longest=np.iinfo(np.int64).max).values
        return [whole[start : start + longest] for start in range(0, len(whole), longest)]

    def fitting_samples(self) -> tuple[Any, ...]:
        """A few prepared cells that the model can read; see `samples`."""
        return self.samples

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the model's inputs that take what `encode` gives."""
        return self.feature, PADDING_MASK

    def are_silent(self, sequences: Sequences) -> np.ndarray:
        """Which sequences say nothing to a model, such as texts of unknown words alone.

        Returns:
            Boolean array `(len(sequences),)`.
        """
        return np.zeros(len(sequences), bool)

    @abc.abstractmethod
    def embed(self, load_weights: bool = True, dtype: str = "float32") -> "Embedded":
        """Starts a functional model.

        Args:
            load_weights: Whether a pretrained encoder has its pretrained weights, which a model
                that will be given other weights does not need.
            dtype: Name of the Keras dtype policy of its layers.

        Returns:
            `Embedded` of inputs with the name of `feature`, `(batch, length, ...)`, and
            `padding_mask`, `(batch, length)` of int32.
        """

    def precompute(
        self,
        splits: Mapping[str, Sequences],
        compute: Callable[["Input", str, Sequences], Sequences],
    ) -> tuple[Any, dict[str, Sequences]]:
        """Computes once for all epochs what is not trained, where `is_frozen`.

        Args:
            splits: `Sequences` by the name of the split.
            compute: Function of an input, the name of a split and its `Sequences` that gives the
                vectors that `embed` makes of them.

        Returns:
            What stands for the input in the model that is trained, with its own `embed`; and what
            that takes, by split.
        """
        if not self.is_frozen:
            return self, dict(splits)
        from emotion_keras.inputs.embedded import Precomputed

        computed = {name: compute(self, name, sequences) for name, sequences in splits.items()}
        dim = next(iter(computed.values())).values.shape[-1]
        return Precomputed(dim, self.special_ends), computed

    @abc.abstractmethod
    def units(self, cells: Sequence[Any]) -> list[list[tuple[str, int]]]:
        """What the tokens of cells stand for, such as words.

        Returns:
            List, by cell, of lists of pairs of a unit, as people read it, and the number of its
            tokens; in the order of the tokens that `encode` gives.
        """

    @property
    def special_units(self) -> set[str]:
        """The units that stand for no part of a cell, such as a text's start."""
        return set()

    @property
    def special_ends(self) -> tuple[int, int]:
        """How many tokens before and after those of a cell stand for no part of it."""
        return 0, 0

    @abc.abstractmethod
    def save(self, directory: Path) -> None:
        """Writes what was learned to the folder `name` in the folder of a run or of an export."""

    def state(self) -> dict:
        """What a record has to say so that `load` finds what `save` wrote, ready for JSON."""
        return {}

    @classmethod
    @abc.abstractmethod
    def load(cls, directory: Path, options: Options, state: dict | None, remedy: str) -> Self:
        """Loads what `save` wrote.

        Args:
            directory: Folder of a run or of an export.
            options: Of `options_class`.
            state: What `state` returned; `None` in records of texts made before it was kept.
            remedy: Sentence that says what to do about a damaged file.

        Raises:
            UserError: If a file is missing or damaged.
        """
