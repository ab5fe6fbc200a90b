"""Scores of runs with their intervals, against scikit-learn, resampling and formulas of papers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics

from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.evaluation.scores import f1_of, scores_of, summarize_scores, text_shares
from emotion_keras.targets import MultiLabel, SingleLabel
from emotion_keras.targets.calibration import expected_calibration_error
from emotion_keras.targets.metrics import classification_metrics

LABELS = ["anger", "fear", "joy"]
TARGET = SingleLabel(LABELS)


def predicted(label_ids, seed, skill=1.0, difficulty=0.0):
    """What a run predicts: softmax of noise, and of the truth as far as it is skilled."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(label_ids), 3)) + skill * np.eye(3)[label_ids]
    logits += np.reshape(difficulty, (-1, 1)) * (1 - np.eye(3)[label_ids])
    # Rounded, so that some are equal.
    probabilities = np.round(np.exp(np.round(logits)), 1) + 0.01
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def rows_of(label_ids, probabilities):
    names = np.array(LABELS)
    return pd.DataFrame(probabilities, columns=probability_columns(LABELS)).assign(
        id=[str(number) for number in range(len(label_ids))],
        label=names[label_ids],
        predicted=names[probabilities.argmax(axis=1)],
    )


def measured(label_ids, probabilities):
    """The scores by scikit-learn, for resamples of texts."""
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    one_hot = np.eye(3)[label_ids]
    said = probabilities.argmax(axis=1)
    f1 = metrics.f1_score(label_ids, said, average=None)
    return {
        "accuracy": metrics.accuracy_score(label_ids, said),
        "macro_f1": f1.mean(),
        "auc": metrics.roc_auc_score(one_hot, probabilities),
        "log_loss": metrics.log_loss(label_ids, probabilities),
        "brier_score": np.mean(np.sum((probabilities - one_hot) ** 2, axis=1)),
        **{f1_of(label): f1[number] for number, label in enumerate(LABELS)},
    }


def summarized(label_ids, of_runs, groups=None, seeds=None):
    shares = [text_shares(rows_of(label_ids, of_run), TARGET, groups) for of_run in of_runs]
    scores = [scores_of(classification_metrics(label_ids, p, LABELS)) for p in of_runs]
    return summarize_scores(scores, seeds or range(len(of_runs)), shares)


def test_what_texts_of_several_labels_add_is_how_much_scores_move_with_their_weight():
    target = MultiLabel(LABELS, [0.5, 0.4, 0.6])
    rng = np.random.default_rng(3)
    truth = rng.random((25, 3)) < 0.4
    # One without labels, one with all of them, and probabilities that are equal.
    truth[:2] = [[False] * 3, [True] * 3]
    probabilities = np.round(rng.uniform(0.1, 0.9, (25, 3)), 1)
    probabilities[0] = 0.1
    said = target.holds(probabilities)
    rows = pd.DataFrame(probabilities, columns=probability_columns(LABELS)).assign(
        id=[str(number) for number in range(25)],
        label=target.cells(truth),
        predicted=target.decide(probabilities),
    )

    def measure(weights):
        by_text = {"sample_weight": weights, "average": "samples", "zero_division": 1}
        return {
            "accuracy": metrics.accuracy_score(truth, said, sample_weight=weights),
            "micro_f1": metrics.f1_score(truth, said, average="micro", sample_weight=weights),
            "macro_f1": metrics.f1_score(truth, said, average="macro", sample_weight=weights),
            "jaccard": metrics.jaccard_score(truth, said, **by_text),
            "lrap": metrics.label_ranking_average_precision_score(
                truth, probabilities, sample_weight=weights
            ),
        }

    shares = text_shares(rows, target)
    as_they_are = measure(np.ones(25))
    assert (
        scores_of(target.metrics(truth, probabilities)).items()
        >= {name: pytest.approx(value) for name, value in as_they_are.items()}.items()
    )
    for text in range(25):
        heavier = measure(1 + 1e-6 * (np.arange(25) == text))
        for name, value in as_they_are.items():
            moved = (heavier[name] - value) / 1e-6
            assert shares.loc[f"text {text}", name] == pytest.approx(moved, abs=1e-5)


