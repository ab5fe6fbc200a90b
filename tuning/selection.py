"""Measures what the gates that select keep: how often models are right on these words alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from emotion_keras import record
from emotion_keras.command import durations
from emotion_keras.evaluation.selection import (
    CHOSEN,
    READERS,
    SELECTION,
    choose_words,
    selection_path,
)
from emotion_keras.machine.quiet import quiet

if TYPE_CHECKING:
    from emotion_keras.data import Dataset

# The form whose contributions are compared with, and the gate of the others.
PLAIN = "features"
_GATE = "hard_concrete"


class Pair(NamedTuple):
    """A run whose gate selects, and the run of the same seed with the paper's gate."""

    selecting: Path
    plain: Path


def missing_selections(runs: Mapping[tuple[str, Any], list[Path]]) -> list[Pair]:
    """The runs whose selection was not measured yet.

    Args:
        runs: Dictionary of lists of folders of finished runs by pairs of contender and form, all of
            the same training split.

    Returns:
        List of `Pair`, of those that have a run with the paper's gate beside them.
    """
    found = []
    for (name, _), paths in runs.items():
        plain = {record.read_run(path)["seed"]: path for path in runs.get((name, PLAIN), [])}
        for path in paths:
            run = record.read_run(path)
            selects = run["hyperparameters"].get("gate") == _GATE
            if selects and run["seed"] in plain and not selection_path(path).exists():
                found.append(Pair(path, plain[run["seed"]]))
    return found


def measure_selections(
    pairs: list[Pair], dataset: Dataset, notify: Callable[[str], Any] = print
) -> None:
    """Measures selections, writes `selection.csv` into each run's folder, and says how far it is.

    Args:
        pairs: List of `Pair`.
        dataset: `Dataset` that the runs were made on.
        notify: Called with messages for the user.

    Raises:
        UserError: If a run's folder holds no model.
    """
    notify(f"{len(pairs)} gates to look at: which words they keep, and how telling these are.")
    start = time.monotonic()
    for number, pair in enumerate(pairs, start=1):
        record.write_rows(pair.selecting / SELECTION, _measure(pair, dataset))
        seconds = (time.monotonic() - start) / number * (len(pairs) - number)
        notify(
            f"{pair.selecting.name}: looked at, {number} of {len(pairs)}; about "
            f"{durations.in_words(seconds)} left."
        )


def _measure(pair, dataset):
    with quiet():  # Imported here because it takes seconds.
        from emotion_keras.inference.load import load_model

        readers = dict(zip(READERS, map(load_model, pair), strict=True))
    cells = dataset.cells("test")
    part = readers["own"].modality.part
    gates, contributions = (
        [explained.words for explained in readers[name].explain(cells)] for name in READERS
    )
    texts = {"all": cells, **{name: [] for name in CHOSEN}}
    rows = []
    for cell, of_gate, of_plain in zip(cells, gates, contributions, strict=True):
        words = [
            {**row, "contribution": plain["contribution"]}
            for row, plain in zip(of_gate, of_plain, strict=True)
        ]
        number, chosen = choose_words(words)
        rows.append({"words": number, "kept": len(chosen["kept"])})
        names = [row["word"] for row in words]
        for name, positions in chosen.items():
            texts[name].append(part(cell, names, positions))
    truth = dataset.truth("test")
    ids = dataset.corpus.examples["id"].iloc[dataset.split.test]
    rows = [{"id": i, **row} for i, row in zip(ids, rows, strict=True)]
    for reader, model in readers.items():
        for name, of_name in texts.items():
            # Each with its own thresholds, where several labels may hold.
            decided = model.target.encode(model.target.decide(model.probabilities(of_name)))
            for row, is_right in zip(rows, (decided == truth).all(axis=1), strict=True):
                row[f"{reader}:{name}"] = int(is_right)
    return rows
