import gzip
import json
import shutil

import pytest

from emotion_keras.errors import UserError
from emotion_keras.evaluation.predictions import write_groups
from reports.records import read_records


def write(path, **values):
    path.write_text(json.dumps({"schema_version": 1, **values}))


def test_runs_are_found_at_any_depth(tmp_path, make_run):
    make_run(tmp_path / "isear" / "comparison", "cnn@scratch")
    make_run(tmp_path / "isear" / "fit", "lstm@scratch")
    (part,) = read_records(tmp_path).parts
    assert [study.name for study in part.studies] == ["comparison", "fit"]
    assert [run.contender for run in part.runs] == ["cnn@scratch", "lstm@scratch"]


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(UserError, match="emotion_keras.compare.*Received: RUNS_DIR="):
        read_records(tmp_path / "nowhere")


def test_predictions_may_be_compressed_or_missing(tmp_path, make_run):
    zipped = make_run(tmp_path / "fit", "cnn@scratch", 0)
    path = zipped / "predictions.csv"
    (zipped / "predictions.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    make_run(tmp_path / "fit", "cnn@scratch", 1, predictions=False)
    first, second = read_records(tmp_path).parts[0].runs
    assert len(first.predictions) == 120
    assert second.predictions is None


@pytest.mark.parametrize(
    "model, hyperparameters, version, gate",
    [
        ("gated_transformer", {"gate": "scalar"}, 2, "scalar"),
        ("other", {"gate": "linear_unit"}, 2, "linear_unit"),
        ("gated_other", {"units": 8}, 2, None),
        ("cnn", {"dropout": 0.1}, 1, None),
        # The first records had one form of it, which they did not name.
        ("gated_transformer", {"dropout": 0.1}, 1, "features"),
    ],
)
def test_the_gate_is_the_one_of_the_record(
    tmp_path, make_run, change, model, hyperparameters, version, gate
):
    directory = make_run(tmp_path / "fit", f"{model}@scratch", hyperparameters=hyperparameters)
    change(directory, schema_version=version)
    # The columns of predictions have other names in version 1.
    (directory / "predictions.csv").unlink()
    (run,) = read_records(tmp_path).parts[0].runs
    assert run.gate == gate


def breaks(what):
    def apply(directory):
        path = directory / "run.json"
        record = json.loads(path.read_text())
        what(record)
        path.write_text(json.dumps(record))

    return apply


BROKEN = {
    "no JSON": lambda directory: (directory / "run.json").write_text("{"),
    "a list": lambda directory: (directory / "run.json").write_text("[]"),
    "another version": breaks(lambda record: record.update(schema_version=3)),
    "no model": breaks(lambda record: record.pop("model")),
    "seed of text": breaks(lambda record: record.update(seed="0")),
    "no labels": breaks(lambda record: record["corpus"].pop("labels")),
    "other labels": breaks(lambda record: record["metrics"]["test"]["per_label"].pop("joy")),
    "no backend": breaks(lambda record: record.update(environment={})),
    "accuracy of text": breaks(lambda record: record["metrics"]["test"].update(accuracy="0.7")),
    "no validation": breaks(lambda record: record["metrics"].pop("val")),
    "AUC of text": breaks(lambda record: record["metrics"]["test"].update(auc="0.9")),
    "no F1": breaks(lambda record: record["metrics"]["test"]["per_label"].update(joy={})),
    "small matrix": breaks(lambda record: record["metrics"]["test"]["confusion_matrix"].pop()),
    "lacking numbers": lambda directory: (directory / "predictions.csv").write_text(
        "id,split,label,predicted,joy,fear,anger\n1,test,joy,joy,,0,0\n"
    ),
    "no table": lambda directory: (directory / "predictions.csv").write_text(""),
    "lacking columns": lambda directory: (directory / "predictions.csv").write_text("id\n1\n"),
    "words for numbers": lambda directory: (directory / "predictions.csv").write_text(
        "id,split,label,predicted,joy,fear,anger\n1,test,joy,joy,much,0,0\n"
    ),
    "unknown label": lambda directory: (directory / "predictions.csv").write_text(
        "id,split,label,predicted,joy,fear,anger\n1,test,envy,joy,1,0,0\n"
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_broken_is_named_and_skipped(how, tmp_path, make_run):
    make_run(tmp_path / "fit", "cnn@scratch", 0)
    broken = make_run(tmp_path / "fit", "cnn@scratch", 1)
    BROKEN[how](broken)
    records = read_records(tmp_path)
    assert [run.seed for run in records.parts[0].runs] == [0]
    ((path, reason),) = records.broken
    assert path.parent == broken and str(broken) in reason


@pytest.mark.parametrize(
    "name, values",
    [
        ("comparison.json", {"run_ids": "all", "contenders": [], "reference": "cnn"}),
        ("sensitivity.json", {"analysis": "weather", "points": []}),
        ("sensitivity.json", {"analysis": "noise", "points": [{"value": 1}]}),
        ("search.json", {"trials": []}),
        ("study.json", {"runs": None}),
    ],
)
def test_broken_files_of_a_study_are_named_and_its_runs_kept(name, values, tmp_path, make_run):
    directory = make_run(tmp_path / "fit", "cnn@scratch")
    write(directory.parent / name, **values)
    records = read_records(tmp_path)
    assert len(records.parts[0].runs) == 1
    ((path, _),) = records.broken
    assert path == directory.parent / name
    assert name not in records.parts[0].studies[0].files


def test_one_run_says_for_all_whose_the_texts_are(tmp_path, make_run):
    directories = [make_run(tmp_path / "fit", "cnn@scratch", seed) for seed in range(2)]
    make_run(tmp_path / "fit", "cnn@scratch", corpus="weeks", name="other")
    write_groups(directories[1], ["31", "32", "33"], [5, 5, 7])
    records = read_records(tmp_path)
    found = {run.name: run.groups for part in records.parts for run in part.runs}
    of_all = {"31": "5", "32": "5", "33": "7"}
    assert found == {directories[0].name: of_all, directories[1].name: of_all, "other": {}}
    assert not records.broken
    # What cannot be read is named, and each text counts by itself.
    (directories[1] / "groups.csv").write_text("text,author\n31,Ada\n")
    records = read_records(tmp_path)
    assert [run.groups for run in records.parts[0].runs] == [{}, {}]
    ((path, reason),) = records.broken
    assert path == directories[1] / "groups.csv" and "damaged" in reason


def test_corpora_splits_and_backends_are_kept_apart(tmp_path, make_run, change):
    first = make_run(tmp_path / "comparison", "cnn@scratch", 0)
    make_run(tmp_path / "comparison", "cnn@scratch", 1)
    make_run(tmp_path / "comparison", "tfidf_svm", 0)
    make_run(tmp_path / "torch", "cnn@scratch", 0, backend="torch")
    make_run(tmp_path / "other", "cnn@scratch", 0, corpus="weeks")
    corpus = json.loads((first / "run.json").read_text())["corpus"]
    split = make_run(tmp_path / "split", "cnn@scratch", 0)
    change(split, corpus={**corpus, "protocol": {**corpus["protocol"], "split_seed": 1}})
    fold = make_run(tmp_path / "part", "cnn@scratch", 0)
    change(fold, corpus={**corpus, "protocol": {**corpus["protocol"], "train_fraction": 0.5}})
    parts = read_records(tmp_path).parts
    assert [len(part.runs) for part in parts] == [4, 1, 1, 1]
    assert parts[0].backend == "tensorflow"
    assert {study.name for study in parts[0].studies} == {"comparison", "part"}
    assert {part.studies[0].name for part in parts[1:]} == {"torch", "other", "split"}


def test_baselines_alone_are_a_part(tmp_path, make_run):
    make_run(tmp_path / "fit", "tfidf_svm")
    (part,) = read_records(tmp_path).parts
    assert part.backend == "scikit-learn"


def test_broken_files_beside_a_run_are_named(tmp_path, make_run):
    directory = make_run(tmp_path / "fit", "gated_transformer@scratch")
    (directory / "texts.csv").write_text("name\n1\n")
    (directory / "architecture.json").write_text('{"layers": [{"name": 1}]}')
    records = read_records(tmp_path)
    run = records.parts[0].runs[0]
    assert records.read_beside(run, "texts.csv", {"id": str, "text": str}) is None
    assert records.read_beside(run, "gates.csv", {"id": str}) is None
    assert records.read_architecture(run) is None
    assert [path.name for path, _ in records.broken] == ["texts.csv", "architecture.json"]


def test_a_text_that_reads_like_nothing_is_a_text(tmp_path, make_run):
    directory = make_run(tmp_path / "fit", "gated_transformer@scratch")
    (directory / "texts.csv").write_text("id,text\n1,NA\n2,null\n")
    records = read_records(tmp_path)
    found = records.read_beside(records.parts[0].runs[0], "texts.csv", {"id": str, "text": str})
    assert found["text"].tolist() == ["NA", "null"]


def test_a_folder_without_record_is_no_run(tmp_path, make_run):
    directory = make_run(tmp_path / "fit", "cnn@scratch")
    shutil.copytree(directory, tmp_path / "fit" / "unfinished")
    (tmp_path / "fit" / "unfinished" / "run.json").unlink()
    assert len(read_records(tmp_path).parts[0].runs) == 1
