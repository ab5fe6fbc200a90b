"""The matrix of training corpus by test corpus in the report."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from emotion_keras import record
from emotion_keras.data.label_map import map_labels
from emotion_keras.errors import UserError
from emotion_keras.evaluation.scores import Score
from emotion_keras.evaluation.transfers import Transfer
from emotion_keras.inference.predictor import Predictor
from emotion_keras.studies.evaluation import evaluate
from reports.records import read_records
from reports.render import render
from reports.sections.transfer import draw_matrix, transfer_frame, transfer_matrix, transfer_table

LABELS = ["joy", "fear", "anger"]


class Guessing:
    """A model that is right about a text with some probability: texts end in their label's id."""

    def __init__(self, skill):
        self._skill = skill

    def probabilities(self, cells):
        rng = np.random.default_rng(0)
        truth = np.array([int(cell[-1]) % 3 for cell in cells])
        right = rng.random(len(cells)) < self._skill
        said = np.where(right, truth, (truth + 1) % 3)
        return np.float32(0.1 + 0.7 * np.eye(3)[said])


@pytest.fixture
def studies(tmp_path, make_run, monkeypatch):
    """Runs of two models on two corpora, evaluated on the other, on a third, and adapted."""

    def refuse(accuracy):
        raise UserError("none")

    def load(directory):
        run = record.read_run(directory)
        return SimpleNamespace(
            model=Guessing(0.8 if run["model"] == "cnn" else 0.6), name=f"{run['model']}@scratch",
            temperature=1.3, familiarity=None, threshold_for=refuse,
        )  # fmt: skip

    monkeypatch.setattr(Predictor, "load", load)
    paths = {}
    for name, labels in (("days", LABELS), ("nights", LABELS), ("posts", ["joy", "fear", "calm"])):
        rows = [{"text": f"{name} {n} {n % 3}", "label": labels[n % 3]} for n in range(90)]
        paths[name] = tmp_path / f"{name}.csv"
        pd.DataFrame(rows).to_csv(paths[name], index=False)
    runs = tmp_path / "runs"
    for corpus, other in (("days", "nights"), ("nights", "days")):
        for contender in ("cnn@scratch", "lstm@scratch"):
            for seed in range(2):
                directory = make_run(runs / corpus, contender, seed, corpus=corpus)
                (directory / record.MODEL).write_bytes(f"{corpus}{contender}{seed}".encode())
                for name in (other, "posts"):
                    evaluate(directory, data=str(paths[name]), notify=lambda message: None)
    # The checksums of corpora in made records are made up: these two name files of other content.
    evaluate(directory, data=str(paths["posts"]), adapt="prior", notify=lambda message: None)
    return runs


def test_runs_of_one_model_and_pairs_of_corpora_are_rows(studies):
    frame = transfer_frame(read_records(studies).read_transfers())
    plain = frame[frame["adaptation"] == ""]
    assert len(plain) == 8 and (plain["runs"] == 2).all() and len(frame) == 9
    row = plain[(plain["contender"] == "cnn@scratch") & (plain["tested_on"] == "posts")].iloc[0]
    assert (row["labels"], row["examples"], row["label_names"]) == (2, 60, "joy, fear")
    assert row["macro_f1_low"] < row["macro_f1_mean"] < row["macro_f1_high"]
    assert row["macro_f1_open_mean"] != row["macro_f1_mean"]
    table = transfer_table(frame, "texts")
    assert "posts (adapted: prior)" in set(table.shown["Tested on"])
    assert table.shown["Macro F1 at home"].str.contains("±").all()


def test_the_matrix_has_the_own_test_on_its_diagonal(studies):
    records = read_records(studies)
    frame = transfer_frame(records.read_transfers())
    own = frame[frame["contender"] == "cnn@scratch"]
    matrix = transfer_matrix(own, records).set_index(["trained_on", "tested_on"])
    runs = [run for part in records.parts for run in part.runs if run.contender == "cnn@scratch"]
    expected = np.mean([run.test["macro_f1"] for run in runs if run.data.name == "days"])
    (name,) = {x for x in own["trained_on"] if x.startswith("days")}
    assert matrix.loc[(name, name), "macro_f1"] == pytest.approx(expected)
    assert matrix.loc[(name, name), "labels"] == 0
    assert matrix.loc[(name, "posts"), "labels"] == 2
    figure = draw_matrix(matrix.reset_index())
    (axes,) = figure.axes
    shown = {text.get_text() for text in axes.texts}
    assert f"{100 * expected:.1f}\nown test" in shown
    assert any(text.endswith("\n2 labels") for text in shown)


def test_the_page_shows_it_and_names_what_is_broken(studies, tmp_path, capsys):
    broken = record.find_evaluations(studies)[0]
    (broken / record.PREDICTIONS).write_text("id\n")
    assert render(studies, out=str(tmp_path / "report")) == 1
    assert f"Skipped {broken / record.EVALUATION}" in capsys.readouterr().out
    page = (tmp_path / "report" / "index.html").read_text()
    assert "Other corpora" in page and "own test" in page and "at home, among the same" in page
    assert (tmp_path / "report" / "tables" / "transfer.csv").exists()


def test_without_evaluations_there_is_no_section(tmp_path, make_run):
    make_run(tmp_path / "runs" / "fit", "cnn@scratch")
    assert render(tmp_path / "runs", out=str(tmp_path / "report")) == 0
    assert "Other corpora" not in (tmp_path / "report" / "index.html").read_text()


def test_of_several_labels_macro_f1_comes_first():
    score = Score(0.5, 0.4, 0.6, None)
    scores = {"accuracy": Score(0.1, 0.05, 0.15, None), "macro_f1": score}
    known = map_labels(["joy", "fear", "shame"], ["joy", "fear", "calm"])
    one = Transfer(
        "tfidf_svm", "eng", "1" * 64, "deu", "2" * 64, None, known, 2, True, 90, scores, scores,
        scores,
    )  # fmt: skip
    frame = transfer_frame([one, one._replace(several=False, tested_on="esp")])
    several = frame[frame["several"]].reset_index(drop=True)
    table = transfer_table(several, "texts")
    headings = ["Texts", "Macro F1", "Macro F1 at home", "All labels right"]
    assert table.shown.columns.tolist()[-4:] == headings
    assert table.shown.iloc[0].tolist()[-4:] == ["90", "50.0 ±10.0", "50.0 ±10.0", "10.0 ±5.0"]
    assert "All labels right: the share of texts" in table.caption
    single = transfer_table(frame[~frame["several"]].reset_index(drop=True), "texts")
    assert single.shown.columns.tolist()[-1] == "Macro F1, all labels"
    assert single.name != table.name and "several" not in single.frame
