"""How good a model is on another corpus, whose labels are not quite its own.

Examples whose label the model lacks say nothing of it, and are left out. Labels that the model
alone has can be answered, and are wrong each time; what the model would say if it knew the shared
labels alone are its probabilities of these, renormalised. Both are measured.

Where examples have several labels, each label is a question of its own, and all examples are kept:
of one whose labels the model lacks, no shared label holds. The model's own thresholds decide, and
labels that it alone has are left out. Of several of its labels that count as one, this holds if one
of them does, and has the largest of their probabilities.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from emotion_keras import record
from emotion_keras.data.label_map import LabelMap
from emotion_keras.evaluation.coverage import Judged, accuracy_from, by_coverage, judge
from emotion_keras.evaluation.predictions import (
    probability_columns,
    read_groups,
    read_predictions,
)
from emotion_keras.evaluation.scores import (
    Score,
    f1_of,
    scores_of,
    summarize_scores,
    text_shares,
)
from emotion_keras.record.options import join_names
from emotion_keras.targets import MultiLabel, Target, target_of
from emotion_keras.targets.multi import NONE, fit_thresholds, names_in
from emotion_keras.targets.multi_metrics import f1_by_label, multilabel_metrics

# The scores that are worth something where labels are answered that no example has.
_OPEN = ("accuracy", "macro_f1")
_CALIBRATION = ("log_loss", "brier_score", "ece")


class Answers(NamedTuple):
    """What a model says of the examples of another corpus that say something of it.

    Args:
        ids: Ids of the examples.
        labels: The cells of their labels in the corpus.
        probabilities: Float array `(num_examples, num_labels)` by the model's labels, unscaled.
        groups: The subject of each example by id; one that is not there is its own.
    """

    ids: Sequence[str]
    labels: Sequence[str]
    probabilities: np.ndarray
    groups: Mapping[str, str]


class Scored(NamedTuple):
    """The scores of one model's answers to another corpus.

    Args:
        shared: Among the shared labels: floats by score, and what `text_shares` gives.
        open: The same of `accuracy` and `macro_f1`, the mean over the shared labels, where all
            labels of the model may be answered; of several labels an example, as `shared`.
    """

    shared: tuple[dict[str, float | None], pd.DataFrame]
    open: tuple[dict[str, float | None], pd.DataFrame]


class Measured(NamedTuple):
    """What came of the answers to another corpus.

    Args:
        metrics: Metrics of the answers among the shared labels; see `Target.metrics`.
        scores: Dictionary of `Score` of these by score.
        open_scores: The same where all labels of the model may be answered; see `Scored`.
        confusion: Data frame of numbers of examples: a row a label of the corpus, a column an
            answer, all labels of the model among them; of several labels an example see
            `confusion_of_several`.
        calibration: By whose temperature it is, `none`, `own` or `fitted`, a dictionary of
            `temperature`, `log_loss`, `brier_score` and `ece`; `fitted` is on these examples.
        by_coverage: See `coverage.by_coverage`; of answers among the shared labels.
        judged: `Judged` of these answers.
        open_judged: `Judged` of the answers among all labels of the model. Of several labels an
            example, an answer is right if it is so about the shared ones.
        at_best_thresholds: Of several labels an example what `at_best_thresholds` gives.
    """

    metrics: dict[str, Any]
    scores: dict[str, Score]
    open_scores: dict[str, Score]
    confusion: pd.DataFrame
    calibration: dict[str, dict[str, float]]
    by_coverage: dict[float, Score]
    judged: Judged
    open_judged: Judged
    at_best_thresholds: dict[str, Any] | None = None


def shared_probabilities(
    probabilities: np.ndarray, labels: Sequence[str], known: LabelMap
) -> np.ndarray:
    """The probabilities of the shared labels, then those of the labels that the model alone has.

    Args:
        probabilities: Float array `(num_examples, num_labels)`.
        labels: The model's labels.
        known: `LabelMap`. Probabilities of labels that count as one are added.

    Returns:
        Float64 array `(num_examples, len(known.shared) + len(known.model_only))`.
    """
    columns = [*known.shared, *known.model_only]
    counts_as = np.array([[(known.of_model[label] or label) == name for name in columns]
                          for label in labels], np.float64)  # fmt: skip
    return np.asarray(probabilities, np.float64) @ counts_as


def measure(answers: Answers, target: Target, known: LabelMap, temperature: float) -> Measured:
    """Measures the answers to another corpus.

    Args:
        answers: `Answers`.
        target: The model's `Target`.
        known: `LabelMap`.
        temperature: The model's temperature, fitted on the validation split of its own corpus.

    Returns:
        `Measured`.
    """
    (among_shared, rows), (among_all, open_rows) = _views(answers, target, known)
    truth = among_shared.encode(rows["label"].tolist())
    own = rows[probability_columns(known.shared)].to_numpy()
    scored = score_answers(answers, target, known)
    judged = judge(rows, among_shared, temperature)
    if isinstance(target, MultiLabel):
        # What the model is sure of is its whole answer, as where its threshold was chosen.
        scaled = target.scale(answers.probabilities, temperature)
        confidence = target.confidence(target.decide(answers.probabilities), scaled)
        open_judged = judged._replace(confidence=confidence)
        confusion = confusion_of_several(answers, rows, known)
    else:
        open_judged = judge(open_rows, among_all, temperature)
        confusion = _confusion(answers, open_rows, known)
    return Measured(
        _metrics(rows, among_shared),
        summarize(scored.shared),
        summarize(scored.open),
        confusion,
        _calibrate(among_shared, truth, own, temperature),
        by_coverage([judged], [0], answers.groups),
        judged,
        open_judged,
        at_best_thresholds(truth, own, known.shared) if target.several else None,
    )


def score_answers(answers: Answers, target: Target, known: LabelMap) -> Scored:
    """The scores of one model's answers; see `Scored`."""
    (among_shared, rows), (among_all, open_rows) = _views(answers, target, known)
    shared = _score(rows, among_shared, answers.groups)
    (values, shares), names = _score(open_rows, among_all, answers.groups), _f1_of(known.shared)
    # The mean over all labels would count those that no example can have.
    values["macro_f1"] = float(np.mean([values[name] for name in names]))
    shares = shares.assign(macro_f1=shares[names].mean(axis=1))
    return Scored(shared, ({name: values[name] for name in _OPEN}, shares[list(_OPEN)]))


