"""A corpus: labelled examples and where they are from."""

import contextlib
import hashlib
import os
import threading
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion_keras import tables
from emotion_keras.data import fer2013, isear, recorded_corpora, situations
from emotion_keras.data.attributes import group_attributes, names_of
from emotion_keras.data.feature_tables import join_features, read_feature_table
from emotion_keras.data.folders import METADATA, read_folder
from emotion_keras.data.label_cells import as_label, choose_label_columns, label_columns
from emotion_keras.data.official_splits import read_splits
from emotion_keras.data.options import Reading
from emotion_keras.errors import UserError
from emotion_keras.inputs import (
    INPUTS,
    FeaturesInput,
    FusionInput,
    Input,
    TextInput,
    asked_columns,
    find_modality,
)
from emotion_keras.inputs.normalization import clean_text, fold_text
from emotion_keras.record import ATTRIBUTE
from emotion_keras.targets import SingleLabel, Target, find_target
from emotion_keras.targets.multi import names_in

# Waiting for the network is bounded in every way: by these and not by a socket's own timeout, which
# counts for one operation and not at all for the look-up of a name.
_PROBE_SECONDS = 3
_DOWNLOAD_SECONDS = {"auto": 5, "isear": 60}
_NAMES = ("auto", "isear", "situations")
_OF_CELLS = tuple(dict.fromkeys(modality.column_option for modality in INPUTS.values()))
_COLUMNS = (
    *_OF_CELLS,
    *("label_column", "label_columns", "label_separator", "group_column", "split_column"),
)
# More are texts or numbers in the wrong column, and would fill the memory.
_MOST_LABELS = 500


@dataclass(frozen=True, eq=False)
class Corpus:
    """A named set of examples with its labels.

    Args:
        name: `isear`, `situations` or the stem of the file's name.
        examples: Table with the string columns `id`, `label` and `subject`, the group that an
            example belongs to: its author, for example; and the cells in a column with the
            modality's name, such as `text`. Where the source has no groups, each example is its
            own subject. A known corpus may have a column `fold`, integers from 0 on: the folds of
            the literature; where there is an official split, the column `split` says it; and
            attributes are columns that begin with `ATTRIBUTE`, with an empty string where nothing
            is known.
        labels: The labels' names; a class id is a position in them.
        sha256: Checksum of the source's bytes.
        licence: What the source may be used for, as far as known.
        source: The source's path.
        reading: What the reading of the source did, for the audit: `rows`, `encoding`, the lines
            with damaged characters, and what else its format has.
        modality: Class of the `Input` that knows what the cells are.
        kind: Class of the `Target`, the kind of label.

    Example:

    >>> corpus = load_corpus("situations")
    >>> corpus.labels
    ('joy', 'fear', 'anger', 'sadness', 'disgust', 'shame', 'guilt')
    """

    name: str
    examples: pd.DataFrame
    labels: tuple[str, ...]
    sha256: str
    licence: str
    source: str
    reading: dict = field(default_factory=dict)
    modality: type[Input] = TextInput
    kind: type[Target] = SingleLabel

    def __len__(self):
        return len(self.examples)

    @property
    def cells(self) -> list[Any]:
        """The cells of the examples, a list."""
        return self.examples[self.modality.name].tolist()

    @property
    def target(self) -> Target:
        """The kind of label with the corpus's labels, a `Target`."""
        return self.kind(self.labels)

    @property
    def label_ids(self) -> np.ndarray:
        """Class ids that the examples count to, `(len(corpus),)` of int32; -1 for no label."""
        return self.target.class_ids(self.examples["label"].tolist())

    @property
    def truth(self) -> np.ndarray:
        """Which labels hold of the examples, `(len(corpus), num_labels)`; see `Target.encode`."""
        return self.target.encode(self.examples["label"].tolist())

    @property
    def are_labelled(self) -> np.ndarray:
        """Of which examples the labels are known, a boolean array."""
        return self.target.are_known(self.examples["label"].tolist())

    @property
    def attributes(self) -> dict[str, list[str]]:
        """The values of the examples by attribute."""
        columns = [name for name in self.examples if name.startswith(ATTRIBUTE)]
        return {name.removeprefix(ATTRIBUTE): self.examples[name].tolist() for name in columns}

    @property
    def has_groups(self) -> bool:
        """Whether a subject has more than one example."""
        return bool(self.examples["subject"].duplicated().any())


