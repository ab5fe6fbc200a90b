"""What the runs of a study say about the models, from their records and predictions alone."""

import collections
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion_keras import record
from emotion_keras.data.flaws import flaws_of, in_words
from emotion_keras.errors import UserError
from emotion_keras.evaluation.cost import summarize_cost
from emotion_keras.evaluation.predictions import (
    read_groups,
    read_predictions,
    read_split,
    temperature_of,
)
from emotion_keras.evaluation.scores import SCORES, SCORES_OF_SEVERAL, read_scores, subjects
from emotion_keras.evaluation.significance import LEVEL, Difference, holm, paired_difference
from emotion_keras.targets import target_of
from emotion_keras.targets.calibration import reliability_curve

# A combination of more kinds of models is called by their number.
_MOST_KINDS = 4


def contender(run: dict[str, Any]) -> str:
    """What a run is a run of: `cnn`, or with its encoder `gated_transformer@minilm`.

    A combination is one of its members' kinds, whatever their seeds:
    `combination@5 gated_transformer@minilm, tfidf_svm`, or with equal weights `equal_combination@`.
    """
    if run["model"] == record.COMBINATION:
        is_equal = run["hyperparameters"]["weights"] == "equal"
        return f"{'equal_' * is_equal}{record.COMBINATION}@{_kinds(run['members'])}"
    return _name(run["model"], run["inputs"].get("encoder"))


def _name(model, encoder):
    return f"{model}@{encoder}" if encoder else model


def _kinds(members):
    """What the members of a combination are runs of, and how many."""
    counts = collections.Counter(_name(one["model"], one["encoder"]) for one in members)
    kinds = [f"{n} {name}" if n > 1 else name for name, n in sorted(counts.items())]
    if len(kinds) > _MOST_KINDS:
        digest = hashlib.sha256(json.dumps(kinds).encode()).hexdigest()[:4]
        return f"{counts.total()} runs of {len(kinds)} models [{digest}]"
    return ", ".join(kinds)


def compare_runs(directories: Sequence[str | Path], reference: str | None = None) -> dict[str, Any]:
    """Compares models by the runs of each.

    Args:
        directories: Folders of finished runs, which share a corpus, its labels and, run by run, the
            split of some run of each other model.
        reference: Contender that all others are compared with; the one of highest mean accuracy on
            the validation split where `None`, or where several labels may hold of an example, of
            highest mean macro F1.

    Returns:
        Dictionary of `reference`; `grouped`, whether the texts of one subject are known and count
        together; and `contenders`, a list of dictionaries by falling mean accuracy (or macro F1) on
        the test split: `name`, `num_runs`; for each score of `SCORES`, and where several labels may
        hold of `SCORES_OF_SEVERAL`, the fields of `Score`; `calibrated`,
        means of log loss, Brier score and expected calibration error after temperature scaling,
        with the mean `temperature`; `reliability` before it; `cost`, as of `summarize_cost`; and,
        but for the reference, `difference` in accuracy to it, with `low`, `high`, `p_value`,
        `p_holm` and `resolved`: whether `p_holm`, corrected for the number of differences, is at
        most 0.05.

    Raises:
        UserError: If a run was made under a protocol with flaws.
    """
    runs, groups = {}, {}
    for directory in directories:
        run = record.read_run(directory)
        if flaws := flaws_of(run):
            raise UserError(f"{directory} cannot be compared. {in_words(flaws)} Leave it out.")
        runs.setdefault(contender(run), []).append((run, directory))
        groups |= read_groups(directory)
    rows = [_row(name, members, groups) for name, members in runs.items()]
    run, _ = next(iter(runs.values()))[0]
    main = target_of(run).main_metric
    if reference is None:
        reference = max(rows, key=lambda row: row[f"val_{main}"])["name"]
    correct = {name: _correct(members) for name, members in runs.items()}
    others = [row for row in rows if row["name"] != reference]
    found = [difference_of(correct[row["name"]], correct[reference], groups) for row in others]
    p_values = holm(one.p_value for one in found)
    for row, difference, p_value in zip(others, found, p_values, strict=True):
        corrected = {"p_holm": p_value, "resolved": p_value <= LEVEL}
        row["difference"] = difference._asdict() | corrected
    rows.sort(key=lambda row: -row[main]["mean"])
    return {"reference": reference, "grouped": bool(groups), "contenders": rows}


def _row(name, members, groups):
    scores = read_scores(members, "test", groups)
    main = target_of(members[0][0]).main_metric
    return {
        "name": name,
        "num_runs": len(members),
        f"val_{main}": float(np.mean([run["metrics"]["val"][main] for run, _ in members])),
        "cost": summarize_cost([run for run, _ in members]),
        "num_parameters": members[0][0]["num_parameters"],
        **{s: scores[s]._asdict() for s in (*SCORES, *SCORES_OF_SEVERAL) if s in scores},
        **_calibration(members),
    }


def _calibration(members):
    """Temperature scaling of each run, fitted on its validation split, and its effect on test."""
    found, confidence = [], []
    for run, directory in members:
        target, temperature = target_of(run), temperature_of(run, directory)
        truth, probabilities = read_split(directory, run, "test")
        scaled = target.metrics(truth, target.scale(probabilities, temperature))
        found.append([scaled[key] for key in ("log_loss", "brier_score", "ece")] + [temperature])
        confidence.append(target.judged(truth, probabilities))
    means = np.mean(found, axis=0).tolist()
    together = [np.concatenate(parts) for parts in zip(*confidence, strict=True)]
    names = ("log_loss", "brier_score", "ece", "temperature")
    return {
        "calibrated": dict(zip(names, means, strict=True)),
        "reliability": reliability_curve(*together),
    }


def _correct(members):
    return correct_by_text(
        [read_predictions(directory, run).assign(seed=run["seed"]) for run, directory in members]
    )


def correct_by_text(frames: Sequence[pd.DataFrame], split: str = "test") -> pd.DataFrame:
    """Where the runs of a contender are right.

    Args:
        frames: By run what `read_predictions` gives, with a column `seed`.
        split: Name of the split.

    Returns:
        Data frame of a row a text, by its id, and a column a seed; with folds, which test each text
        once, one column.
    """
    rows = pd.concat([frame[frame["split"] == split] for frame in frames])
    correct = (rows["label"] == rows["predicted"]).astype(float)
    return rows.assign(correct=correct).pivot_table(
        index="id", columns="seed", values="correct", aggfunc="mean"
    )


def difference_of(
    correct: pd.DataFrame, correct_other: pd.DataFrame, groups: dict[str, str]
) -> Difference:
    """Difference in accuracy between two contenders, over the texts that both were tested on.

    Args:
        correct: What `correct_by_text` gives of the first.
        correct_other: The same of the second, which shares texts with the first.
        groups: The subject of each text by id; a text that is not there is its own.

    Returns:
        `Difference`.
    """
    texts = correct.index.intersection(correct_other.index)
    ours, others = (table.loc[texts].to_numpy().T for table in (correct, correct_other))
    return paired_difference(ours, others, subjects(texts.tolist(), groups))
