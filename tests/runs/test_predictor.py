"""What a model says of new texts: scaled, flagged, in order, and nothing of the file is run."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.evaluation.faithfulness import in_words, read_faithfulness
from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.inference import familiarity
from emotion_keras.inference.familiarity import Familiarity
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs import TextInput
from emotion_keras.inputs.sequences import Sequences

LONG = "we laughed at home when my friend came and then it was dark in the street " * 3


@pytest.fixture(scope="module")
def predictor(gated_run):
    return Predictor.load(gated_run)


def of_record(directory):
    """The test split's texts, and what the run predicted of them."""
    texts = pd.read_csv(directory / record.TEXTS)["text"].tolist()
    rows = pd.read_csv(directory / record.PREDICTIONS)
    labels = record.read_run(directory)["corpus"]["labels"]
    return texts, rows[rows["split"] == "test"][probability_columns(labels)].to_numpy()


def scaled(probabilities, temperature):
    powers = np.asarray(probabilities, float) ** (1 / temperature)
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.each_backend
def test_answers_are_the_records_over_the_temperature(gated_run, predictor):
    texts, probabilities = of_record(gated_run)
    expected = scaled(probabilities, predictor.temperature)
    np.testing.assert_allclose(predictor.predict_proba(texts), expected, atol=1e-5)
    best = [predictor.labels[i] for i in expected.argmax(axis=1)]
    assert predictor.predict(texts) == best
    answer = predictor(texts[0])
    assert (answer["label"], answer["flag"]) == (best[0], "")
    assert answer["confidence"] == pytest.approx(expected[0].max(), abs=1e-5)
    assert list(answer["probabilities"]) == predictor.labels


@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "of an older record"])
def test_the_temperature_is_the_best_of_the_validation_split(gated_run, tmp_path, is_recorded):
    directory = tmp_path / "run"
    shutil.copytree(gated_run, directory)
    rows = pd.read_csv(directory / record.PREDICTIONS)
    labels = record.read_run(directory)["corpus"]["labels"]
    # That a model is not always right decides how sure it should be. Earlier records hold no
    # temperature, and it is fitted when the model is loaded.
    if not is_recorded:
        other = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
        rows.loc[::3, "label"] = rows["label"].map(other)[::3]
        rows.to_csv(directory / record.PREDICTIONS, index=False)
        run = json.loads((directory / record.RUN).read_text())
        del run["temperature"]
        (directory / record.RUN).write_text(json.dumps(run))
    rows = rows[rows["split"] == "val"]
    own = [labels.index(label) for label in rows["label"]]

    def log_loss(temperature):
        values = scaled(rows[probability_columns(labels)].to_numpy(), temperature)
        return -np.log(values[range(len(own)), own]).mean()

    found = Predictor.load(directory).temperature
    # A model that is right on all of the few texts is best at the end of the range: no temperature
    # within it may be better, and those well beside it are worse.
    tried = [log_loss(temperature) for temperature in np.geomspace(0.05, 20, 400)]
    assert log_loss(found) <= min(tried) + 1e-5
    assert log_loss(4 * found) > log_loss(found)


def test_what_is_no_text_is_answered_and_nothing_is_dropped(predictor):
    answers = predictor(["we sang", "", "it was dark", " \t ", "\u200b"])
    assert [answer["flag"] for answer in answers] == ["", "empty", "", "empty", "empty"]
    assert answers[1] == {"label": "", "confidence": None, "probabilities": None, "flag": "empty"}
    assert answers[0]["label"] == predictor("we sang")["label"]
    assert answers[2]["probabilities"] == pytest.approx(
        predictor("it was dark")["probabilities"], abs=1e-6
    )
    assert predictor([]) == []
    assert np.isnan(predictor.predict_proba(["", "we sang"])).tolist() == [[True] * 3, [False] * 3]
    assert predictor.predict([""]) == [""]