@pytest.mark.parametrize("per_subject", [1, 7])
def test_intervals_are_those_of_resampled_subjects(per_subject):
    rng = np.random.default_rng(0)
    num_texts = 700
    label_ids = rng.integers(3, size=num_texts)
    # Some subjects are harder than others, which one interval must see and the other need not.
    subject = np.arange(num_texts) // per_subject
    difficulty = rng.normal(0, 1.5 * (per_subject > 1), num_texts)[subject]
    probabilities = predicted(label_ids, 1, difficulty=difficulty)
    groups = {str(text): str(of_text) for text, of_text in enumerate(subject)}
    found = summarized(label_ids, [probabilities], groups)
    resampled = []
    for _ in range(200):
        drawn = rng.integers(subject[-1] + 1, size=subject[-1] + 1)
        texts = (drawn[:, None] * per_subject + np.arange(per_subject)).ravel()
        resampled.append(measured(label_ids[texts], probabilities[texts]))
    errors = pd.DataFrame(resampled).std()
    quantile = stats.t.ppf(0.975, subject[-1])
    for name, error in errors.items():
        assert found[name].high - found[name].mean == pytest.approx(quantile * error, rel=0.2)
        assert found[name].mean == pytest.approx(measured(label_ids, probabilities)[name])
        assert found[name].mean - found[name].low == pytest.approx(quantile * error, rel=0.2)
    if per_subject > 1:
        apart = summarized(label_ids, [probabilities])["accuracy"]
        width = found["accuracy"].high - found["accuracy"].low
        assert width > 1.2 * (apart.high - apart.low)


def test_the_interval_of_accuracy_by_hand():
    # 60 of 100: variance 0.24 * 100 / 99, by 100; Student's t of 99 degrees is 1.984217.
    label_ids = np.zeros(100, int)
    probabilities = np.where(np.arange(100)[:, None] < 60, [[0.8, 0.1, 0.1]], [[0.1, 0.8, 0.1]])
    (found,) = [summarized(label_ids, [probabilities])["accuracy"]]
    half = 1.984217 * np.sqrt(0.24 / 99)
    assert found.mean == pytest.approx(0.6)
    assert [found.low, found.high] == pytest.approx([0.6 - half, 0.6 + half], rel=1e-5)
    assert found.spread is None


def test_the_variance_of_auc_is_delongs():
    label_ids = np.repeat([0, 1, 2], [30, 50, 40])
    probabilities = predicted(label_ids, 3)
    shares = text_shares(rows_of(label_ids, probabilities), TARGET)["auc"]
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    # DeLong et al. 1988: of each pair of a text with the label and one without, who is above.
    expected = 0
    for label in range(3):
        values = probabilities[:, label]
        ours, others = values[label_ids == label], values[label_ids != label]
        wins = (ours[:, None] > others) + 0.5 * (ours[:, None] == others)
        by_text = np.zeros(120)
        by_text[label_ids == label] = (wins.mean(axis=1) - wins.mean()) / len(ours)
        by_text[label_ids != label] = (wins.mean(axis=0) - wins.mean()) / len(others)
        expected = expected + by_text / 3
    by_id = pd.Series(expected, [f"text {number}" for number in range(120)])
    pd.testing.assert_series_equal(shares.sort_index(), by_id.sort_index(), check_names=False)
    assert len(np.unique(probabilities[:, 0])) < 100


def test_the_spread_of_seeds_adds_to_that_of_texts():
    label_ids = np.random.default_rng(0).integers(3, size=300)
    of_runs = [predicted(label_ids, seed, skill) for seed, skill in enumerate((0.2, 1, 2))]
    found = summarized(label_ids, of_runs)["accuracy"]
    accuracies = [np.mean(p.argmax(axis=1) == label_ids) for p in of_runs]
    right = np.mean([p.argmax(axis=1) == label_ids for p in of_runs], axis=0)
    of_texts, of_seeds = right.var(ddof=1) / 300, np.var(accuracies, ddof=1) / 3
    freedom = (of_texts + of_seeds) ** 2 / (of_texts**2 / 299 + of_seeds**2 / 2)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(of_texts + of_seeds)
    assert found.mean == pytest.approx(np.mean(accuracies))
    assert found.high - found.mean == pytest.approx(half)
    assert found.spread == pytest.approx(np.std(accuracies, ddof=1))


def test_folds_test_each_text_once():
    label_ids = np.random.default_rng(0).integers(3, size=300)
    probabilities = predicted(label_ids, 0)
    rows = rows_of(label_ids, probabilities)
    parts = [slice(0, 150), slice(150, 300)]
    shares = [text_shares(rows[part], TARGET) for part in parts]
    scores = [
        scores_of(classification_metrics(label_ids[part], probabilities[part], LABELS))
        for part in parts
    ]
    found = summarize_scores(scores, [0, 0], shares)["accuracy"]
    whole = summarized(label_ids, [probabilities])["accuracy"]
    assert found.mean == pytest.approx(whole.mean)
    # The folds' own means are taken off, which two of 300 degrees of freedom hardly feel.
    assert found.high - found.low == pytest.approx(whole.high - whole.low, rel=0.02)
    assert found.spread is None


