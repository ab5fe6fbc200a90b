"""What the runs of a study say about the models, from their records and predictions alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion_keras import record
from emotion_keras.evaluation.cost import summarize_cost
from emotion_keras.evaluation.predictions import (
    probability_columns,
    read_predictions,
    read_split,
    temperature_of,
)
from emotion_keras.evaluation.significance import holm, mcnemar, mean_interval, paired_difference
from emotion_keras.targets import target_of
from emotion_keras.targets.calibration import reliability_curve

SCORES = ("accuracy", "macro_f1", "auc", "log_loss", "brier_score", "ece")


def contender(run: dict[str, Any]) -> str:
    """What a run is a run of: `cnn`, or with its encoder `gated_transformer@minilm`."""
    encoder = run["inputs"].get("encoder")
    return f"{run['model']}@{encoder}" if encoder else run["model"]


def compare_runs(directories: Sequence[str | Path], reference: str | None = None) -> dict[str, Any]:
    """Compares models by the runs of each.

    Args:
        directories: Folders of finished runs, which share a corpus, its labels and, run by run, the
            split of some run of each other model.
        reference: Contender that all others are compared with; the one of highest mean accuracy on
            the validation split where `None`.

    Returns:
        Dictionary of `reference` and `contenders`, a list of dictionaries by falling mean accuracy
        on the test split: `name`, `num_runs`; for each score of `SCORES` its `mean`, `low` and
        `high` over the runs; `calibrated`, means of log loss, Brier score and expected calibration
        error after temperature scaling, with the mean `temperature`; `reliability` before it;
        `cost`, as of `summarize_cost`; and, but for the reference, `difference` in accuracy to it,
        with `low`, `high`, `smallest`, `p_value`, `p_holm` and `resolved`: whether it is at least
        the smallest that these texts and seeds resolve.
    """
    runs = {}
    for directory in directories:
        run = record.read_run(directory)
        runs.setdefault(contender(run), []).append((run, directory))
    rows = [_row(name, members) for name, members in runs.items()]
    if reference is None:
        reference = max(rows, key=lambda row: row["val_accuracy"])["name"]
    predictions = {name: _test_predictions(members) for name, members in runs.items()}
    target = target_of(record.read_run(directories[0]))
    others = [row for row in rows if row["name"] != reference]
    for row in others:
        row["difference"] = _difference(predictions[row["name"]], predictions[reference], target)
    p_values = holm(row["difference"]["p_value"] for row in others)
    for row, p_value in zip(others, p_values, strict=True):
        row["difference"]["p_holm"] = p_value
    rows.sort(key=lambda row: -row["accuracy"]["mean"])
    return {"reference": reference, "contenders": rows}


def _row(name, members):
    scores = {key: [run["metrics"]["test"][key] for run, _ in members] for key in SCORES}
    row = {
        "name": name,
        "num_runs": len(members),
        "val_accuracy": float(np.mean([run["metrics"]["val"]["accuracy"] for run, _ in members])),
        "cost": summarize_cost([run for run, _ in members]),
        "num_parameters": members[0][0]["num_parameters"],
    }
    for key, values in scores.items():
        if None not in values:
            row[key] = dict(zip(("mean", "low", "high"), mean_interval(values), strict=True))
    return row | _calibration(members)


def _calibration(members):
    """Temperature scaling of each run, fitted on its validation split, and its effect on test."""
    found, confidence = [], []
    for run, directory in members:
        target, temperature = target_of(run), temperature_of(run, directory)
        truth, probabilities = read_split(directory, run, "test")
        scaled = target.metrics(truth, target.scale(probabilities, temperature))
        found.append([scaled[key] for key in ("log_loss", "brier_score", "ece")] + [temperature])
        confidence.append((target.classes(truth), probabilities))
    means = np.mean(found, axis=0).tolist()
    together = [np.concatenate(parts) for parts in zip(*confidence, strict=True)]
    names = ("log_loss", "brier_score", "ece", "temperature")
    return {
        "calibrated": dict(zip(names, means, strict=True)),
        "reliability": reliability_curve(*together),
    }


def _test_predictions(members):
    """Test predictions of a contender's runs: a row a text and run."""
    frames = []
    for number, (run, directory) in enumerate(members):
        rows = read_predictions(directory, run)
        rows = rows[rows["split"] == "test"]
        frames.append(rows.assign(run=number, seed=run["seed"]))
    return pd.concat(frames)


def _difference(predictions, of_reference, target):
    """Difference in accuracy between two contenders, over the texts that both were tested on."""
    tables = []
    for frame in (predictions, of_reference):
        correct = (frame["label"] == frame["predicted"]).astype(float)
        # With seeds a run is a column; with folds each text has one run, and a seed is a column.
        tables.append(
            frame.assign(correct=correct).pivot_table(
                index="id", columns="seed", values="correct", aggfunc="mean"
            )
        )
    texts = tables[0].index.intersection(tables[1].index)
    correct, correct_other = (table.loc[texts].to_numpy().T for table in tables)
    found = paired_difference(correct, correct_other)
    return {
        **{key: getattr(found, key) for key in ("difference", "low", "high", "smallest")},
        "resolved": abs(found.difference) >= found.smallest,
        "p_value": mcnemar(
            _pooled(predictions, texts, target), _pooled(of_reference, texts, target)
        ),
    }


def _pooled(frame, texts, target):
    """Where a contender is right with the mean of its runs' probabilities: one verdict a text.

    A test that took each run's verdict on the same text for another text would find everything
    significant.
    """
    by_text = frame.groupby("id")
    means = by_text[probability_columns(target.labels)].mean().loc[texts].to_numpy()
    return np.array(target.decide(means), object) == by_text["label"].first().loc[texts]