def test_texts_are_cleaned_as_in_training(predictor):
    typed = predictor("We &quot;sang&quot; \u2014 it was\x07 dark\u2026")
    assert typed == predictor('We "sang" - it was dark...')


def test_half_a_character_is_no_error(predictor):
    assert predictor("we sang \ud83d")["flag"] == ""


def test_a_long_text_is_cut_and_said_to_be(predictor):
    short, long = predictor(["we sang", LONG])
    assert (short["flag"], long["flag"]) == ("", "truncated")
    # [CLS], 14 tokens and [SEP] are read.
    ids = predictor.model.input.encode([LONG], 1000).values.tolist()
    read = Sequences.from_list([[*ids[:15], ids[-1]]])
    expected = scaled(predictor.model.outputs(read).probabilities[0], predictor.temperature)
    np.testing.assert_allclose(list(long["probabilities"].values()), expected, atol=1e-5)


@pytest.mark.each_backend
def test_windows_of_a_long_text_are_averaged_by_their_tokens(predictor):
    short, long = predictor(["we sang", LONG], long="split")
    assert (short["flag"], long["flag"]) == ("", "split")
    assert short["probabilities"] == pytest.approx(predictor("we sang")["probabilities"], abs=1e-6)
    start, *inner, end = predictor.model.input.encode([LONG], 1000).values.tolist()
    windows = [[start, *inner[i : i + 14], end] for i in range(0, len(inner), 14)]
    assert len(windows) > 2
    found = [predictor.model.outputs(Sequences.from_list([w])).probabilities[0] for w in windows]
    mean = np.average(found, axis=0, weights=[len(window) for window in windows])
    np.testing.assert_allclose(
        list(long["probabilities"].values()), scaled(mean, predictor.temperature), atol=1e-5
    )


@pytest.mark.each_backend
def test_words_are_those_of_the_run(gated_run, predictor):
    texts, _ = of_record(gated_run)
    gates = pd.read_csv(gated_run / record.GATES, na_filter=False)
    of_first = gates[gates["id"] == gates["id"].iloc[0]]
    answer = predictor(texts, explain=True)[0]
    words = answer["words"]
    assert [word["word"] for word in words] == of_first["word"].tolist()
    for key in ("gate", "contribution"):
        kept = [float(value) if value else None for value in of_first[key].astype(str)]
        assert [word[key] for word in words] == [
            None if value is None else pytest.approx(value, abs=1e-5) for value in kept
        ]
    assert answer["score"] == pytest.approx(float(of_first["score"].iloc[0]), abs=1e-5)
    added = sum(word["contribution"] or 0 for word in words)
    assert answer["score"] == pytest.approx(added + answer["rest"])
    empty = predictor("", explain=True)
    assert empty["words"] == [] and empty["rest"] is empty["score"] is None


def test_a_predictor_knows_whether_its_words_matter(gated_run, predictor, tmp_path):
    assert predictor.faithfulness == in_words(read_faithfulness(gated_run))
    assert list(predictor.faithfulness) == ["contribution", "gate"]
    directory = shutil.copytree(gated_run, tmp_path / gated_run.name)
    (directory / record.FAITHFULNESS).unlink()
    assert Predictor.load(directory).faithfulness == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"long": "fold"}, "long is one of truncate, split.*long='fold'"),
        ({"explain": True, "long": "split"}, "no sum over words"),
    ],
)
def test_what_cannot_be_answered_is_told(predictor, options, message):
    with pytest.raises(UserError, match=message):
        predictor("we sang", **options)


def test_a_model_without_gate_answers_and_does_not_explain(fit):
    predictor = Predictor.load(fit(model="transformer"))
    assert predictor("we sang")["label"] in predictor.labels
    assert not predictor.can_explain
    with pytest.raises(UserError, match="transformer@scratch cannot be explained"):
        predictor("we sang", explain=True)


