"""A run or an export that is damaged is named, with what to do, whatever is wrong with it."""

import json
import shutil
from pathlib import Path

import onnx
import pytest

from emotion_keras import fit as fit_module
from emotion_keras import predict, record
from emotion_keras.errors import UserError
from emotion_keras.evaluation.predictions import read_split
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs.word_pieces import WordPieceTokenizer
from emotion_keras.studies.comparison import _compare
from emotion_keras.studies.study import STUDY, Study
from emotion_keras.training import run as training_run

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def replace_by_pointer(path):
    path.write_bytes(POINTER)


def replace_by_folder(path):
    path.unlink()
    path.mkdir()


def replace_by_noise(path):
    path.write_bytes(bytes(range(256)) * 9)


def change_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


WAYS = [
    pytest.param(Path.unlink, "no file|without its model|no finished run", id="it is missing"),
    pytest.param(empty, "empty", id="it is empty"),
    pytest.param(cut, "damaged", id="it was cut"),
    pytest.param(replace_by_pointer, "pointer of Git LFS.*git lfs pull", id="a pointer of Git LFS"),
    pytest.param(replace_by_folder, "is a folder", id="a folder in its place"),
    pytest.param(replace_by_noise, "damaged", id="bytes of something else"),
]


@pytest.fixture
def run(gated_run, tmp_path):
    return shutil.copytree(gated_run, tmp_path / "runs" / "fit" / gated_run.name)


@pytest.fixture(scope="session")
def baseline_run(corpus_path, tmp_path_factory):
    return training_run.fit(
        model="tfidf_logistic",
        data=str(corpus_path),
        runs_dir=str(tmp_path_factory.mktemp("runs")),
        notify=lambda message: None,
    )


@pytest.fixture
def export(tmp_path):
    """An exported model that gives two labels equal probabilities."""
    folder = tmp_path / "onnx"
    folder.mkdir()
    helper, types = onnx.helper, onnx.TensorProto
    inputs = [
        helper.make_tensor_value_info(name, types.INT32, ["batch", "length"])
        for name in ("token_ids", "padding_mask")
    ]
    output = helper.make_tensor_value_info("probabilities", types.FLOAT, ["batch", 2])
    half = helper.make_tensor("half", types.FLOAT, [1, 2], [0.5, 0.5])
    zero = helper.make_tensor("zero", types.INT64, [1], [0])
    two = helper.make_tensor("two", types.INT64, [1], [2])
    one = helper.make_tensor("one", types.INT64, [1], [1])
    nodes = [
        helper.make_node("Shape", ["token_ids"], ["shape"]),
        helper.make_node("Slice", ["shape", "zero", "one"], ["batch"]),
        helper.make_node("Concat", ["batch", "two"], ["whole"], axis=0),
        helper.make_node("Expand", ["half", "whole"], ["probabilities"]),
    ]
    graph = helper.make_graph(nodes, "half", inputs, [output], [half, zero, one, two])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), folder / record.ONNX)
    WordPieceTokenizer.of_words(["we", "won"]).save(folder)
    about = {"format": "onnx", "name": "half", "labels": ["joy", "fear"], "temperature": 1.0}
    about |= {"sequence_length": 16}
    about |= {"preparation": {"clean": True, "normalize_punctuation": True}}
    counts = {"val": 30, "test": 60}
    step = {"min_confidence": 0.5, "accuracy": 0.3, "answered": counts, "right": counts}
    about |= {"thresholds": {"examples": counts, "steps": [step]}}
    about |= {"about": {"summary": ["Trained on 9 texts."], "limits": [], "language": "en"}}
    record.write_versioned(folder / record.EXPORT, about)
    assert Predictor.load(folder)("we won")["confidence"] == 0.5
    return folder


def errors_of(folder, capsys):
    """What the command says of a model, and that it says no more."""
    assert predict.main([str(folder), "we won"]) == 2
    printed = capsys.readouterr().err
    assert printed.count("error: ") == 1 and "Traceback" not in printed
    return " ".join(printed.split())


