"""What a run predicted: the file `predictions.csv`, written and read.

Its columns are `id`, `split`, `label`, `predicted` and, for each label, `probability:<label>`: no
name of a label can be that of another column. In records of version 1 a label's column had its
bare name.
"""

import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.targets import Target, target_of

_COLUMNS = ["id", "split", "label", "predicted"]
_PREFIX = "probability:"


def probability_columns(labels: Sequence[str]) -> list[str]:
    """The columns of the labels' probabilities, in the labels' order."""
    return [f"{_PREFIX}{label}" for label in labels]


def write_predictions(
    directory: str | Path, target: Target, splits: dict[str, tuple[Any, Any, np.ndarray]]
) -> None:
    """Writes what a run predicted.

    Args:
        directory: The run's folder.
        target: `Target`.
        splits: Dictionary, by the split's name, of triples: ids of its examples, the cells of their
            labels, and float array `(num_examples, num_labels)`.
    """
    columns = probability_columns(target.labels)
    record.write_rows(
        Path(directory) / record.PREDICTIONS,
        [
            {
                "id": example_id,
                "split": split,
                "label": cell,
                "predicted": predicted,
                # As float32, whose shortest exact form is half as long as that of float64.
                **dict(zip(columns, map(str, row), strict=True)),
            }
            for split, (ids, cells, probabilities) in splits.items()
            for example_id, cell, predicted, row in zip(
                ids, cells, target.decide(probabilities), probabilities, strict=True
            )
        ],
    )