def test_a_presets_text_is_cut_and_averaged_too(fit, toy_roberta):
    predictor = Predictor.load(fit(encoder=str(toy_roberta), num_layers=0))
    text = "we" + " hid" * 19
    assert predictor(text)["flag"] == "truncated"
    windows, _ = predictor.model.input.windows([text])
    # Of twenty words, 24 and then 29 again and again, between <s> 0 and </s> 2.
    assert windows.take([0]).values.tolist() == [0, 24, *[29] * 13, 2]
    assert windows.take([1]).values.tolist() == [0, *[29] * 6, 2]
    assert predictor(text, long="split")["flag"] == "split"


def test_an_baseline_reads_texts_of_any_length(fit, toy):
    for name in set(toy) - {"data", "runs_dir", "precision"}:
        toy.pop(name)
    directory = fit(model="tfidf_logistic")
    predictor = Predictor.load(directory)
    texts, probabilities = of_record(directory)
    expected = scaled(probabilities, predictor.temperature)
    np.testing.assert_allclose(predictor.predict_proba(texts), expected, atol=1e-5)
    assert predictor(LONG)["flag"] == ""


def test_a_run_says_unsure_below_a_threshold_which_can_be_asked_for_by_accuracy(
    gated_run, predictor
):
    texts, _ = of_record(gated_run)
    answers = predictor(texts)
    middle = sorted(answer["confidence"] for answer in answers)[len(answers) // 2]
    found = predictor(texts, min_confidence=middle)
    for one, other in zip(found, answers, strict=True):
        is_sure = other["confidence"] >= middle
        assert one == other | {
            "label": other["label"] if is_sure else "unsure",
            "guess": other["label"],
        }
    assert predictor.predict(texts, min_confidence=middle) == [one["label"] for one in found]
    threshold = predictor.threshold_for(0.4)
    answered = [one for one in answers if one["confidence"] >= threshold.min_confidence]
    rows = pd.read_csv(gated_run / record.PREDICTIONS)
    truth = rows[rows["split"] == "test"]["label"]
    right = [
        one["label"] == label
        for one, label in zip(answers, truth, strict=True)
        if one["confidence"] >= threshold.min_confidence
    ]
    assert threshold.answered == pytest.approx(len(answered) / len(answers))
    assert threshold.accuracy == pytest.approx(np.mean(right))


def test_texts_unlike_the_training_split_are_flagged(gated_run, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(gated_run, directory)
    known = dict.fromkeys("we laughed at home".split(), 20)
    Familiarity(TextInput, known, average=1.5, limit=2.0).save(directory)
    predictor = Predictor.load(directory)
    # Letters that the model knows, in words that it has not learned from.
    strange = "import numpy "
    assert predictor("We laughed")["flag"] == ""
    assert predictor(strange)["flag"] == "unfamiliar"
    assert predictor(strange * 9)["flag"] == "truncated, unfamiliar"
    assert predictor(strange * 9, long="split")["flag"] == "split, unfamiliar"
    assert predictor("")["flag"] == "empty"


def test_a_run_learns_which_words_are_familiar_where_there_are_enough_texts(fit, toy, monkeypatch):
    for name in set(toy) - {"data", "runs_dir", "precision"}:
        toy.pop(name)
    # Of the toy corpus 12 texts are in the validation split.
    assert Predictor.load(fit(model="majority")).familiarity is None
    monkeypatch.setattr(familiarity, "_FEWEST_EXAMPLES", 12)
    predictor = Predictor.load(fit(model="majority", seed=1))
    assert predictor("import numpy as np")["flag"] == "unfamiliar"


def test_a_folder_that_holds_no_model_is_told(tmp_path):
    with pytest.raises(UserError, match="no folder"):
        Predictor.load(tmp_path / "nothing")
    with pytest.raises(UserError, match="no finished run"):
        Predictor.load(tmp_path)
    record.write_versioned(tmp_path / record.EXPORT, {"format": "litert"})
    with pytest.raises(UserError, match="format litert"):
        Predictor.load(tmp_path)
