"""Protocols found in papers: what is trained under each, and that no number of a flawed one is
taken for an honest one."""

import json

import pandas as pd
import pytest

from emotion_keras import record
from emotion_keras.data.flaws import flaws_of
from emotion_keras.errors import UserError
from emotion_keras.evaluation.card import model_card
from emotion_keras.evaluation.comparison import compare_runs
from emotion_keras.evaluation.predictions import read_groups, read_predictions
from emotion_keras.evaluation.scores import read_scores
from emotion_keras.fit import main as fit_command
from emotion_keras.fit import summarize
from emotion_keras.predict import main as predict
from emotion_keras.studies.combination import combine
from emotion_keras.training.run import fit as train
from reports.records import read_records
from reports.render import render
from tuning.analyses import Protocols
from tuning.analyses.protocol import BEST_OF_SEEDS, PROTOCOLS
from tuning.sensitivity import analyze, main

pytestmark = pytest.mark.usefixtures("runs_here")

SMALL = {
    "embedding_dim": 8,
    "vocabulary_size": 120,
    "sequence_length": 16,
    "num_layers": 1,
    "num_heads": 2,
    "intermediate_dim": 8,
    "batch_size": 32,
    "epochs": 3,
    "learning_rate": 0.01,
}
SCORED = "gated_transformer@scratch"


@pytest.fixture
def table(corpus_path, tmp_path):
    """The toy corpus with 30 writers, a text of each label of whom were there twice, and with
    fewer texts of one label."""
    frame = pd.read_csv(corpus_path)
    frame["author"] = [f"writer {number // 4}" for number in range(len(frame))]
    again = frame.iloc[:12].assign(author=[f"writer {number}" for number in range(12, 24)])
    frame = pd.concat([frame.drop(index=[119, 116, 113]), again])
    path = tmp_path / "days.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def analysis(table, tmp_path):
    """Runs the analysis at toy size; returns what it found by protocol, and its folder."""

    def run(**options):
        found, failed = analyze(
            "protocol",
            notify=lambda message: None,
            data=str(table),
            group_column="author",
            runs_dir=str(tmp_path / "runs"),
            **{"models": "tfidf_logistic", "seeds": 1, **options},
        )
        assert not failed
        return {point["value"]: point for point in found["points"]}, tmp_path / "runs" / "protocol"

    return run


def protocols_of(points, directory):
    """By protocol what the record of its first run says of it."""
    found = {value: record.read_run(directory / p["run_ids"][0]) for value, p in points.items()}
    return {value: run["corpus"]["protocol"] for value, run in found.items()}


def test_each_protocol_is_trained_as_it_says(analysis):
    points, directory = analysis(seeds=2)
    protocols = protocols_of(points, directory)
    # The labels of the others are not there, and a baseline has no epochs.
    assert list(points) == [
        *("ours", "best_of_seeds", "repeats_kept", "random_split"),
        *("oversampled_before_split", "doubled_before_split"),
        *("all_together", "all_together_best_of_seeds"),
    ]
    assert {value: point["flaws"] for value, point in points.items()} == {
        "ours": [],
        "best_of_seeds": ["seed_on_test"],
        "repeats_kept": ["repeats_apart"],
        "random_split": ["random_split"],
        "oversampled_before_split": ["oversampled"],
        "doubled_before_split": ["doubled"],
        "all_together": ["repeats_apart", "random_split", "oversampled"],
        "all_together_best_of_seeds": [
            *("repeats_apart", "random_split", "oversampled", "seed_on_test")
        ],
    }
    sizes = {
        value: sum(protocol[f"num_{name}"] for name in ("train", "val", "test"))
        for value, protocol in protocols.items()
    }
    assert sizes == {
        **dict.fromkeys(("ours", "best_of_seeds", "random_split"), 117),
        "repeats_kept": 129,
        # 40 texts of two labels and 37 of one become 40 of each.
        "oversampled_before_split": 120,
        "doubled_before_split": 234,
        # 44, 44 and 41, and then 44 of each.
        **dict.fromkeys(("all_together", "all_together_best_of_seeds"), 132),
    }
    assert protocols["repeats_kept"]["num_test_cells_in_train"] > 0
    assert protocols["repeats_kept"]["num_test_subjects_in_train"] == 0
    assert protocols["random_split"]["num_test_cells_in_train"] == 0
    assert protocols["random_split"]["num_test_subjects_in_train"] > 0
    assert protocols["oversampled_before_split"]["num_copies"] == 3
    assert protocols["doubled_before_split"]["num_copies"] == 117
    assert protocols["doubled_before_split"]["num_test_cells_in_train"] > 20
    # Each seed has a split of its own, and tests other texts.
    seeds = [record.read_run(directory / name) for name in points["ours"]["run_ids"]]
    assert [(run["seed"], run["corpus"]["split_seed"]) for run in seeds] == [(0, 0), (1, 1)]
    for value, protocol in protocols.items():
        rows = read_predictions(*of_point(directory, points[value]))
        test = rows[rows["split"] == "test"]
        assert len(test) == test["id"].nunique() == protocol["num_test"]


