import json

import pytest

from reports.paper import TABLE_1
from reports.records import read_records
from reports.sections.comparison import comparison_table, is_constant, kind_of


def test_the_papers_numbers_are_those_of_its_table_1():
    found = {name: values for name, *values in TABLE_1.values()}
    assert found == {
        "CNN": [0.812, 0.798, 0.856],
        "LSTM": [0.835, 0.821, 0.872],
        "Transformer": [0.853, 0.845, 0.891],
        "BERT": [0.876, 0.869, 0.914],
        "Ours": [0.891, 0.883, 0.93],
    }


def compared_with(differences, reference="a"):
    rows = [{"name": reference}]
    for name, (difference, resolved) in differences.items():
        values = {"low": difference - 0.01, "high": difference + 0.01, "smallest": 0.01}
        rows.append(
            {
                "name": name,
                "difference": {
                    "difference": difference,
                    "p_holm": 0.01,
                    "resolved": resolved,
                    **values,
                },
            }
        )
    return {"reference": reference, "contenders": rows}


class FakeRun:
    is_baseline, encoder = False, "scratch"

    def __init__(self, name, accuracy):
        self.name, self.seed = name, 0
        self.test = {"accuracy": accuracy, "macro_f1": accuracy, "auc": None}


@pytest.mark.parametrize(
    "resolved, reference, is_bold",
    [((True, True), "a", True), ((True, False), "a", False), ((True, True), "b", False)],
)
def test_the_best_is_bold_where_its_lead_is_resolved(resolved, reference, is_bold):
    compared = {
        name: [FakeRun(name, accuracy)] for name, accuracy in (("b", 0.6), ("a", 0.7), ("c", 0.5))
    }
    others = [name for name in "abc" if name != reference]
    differences = dict(zip(others, ((-0.1, resolved[0]), (-0.2, resolved[1])), strict=True))
    table = comparison_table(compared, compared_with(differences, reference), "days", True)
    assert table.frame["contender"].tolist() == ["a", "b", "c"]
    assert table.bold == ({(0, "Accuracy")} if is_bold else set())
    assert ("No accuracy is bold" in table.caption) is not is_bold


def test_without_predictions_table_1_has_no_differences():
    table = comparison_table({"a": [FakeRun("a", 0.7)]}, None, "days", False)
    assert table.frame["difference"].isna().all() and not table.bold
    assert table.shown["Accuracy"].tolist() == ["70.0"] and table.shown["AUC"].tolist() == ["–"]


@pytest.mark.parametrize(
    "contender, backend, kind",
    [
        ("tfidf_svm", "scikit-learn", "anchor"),
        ("logistic@minilm", "scikit-learn", "anchor"),
        ("cnn@scratch", "torch", "from scratch"),
        ("cnn@embeddings", "jax", "pretrained vectors"),
        ("bert@minilm", "tensorflow", "pretrained"),
    ],
)
def test_pretrained_and_from_scratch_are_told_apart(tmp_path, make_run, contender, backend, kind):
    make_run(tmp_path / "fit", contender, backend=backend)
    (run,) = read_records(tmp_path).parts[0].runs
    assert kind_of(run) == kind


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