@pytest.mark.parametrize(("damage", "message"), WAYS)
@pytest.mark.parametrize("name", ["model.keras", "text/tokenizer.json", "run.json"])
def test_a_damaged_run_of_a_network(name, damage, message, run):
    damage(run / name)
    with pytest.raises(UserError, match=message) as found:
        Predictor.load(run)
    said = str(found.value)
    assert name in said or "no finished run" in said
    if "pointer" not in said and name != "run.json":
        assert "--study again" in said
    assert "File not found" not in said


@pytest.mark.parametrize(("damage", "message"), WAYS)
def test_a_damaged_model_of_scikit_learn(damage, message, baseline_run, tmp_path):
    folder = shutil.copytree(baseline_run, tmp_path / "run")
    damage(folder / record.ESTIMATOR)
    with pytest.raises(UserError, match=message):
        Predictor.load(folder)


@pytest.mark.parametrize(("damage", "message"), WAYS)
@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "export.json"])
def test_a_damaged_export(name, damage, message, export, capsys):
    damage(export / name)
    said = errors_of(export, capsys)
    assert name in said or "no finished run" in said


@pytest.mark.parametrize(
    ("name", "kind"),
    [("model.keras", "network"), ("model.skops", "baseline"), ("model.onnx", "export")],
)
def test_a_changed_byte_ends_in_no_traceback(name, kind, run, baseline_run, export, tmp_path):
    baseline = shutil.copytree(baseline_run, tmp_path / "baseline")
    folder = {"network": run, "baseline": baseline, "export": export}[kind]
    change_a_byte(folder / name)
    try:
        Predictor.load(folder)("we won")
    except UserError as error:
        assert name in str(error)


ANYTHING = [None, True, 7, 0.5, "text", [], [1], {}, {"a": 1}]


def paths_of(values, before=()):
    """The keys of all that a record holds, at any depth."""
    for key, value in values.items():
        yield (*before, key)
        if isinstance(value, dict):
            yield from paths_of(value, (*before, key))


@pytest.mark.parametrize("value", [pytest.param(v, id=f"{v!r} in its place") for v in ANYTHING])
@pytest.mark.parametrize("what", ["run.json", "export.json"])
def test_no_value_in_a_record_ends_in_a_traceback(what, value, make_record, export, tmp_path):
    original = (
        make_record() if what == "run.json" else json.loads((export / what).read_text("utf-8"))
    )
    for path in paths_of(original):
        changed = json.loads(json.dumps(original))
        place = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        if what == "run.json":
            record.write_versioned(tmp_path / record.RUN, changed)
            try:
                record.read_run(tmp_path)
            except UserError as error:
                assert "run.json" in str(error)
            else:
                fit_module.summarize(tmp_path)
        else:
            (export / what).write_text(json.dumps(changed), "utf-8")
            try:
                predictor = Predictor.load(export)
                predictor("we won")
                if path[0] == "thresholds":
                    predictor.threshold_for(0.99)
            except UserError as error:
                refused = "export.json", "format", "does not say", "No threshold"
                assert any(reason in str(error) for reason in refused)


