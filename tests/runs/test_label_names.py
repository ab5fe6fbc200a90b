"""Whatever a label is called, nothing is lost and nothing is taken for another thing."""

import asyncio
import csv
import io
import json

import httpx
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from emotion_keras import fit as fit_module
from emotion_keras import record
from emotion_keras.data import load_corpus, prepare
from emotion_keras.errors import UserError
from emotion_keras.evaluation.card import model_card
from emotion_keras.evaluation.comparison import compare_runs
from emotion_keras.evaluation.predictions import read_predictions, read_split, write_predictions
from emotion_keras.inference.base import Model
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs import TextInput
from emotion_keras.predict import main
from emotion_keras.service.app import make_app
from emotion_keras.targets import SingleLabel
from emotion_keras.targets.metrics import classification_metrics
from emotion_keras.training import run as training_run
from reports.records import read_records
from reports.scores import score_runs

NAMES = [
    pytest.param("label", id="a column of predictions"),
    pytest.param("split", id="another column of predictions"),
    pytest.param("id", id="the column of ids"),
    pytest.param("predicted", id="the column of predicted labels"),
    pytest.param("run", id="a column of compare"),
    pytest.param("seed", id="another column of compare"),
    pytest.param("correct", id="a third column of compare"),
    pytest.param("model", id="model"),
    pytest.param("all", id="the row of sums in the audit"),
    pytest.param("(no label)", id="the row of those without label in the audit"),
    pytest.param("confidence", id="a column of predict"),
    pytest.param("confidence_2", id="a column of predict with --top"),
    pytest.param("flag", id="the column of flags"),
    pytest.param("words", id="the column of words"),
    pytest.param("text", id="the column of texts"),
    pytest.param("probability:joy", id="a column of another label"),
    pytest.param("a:b", id="a colon"),
    pytest.param("a/b", id="a path"),
    pytest.param("..", id="the folder above"),
    pytest.param("a\u200bb", id="a zero-width space within"),
    pytest.param("__proto__", id="the prototype of JavaScript"),
    pytest.param("constructor", id="the constructor of JavaScript"),
    pytest.param("=1+1", id="a formula"),
    pytest.param("<b>", id="HTML"),
    pytest.param("[red]x[/red]", id="rich's markup"),
    pytest.param("[/]", id="rich's markup, broken"),
    pytest.param(":heart:", id="rich's emoji"),
    pytest.param("x" * 300, id="300 characters"),
    pytest.param("joy, mixed", id="a comma"),
    pytest.param('"joy', id="a quote"),
    pytest.param("two\nlines", id="a line break"),
    pytest.param("\U0001f600", id="an emoji"),
    pytest.param("\u0641\u0631\u062d", id="right to left"),
    pytest.param("NA", id="what pandas takes for missing"),
    pytest.param("null", id="another that pandas takes for missing"),
    pytest.param("1", id="a number"),
    pytest.param("True", id="a truth value"),
    pytest.param("Unnamed: 0", id="what pandas calls a column without name"),
    pytest.param("joy.1", id="what pandas calls a second column of a name"),
]
ALL = [name.values[0] for name in NAMES]
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6]])


def make_run(directory, make_record, labels, rights=(0, 1, 2), **changes):
    """Writes a run of three texts a split; returns its record."""
    directory.mkdir(parents=True)
    label_ids = np.array(rights)
    cells = [labels[i] for i in rights]
    splits = {s: ([f"{s}{i}" for i in range(3)], cells, PROBABILITIES) for s in ("val", "test")}
    write_predictions(directory, SingleLabel(labels), splits)
    scores = classification_metrics(label_ids, PROBABILITIES, labels)
    run = make_record(labels, metrics={"val": scores, "test": scores}, **changes)
    record.write_run(directory, run)
    return run


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_read_as_they_were_written(name, tmp_path, make_record):
    labels = ["joy", name, "fear"]
    run = make_run(tmp_path / "run", make_record, labels)
    found = read_predictions(tmp_path / "run", run)
    assert found["id"].tolist() == ["val0", "val1", "val2", "test0", "test1", "test2"]
    assert found["split"].tolist() == ["val"] * 3 + ["test"] * 3
    assert found["label"].tolist() == found["predicted"].tolist() == labels * 2
    truth, probabilities = read_split(tmp_path / "run", run, "test")
    np.testing.assert_array_equal(truth, np.eye(3))
    np.testing.assert_array_equal(probabilities, PROBABILITIES)


@pytest.mark.parametrize("name", NAMES)
def test_models_are_compared_by_all_labels(name, tmp_path, make_record):
    labels = ["joy", name, "fear"]
    make_run(tmp_path / "a", make_record, labels, run_id="a")
    make_run(tmp_path / "b", make_record, labels, rights=(1, 1, 2), run_id="b", model="lstm")
    first, second = compare_runs([tmp_path / "a", tmp_path / "b"])["contenders"]
    assert (first["accuracy"]["mean"], second["accuracy"]["mean"]) == (1, pytest.approx(2 / 3))
    assert second["difference"]["difference"] == pytest.approx(-1 / 3)
    # Of three texts one is right with the first alone: one standard error from 0, and Student's t
    # of two degrees of freedom is beyond 1 with this probability.
    assert second["difference"]["p_value"] == pytest.approx(1 - 1 / np.sqrt(3))


