"""Runs of several labels an example: from a table to the record, and to the model that answers."""

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn import metrics

from emotion_keras import record
from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.inference.predictor import Predictor
from emotion_keras.targets.multi import fit_thresholds
from emotion_keras.training.run import fit
from tests.conftest import SHARED, TOY, WORDS

LABELS = list(WORDS)


NETWORK = {**TOY, "num_layers": 0, "epochs": 6, "balance": "class_weight", "label_smoothing": 0.05}


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """A CSV of 160 texts with a word for each label that holds, a fifth of them without any."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(160):
        held = rng.random(3) < [0.6, 0.4, 0.25]
        words = [*rng.choice(SHARED, 4)]
        for label in np.array(LABELS)[held]:
            words += [*rng.choice(WORDS[label], 2)]
        rows.append([" ".join([*rng.permutation(words), f"on day {number}"]), *held.astype(int)])
    path = tmp_path_factory.mktemp("several") / "several.csv"
    pd.DataFrame(rows, columns=["text", *LABELS]).to_csv(path, index=False)
    return path


def make(path, folder, messages=None, label_columns="joy,fear,anger", **options):
    """Makes a run, or finds it; returns its folder."""
    options |= {"data": str(path), "label_columns": label_columns}
    notify = (lambda message: None) if messages is None else messages.append
    return fit(**options, runs_dir=str(folder / "runs"), notify=notify)


@pytest.fixture(scope="module")
def network_run(days):
    """Folder of a finished run of a network; for reading alone."""
    return make(days, days.parent, **NETWORK)


def check_metrics(directory, days):
    """The record's metrics against scikit-learn, from the predictions and the table alone."""
    run = record.read_run(directory)
    assert run["corpus"]["reading"]["target"] == "multi" and run["corpus"]["labels"] == LABELS
    rows = pd.read_csv(directory / record.PREDICTIONS, dtype={"id": int})
    table = pd.read_csv(days)[LABELS]
    for split, of_split in rows.groupby("split"):
        truth = table.iloc[of_split["id"] - 1].to_numpy()
        probabilities = of_split[probability_columns(LABELS)].to_numpy()
        if split == "val":
            thresholds = fit_thresholds(truth, probabilities)
            np.testing.assert_allclose(run["label_thresholds"], thresholds, atol=1e-6)
        holds = probabilities >= np.array(run["label_thresholds"])
        in_words = [
            [",".join(np.array(LABELS)[row]) or "(none)" for row in one.astype(bool)]
            for one in (truth, holds)
        ]
        assert [of_split["label"].tolist(), of_split["predicted"].tolist()] == in_words
        assert "(none)" in in_words[0]
        found = run["metrics"][split]
        expected = {
            "num_examples": len(truth),
            "accuracy": metrics.accuracy_score(truth, holds),
            "macro_f1": metrics.f1_score(truth, holds, average="macro"),
            "micro_f1": metrics.f1_score(truth, holds, average="micro"),
            "jaccard": metrics.jaccard_score(truth, holds, average="samples", zero_division=1),
            "auc": metrics.roc_auc_score(truth, probabilities),
            "log_loss": metrics.log_loss(truth.ravel(), probabilities.ravel()),
            "brier_score": metrics.brier_score_loss(truth.ravel(), probabilities.ravel()),
        }
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    return run, rows[rows["split"] == "test"]


@pytest.mark.each_backend
def test_a_run_of_several_labels_is_measured_kept_and_answers(days, network_run):
    run, rows = check_metrics(network_run, days)
    assert run["metrics"]["test"]["macro_f1"] > 0.6
    messages, written = [], (network_run / record.RUN).stat().st_mtime_ns
    assert make(days, days.parent, messages, **NETWORK) == network_run
    assert (network_run / record.RUN).stat().st_mtime_ns == written and messages
    predictor = Predictor.load(network_run)
    texts = pd.read_csv(network_run / record.TEXTS)["text"].tolist()
    assert predictor.predict(texts) == rows["predicted"].tolist()
    assert any("," in cell for cell in rows["predicted"])
    recorded = rows[probability_columns(LABELS)].to_numpy()
    scaled = special.expit(special.logit(recorded) / run["temperature"])
    np.testing.assert_allclose(predictor.predict_proba(texts), scaled, atol=1e-5)


def test_words_add_to_the_score_of_the_most_probable_label(network_run):
    predictor = Predictor.load(network_run)
    texts = pd.read_csv(network_run / record.TEXTS)["text"].tolist()[:5]
    for answer in predictor(texts, explain=True):
        label = max(answer["probabilities"], key=answer["probabilities"].get)
        assert answer["explained"] == label
        score = special.logit(answer["probabilities"][label]) * predictor.temperature
        assert answer["score"] == pytest.approx(score, abs=1e-4)
        words = sum(word["contribution"] for word in answer["words"])
        assert words + answer["rest"] == pytest.approx(answer["score"], abs=1e-4)
    empty = predictor("", explain=True)
    assert (empty["label"], empty["explained"], empty["flag"]) == ("", "", "empty")


@pytest.mark.parametrize("model", ["majority", "tfidf_logistic", "tfidf_svm"])
def test_baselines_have_an_estimator_for_each_label(days, tmp_path, quick_measures, model):
    directory = make(days, tmp_path, model=model)
    run, rows = check_metrics(directory, days)
    predictor = Predictor.load(directory)
    texts = pd.read_csv(directory / record.TEXTS)["text"].tolist()
    assert predictor.predict(texts) == rows["predicted"].tolist()
    assert model == "majority" or run["metrics"]["test"]["macro_f1"] > 0.7


def test_a_baseline_of_a_label_that_always_holds_is_kept_and_answers(
    days, tmp_path, quick_measures
):
    path = tmp_path / "always.csv"
    pd.read_csv(days).assign(daily=1).to_csv(path, index=False)
    directory = make(path, tmp_path, label_columns="joy,daily", model="tfidf_logistic")
    predictor = Predictor.load(directory)
    assert predictor.predict(["we laughed and sang", "it was dark"]) == ["joy,daily", "daily"]
    num_words = predictor.model.estimator[-1].estimators_[0].coef_.size
    # A weight for each word and a constant; and that the other one holds.
    assert predictor.model.num_parameters == num_words + 1 + 1
    assert record.read_run(directory)["metrics"]["test"]["auc"] is None
