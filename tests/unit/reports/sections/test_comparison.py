import json

import numpy as np
import pytest
from scipy import stats

from reports.findings import gather
from reports.paper import TABLE_1
from reports.records import read_records
from reports.sections.comparison import (
    comparison_table,
    differences_table,
    is_constant,
)
from tests.fixtures.records import ISEAR


def test_the_papers_numbers_are_those_of_its_table_1():
    found = {name: values for name, *values in TABLE_1.values()}
    assert found == {
        "CNN": [0.812, 0.798, 0.856],
        "LSTM": [0.835, 0.821, 0.872],
        "Transformer": [0.853, 0.845, 0.891],
        "BERT": [0.876, 0.869, 0.914],
        "Ours": [0.891, 0.883, 0.93],
    }


@pytest.fixture
def compared(tmp_path, make_run):
    """Runs by model, of the accuracies that are given by name; the first is the best."""

    def make(skills, num_runs=2):
        for name, skill in skills.items():
            for seed in range(num_runs):
                make_run(tmp_path / "fit", name, seed, skill, **ISEAR)
        (part,) = read_records(tmp_path).parts
        return gather(None, part)

    return make


@pytest.mark.parametrize(
    "skills, is_bold",
    [
        ({"a@scratch": 0.9, "b@scratch": 0.5, "c@scratch": 0.4}, True),
        ({"a@scratch": 0.9, "b@scratch": 0.89, "c@scratch": 0.4}, False),
        ({"a@scratch": 0.9}, False),
    ],
)
def test_the_best_is_bold_where_its_lead_is_resolved(compared, skills, is_bold):
    found = compared(skills)
    table = comparison_table(found.compared, found.differences, "days", True)
    assert sorted(table.frame["contender"]) == list(skills)
    assert table.bold == ({(0, "Accuracy")} if is_bold else set())
    assert ("No accuracy is bold" in table.caption) is not is_bold
    if found.differences:
        resolved = differences_table(found.differences, found.best).shown["Resolved"]
        assert (set(resolved) == {"yes"}) is is_bold


def test_intervals_are_over_texts_and_seeds_and_spreads_over_seeds(compared):
    found = compared({"a@scratch": 0.7}, num_runs=3)
    (row,) = comparison_table(found.compared, {}, "days", False).shown.to_dict("records")
    runs = found.compared["a@scratch"]
    right = np.array(
        [
            (run.predictions["label"] == run.predictions["predicted"])[
                run.predictions["split"] == "test"
            ]
            for run in runs
        ]
    )
    of_texts = right.mean(axis=0).var(ddof=1) / right.shape[1]
    of_seeds = right.mean(axis=1).var(ddof=1) / 3
    freedom = (of_texts + of_seeds) ** 2 / (of_texts**2 / 89 + of_seeds**2 / 2)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(of_texts + of_seeds)
    assert row["Accuracy"] == f"{100 * right.mean():.1f} ±{100 * half:.1f}"
    spread = right.mean(axis=1).std(ddof=1)
    assert row["SD over seeds"].split(", ")[0] == f"{100 * spread:.1f}"


def test_without_predictions_table_1_has_neither_differences_nor_intervals(tmp_path, make_run):
    for name in ("a@scratch", "b@scratch"):
        make_run(tmp_path / "fit", name, predictions=False)
    found = gather(None, read_records(tmp_path).parts[0])
    assert list(found.differences.values()) == [None]
    table = comparison_table(found.compared, found.differences, "days", False)
    assert not table.bold and "without intervals" in table.caption
    assert not any("±" in cell for cell in table.shown["Accuracy"])


@pytest.mark.parametrize(
    "contender, columns, expected",
    [
        pytest.param("most_frequent", [[30, 0], [60, 0]], True, id="the majority by another name"),
        pytest.param("majority", [[30, 0], [59, 1]], False, id="another model by its name"),
        pytest.param("cnn@scratch", [[30, 0], [60, 0]], False, id="a network that collapsed"),
    ],
)
def test_a_baseline_of_one_label_is_known_by_what_it_predicts(
    tmp_path, make_run, contender, columns, expected
):
    directory = make_run(tmp_path / "fit", contender, labels=["joy", "fear"])
    path = directory / "run.json"
    record = json.loads(path.read_text())
    record["metrics"]["test"]["confusion_matrix"] = columns
    path.write_text(json.dumps(record))
    (run,) = read_records(tmp_path).parts[0].runs
    assert is_constant(run) == expected