def of_point(directory, point):
    path = directory / point["run_ids"][0]
    return path, record.read_run(path)


def test_fewer_labels_are_those_that_are_named(analysis, monkeypatch):
    monkeypatch.setitem(PROTOCOLS, "four_labels", {"labels": "joy,fear"})
    points, directory = analysis(protocols="four_labels")
    assert list(points) == ["ours", "four_labels"]
    path, run = of_point(directory, points["four_labels"])
    assert run["corpus"]["labels"] == ["fear", "joy"] and flaws_of(run) == []
    assert set(read_predictions(path, run)["label"]) == {"joy", "fear"}


def test_the_best_seed_is_that_of_the_test_split(analysis):
    settings = {"networks": SMALL | {"epochs": 1}}
    points, directory = analysis(
        models=SCORED, seeds=3, protocols="ours", settings=settings, precision="float32"
    )
    of_seeds = {
        name: record.read_run(directory / name)["metrics"]["test"]["accuracy"]
        for name in points["ours"]["run_ids"]
    }
    assert len(of_seeds) == 3
    (best,) = points["best_of_seeds"]["run_ids"]
    assert of_seeds[best] == max(of_seeds.values())
    assert points["best_of_seeds"]["test"]["accuracy"]["mean"] == of_seeds[best]
    # The run itself is as honest as the others.
    assert flaws_of(record.read_run(directory / best)) == []


def test_the_best_epoch_is_that_of_the_test_split(analysis):
    points, directory = analysis(
        models=SCORED,
        protocols="best_epoch_on_test",
        settings={"networks": {**SMALL, "patience": 0}},
        precision="float32",
    )
    assert list(points) == ["ours", "best_epoch_on_test"]
    path, run = of_point(directory, points["best_epoch_on_test"])
    rows = record.read_rows(path / record.HISTORY)
    values = [float(row["val_macro_f1"]) for row in rows]
    assert run["best_epoch"] == 1 + values.index(max(values))
    # What is called validation there is the test split.
    assert max(values) == pytest.approx(run["metrics"]["test"]["macro_f1"], abs=1e-6)
    assert run["metrics"]["val"] == run["metrics"]["test"]
    _, ours = of_point(directory, points["ours"])
    assert ours["metrics"]["val"] != ours["metrics"]["test"]
    assert ours["corpus"]["protocol"]["num_test"] == run["corpus"]["protocol"]["num_test"]