@pytest.mark.parametrize(
    "steps", [[], [{}], [1], [{"min_confidence": 0.5, "accuracy": "high"}]], ids=str
)
def test_damaged_thresholds_of_an_export_are_told(steps, export):
    about = json.loads((export / record.EXPORT).read_text("utf-8"))
    about["thresholds"]["steps"] = steps
    (export / record.EXPORT).write_text(json.dumps(about), "utf-8")
    with pytest.raises(UserError, match=r"export\.json is damaged: thresholds\.steps"):
        Predictor.load(export)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda s: s[: len(s) // 2], "ends within a row", id="cut within a row"),
        pytest.param(lambda s: s.rstrip("\n"), "ends within a row", id="cut before its last end"),
        pytest.param(
            lambda s: "".join(s.splitlines(True)[:-3]),
            "21 texts of the split test, and not 24",
            id="without its last rows",
        ),
        pytest.param(
            lambda s: s.splitlines(True)[0], "no predictions of the split val", id="without rows"
        ),
        pytest.param(lambda s: s.replace(":joy", ":envy"), "columns should be", id="other labels"),
        pytest.param(
            lambda s: s.replace(",joy,", ",envy,"), "does not name", id="other labels in its rows"
        ),
        pytest.param(lambda s: s.replace("0.", "x."), "damaged", id="letters for digits"),
        pytest.param(
            lambda s: s.replace(",0.", ",7.", 1), "no probabilities", id="a number above 1"
        ),
        pytest.param(lambda s: s.replace(",0.", ",-0.", 1), "no probabilities", id="one below 0"),
        pytest.param(lambda s: s.replace(",0.", ",nan", 1), "damaged", id="a number that is none"),
        pytest.param(lambda s: f"x,{s}", "columns should be", id="another column"),
        pytest.param(lambda s: s.replace(",", ";"), "columns should be", id="other delimiters"),
    ],
)
def test_damaged_predictions_are_not_read(change, message, run):
    path = run / record.PREDICTIONS
    path.write_text(change(path.read_text()))
    with pytest.raises(UserError, match=rf"predictions\.csv.*{message}"):
        read_split(run, record.read_run(run), "val")


def test_a_finished_run_that_is_damaged_is_not_taken_for_one(run, toy):
    options = {**toy, "runs_dir": str(run.parents[1]), "notify": lambda message: None}
    assert training_run.fit(**options) == run
    cut(run / record.MODEL)
    with pytest.raises(UserError, match=r"model\.keras is damaged: it was cut.*Delete the folder"):
        training_run.fit(**options)
    (run / record.MODEL).unlink()  # As published.
    assert training_run.fit(**options) == run
    replace_by_folder(run / record.RUN)
    with pytest.raises(UserError, match=r"run\.json is a folder"):
        training_run.fit(**options)


@pytest.mark.parametrize(
    "content", ["", "order\n", "order,measure,mean_drop\ngate,a,much\n", "\x00", "{"]
)
def test_a_damaged_table_of_faithfulness_is_told_or_empty(content, run):
    (run / record.FAITHFULNESS).write_text(content)
    try:
        fit_module.summarize(run)
    except UserError as error:
        assert "faithfulness.csv" in str(error) and "--study again" in str(error)


@pytest.mark.parametrize(
    "runs", [None, {}, "all", [1], [{}], [{"run_id": 1, "asked": {}}], [{"run_id": "a"}]]
)
def test_a_damaged_list_of_runs_is_told(runs, tmp_path):
    record.write_versioned(tmp_path / STUDY, {"runs": runs})
    with pytest.raises(UserError, match=r"study\.json is damaged.*Delete it"):
        Study(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": 2, "contenders": 7}'])
def test_a_damaged_comparison_is_worked_out_again(content, run):
    whole = _compare(run.parent, [run], None)
    (run.parent / "comparison.json").write_text(content)
    assert _compare(run.parent, [run], None) == whole


def test_a_study_names_the_run_that_is_damaged(run):
    cut(run / record.PREDICTIONS)
    with pytest.raises(UserError, match=rf"{run.name}/predictions\.csv.*Delete the folder"):
        _compare(run.parent, [run], None)


def test_best_names_the_run_that_is_damaged(run, capsys, monkeypatch):
    cut(run / record.RUN)
    assert predict.main(["best", "we won", "--runs-dir", str(run.parents[1])]) == 2
    assert f"{run.name}/run.json is damaged" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "content",
    [b"", POINTER, b"PK\x03\x04 and no more", bytes(999)],
    ids=["empty", "pointer", "cut", "zeros"],
)
def test_a_damaged_state_of_training_is_told(content, run, toy, quick_measures):
    (run / record.RUN).unlink()
    (run / "checkpoint.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"checkpoint\.npz"):
        training_run.fit(**{**toy, "runs_dir": str(run.parents[1])}, notify=lambda message: None)