def summarize(
    *scored: tuple[dict[str, float | None], pd.DataFrame], seeds: Sequence[int] = (0,)
) -> dict[str, Score]:
    """The scores of one model, or of runs of several seeds, with intervals.

    Args:
        *scored: By run one of the pairs of `Scored`.
        seeds: By run its seed.

    Returns:
        Dictionary of `Score` by score.
    """
    values, shares = zip(*scored, strict=True)
    return summarize_scores(values, seeds, shares)


def home_answers(
    run: dict[str, Any], directory: str | Path, known: LabelMap
) -> tuple[Answers, LabelMap] | None:
    """What a run says of those examples of its own test split whose label is shared.

    Args:
        run: Its record.
        directory: Its folder.
        known: `LabelMap` of the run and another corpus.

    Returns:
        `Answers` and the `LabelMap` that these go with; `None` where there are none.
    """
    if "test" not in run["metrics"] or not record.predictions_path(directory).exists():
        return None
    rows = read_predictions(directory, run)
    rows = rows[rows["split"] == "test"]
    if not target_of(run).several:
        shared = [label for label, name in known.of_model.items() if name is not None]
        rows = rows[rows["label"].isin(shared)]
    if rows.empty:
        return None
    probabilities = rows[probability_columns(run["corpus"]["labels"])].to_numpy()
    ids, labels = rows["id"].tolist(), rows["label"].tolist()
    at_home = LabelMap(known.of_model, known.of_model)
    return Answers(ids, labels, probabilities, read_groups(directory)), at_home


def from_confidence(
    measured: Measured, min_confidence: float, groups: Mapping[str, str]
) -> tuple[Score, float]:
    """The accuracy and the coverage of answers among all labels from a confidence on."""
    return accuracy_from([measured.open_judged], [min_confidence], [0], groups)


def confusion_of_several(answers: Answers, rows: pd.DataFrame, known: LabelMap) -> pd.DataFrame:
    """Of the examples of which a label of the corpus holds, how often shared labels are answered.

    Args:
        answers: `Answers` of several labels an example.
        rows: A row an example with `label` and `predicted`, cells of shared labels.
        known: `LabelMap`.

    Returns:
        Data frame of numbers of examples: a row a label of the corpus, those that the model lacks
        last, and a column a shared label. Where the row's label counts as the column's, the answer
        is right; elsewhere those are counted that are wrong.
    """
    shared = MultiLabel(known.shared)
    names = [*(one for name in known.shared for one in known.sources(name)), *known.data_only]
    holds = MultiLabel(names).encode(list(answers.labels)) > 0
    truth, said = (shared.encode(rows[name].tolist()) > 0 for name in ("label", "predicted"))
    right, wrong = (holds.T.astype(int) @ (said & one) for one in (truth, ~truth))
    is_same = np.array([[known.of_data[one] == name for name in known.shared] for one in names])
    return pd.DataFrame(np.where(is_same, right, wrong), names, known.shared)


