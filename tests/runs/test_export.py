"""Exported models say what the run's model says, and need no Keras."""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.export import summarize
from emotion_keras.inference import export as export_module
from emotion_keras.inference.familiarity import Familiarity
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs import TextInput
from emotion_keras.machine.cores import available_cores

ROOT = Path(__file__).parents[2]
TEXTS = [
    "we laughed and it was sunny",
    "import numpy as np",
    "",
    "they shouted " * 20,
    "Alone.",
    "cafe \u2014 storm",
]


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def export(directory, tmp_path, **options):
    out = tmp_path / "exported"
    return export_module.export(
        str(directory), out=str(out), notify=lambda message: None, **options
    )


@pytest.fixture(scope="module")
def exported(gated_run, tmp_path_factory):
    """An ONNX folder, made by the command from a run of whichever backend."""
    folder = tmp_path_factory.mktemp("exports")
    out = folder / "onnx"
    # The toy run has too few texts for it.
    shutil.copytree(gated_run, folder / gated_run.name)
    Familiarity(TextInput, {"we": 9, "laughed": 9}, 1.0, 1.5).save(folder / gated_run.name)
    done = run("-m", "emotion_keras.export", folder / gated_run.name, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "labels are the same" in done.stdout and "emotion_keras.predict" in done.stdout
    return out


def same_answers(found, expected):
    # Of the runs here too few texts say what is familiar.
    flags = [
        [one["flag"].removesuffix("unfamiliar").removesuffix(", ") for one in answers]
        for answers in (found, expected)
    ]
    assert flags[0] == flags[1]
    for one, other in zip(found, expected, strict=True):
        assert one["label"] == other["label"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


@pytest.mark.each_backend
def test_an_onnx_model_says_what_the_run_says(gated_run, exported):
    found, expected = Predictor.load(exported), Predictor.load(gated_run)
    same_answers(found(TEXTS), expected(TEXTS))
    same_answers(found(TEXTS, long="split"), expected(TEXTS, long="split"))
    explained = zip(found(TEXTS, explain=True), expected(TEXTS, explain=True), strict=True)
    for one, other in explained:
        assert [word["word"] for word in one["words"]] == [word["word"] for word in other["words"]]
        for key in ("gate", "contribution"):
            # The rest has no gate, which becomes NaN.
            pair = [np.array([word[key] for word in x["words"]], float) for x in (one, other)]
            np.testing.assert_allclose(*pair, atol=1e-5)
    assert {path.name for path in exported.iterdir()} == {
        record.EXPORT,
        record.FAMILIAR,
        record.ONNX,
        "text",
        export_module.CARD,
    }
    card = (exported / export_module.CARD).read_text()
    assert "pipeline_tag: text-classification" in card and "--from-run" in card
    assert "of this run alone" in card and "All runs" not in card


def test_an_export_knows_what_the_run_finds_familiar(exported):
    predictor = Predictor.load(exported)
    flags = [answer["flag"] for answer in predictor(["We laughed", "import numpy", ""])]
    assert flags == ["", "unfamiliar", "empty"]


def test_an_export_says_what_the_run_is(gated_run, exported, tmp_path):
    found, expected = Predictor.load(exported).about, Predictor.load(gated_run).about
    assert found == expected and "labels and no others" in found["summary"][2]
    shutil.copytree(exported, tmp_path / "older")
    described = json.loads((exported / record.EXPORT).read_text())
    del described["about"]
    (tmp_path / "older" / record.EXPORT).write_text(json.dumps(described))
    assert Predictor.load(tmp_path / "older").about == {}


def test_an_export_is_as_sure_as_the_run(gated_run, exported, tmp_path):
    found, expected = Predictor.load(exported), Predictor.load(gated_run)
    threshold = found.threshold_for(0.4)
    assert threshold == expected.threshold_for(0.4)
    least = threshold.min_confidence
    labels = [one.predict(TEXTS, min_confidence=least) for one in (found, expected)]
    assert labels[0] == labels[1]
    shutil.copytree(exported, tmp_path / "older")
    described = json.loads((exported / record.EXPORT).read_text())
    del described["thresholds"]
    (tmp_path / "older" / record.EXPORT).write_text(json.dumps(described))
    with pytest.raises(UserError, match="Export the run again"):
        Predictor.load(tmp_path / "older").threshold_for(0.4)


def test_many_texts_of_any_length_come_back_in_their_order(gated_run, exported):
    texts = pd.read_csv(gated_run / record.TEXTS)["text"].tolist() * 5
    found, expected = Predictor.load(exported), Predictor.load(gated_run)
    np.testing.assert_allclose(found.predict_proba(texts), expected.predict_proba(texts), atol=1e-5)


def test_threads_may_ask_at_the_same_time(gated_run, exported):
    predictor = Predictor.load(exported, parallel=True)
    assert predictor.num_parallel == len(available_cores())
    texts = pd.read_csv(gated_run / record.TEXTS)["text"].tolist() + TEXTS
    parts = [texts[start : start + 3] for start in range(0, len(texts), 3)]
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = threads.map(lambda part: predictor(part, explain=True), parts)
        found = [answer for of_part in answers for answer in of_part]
    expected = Predictor.load(exported)(texts, explain=True)
    same_answers(found, expected)
    for one, other in zip(found, expected, strict=True):
        assert [word["word"] for word in one["words"]] == [word["word"] for word in other["words"]]


def test_an_onnx_model_answers_without_keras(exported):
    code = (
        "import sys; from emotion_keras.predict import main; "
        f"assert main([{str(exported)!r}, 'we laughed', '--explain']) == 0; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & set("
        "'keras keras_hub tensorflow jax torch pandas sklearn scipy onnx'.split())))"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.tensorflow
@pytest.mark.parametrize("format", ["saved_model", "litert"])
def test_other_formats_are_checked_and_complete(gated_run, tmp_path, format):
    out = export(gated_run, tmp_path, format=format)
    about = json.loads((out / record.EXPORT).read_text())
    assert about["format"] == format
    assert 0 <= about["greatest_difference"] < 1e-4
    assert about["labels"] == record.read_run(gated_run)["corpus"]["labels"]
    assert (out / "text" / "tokenizer.json").exists()


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "options",
    [
        {"model": "cnn"},
        {"model": "lstm"},
        {"model": "transformer", "pooling": "max"},
        {"gate": "linear_unit", "gate_after": "blocks"},
        {"gate": "scalar", "pooling": "attention"},
        {"gate": "hard_concrete", "gate_after": "embeddings", "keep": 0.5},
        {"gate": "hard_concrete", "gate_after": "first_reading", "encoder": "toy_bert"},
        {"encoder": "word vectors"},
        {"encoder": "toy_bert"},
        {"encoder": "toy_distilbert"},
    ],
    ids=lambda options: " ".join(map(str, options.values())),
)
def test_every_network_becomes_onnx(fit, toy, tmp_path, options, request):
    options = dict(options)
    if options.get("model") in ("cnn", "lstm"):
        for name in ("num_layers", "num_heads", "intermediate_dim"):
            toy.pop(name)
    if options.get("encoder", "").startswith("toy"):
        options |= {"encoder": str(request.getfixturevalue(options["encoder"])), "num_layers": 0}
    elif "encoder" in options:
        options["encoder"] = str(tmp_path / "words.txt")
        (tmp_path / "words.txt").write_text("we 0.1 -0.3\nlaughed 0.9 0.4\nstorm -0.5 0.2\n")
    directory = fit(epochs=1, **options)
    found, expected = Predictor.load(export(directory, tmp_path)), Predictor.load(directory)
    same_answers(found(TEXTS), expected(TEXTS))
    assert found.can_explain == expected.can_explain


@pytest.mark.tensorflow
def test_blocks_are_a_few_operators_of_onnx_runtimes_own(gated_run, tmp_path):
    graph = onnx.load(export(gated_run, tmp_path) / record.ONNX).graph
    operators = [node.op_type for node in graph.node]
    assert operators.count("MultiHeadAttention") == 1
    assert operators.count("LayerNormalization") == 2
    assert "Pow" not in operators


@pytest.mark.tensorflow
def test_int8_says_what_it_costs(gated_run, tmp_path):
    out = export(gated_run, tmp_path, quantize="int8")
    about = json.loads((out / record.EXPORT).read_text())["accuracy_after_quantization"]
    assert about["before"] == pytest.approx(
        record.read_run(gated_run)["metrics"]["test"]["accuracy"]
    )
    rows = pd.read_csv(gated_run / record.PREDICTIONS)
    texts = pd.read_csv(gated_run / record.TEXTS)["text"].tolist()
    labels = rows[rows["split"] == "test"]["label"].tolist()
    predicted = Predictor.load(out).predict(texts)
    assert about["after"] == pytest.approx(np.mean(np.array(predicted) == np.array(labels)))
    assert "in int8" in summarize(out)


@pytest.mark.tensorflow
def test_int8_says_nearly_what_float32_says_on_every_cpu(gated_run, tmp_path):
    out = export(gated_run, tmp_path / "int8", quantize="int8")
    rows = pd.read_csv(gated_run / record.PREDICTIONS)
    expected = rows[rows["split"] == "test"][
        ["probability:anger", "probability:fear", "probability:joy"]
    ]
    texts = pd.read_csv(gated_run / record.TEXTS)["text"].tolist()
    found = Predictor.load(out).model.probabilities(texts)
    np.testing.assert_allclose(found, expected, atol=0.02)
    weights = [
        onnx.numpy_helper.to_array(stored)
        for stored in onnx.load(out / record.ONNX).graph.initializer
        if stored.data_type == onnx.TensorProto.INT8 and len(stored.dims) == 2
    ]
    # Two products with activations of 8 bits fit into the 16 bits in which some CPUs add them.
    assert len(weights) >= 7 and max(np.abs(w.astype(int)).max() for w in weights) * 255 * 2 < 2**15


@pytest.mark.tensorflow
def test_an_export_that_says_something_else_is_not_kept(gated_run, tmp_path, monkeypatch):
    write, load = export_module._FORMATS["onnx"]

    def load_worse(folder):
        run = load(folder)
        return lambda inputs: {name: 1.01 * values for name, values in run(inputs).items()}

    monkeypatch.setitem(export_module._FORMATS, "onnx", (write, load_worse))
    with pytest.raises(UserError, match="does not say what the Keras model says"):
        export(gated_run, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.tensorflow
def test_what_cannot_be_exported_is_told(fit, toy, tmp_path, gated_run, toy_roberta):
    (tmp_path / "exported").mkdir()
    with pytest.raises(UserError, match="is there already"):
        export(gated_run, tmp_path)
    (tmp_path / "exported").rmdir()
    with pytest.raises(UserError, match="Only ONNX is quantized"):
        export(gated_run, tmp_path, format="litert", quantize="int8")
    with pytest.raises(UserError, match="toy_roberta cannot be exported.*family of BERT"):
        export(fit(encoder=str(toy_roberta), num_layers=0, epochs=1), tmp_path)
    for name in set(toy) - {"data", "runs_dir", "precision"}:
        toy.pop(name)
    with pytest.raises(UserError, match="majority cannot be exported"):
        export(fit(model="majority"), tmp_path)
    assert not (tmp_path / "exported").exists()


def test_another_backend_is_told_what_to_set(gated_run, tmp_path):
    with pytest.raises(UserError, match="KERAS_BACKEND=tensorflow"):
        export(gated_run, tmp_path)


@pytest.mark.tensorflow
def test_what_litert_cannot_run_is_told(fit, toy, tmp_path):
    for name in ("num_layers", "num_heads", "intermediate_dim"):
        toy.pop(name)
    with pytest.raises(UserError, match="LiteRT cannot run this model"):
        export(fit(model="lstm", epochs=1), tmp_path, format="litert")


def test_commands_end_with_2_and_a_message(tmp_path):
    done = run("-m", "emotion_keras.export", tmp_path / "nothing")
    assert done.returncode == 2
    assert done.stderr.strip().startswith("error:") and "Traceback" not in done.stderr