@pytest.mark.parametrize("name", NAMES)
def test_columns_of_labelled_tables_are_apart(name, tmp_path, monkeypatch):
    monkeypatch.setattr(Predictor, "load", classmethod(lambda cls, path: fake(["joy", name])))
    monkeypatch.setattr("emotion_keras.predict._identify", lambda *args: "fake")
    arguments = ["folder", "we won", "", "--output", str(tmp_path / "out.csv")]
    assert main(arguments) == 0
    with open(tmp_path / "out.csv", encoding="utf-8", newline="") as file:
        header, first, second = csv.reader(file)
    assert header == [
        "text",
        "label",
        "confidence",
        "probability:joy",
        f"probability:{name}",
        "flag",
    ]
    assert first == ["we won", name, "0.75", "0.25", "0.75", ""]
    assert second == ["", "", "", "", "", "empty"]


class Fake(Model):
    """Prefers the second label."""

    modality, input, outputs = TextInput, None, None
    can_explain = False
    num_parallel = 1

    def __init__(self, labels):
        self.target = SingleLabel(labels)

    def probabilities(self, texts):
        return np.array([[0.25, 0.75] for _ in texts])


def fake(labels):
    return Predictor(
        Fake(labels),
        name="fake",
        temperature=1.0,
        preparation={"clean": True, "normalize_punctuation": True},
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_service_answers_with_the_name(name):
    app = make_app(fake(["joy", name]))

    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.post("/predict", json={"text": "we won"}), await client.get(
                "/health"
            )

    answer, health = asyncio.run(ask())
    (found,) = answer.json()["predictions"]
    assert found["label"] == name
    assert found["probabilities"] == {"joy": pytest.approx(0.25), name: pytest.approx(0.75)}
    assert health.json()["labels"] == ["joy", name]


@pytest.mark.parametrize("name", ["all", "(no label)", "((no label))", "in", "repeat"])
def test_the_audit_counts_it_apart(name, tmp_path):
    rows = [["text", "label"], *([f"we came home {i}", name] for i in range(3))]
    rows += [*([f"we sang {i}", "joy"] for i in range(4)), ["it rained", ""]]
    with open(tmp_path / "texts.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    _, audit = prepare(load_corpus(str(tmp_path / "texts.csv")))
    counts = dict(audit.to_dict()["labels"])
    assert counts.pop(name) == {"in": 3, "out": 3} and counts.pop("joy") == {"in": 4, "out": 4}
    assert list(counts.values()) == [{"in": 1, "out": 0}]
    *_, last = [line for line in str(audit).splitlines() if line.startswith("all ")]
    assert last.split() == ["all", "8", "-1", "7"]
    if name == "all":
        assert str(audit).count("\nall ") == 2


@pytest.fixture(scope="module")
def run_of_all(tmp_path_factory):
    """A run whose labels have all the names, each with ten texts."""
    folder = tmp_path_factory.mktemp("names")
    rows = [
        {"text": f"it was kind{number} of day {i}", "label": name}
        for number, name in enumerate(ALL)
        for i in range(10)
    ]
    with open(folder / "texts.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows(rows)
    return training_run.fit(
        model="tfidf_logistic",
        data=str(folder / "texts.csv"),
        runs_dir=str(folder / "runs"),
        notify=lambda message: None,
    )


def test_a_run_has_them_all_and_answers_with_them(run_of_all):
    assert sorted(record.read_run(run_of_all)["corpus"]["labels"]) == sorted(ALL)
    predictor = Predictor.load(run_of_all)
    texts = [f"it was kind{number} of day" for number in range(len(ALL))]
    assert predictor.predict(texts) == ALL
    assert sorted(predictor(texts[0])["probabilities"]) == sorted(ALL)


def test_tables_for_the_terminal_have_a_row_for_each(run_of_all):
    console = Console(width=400, file=io.StringIO(), record=True)
    console.print(fit_module.summarize(run_of_all))
    shown = console.export_text()
    for name in set(ALL) - {"a\u200bb", "two\nlines"}:
        assert name in shown


def test_reports_and_cards_read_such_a_run(run_of_all):
    records = read_records(run_of_all.parents[1])
    assert not records.broken and len(records.parts[0].runs) == 1
    run = records.parts[0].runs[0]
    card = model_card(run.record, score_runs([run]), 1, "python -m emotion_keras.fit")
    assert "\\<b\\>" in card and "two lines" in card


def test_records_of_version_1_are_read(tmp_path, make_record):
    run = make_run(tmp_path / "run", make_record, ["joy", "fear", "anger"])
    new = read_predictions(tmp_path / "run", run)
    path = tmp_path / "run" / record.PREDICTIONS
    path.write_text(path.read_text().replace("probability:", ""))
    assert path.read_text().startswith("id,split,label,predicted,joy,fear,anger\n")
    (tmp_path / "run" / record.RUN).write_text(json.dumps({**run, "schema_version": 1}))
    old = read_predictions(tmp_path / "run", record.read_run(tmp_path / "run"))
    pd.testing.assert_frame_equal(new, old)


def test_a_table_that_an_older_version_spoiled_is_told(tmp_path, make_record):
    run = make_run(tmp_path / "run", make_record, ["label", "fear", "joy"])
    path = tmp_path / "run" / record.PREDICTIONS
    path.write_text("id,split,label,predicted,fear,joy\n1,test,0.7,label,0.2,0.1\n")
    with pytest.raises(
        UserError, match=r"predictions\.csv is damaged: its columns.*train it in another study"
    ):
        read_predictions(tmp_path / "run", run)
