"""What the runs at one value of a setting reach, from their records alone."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emotion_keras import record
from emotion_keras.evaluation.predictions import read_groups
from emotion_keras.evaluation.scores import (
    SCORES,
    SCORES_OF_SEVERAL,
    read_scores,
    summarize_scores,
)

# Beside the record of a run whose model was tested on perturbed texts: a row a kind and level.
NOISE = "noise.csv"


def summarize_runs(directories: list[Path]) -> dict[str, Any]:
    """What runs of one setting reach.

    Args:
        directories: Non-empty list of folders of finished runs.

    Returns:
        Dictionary of `run_ids` and, by split, `val` and, where it was read, `test`, of a dictionary
        by score of `SCORES`, and where several labels may hold of `SCORES_OF_SEVERAL`, of the
        fields of `Score`.
    """
    runs = [(record.read_run(directory), directory) for directory in directories]
    groups = {}
    for directory in directories:
        groups |= read_groups(directory)
    splits = [split for split in ("val", "test") if all(split in r["metrics"] for r, _ in runs)]
    found = {split: read_scores(runs, split, groups) for split in splits}
    return {
        "run_ids": [run["run_id"] for run, _ in runs],
        **{
            split: {s: scores[s]._asdict() for s in (*SCORES, *SCORES_OF_SEVERAL) if s in scores}
            for split, scores in found.items()
        },
    }


def summarize_noise(directories: Iterable[Path]) -> list[dict[str, Any]]:
    """What runs of one setting reach on perturbed texts.

    Args:
        directories: Folders of finished runs, with their files `noise.csv`.

    Returns:
        List of dictionaries of `kind`, `level`, `num_runs` and `test`, as of `summarize_runs`; of
        each kind first the texts as they are, at level 0. They have no intervals, since what was
        predicted of perturbed texts is not kept.
    """
    found = {}
    for directory in directories:
        rows = read_noise(directory)
        run = record.read_run(directory)
        as_they_are = run["metrics"]["test"] | {"seed": run["seed"]}
        for kind in dict.fromkeys(row["kind"] for row in rows):
            found.setdefault((kind, 0.0), []).append(as_they_are)
        for row in rows:
            found.setdefault((row["kind"], row["level"]), []).append(row | {"seed": run["seed"]})
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    return [
        {
            "kind": kind,
            "level": level,
            "num_runs": len(found[kind, level]),
            "test": _summarize_scores(found[kind, level]),
        }
        for kind, level in sorted(found, key=lambda at: (kinds.index(at[0]), at[1]))
    ]


def read_noise(directory: str | Path) -> list[dict[str, Any]]:
    """The rows of a run's file `noise.csv`, as dictionaries of `kind`, `level` and scores."""
    path = Path(directory) / NOISE
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return [
            {
                name: text if name == "kind" else float(text) if text else None
                for name, text in row.items()
            }
            for row in csv.DictReader(file)
        ]


def _summarize_scores(rows):
    scores = [{score: row[score] for score in SCORES} for row in rows]
    found = summarize_scores(scores, [row["seed"] for row in rows], [None] * len(rows))
    return {score: found[score]._asdict() for score in SCORES if score in found}
