"""What the runs at one value of a setting reach, from their records alone."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emotion_keras import record
from emotion_keras.evaluation.significance import mean_interval

# Beside the record of a run whose model was tested on perturbed texts: a row a kind and level.
NOISE = "noise.csv"

SCORES = ("accuracy", "macro_f1", "auc", "log_loss", "brier_score", "ece")


def summarize_runs(directories: list[Path]) -> dict[str, Any]:
    """What runs of one setting reach.

    Args:
        directories: Non-empty list of folders of finished runs.

    Returns:
        Dictionary of `run_ids` and, by split, `val` and `test`, of a dictionary by score of
        `SCORES` of its `mean`, `low` and `high` over the runs; see `mean_interval`.
    """
    runs = [record.read_run(directory) for directory in directories]
    return {
        "run_ids": [run["run_id"] for run in runs],
        **{
            split: _summarize_scores([run["metrics"][split] for run in runs])
            for split in ("val", "test")
        },
    }


def summarize_noise(directories: Iterable[Path]) -> list[dict[str, Any]]:
    """What runs of one setting reach on perturbed texts.

    Args:
        directories: Folders of finished runs, with their files `noise.csv`.

    Returns:
        List of dictionaries of `kind`, `level`, `num_runs` and `test`, as of `summarize_runs`; of
        each kind first the texts as they are, at level 0.
    """
    found = {}
    for directory in directories:
        rows = read_noise(directory)
        as_they_are = record.read_run(directory)["metrics"]["test"]
        for kind in dict.fromkeys(row["kind"] for row in rows):
            found.setdefault((kind, 0.0), []).append(as_they_are)
        for row in rows:
            found.setdefault((row["kind"], row["level"]), []).append(row)
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


def _summarize_scores(metrics):
    return {
        score: dict(
            zip(("mean", "low", "high"), mean_interval([m[score] for m in metrics]), strict=True)
        )
        for score in SCORES
        if all(m[score] is not None for m in metrics)
    }
