"""The scores of a model's runs, each with its interval over texts and seeds.

What a text adds to a score is its influence on it (Hampel 1974): how much the score moves as the
text counts more. Of accuracy, F1, AUC (DeLong et al. 1988), log loss, Brier score and calibration
error it has a closed form, so that nothing is resampled.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from emotion_keras import record
from emotion_keras.evaluation.predictions import probability_columns, read_predictions
from emotion_keras.evaluation.significance import (
    interval,
    spread_over_seeds,
    spread_over_subjects,
)
from emotion_keras.targets import Target, target_of
from emotion_keras.targets.multi_metrics import log_losses

SCORES = ("accuracy", "macro_f1", "auc", "log_loss", "brier_score", "ece")
# Where several labels may hold of an example, beside those above.
SCORES_OF_SEVERAL = ("micro_f1", "jaccard", "lrap")
_NUM_BINS = 15


class Score(NamedTuple):
    """A score of several runs.

    Args:
        mean: Over the runs.
        low: Lower end of its 95 % interval over texts and seeds, of a single seed over texts alone;
            `None` where the runs' predictions are missing.
        high: Upper end.
        spread: Standard deviation over seeds, or `None` of a single one.
    """

    mean: float
    low: float | None
    high: float | None
    spread: float | None


def f1_of(label: str) -> str:
    """The name of the F1 of a label among scores."""
    return f"f1:{label}"


def scores_of(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """The scores in the metrics of a split, of which a record has more.

    Args:
        metrics: Dictionary as of `Target.metrics`.

    Returns:
        Dictionary of floats by score: those of `SCORES`, where several labels may hold of an
        example those of `SCORES_OF_SEVERAL`, and by `f1_of` those of each label.
    """
    by_label = {f1_of(label): of_label["f1"] for label, of_label in metrics["per_label"].items()}
    names = (*SCORES, *(SCORES_OF_SEVERAL if are_of_several(metrics) else ()))
    return {name: metrics[name] for name in names} | by_label


def are_of_several(scores: Mapping[str, Any]) -> bool:
    """Whether metrics or scores, by name, are of examples of which several labels may hold."""
    return all(name in scores for name in SCORES_OF_SEVERAL)


def text_shares(
    rows: pd.DataFrame, target: Target, groups: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """What the texts of each subject add to the scores of one run.

    Args:
        rows: Data frame of a row a text of one split, as of `read_predictions`.
        target: The run's `Target`.
        groups: The subject of each text by id; a text that is not there is its own.

    Returns:
        Data frame of a row a subject and a column a score; each column sums to 0.
    """
    truth, said = (_encode(rows[column], target) for column in ("label", "predicted"))
    probabilities = rows[probability_columns(target.labels)].to_numpy()
    if target.several:
        means = _means_of_several(truth, said, probabilities)
    else:
        probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
        means = _means_of_one(truth, probabilities, target.classes(truth))
    means["accuracy"] = (rows["label"] == rows["predicted"]).to_numpy(np.float64)
    f1 = _f1_shares(truth, said)
    shares = {name: (values - values.mean()) / len(rows) for name, values in means.items()}
    shares |= {"macro_f1": f1.mean(axis=1), "auc": _auc_shares(truth, probabilities).mean(axis=1)}
    shares |= {f1_of(label): f1[:, number] for number, label in enumerate(target.labels)}
    if target.several:
        # Of all labels together, as if they were one.
        sizes = truth.sum(axis=1) + said.sum(axis=1)
        hits = 2 * (truth * said).sum(axis=1)
        total = max(sizes.sum(), 1)
        shares["micro_f1"] = (hits - hits.sum() / total * sizes) / total
    numbers, names = pd.factorize(subjects(rows["id"].tolist(), groups))
    sums = np.zeros((len(names), len(shares)))
    np.add.at(sums, numbers, np.column_stack(list(shares.values())))
    return pd.DataFrame(sums, names, list(shares))


def _means_of_one(truth, probabilities, label_ids):
    """Scores that are means over examples of one label each."""
    likelihood = np.maximum((probabilities * truth).sum(axis=1), np.finfo(np.float64).eps)
    right = probabilities.argmax(axis=1) == label_ids
    return {
        "log_loss": -np.log(likelihood),
        "brier_score": ((probabilities - truth) ** 2).sum(axis=1),
        "ece": calibration_gaps(probabilities.max(axis=1), right),
    }


def _means_of_several(truth, said, probabilities):
    """The same where several labels may hold, and what is measured by example only there."""
    columns = zip(probabilities.T, truth.T, strict=True)
    either = np.maximum(truth, said).sum(axis=1)
    return {
        # An example without labels that is answered so is right.
        "jaccard": np.where(either > 0, (truth * said).sum(axis=1) / np.maximum(either, 1), 1.0),
        "lrap": _ranking_precisions(truth, probabilities),
        "log_loss": log_losses(truth, probabilities),
        "brier_score": ((probabilities - truth) ** 2).mean(axis=1),
        "ece": np.mean([calibration_gaps(*column) for column in columns], axis=0),
    }


def _ranking_precisions(truth, probabilities):
    """By example the mean over its labels of the share of labels ranked no lower that hold."""
    is_above = probabilities[:, None, :] >= probabilities[:, :, None]
    precisions = (is_above * truth[:, None, :]).sum(axis=2) / is_above.sum(axis=2)
    number = truth.sum(axis=1)
    # Where none or all of them hold, every order is right.
    return np.where(number > 0, (precisions * truth).sum(axis=1) / np.maximum(number, 1), 1.0)


def read_scores(
    runs: Sequence[tuple[dict[str, Any], str | Path]], split: str, groups: Mapping[str, str]
) -> dict[str, Score]:
    """The scores of finished runs that differ by seed or by fold alone.

    Args:
        runs: Pairs of a record and the folder that it is from.
        split: `"val"` or `"test"`.
        groups: The subject of each text by id.

    Returns:
        Dictionary of `Score` by score.
    """
    shares = []
    for run, directory in runs:
        rows = None
        if record.predictions_path(directory).exists():
            rows = read_predictions(directory, run)
            rows = rows[rows["split"] == split]
        known = rows is not None and not rows.empty
        shares.append(text_shares(rows, target_of(run), groups) if known else None)
    scores = [scores_of(run["metrics"][split]) for run, _ in runs]
    return summarize_scores(scores, [run["seed"] for run, _ in runs], shares)


def subjects(ids: Iterable[str], groups: Mapping[str, str] | None) -> np.ndarray:
    """Whose each text is, an array of strings: one of `groups`, or where there is none its own."""
    return np.array([(groups or {}).get(name, f"text {name}") for name in ids])


def summarize_scores(
    scores: Sequence[Mapping[str, float | None]],
    seeds: Sequence[int],
    shares: Sequence[pd.DataFrame | None],
) -> dict[str, Score]:
    """The scores of runs that differ by seed or by fold alone.

    Args:
        scores: By run a dictionary of floats by score, `None` where the run lacks it.
        seeds: By run its seed.
        shares: By run what `text_shares` gives, or `None` where its predictions are missing.

    Returns:
        Dictionary of `Score` by score, of those that no run lacks.
    """
    known = [name for name in scores[0] if all(of_run[name] is not None for of_run in scores)]
    values = np.array([[of_run[name] for name in known] for of_run in scores], np.float64)
    seeds = np.asarray(seeds)
    by_seed = np.stack([values[seeds == seed].mean(axis=0) for seed in np.unique(seeds)])
    together = None
    there = [of_run for of_run in shares if of_run is not None]
    if len(there) == len(shares):
        # What runs say of the same texts goes together; with folds, each says it of its own.
        total = functools.reduce(lambda one, other: one.add(other, fill_value=0), there)
        together = total[known].to_numpy() / len(there)
    found = {}
    for number, name in enumerate(known):
        mean, of_seeds = float(values[:, number].mean()), by_seed[:, number]
        low = high = None
        if together is not None:
            spreads = [spread_over_subjects(together[:, number]), spread_over_seeds(of_seeds)]
            low, high = interval(mean, spreads)
        spread = float(of_seeds.std(ddof=1)) if len(of_seeds) > 1 else None
        found[name] = Score(mean, low, high, spread)
    return found


def calibration_gaps(confidence: np.ndarray, right: np.ndarray) -> np.ndarray:
    """What each text adds to the gaps between confidence and accuracy, by the sign of its bin's.

    Args:
        confidence: Float array `(num_texts,)`.
        right: Boolean array `(num_texts,)`, where the answer is right.

    Returns:
        Float array `(num_texts,)`, whose mean is the expected calibration error.
    """
    gaps = right - confidence
    bins = np.minimum((confidence * _NUM_BINS).astype(int), _NUM_BINS - 1)
    return gaps * np.sign(np.bincount(bins, weights=gaps, minlength=_NUM_BINS))[bins]


def _encode(cells, target):
    # Each cell once: there are few, and many texts.
    numbers, different = pd.factorize(cells)
    return target.encode(different.tolist()).astype(np.float64)[numbers]


def _f1_shares(truth, said):
    """Of F1, `(num_texts, num_labels)`: hits count twice, each label and each answer once."""
    sizes = np.maximum((truth + said).sum(axis=0), 1)
    hits = 2 * truth * said
    f1 = hits.sum(axis=0) / sizes
    return (hits - f1 * (truth + said)) / sizes


def _auc_shares(truth, probabilities):
    """Of AUC, `(num_texts, num_labels)`: how many texts of the other side a text is right of."""
    shares = np.zeros_like(truth)
    for label, is_it in enumerate(truth.T.astype(bool)):
        if is_it.all() or not is_it.any():
            continue
        values, places = np.unique(probabilities[:, label], return_inverse=True)
        with_it, without = (
            np.bincount(places[side], minlength=len(values)) for side in (is_it, ~is_it)
        )
        right = np.where(is_it, _below(without)[places], 1 - _below(with_it)[places])
        auc = right[is_it].mean()
        shares[:, label] = (right - auc) / np.where(is_it, is_it.sum(), (~is_it).sum())
    return shares


def _below(counts):
    """The share of texts below each value, of which there are `counts`; of equal ones half."""
    return (np.cumsum(counts) - counts / 2) / counts.sum()
