"""The page of published results says what its records say."""

import csv
import gzip
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion_keras import record
from emotion_keras.evaluation.predictions import read_attributes
from reports.records import read_records
from reports.results import ResultsOptions, results

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / ResultsOptions().runs_dir


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder of the page as the records and its template make it now."""
    folder = tmp_path_factory.mktemp("published")
    assert results(runs_dir=str(PUBLISHED), out=str(folder / "README.md")) == 0
    return folder


@pytest.fixture(scope="module")
def page(written):
    return (written / "README.md").read_text(encoding="utf-8")


def correct(model):
    """Where each published run of a compared model is right, an array of a row a run."""
    rows = []
    for path in sorted((PUBLISHED / "comparison").glob(f"{model}-seed*")):
        if json.loads((path / "run.json").read_text())["trial"] is None:
            with gzip.open(path / "predictions.csv.gz", "rt", encoding="utf-8", newline="") as file:
                tested = [row for row in csv.DictReader(file) if row["split"] == "test"]
            tested.sort(key=lambda row: row["id"])
            rows.append([row["label"] == row["predicted"] for row in tested])
    return np.array(rows)


def test_the_kept_page_is_the_one_that_the_command_writes(page):
    kept = (ROOT / ResultsOptions().out).read_text(encoding="utf-8")
    assert kept == page, "Run `python -m reports.results` and read what has changed."


def test_a_difference_is_that_of_the_predictions(page):
    cnn, svm = correct("cnn-scratch"), correct("tfidf_svm")
    assert cnn.shape == svm.shape == (5, 1484)
    found = re.search(r"The nearest is CNN \(from scratch\):\s+\+(\S+) \(", page)[1]
    assert found == f"{100 * (svm.mean() - cnn.mean()):.1f}"


def test_noise_stands_by_kind_and_model(page):
    accuracies = []
    for path in sorted((PUBLISHED / "comparison").glob("cnn-scratch-seed*/noise.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            accuracies += [
                100 * float(row["accuracy"])
                for row in csv.DictReader(file)
                if (row["kind"], float(row["level"])) == ("delete_characters", 0.1)
            ]
    table = page[page.index("| Noise | CNN (from scratch) |") :]
    (row,) = re.findall(r"^\| delete characters \|.*", table, re.MULTILINE)
    assert row.split(" | ")[1] == f"{np.mean(accuracies):.1f}"


def test_its_figures_lie_beside_it(written, page):
    shown = re.findall(r"\]\((figures/[^)]+)\)", page)
    assert len(shown) == 2
    for path in shown:
        assert "Gated Transformer" in (written / path).read_text(encoding="utf-8")


def test_published_records_stay_small():
    files = [path for path in (ROOT / "reports" / "published").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 8e6


@pytest.mark.parametrize(
    "corpus, attributes",
    [
        ("isear", ["country", "sex", "age", "religion", "field of study"]),
        ("ravdess", ["sex", "intensity"]),
    ],
)
def test_published_comparisons_know_attributes_of_every_test_example(corpus, attributes):
    (part, *_) = read_records(ROOT / "reports" / "published" / corpus / "comparison").parts
    known = pd.concat([read_attributes(run.directory) for run in part.runs]).dropna()
    assert list(known) == attributes
    for run in part.runs:
        test = run.predictions[run.predictions["split"] == "test"]
        assert set(test["id"]) <= set(known.index)


def test_the_readme_says_what_the_run_over_mpnet_reached():
    (path,) = (PUBLISHED / "encoders").glob("gated_transformer-mpnet-*")
    accuracy = record.read_run(path)["metrics"]["test"]["accuracy"]
    said = re.search(r"One run over MPNet, .* has ([\d.]+) %", (ROOT / "README.md").read_text())
    assert said[1] == f"{100 * accuracy:.1f}"
