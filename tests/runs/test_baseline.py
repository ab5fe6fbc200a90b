"""Models of scikit-learn as runs like any other."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from emotion_keras import record
from emotion_keras.data import read_dataset
from emotion_keras.errors import UserError
from emotion_keras.evaluation.predictions import (
    probability_columns,
    read_attributes,
    read_groups,
)
from emotion_keras.fit import main
from emotion_keras.inference.load import load_model
from emotion_keras.models.baselines import baselines_of
from emotion_keras.training.settings import Settings
from tests.conftest import WORDS

NETWORK = {"encoder", "vocabulary_size", "sequence_length", "embedding_dim", "num_layers"}
NETWORK |= {"num_heads", "intermediate_dim", "batch_size", "epochs", "learning_rate", "precision"}
NO_NETWORK = dict.fromkeys(NETWORK)


@pytest.fixture
def run(command, toy):
    """Runs the command for a baseline; returns its record, and its test rows."""

    def make(model, **options):
        assert main(command(model=model, **{**NO_NETWORK, **options})) == 0
        (directory,) = record.find_runs(toy["runs_dir"])
        rows = pd.read_csv(directory / record.PREDICTIONS)
        return record.read_run(directory), rows[rows["split"] == "test"], directory

    return make


def test_majority_gives_the_frequencies_of_the_training_split(run, corpus_path):
    found, rows, _ = run("majority", balance=None)
    settings = Settings.make(model="majority", data=str(corpus_path))
    dataset = read_dataset(settings.data, {}, lambda message: None)
    shares = np.bincount(dataset.truth("train").argmax(axis=1)) / len(dataset.split.train)
    labels = found["corpus"]["labels"]
    np.testing.assert_allclose(
        rows[probability_columns(labels)], np.tile(shares, (len(rows), 1)), atol=1e-6
    )
    assert found["metrics"]["test"]["auc"] == pytest.approx(0.5)


def test_logistic_regression_is_that_of_scikit_learn(run, corpus_path):
    found, rows, _ = run("tfidf_logistic", C=2.0)
    assert found["hyperparameters"] == {"C": 2.0}
    settings = Settings.make(model="tfidf_logistic", data=str(corpus_path))
    dataset = read_dataset(settings.data, {}, lambda message: None)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    features = vectorizer.fit_transform(dataset.cells("train"))
    expected = LogisticRegression(C=2.0, max_iter=1000).fit(
        features, dataset.truth("train").argmax(axis=1)
    )
    expected = expected.predict_proba(vectorizer.transform(dataset.cells("test")))
    np.testing.assert_allclose(
        rows[probability_columns(found["corpus"]["labels"])], expected, atol=1e-5
    )
    assert found["num_parameters"] == 3 * (features.shape[1] + 1)


def test_svm_learns_and_has_probabilities(run):
    found, rows, directory = run("tfidf_svm")
    labels = found["corpus"]["labels"]
    np.testing.assert_allclose(rows[probability_columns(labels)].sum(axis=1), 1, atol=1e-5)
    assert found["metrics"]["test"]["accuracy"] > 0.6
    assert load_model(directory).probabilities(["we sang and danced"]).argmax() == 2


def test_a_file_that_is_no_baselines_is_not_loaded(tmp_path, make_record):
    record.write_run(tmp_path, make_record(model="majority", inputs={}))
    path = tmp_path / record.ESTIMATOR
    skops.io.dump({"answer": Fraction(1, 3)}, path)
    with pytest.raises(UserError, match=r"not loaded.*fractions\.Fraction"):
        load_model(tmp_path)
    path.write_bytes(b"PK and no more")
    with pytest.raises(UserError, match="damaged"):
        load_model(tmp_path)


@pytest.mark.parametrize("model", baselines_of("text"))
def test_a_baselines_record_is_like_any_other(run, model):
    found, _, directory = run(model)
    assert found["inputs"] == {}
    assert found["environment"]["backend"] == "scikit-learn"
    assert found["best_epoch"] is None
    assert found["cost"]["seconds"] > 0
    assert found["run_id"].startswith(f"{model}-seed0-")
    assert not (directory / record.HISTORY).exists()


def test_a_record_says_which_texts_are_of_one_group_by_numbers_alone(run, corpus_path, tmp_path):
    table = pd.read_csv(corpus_path)
    table["author"] = [f"Ada {number // 4}" for number in range(len(table))]
    table.to_csv(tmp_path / "authors.csv", index=False)
    found, _, directory = run(
        "majority", data=str(tmp_path / "authors.csv"), group_column="author", balance=None
    )
    groups = read_groups(directory)
    predictions = pd.read_csv(directory / record.PREDICTIONS, dtype=str)
    assert list(groups) == predictions["id"].tolist()
    # Rows are numbered from 1.
    authors = {name: (int(name) - 1) // 4 for name in groups}
    pairs = set(zip(authors.values(), groups.values(), strict=True))
    assert len(pairs) == len(set(authors.values())) == len(set(groups.values()))
    assert "Ada" not in (directory / record.GROUPS).read_text()
    assert found["corpus"]["protocol"]["by_subject"]


def test_a_record_of_texts_without_groups_has_none(run):
    _, _, directory = run("majority", balance=None)
    assert not (directory / record.GROUPS).exists() and read_groups(directory) == {}


def test_attributes_are_kept_beside_predictions_and_change_no_run(
    run, corpus_path, tmp_path, capsys
):
    table = pd.read_csv(corpus_path)
    table["country"] = ["Chad", "Peru", None] * 40
    table["age"] = range(20, 140)
    data = str(tmp_path / "known.csv")
    table.to_csv(data, index=False)
    found, _, directory = run("majority", data=data, balance=None)
    assert read_attributes(directory).empty and not (directory / record.GROUPS).exists()
    # Asked for afterwards, they are added to the same run.
    again, _, same = run("majority", data=data, balance=None, attributes="country,age")
    said = capsys.readouterr().out
    assert same == directory and again == found and "finished already" in said
    attributes = read_attributes(directory)
    predictions = pd.read_csv(directory / record.PREDICTIONS, dtype=str)
    assert attributes.index.tolist() == predictions["id"].tolist()
    for name, row in attributes.iterrows():
        known = table.iloc[int(name) - 1]  # Rows are numbered from 1.
        assert row["country"] == ("" if known.isna()["country"] else known["country"])
        low, high = map(int, row["age"].split(" to "))
        assert low <= known["age"] <= high
    assert read_groups(directory) == {}
    assert "Accuracy by country, age: the groups are too small" in " ".join(said.split())


def test_texts_leave_the_words_most_telling_of_each_label(run):
    _, _, directory = run("majority", balance=None)
    words = pd.read_csv(directory / record.WORDS)
    assert list(words) == ["label", "word", "z", "count", "count_rest"]
    assert set(words["label"]) == set(WORDS)
    for label, own in WORDS.items():
        assert set(words["word"][words["label"] == label].head(3)) <= set(own)


def test_a_baseline_is_not_made_twice(command, run, capsys):
    run("majority")
    assert main(command(model="majority", **NO_NETWORK)) == 0
    assert "finished already" in capsys.readouterr().out


def test_a_baseline_takes_no_option_of_a_network(command, capsys):
    assert main(command(model="majority", **{**NO_NETWORK, "epochs": 3})) == 2
    assert "epochs" in capsys.readouterr().err