def test_flawed_runs_say_so_and_are_of_no_use(analysis, capsys, tmp_path):
    points, directory = analysis(protocols="doubled_before_split")
    path, run = of_point(directory, points["doubled_before_split"])
    ours, _ = of_point(directory, points["ours"])
    said = "No honest number: each example was doubled before the split."
    assert said in " ".join(str(part) for part in summarize(path).renderables)
    assert said not in " ".join(str(part) for part in summarize(ours).renderables)
    scores = read_scores([(run, path)], "test", read_groups(path))
    card = model_card(run, scores, 1, " ".join(run["command"]))
    assert f"**{said}**" in card and "model-index" not in card
    assert "model-index" in model_card(record.read_run(ours), scores, 1, "")
    assert run["command"][:4] == ["python", "-m", "tuning.sensitivity", "protocol"]
    assert (ours / record.ESTIMATOR).exists() and not (path / record.ESTIMATOR).exists()
    # Though its validation split was the easier one, another is the best.
    metrics = run["metrics"]["val"] | {"macro_f1": 1.0}
    changed = run | {"metrics": run["metrics"] | {"val": metrics}}
    (path / record.RUN).write_text(json.dumps(changed))
    assert record.resolve_run("best", tmp_path / "runs") == ours
    capsys.readouterr()
    assert predict([str(path), "a text"]) == 2
    assert "no model to use" in capsys.readouterr().err
    assert fit_command([f"--from-run={path}"]) == 2
    assert "which `fit` does not repeat" in capsys.readouterr().err
    with pytest.raises(UserError, match="cannot be compared"):
        compare_runs([ours, path])
    with pytest.raises(UserError, match="cannot be combined"):
        combine([ours, path])
    with pytest.raises(UserError, match="Only the analysis of protocols"):
        train(data="situations", model="tfidf_logistic", flaws=["doubled"])


def test_the_report_shows_them_apart_from_what_is_compared(analysis, tmp_path):
    analysis(protocols="doubled_before_split,repeats_kept", seeds=2)
    # The flawed run is the better one, in a study of its own, too.
    (part,) = read_records(tmp_path / "runs").parts
    (study,) = part.studies
    # Of ours the seed that has the split of other studies; the other one is not of this part.
    assert [run.flaws for run in part.runs] == [[]] and part.runs[0].seed == 0
    assert sorted(bool(run.flaws) for run in study.aside) == [False, *[True] * 4]
    (tmp_path / "runs" / "protocol" / "sensitivity.json").rename(tmp_path / "kept.json")
    # Before it ends there is no such file.
    parts = read_records(tmp_path / "runs").parts
    assert [[run.flaws for run in part.runs] for part in parts] == [[[]], [[]]]
    (tmp_path / "kept.json").rename(tmp_path / "runs" / "protocol" / "sensitivity.json")
    assert render(tmp_path / "runs", out=str(tmp_path / "page"), notify=lambda message: None) == 0
    page = (tmp_path / "page" / "index.html").read_text()
    assert "doubled before split †" in page and "best of seeds †" in page
    table = pd.read_csv(tmp_path / "page" / "tables" / "protocol.csv")
    assert table["value"].tolist() == [
        *("ours", "best_of_seeds", "repeats_kept", "doubled_before_split")
    ]
    assert table["labels"].tolist() == [3] * 4
    assert table["seen"].iloc[3] > table["seen"].iloc[2] > table["seen"].iloc[0] == 0


def test_the_tables_of_the_terminal_mark_what_is_flawed(table, capsys, tmp_path):
    arguments = [
        *("protocol", f"--data={table}", "--group-column=author", "--models=tfidf_logistic"),
        *("--seeds=1", "--protocols=doubled_before_split", f"--runs-dir={tmp_path / 'runs'}"),
    ]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "doubled_before_split †" in shown and "ours †" not in shown
    assert "† doubled_before_split: No honest number: each example was doubled" in shown
    assert "protocol doubled_before_split (with flaws), seed 0: " in shown
    assert main([*arguments, "--labels=joy,fear"]) == 2
    assert main([*arguments[:-2], "--protocols=secret"]) == 2
    assert "Unknown protocol. Accepted: ours, without_guilt" in capsys.readouterr().err


def test_what_makes_no_difference_is_left_out():
    said = []
    found, _ = analyze(
        "protocol",
        notify=said.append,
        data="situations",
        models="tfidf_logistic",
        seeds=1,
        protocols="ours,best_epoch_on_test,oversampled_before_split,five_labels",
    )
    # Its labels are even, and a baseline has no epochs.
    assert [point["value"] for point in found["points"]] == ["ours", "five_labels"]
    left_out = "left out, because it would make no difference or a label is not there: "
    assert any(f"{left_out}oversampled_before_split, best_epoch_on_test." in line for line in said)


def test_the_names_are_all_there():
    assert [trial.value for trial in Protocols().trials()] == list(PROTOCOLS)
    assert set(BEST_OF_SEEDS) <= set(PROTOCOLS)
    assert not set(BEST_OF_SEEDS.values()) & set(PROTOCOLS)