def number_cells(modality: type[Input], cells: Iterable[Any]) -> tuple[np.ndarray, list[str]]:
    """Numbers cells so that two have one number if they count as the same; see `Input.fold`.

    Args:
        modality: Class of the `Input` that knows the cells.
        cells: Its cells.

    Returns:
        The cells' numbers, an int64 array, and the list of the folded cells by number.
    """
    numbers = {}
    ids = [numbers.setdefault(folded, len(numbers)) for folded in map(modality.fold, cells)]
    return np.array(ids, np.int64), list(numbers)


def load_corpus(
    data: str | Path = "auto",
    options: Reading | None = None,
    *,
    notify: Callable[[str], Any] = print,
    **given: Any,
) -> Corpus:
    """Loads a corpus by name or from a file.

    Args:
        data: See `Reading`.
        options: `Reading`, in place of `data` and of what is given.
        notify: Called with messages: where `"auto"` had to choose the built-in corpus, and about
            what the source holds.
        **given: Fields of `Reading`.

    Returns:
        A `Corpus`, as it is in the source: `prepare` cleans it.

    Raises:
        UserError: If there is no such file, it cannot be read, or ISEAR cannot be downloaded.

    Example:

    >>> corpus = load_corpus("reviews.csv", text_column="body", label_column="mood")
    >>> len(corpus)
    3
    """
    options = options or Reading(**{"data": data, **given})
    kind = find_target(str(options.target))
    corpus = _load(options, find_modality(str(options.modality)), notify)
    asked = None if options.attributes is None else str(options.attributes)
    examples = group_attributes(corpus.examples, asked, corpus.source)
    if kind.several:
        cells = kind(corpus.labels).in_order(examples["label"].tolist())
        examples = examples.assign(label=pd.Series(cells, examples.index, dtype="str"))
    return replace(corpus, examples=examples, kind=kind)


def _load(options, modality, notify):
    if options.data not in _NAMES:
        path = Path(os.path.expanduser(options.data))
        return _from_file(path, modality, options, notify)
    _refuse(options, (*_COLUMNS, "encoding"), f"data={options.data!r}")
    if options.data == "situations":
        return _built_in()
    try:
        path = _fetch_isear(_DOWNLOAD_SECONDS[options.data])
        return _from_file(path, modality, options, notify)
    except UserError as error:
        if options.data == "isear":
            raise
        notify(_notice(error))
        return _built_in()


def _refuse(options, names, whose):
    """Refuses options by which to read a corpus of texts that is known."""
    if options.modality != TextInput.name:
        raise UserError(
            f"{whose} is a corpus of texts. Give the path of another with `--data`, or leave "
            f"`--modality` out. Received: modality={options.modality!r}"
        )
    _refuse_columns(options, names, whose)


def _refuse_columns(options, names, whose):
    given = {name: getattr(options, name) for name in names}
    if given := [f"{name}={value!r}" for name, value in given.items() if value is not None]:
        raise UserError(
            f"Columns cannot be chosen for {whose}: they are known. Leave the options out. "
            f"Received: {', '.join(given)}"
        )


def _notice(error):
    rule = "!" * 80
    return (
        f"{rule}\n"
        "NOT ISEAR: this run uses the small built-in corpus `situations`. Its numbers say nothing\n"
        "about ISEAR and must not be compared with any that are reported on it.\n\n"
        f"Why: {error}\n"
        f"On a slow line, `--data isear` waits {_DOWNLOAD_SECONDS['isear']} s for the download.\n"
        f"{rule}"
    )