def at_best_thresholds(
    truth: np.ndarray, probabilities: np.ndarray, labels: Sequence[str]
) -> dict[str, Any]:
    """The macro F1 with the thresholds that are best on these very examples: no model reaches more.

    Args:
        truth: Float array `(num_examples, num_labels)` of `Target.encode`.
        probabilities: Float array of the same shape.
        labels: The labels' names.

    Returns:
        Dictionary of `macro_f1` and `thresholds`, a dictionary by label.
    """
    found = fit_thresholds(truth, probabilities)
    return {
        "macro_f1": float(f1_by_label(truth, probabilities >= found).mean()),
        "thresholds": dict(zip(labels, found.tolist(), strict=True)),
    }


def _as_rows(answers, target, probabilities, labels, predicted):
    """A row an example, as of `read_predictions`, by the labels of a target."""
    frame = pd.DataFrame(probabilities, columns=probability_columns(target.labels))
    return frame.assign(id=list(answers.ids), label=labels, predicted=predicted)


def _views(answers, target, known):
    """Answers among the shared labels, and among all of the model: pairs of a target and rows."""
    if target.several:
        return [_view_of_several(answers, target, known)] * 2
    among_all = type(target)([*known.shared, *known.model_only])
    among_shared = type(target)(known.shared)
    all_labels = shared_probabilities(answers.probabilities, target.labels, known)
    own = all_labels[:, : len(known.shared)]
    sums = own.sum(axis=1, keepdims=True)
    # Where a model says that none of them is possible, all are alike.
    own = np.where(sums > 0, own / np.where(sums > 0, sums, 1), 1 / len(known.shared))
    labels = [known.of_data[label] for label in answers.labels]
    return [
        (one, _as_rows(answers, one, probabilities, labels, one.decide(probabilities)))
        for one, probabilities in ((among_shared, own), (among_all, all_labels))
    ]


def _view_of_several(answers, target, known):
    """Answers about the shared labels, which the thresholds of the model's own labels decide."""
    shared = MultiLabel(known.shared)
    probabilities = _largest(np.float64(answers.probabilities), target.labels, known)
    holds = _largest(target.holds(answers.probabilities), target.labels, known)
    labels = shared.in_order([_shared_cell(cell, known) for cell in answers.labels])
    return shared, _as_rows(answers, shared, probabilities, labels, shared.cells(holds))


def _largest(values, labels, known):
    """By shared label the largest value of the model's labels that count as it."""
    counts_as = np.array([known.of_model[label] or "" for label in labels])
    return np.column_stack([values[:, counts_as == name].max(axis=1) for name in known.shared])


def _shared_cell(cell, known):
    """The cell of the shared labels that the labels of a corpus's cell count as."""
    names = (known.of_data.get(name) for name in names_in(cell))
    return join_names(dict.fromkeys(name for name in names if name is not None)) or NONE


def _score(rows, target, groups):
    return scores_of(_metrics(rows, target)), text_shares(rows, target, groups)


def _metrics(rows, target):
    """The metrics of what was answered in rows."""
    truth = target.encode(rows["label"].tolist())
    probabilities = rows[probability_columns(target.labels)].to_numpy()
    if target.several:  # No thresholds of shared labels decide, but those of the model's own.
        holds = target.encode(rows["predicted"].tolist()) > 0
        return multilabel_metrics(truth, probabilities, holds, target.labels)
    return target.metrics(truth, probabilities)


def _f1_of(labels):
    return [f1_of(label) for label in labels]


def _confusion(answers, rows, known):
    table = pd.crosstab(pd.Series(list(answers.labels)), rows["predicted"])
    there = [label for label, name in known.of_data.items() if name is not None]
    # By shared label, then by the corpus's.
    there.sort(key=lambda label: known.shared.index(known.of_data[label]))
    columns = [*known.shared, *known.model_only]
    return table.reindex(index=there, columns=columns, fill_value=0)


def _calibrate(target, truth, probabilities, temperature):
    temperatures = {
        "none": 1.0,
        "own": temperature,
        "fitted": target.fit_temperature(truth, probabilities),
    }
    found = {}
    for whose, value in temperatures.items():
        metrics = target.metrics(truth, target.scale(probabilities, value))
        found[whose] = {"temperature": value} | {name: metrics[name] for name in _CALIBRATION}
    return found