def test_calibration_error_moves_with_its_bins():
    label_ids = np.random.default_rng(4).integers(3, size=400)
    probabilities = predicted(label_ids, 5, skill=0.3)
    found = summarized(label_ids, [probabilities])["ece"]
    # Jackknife: without each text in turn.
    without = [
        expected_calibration_error(np.delete(label_ids, i), np.delete(probabilities, i, axis=0))
        for i in range(400)
    ]
    error = np.sqrt(399 / 400 * np.sum((without - np.mean(without)) ** 2))
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 399) * error, rel=0.03)


def test_without_predictions_there_is_a_spread_and_no_interval():
    found = summarize_scores([{"accuracy": 0.5}, {"accuracy": 0.7}], [0, 1], [None, None])
    assert found["accuracy"][:3] == (pytest.approx(0.6), None, None)
    assert found["accuracy"].spread == pytest.approx(0.1 * np.sqrt(2))


def test_a_score_that_a_run_lacks_is_left_out():
    scores = [{"accuracy": 0.5, "auc": None}, {"accuracy": 0.7, "auc": 0.9}]
    assert set(summarize_scores(scores, [0, 1], [None, None])) == {"accuracy"}
    # A label that no text has: its AUC is unknown, and the others' scores are as they are.
    label_ids = np.arange(60) % 2
    found = summarized(label_ids, [predicted(label_ids, 0)])
    assert "auc" not in found and found["accuracy"].low < found["accuracy"].mean


def test_shares_of_several_labels_are_how_scores_move_with_a_texts_weight():
    rng = np.random.default_rng(6)
    target = MultiLabel(LABELS, thresholds=[0.35, 0.5, 0.6])
    truth = rng.random((60, 3)) < 0.35
    probabilities = np.round(0.3 * truth + 0.69 * rng.random(truth.shape) + 0.005, 2)
    rows = pd.DataFrame(probabilities, columns=probability_columns(LABELS)).assign(
        id=[str(number) for number in range(60)],
        label=target.cells(truth),
        predicted=target.decide(probabilities),
    )
    shares = text_shares(rows, target)
    np.testing.assert_allclose(shares.sum(), 0, atol=1e-12)
    holds = target.holds(probabilities)
    assert (~truth).all(axis=1).any() and (~holds).all(axis=1).any()

    def weighted(text, weight):
        """The scores by scikit-learn, in which one text counts more or less than the others."""
        weights = np.where(np.arange(60) == text, weight, 1)
        options = {"sample_weight": weights, "average": None}
        f1 = metrics.f1_score(truth, holds, **options)
        columns = list(zip(truth.T, probabilities.T, strict=True))
        bins = np.minimum(probabilities * 15, 14).astype(int)
        of_bins = [
            abs(weights @ (((truth - probabilities) * (bins == number))[:, label]))
            for label in range(3)
            for number in range(15)
        ]
        return {
            "accuracy": metrics.accuracy_score(truth, holds, sample_weight=weights),
            "macro_f1": f1.mean(),
            "auc": np.mean(metrics.roc_auc_score(truth, probabilities, **options)),
            "log_loss": np.mean(
                [metrics.log_loss(*column, sample_weight=weights) for column in columns]
            ),
            "brier_score": np.mean(
                [metrics.brier_score_loss(*column, sample_weight=weights) for column in columns]
            ),
            "ece": np.sum(of_bins) / weights.sum() / 3,
            "micro_f1": metrics.f1_score(truth, holds, sample_weight=weights, average="micro"),
            "jaccard": metrics.jaccard_score(
                truth, holds, sample_weight=weights, average="samples", zero_division=1
            ),
            "lrap": metrics.label_ranking_average_precision_score(
                truth, probabilities, sample_weight=weights
            ),
            **{f1_of(label): f1[number] for number, label in enumerate(LABELS)},
        }

    assert scores_of(target.metrics(truth, probabilities)) == pytest.approx(weighted(0, 1))
    has_moved = dict.fromkeys(shares, False)
    for text in range(12):
        up, down = weighted(text, 1 + 1e-4), weighted(text, 1 - 1e-4)
        moved = {name: (up[name] - down[name]) / 2e-4 for name in up}
        own = shares.loc[f"text {text}"].to_dict()
        assert own == pytest.approx(moved, rel=1e-4, abs=1e-8)
        has_moved = {name: has_moved[name] or abs(moved[name]) > 1e-6 for name in moved}
    assert all(has_moved.values())