def _built_in():
    source = tables.scan(situations.path())
    table, labels = situations.read(source), isear.LABELS
    return _corpus("situations", table, labels, situations.LICENCE, **_origin(source, table))


def _from_file(path, modality, options, notify):
    if os.path.isdir(path) and (modality.reads_files or options.feature_table is not None):
        return _from_folder(path, modality, options, notify)
    if options.feature_table is not None:
        raise UserError(
            "`--feature-table` is for a folder of files; a table names its own columns of numbers "
            f"with `--feature-columns`. Received: data={options.data!r}"
        )
    accepted = f"{', '.join(_NAMES)} or the path of a file ({tables.ACCEPTED})"
    source = tables.scan(path, accepted=accepted, encoding=options.encoding)
    if source.encoding.notice:
        notify(source.encoding.notice)
    if isear.recognises(source):
        _refuse(options, _COLUMNS, f"{path}, which is ISEAR's own file")
        table = isear.read(source)
        return _corpus("isear", table, isear.LABELS, isear.LICENCE, **_origin(source, table))
    opened = tables.open_table(source)
    is_fer2013 = _is_fer2013(opened, path, modality)
    split_column = options.split_column or (is_fer2013 and _column(opened, fer2013.SPLIT_COLUMN))
    table = tables.read_table(
        opened,
        path,
        modality,
        asked_columns(modality, {name: getattr(options, name) for name in _OF_CELLS}),
        choose_label_columns(path, opened.columns, options),
        options.group_column,
        split_column or None,
        names_of(options.attributes),
    )
    if split_column:
        splits = read_splits(table["split"].tolist(), path, split_column)
        table["split"] = pd.Series(splits, dtype="str")
    cells = [modality.locate(cell, path.parent) for cell in table[modality.name]]
    modality.fetch(cells, notify)
    table[modality.name] = pd.Series(cells, dtype="str")
    if is_fer2013:
        table["label"] = table["label"].map(fer2013.read_label)
    labels = _find_labels(table, path, options, opened.columns)
    # The names stand for the corpora themselves: another file of that name is not one of them.
    name = f"{source.stem}_file" if source.stem in _NAMES else source.stem
    for message in _doubts(table, modality, labels, opened.describe()):
        notify(f"{path}: {message}")
    origin = _origin(source, table, opened.describe())
    if is_fer2013 and set(labels) <= set(fer2013.LABELS):
        name, labels, licence = fer2013.NAME, fer2013.LABELS, fer2013.LICENCE
    else:
        licence = "unknown"
    return _corpus(name, table, labels, licence, modality, **origin)


def _from_folder(path, modality, options, notify):
    for name in METADATA:
        if (path / name).is_file():
            return _from_file(path / name, modality, options, notify)
    known = {*_COLUMNS, "encoding"} - {"feature_columns"}
    _refuse_columns(options, sorted(known), f"{path}, which is a folder")
    folder, checksums = _read_folder(path, modality, options, notify)
    table = folder.table
    modality.fetch(table[modality.name].tolist(), notify)
    labels = folder.labels or _find_labels(table, path, options)
    for message in _doubts(table, modality, labels, {}):
        notify(f"{path}: {message}")
    content = "\n".join([*table["id"], *checksums])
    sha256 = hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()
    reading = {"rows": len(table)}
    return _corpus(
        folder.name,
        table,
        labels,
        folder.licence,
        modality,
        path=path,
        sha256=sha256,
        reading=reading,
    )


