"""How good models are on corpora other than their own, from the records of evaluations."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from emotion_keras import record
from emotion_keras.data.label_map import LabelMap
from emotion_keras.evaluation.other_corpus import (
    Answers,
    Scored,
    home_answers,
    score_answers,
    summarize,
)
from emotion_keras.evaluation.predictions import probability_columns, read_answers, read_groups
from emotion_keras.evaluation.scores import Score
from emotion_keras.targets import make_target


class Transfer(NamedTuple):
    """How good the runs of one model that were trained on one corpus are on another.

    Args:
        name: The model's name; see `contender`.
        trained_on: The corpus that it was trained on; `None` of an export, which does not say it.
        trained_sha256: Its checksum.
        tested_on: The other corpus.
        tested_sha256: Its checksum.
        adaptation: How it was adapted to that, or `None`.
        known: `LabelMap` of both.
        num_runs: The number of runs.
        several: Whether several labels may hold of an example. Accuracy is then the share of those
            all of whose shared labels are right, and `open` says the same as `shared`.
        num_examples: The number of the other corpus's examples with a shared label; of several
            labels an example, of all.
        shared: Dictionary of `Score` by score, among the shared labels.
        open: `accuracy` and `macro_f1` where all labels of the model may be answered.
        at_home: As `shared`, on the runs' own test split; `None` where it is not at hand.
    """

    name: str
    trained_on: str | None
    trained_sha256: str | None
    tested_on: str
    tested_sha256: str
    adaptation: str | None
    known: LabelMap
    num_runs: int
    several: bool
    num_examples: int
    shared: dict[str, Score]
    open: dict[str, Score]
    at_home: dict[str, Score] | None


class _Read(NamedTuple):
    evaluation: dict[str, Any]
    scored: Scored
    at_home: tuple[dict[str, float | None], pd.DataFrame] | None


def read_transfers(folders: Iterable[str | Path]) -> list[Transfer]:
    """Reads evaluations, those of one model on one corpus together.

    Args:
        folders: Folders of evaluations; those that lie in the folder of a run have `at_home`.

    Returns:
        List of `Transfer`. Evaluations that differ in the corpus's reading, the mapping or the
        adaptation stand apart.

    Raises:
        UserError: If an evaluation is damaged.
    """
    groups: dict[tuple, list[_Read]] = {}
    for folder in folders:
        read = _read(Path(folder))
        model, corpus = read.evaluation["model"], read.evaluation["corpus"]
        key = (model["name"], model["corpus_sha256"], corpus["name"], read.evaluation["question"])
        groups.setdefault(key, []).append(read)
    return [_together(members) for members in groups.values()]


def _read(folder):
    evaluation = record.read_evaluation(folder)
    known = LabelMap(evaluation["map"]["model"], evaluation["map"]["data"])
    target = _target_of(evaluation["model"])
    rows = read_answers(folder, evaluation)
    probabilities = rows[probability_columns(target.labels)].to_numpy()
    answers = Answers(
        rows["id"].tolist(), rows["label"].tolist(), probabilities, read_groups(folder)
    )
    directory = folder.parents[1]
    home = None
    if folder.parent.name == record.EVALUATIONS and record.is_finished(directory):
        home = home_answers(record.read_run(directory), directory, known)
    at_home = None if home is None else score_answers(home[0], target, home[1]).shared
    return _Read(evaluation, score_answers(answers, target, known), at_home)


def _target_of(model):
    return make_target(model["target"], model["labels"], model.get("label_thresholds"))


def _together(members):
    evaluation = members[0].evaluation
    model, corpus = evaluation["model"], evaluation["corpus"]
    seeds = [one.evaluation["model"]["seed"] or 0 for one in members]
    at_home = [one.at_home for one in members]
    return Transfer(
        model["name"],
        model["corpus"],
        model["corpus_sha256"],
        corpus["name"],
        corpus["sha256"],
        (evaluation["adaptation"] or {}).get("method"),
        LabelMap(evaluation["map"]["model"], evaluation["map"]["data"]),
        len(members),
        _target_of(model).several,
        evaluation["metrics"]["num_examples"],
        summarize(*(one.scored.shared for one in members), seeds=seeds),
        summarize(*(one.scored.open for one in members), seeds=seeds),
        summarize(*at_home, seeds=seeds) if all(at_home) else None,
    )