def write_groups(
    directory: str | Path,
    ids: Iterable[str],
    groups: Iterable[int] | None,
    attributes: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Writes which examples are of one subject, for statistics that count these together.

    Args:
        directory: The run's folder.
        ids: Ids of the examples that the run predicts.
        groups: A number by example, the same for those of one subject: names stay out of records.
            `None` where each example is its own.
        attributes: Values by example, by attribute.
    """
    columns: dict[str, Iterable[Any]] = {"id": ids}
    if groups is not None:
        columns["group"] = groups
    for name, values in (attributes or {}).items():
        columns[f"{record.ATTRIBUTE}{name}"] = values
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    record.write_rows(Path(directory) / record.GROUPS, rows)


def read_groups(directory: str | Path) -> dict[str, str]:
    """The groups of the examples that a run predicts, empty where its folder says nothing of them.

    Args:
        directory: The run's folder. Numbers of other runs on the same data are the same.

    Returns:
        Dictionary of strings by id.

    Raises:
        UserError: If the file is damaged.
    """
    frame = _read_groups(directory)
    return {} if "group" not in frame else frame["group"].to_dict()


def read_attributes(directory: str | Path) -> pd.DataFrame:
    """The attributes of the examples that a run predicts.

    Args:
        directory: The run's folder.

    Returns:
        Data frame of strings, a row an id and a column an attribute; an empty string where nothing
        is known. Without columns where the folder says nothing of attributes.

    Raises:
        UserError: If the file is damaged.
    """
    frame = _read_groups(directory)
    kept = frame.loc[:, [name.startswith(record.ATTRIBUTE) for name in frame.columns]]
    return kept.rename(columns=lambda name: name.removeprefix(record.ATTRIBUTE))


def _read_groups(directory):
    """What `write_groups` wrote, by id; an empty frame where there is nothing."""
    path = record.groups_path(directory)
    if not path.exists():
        return pd.DataFrame()
    with record.loading(path, record.how_to_repeat(directory)):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("id")
        for name in frame:
            if name != "group" and not name.startswith(record.ATTRIBUTE):
                raise ValueError(f"its column {name} is not known")
        return frame


def read_predictions(directory: str | Path, run: dict[str, Any]) -> pd.DataFrame:
    """Reads what a run predicted.

    Args:
        directory: The run's folder.
        run: Its record, a dictionary.

    Returns:
        Data frame of a row a text, with the columns of a record of the newest version.

    Raises:
        UserError: If the file is missing, damaged, or of other labels than the record's.
    """
    path = record.predictions_path(directory)
    with record.loading(path, record.how_to_repeat(directory)):
        return _read(path, run)


def read_answers(directory: str | Path, evaluation: dict[str, Any]) -> pd.DataFrame:
    """Reads what a model says of another corpus.

    Args:
        directory: The evaluation's folder.
        evaluation: Its record, a dictionary.

    Returns:
        Data frame of a row an example: `id`, `label`, that of the corpus, `predicted` and the
        probabilities by the model's labels, as the model gives them.

    Raises:
        UserError: If the file is missing or damaged.
    """
    path = record.predictions_path(directory)
    with record.loading(path, f"Delete the folder {directory}, and evaluate the model again."):
        frame = _read_table(path, evaluation["model"]["labels"])
        expected = evaluation["metrics"]["num_examples"]
        if len(frame) != expected:
            raise ValueError(f"it holds {len(frame)} examples, and not {expected}")
        return frame.drop(columns="split")


def read_split(
    directory: str | Path, run: dict[str, Any], split: str
) -> tuple[np.ndarray, np.ndarray]:
    """What was to be said of a split by a finished run, and what it says.

    Args:
        directory: The run's folder.
        run: Its record, a dictionary.
        split: `"val"` or `"test"`.

    Returns:
        The rows of `Target.encode` and the probabilities, float arrays `(num_examples,
        num_labels)`.

    Raises:
        UserError: See `read_predictions`; and if nothing was predicted of the split.
    """
    rows = read_predictions(directory, run)
    rows = rows[rows["split"] == split]
    if rows.empty:
        raise UserError(
            f"{record.predictions_path(directory)} holds no predictions of the split {split}. "
            f"{record.how_to_repeat(directory)}"
        )
    target = target_of(run)
    truth = target.encode(rows["label"].tolist())
    return truth, rows[probability_columns(target.labels)].to_numpy()


def temperature_of(run: dict[str, Any], directory: str | Path) -> float:
    """The temperature of a run's probabilities: that of its record, or fitted where it has none.

    Args:
        run: Its record, a dictionary; those of earlier versions hold no temperature.
        directory: The run's folder.

    Returns:
        Float.

    Raises:
        UserError: See `read_split`.
    """
    if "temperature" in run:
        return run["temperature"]
    return target_of(run).fit_temperature(*read_split(directory, run, "val"))


def _read_table(path, labels):
    """What `write_predictions` wrote, whose numbers are probabilities."""
    with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
        content = file.read()
    columns = [*_COLUMNS, *probability_columns(labels)]
    header = pd.read_csv(io.BytesIO(content), nrows=0, index_col=False).columns.tolist()
    if header not in (columns, [*_COLUMNS, *labels]):
        raise ValueError(f"its columns should be {', '.join(columns)}, and are {', '.join(header)}")
    numbers = columns[len(_COLUMNS) :]
    frame = pd.read_csv(
        io.BytesIO(content),
        names=columns,
        header=0,
        index_col=False,
        dtype=dict.fromkeys(_COLUMNS, str) | dict.fromkeys(numbers, float),
        # A label may well be «NA» or «null»; a number that is not there is nothing at all.
        keep_default_na=False,
        na_values=dict.fromkeys(numbers, [""]),
    )
    shares = frame[numbers].to_numpy()
    if not content.endswith(b"\n") or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError("it ends within a row, or holds numbers that are no probabilities")
    return frame


def _read(path, run):
    frame = _read_table(path, run["corpus"]["labels"])
    cells = pd.concat([frame["label"], frame["predicted"]]).unique().tolist()
    if not target_of(run).are_known(cells).all():
        raise ValueError("it holds labels that the run's record does not name")
    for split, count in frame["split"].value_counts().items():
        # Published records are without the validation split.
        expected = run["metrics"].get(split, {}).get("num_examples")
        if count != expected:
            raise ValueError(f"it holds {count} texts of the split {split}, and not {expected}")
    return frame