def _read_folder(path, modality, options, notify):
    """A folder's files with the vectors beside them, and the checksum of the vectors' table."""
    media = [part for part in modality.parts() if part.reads_files]
    others = [part for part in modality.parts() if not part.reads_files]
    beside = options.feature_table
    if modality is FeaturesInput:  # The files say labels and speakers, and are not read.
        media = [find_modality(options.find_medium())]
    if len(media) != 1 or (others and (others != [FeaturesInput] or beside is None)):
        raise UserError(
            f"{path}: a folder holds recordings or images, and `--feature-table` names a table of "
            "vectors beside them. For other modalities give a table with a column for each. "
            f"Received: modality={modality.name!r}, feature_table={beside!r}"
        )
    if not others:
        given = [name for name in ("feature_columns", "feature_table") if getattr(options, name)]
        _refuse_columns(options, given, f"{path}, of which {media[0].plural} are read")
        return read_folder(path, media[0]), []
    folder = read_folder(path, media[0])
    known = recorded_corpora.recognise(folder.table["id"].tolist())
    table_path = Path(os.path.expanduser(beside))
    vectors = read_feature_table(table_path, options.feature_columns, known)
    cells = join_features(folder.keys, vectors, table_path, notify)
    if issubclass(modality, FusionInput):
        pairs = zip(folder.table[media[0].name], cells, strict=True)
        cells = [str(modality.join(pair)) for pair in pairs]
    table = folder.table.assign(**{modality.name: pd.Series(cells, dtype="str")})
    return folder._replace(table=table), [vectors.sha256]


def _is_fer2013(opened, path, modality):
    """Whether a table is that of FER-2013, which holds images."""
    if not fer2013.recognises(opened.columns):
        return False
    if modality is TextInput:
        raise UserError(
            f"{path} has the columns of FER-2013, which holds images: add `--modality image`."
        )
    return modality.name == "image"


def _column(opened, name):
    """The column of a name, in any case."""
    return next(column for column in opened.columns if column.lower() == name)


def _find_labels(table, path, options, columns=()):
    if options.label_columns is not None:
        named = label_columns(path, columns, options.label_columns)
        return tuple(as_label(name) for name in named)
    kind = find_target(str(options.target))
    labels = kind.find_labels(table["label"].unique())
    max_labels = _MOST_LABELS if options.max_labels is None else options.max_labels
    if len(labels) > max_labels:
        raise UserError(
            f"{path}: the label column holds {len(labels):,} different values, such as "
            f"{labels[0][:60]!r}, and at most {max_labels:,} are taken for labels. Name the right "
            "column with --label-column, or, if these are the labels, allow so many with "
            f"`--max-labels {len(labels)}`. Received: label_column={options.label_column!r}"
        )
    return labels


def _doubts(table, modality, labels, reading):
    """What may be wrong with a table although all of it can be read."""
    if reading.get("joined_lines"):
        yield joined_notice(reading)
    if reading.get("other_sheets"):
        yield (
            f"the first sheet is read, {reading['sheet']!r}, and no other: "
            f"{', '.join(reading['other_sheets'])}."
        )
    yield from modality.doubts(table[modality.name])
    counts = _count_labels(table["label"], labels)
    alike = {}
    for label, count in sorted(counts.items()):
        alike.setdefault("".join(fold_text(clean_text(label)).split()), []).append(
            f"{label!r} ({count:,})"
        )
    yield from _joined_labels(counts)
    for names in alike.values():
        if len(names) > 1:
            yield (
                "these labels differ in case or blanks alone, and are taken for different ones: "
                f"{', '.join(names)}. If they are one, write them alike in the file, or choose "
                "among them with `--labels`."
            )


def _joined_labels(counts):
    """Says of labels that they seem to be several in one."""
    for separator in ("|", ";", ",", "/"):
        joined = [
            f"{label!r} ({counts[label]:,})"
            for label in sorted(counts)
            if separator in label and any(part.strip() in counts for part in label.split(separator))
        ]
        if joined:
            more = f" and {len(joined) - 5:,} more" if len(joined) > 5 else ""
            yield (
                f"these labels seem to be several in one: {', '.join(joined[:5])}{more}. Each is "
                "taken for a label of its own. If several may hold of an example, read them with "
                f"`--target multi --label-separator '{separator}'`."
            )


def _count_labels(cells, labels):
    """How many cells name each label."""
    counts = dict.fromkeys(labels, 0)
    for cell, count in cells.value_counts().items():
        for label in [cell] if cell in counts else names_in(cell):
            if label in counts:
                counts[label] += count
    return {label: count for label, count in counts.items() if count}


def joined_notice(reading: dict) -> str:
    """Says that quotes run over lines, which is right or the sign of a quote too many."""
    first, last = reading["first_joined"]
    return (
        f"quotes run over line ends and join {reading['joined_lines']:,} lines to the ones before, "
        f"first lines {first} to {last}. If these are rows of their own, a quote is not closed "
        "there."
    )


def _origin(source, table, described=None):
    """Where a table is from, and what its reading did."""
    encoding = source.encoding
    reading = {
        "rows": len(table),
        "encoding": encoding.name or None,
        "damaged_lines": encoding.num_damaged,
        "first_damaged": list(encoding.damaged_lines),
        **(described or {}),
    }
    return {"path": source.path, "sha256": source.sha256, "reading": reading}


def _corpus(name, table, labels, licence, modality=TextInput, *, path, sha256, reading):
    # Rows are numbered from 1 in the source's order, whatever is dropped later.
    numbers = pd.Series(np.arange(1, len(table) + 1).astype(str), dtype="str")
    ids = table.get("id", numbers)
    if "subject" in table:
        subject = table["subject"].where(table["subject"] != "", "row " + ids)
    else:
        subject = ids
    cells = table[modality.name]
    examples = pd.DataFrame(
        {"id": ids, modality.name: cells, "label": table["label"], "subject": subject}
    )
    for column in table:
        if column in ("fold", "split") or column.startswith(ATTRIBUTE):
            examples[column] = table[column]
    sha256 = _with_contents(sha256, cells, modality)
    return Corpus(name, examples, labels, sha256, licence, str(path), reading, modality)


def _with_contents(sha256, cells, modality):
    """The checksum of a table and of the files that its cells name."""
    contents = "".join(map(modality.content, cells))
    return hashlib.sha256(f"{sha256}{contents}".encode()).hexdigest() if contents else sha256


def _fetch_isear(seconds):
    """Returns the path of ISEAR's file in Keras's cache, downloaded if it is not there yet."""
    home = Path(os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras")))
    cached = home / "datasets" / "isear.csv"
    if cached.exists():
        with open(cached, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 != isear.SHA256:
            raise UserError(
                f"The cached ISEAR file {cached} is damaged: its SHA-256 is not "
                f"{isear.SHA256[:12]}... Delete it, and it is downloaded again."
            )
        return cached
    how = (
        f"Download {isear.URL} yourself and put it at {cached}, or give its path with "
        "`--data path/to/isear.csv`. The corpus that needs no download is `--data situations`."
    )
    # A download given up on must not look like the file: it gets the name when it is whole.
    part = cached.with_name(f"isear.csv.{os.getpid()}")
    try:
        _within(_PROBE_SECONDS, _probe)
        # Keras is imported only now, outside of the time limits: the run needs it in any case.
        from keras.utils import get_file

        def download():
            path = Path(
                get_file(part.name, isear.URL, file_hash=isear.SHA256, hash_algorithm="sha256")
            )
            return path.replace(path.with_name(cached.name))

        return _within(seconds, download)
    except Exception as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, ValueError):  # so get_file says that the checksum is wrong
            reason = f"the download is damaged: its SHA-256 is not {isear.SHA256[:12]}..."
        else:
            reason = str(error) or type(error).__name__
        raise UserError(
            f"ISEAR is not in the cache and cannot be downloaded: {reason}. {how}"
        ) from error


def _probe():
    # As urllib does it, so that a proxy is used here as in the download.
    request = urllib.request.Request(isear.URL, method="HEAD")
    with urllib.request.urlopen(request, timeout=_PROBE_SECONDS):
        pass


def _within(seconds, function):
    """Calls a function and gives up waiting for it after some seconds.

    It runs in a daemon thread, which is left behind: nothing else ends a look-up of a name.
    """
    outcome = {}

    def call():
        try:
            outcome["value"] = function()
        except Exception as error:
            outcome["error"] = error

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {seconds} s")
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]
