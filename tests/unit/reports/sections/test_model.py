import numpy as np
import pytest
import yaml

from emotion_keras.evaluation import card
from reports.records import read_records
from reports.scores import score_runs
from reports.sections.model import best_run, model_card


@pytest.fixture
def part(tmp_path, make_run):
    make_run(tmp_path / "fit", "cnn@scratch")
    return read_records(tmp_path).parts[0]


def metadata(card):
    _, head, body = card.split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_model_card_has_the_metadata_of_hugging_face(part):
    found, body = metadata(model_card(part.runs))
    assert found["library_name"] == "keras"
    assert found["pipeline_tag"] == "text-classification"
    assert found["license"] == "cc0-1.0" and found["datasets"] == ["days"]
    (model,) = found["model-index"]
    (result,) = model["results"]
    test = part.runs[0].test
    assert {m["type"]: m["value"] for m in result["metrics"]} == {
        "accuracy": test["accuracy"],
        "f1": test["macro_f1"],
        "roc_auc": test["auc"],
    }
    for heading in ("Purpose", "Metrics", "Limits", "Ethics", "Data and licence", "Made with"):
        assert f"## {heading}" in body
    # One run of 90 texts: Student's t of 89 degrees of freedom at 97.5 % is 1.98698.
    half = 1.98698 * np.sqrt(test["accuracy"] * (1 - test["accuracy"]) / 89)
    low, high = (100 * (test["accuracy"] + sign * half) for sign in (-1, 1))
    assert f"| Accuracy | {100 * test['accuracy']:.1f} ({low:.1f} to {high:.1f}) |" in body
    assert "how much another seed would change is not known" in body


def test_a_card_of_several_runs_has_their_mean_with_its_interval(tmp_path, make_run):
    for seed in range(3):
        make_run(tmp_path / "fit", "cnn@scratch", seed)
    runs = read_records(tmp_path).parts[0].runs
    _, body = metadata(model_card(runs))
    found = score_runs(runs)["accuracy"]
    best = best_run(runs).test["accuracy"]
    (row,) = [line for line in body.splitlines() if line.startswith("| Accuracy")]
    ends = f"({100 * found.low:.1f} to {100 * found.high:.1f})"
    assert row == f"| Accuracy | {100 * best:.1f} | {100 * found.mean:.1f} {ends} |"
    assert "95 % intervals over texts and seeds" in body


def test_a_card_says_when_the_model_is_to_be_relied_on(tmp_path, make_run):
    for seed in range(2):
        make_run(tmp_path / "fit", "cnn@scratch", seed, skill=0.99)
    runs = read_records(tmp_path).parts[0].runs
    _, body = metadata(model_card(runs))
    section = body.split("## When to answer")[1].split("## Limits")[0]
    found = score_runs(runs)["accuracy"]
    # Where all is answered it is the accuracy of before.
    ends = f"({100 * found.low:.1f} to {min(100 * found.high, 100):.1f})"
    assert f"| 100 | {100 * found.mean:.1f} {ends} |" in section
    assert "of 2 runs" in section and "With `--target-accuracy 0.9`" in section
    for run in runs:
        (run.directory / "predictions.csv").unlink()
    _, body = metadata(model_card(read_records(tmp_path).parts[0].runs))
    assert "When to answer" not in body


@pytest.mark.parametrize("name, library", [("tfidf_logistic", "sklearn"), ("cnn@scratch", "keras")])
def test_the_model_card_names_the_library_that_loads_the_model(tmp_path, make_run, name, library):
    make_run(tmp_path / "fit", name)
    found, body = metadata(model_card(read_records(tmp_path).parts[0].runs))
    assert found["library_name"] == library
    assert ("trained with scikit-learn" in body) is (library == "sklearn")


@pytest.mark.parametrize(
    "corpus, is_said, is_not",
    [
        ("isear", "answers to a questionnaire", "invented"),
        ("situations", "with the help of a language model", "questionnaire"),
        ("reviews", "of another kind than those of its corpus", "questionnaire"),
    ],
)
def test_the_model_card_says_where_the_texts_are_from(tmp_path, make_run, corpus, is_said, is_not):
    make_run(tmp_path / "fit", "cnn@scratch", corpus=corpus)
    _, body = metadata(model_card(read_records(tmp_path).parts[0].runs))
    assert is_said in body and is_not not in body


def test_a_licence_that_is_not_known_is_told_as_it_is(part, change):
    directory = part.runs[0].directory
    corpus = {**part.runs[0].record["corpus"], "licence": 'mine: "all" rights', "name": "a: b #c"}
    change(directory, corpus=corpus)
    runs = read_records(directory.parent).parts[0].runs
    found, _ = metadata(model_card(runs))
    assert found["license"] == "other" and found["license_name"] == 'mine: "all" rights'
    assert found["datasets"] == ["a: b #c"]


def test_the_best_run_is_so_on_validation(runs_dir):
    runs = [r for r in read_records(runs_dir / "comparison").parts[0].runs if "cnn" in r.name]
    best = best_run(runs)
    accuracies = [run.record["metrics"]["val"]["accuracy"] for run in runs]
    assert best is runs[int(np.argmax(accuracies))]


def of(run, modality, name):
    """A run's record as if it were of another modality and corpus."""
    reading = {**run.record["corpus"].get("reading", {}), "modality": modality}
    return {**run.record, "corpus": {**run.record["corpus"], "reading": reading, "name": name}}


@pytest.mark.parametrize(
    "modality, name, task, facts",
    [
        ("speech", "ravdess", "audio-classification", ("24 professional actors", "voice")),
        ("image", "fer2013", "image-classification", ("65 of 100", "face")),
        ("features", "mine", "tabular-classification", ("Of vectors of another kind", "numbers")),
    ],
)
def test_the_card_of_a_voice_or_a_face_says_what_the_law_forbids(part, modality, name, task, facts):
    run = part.runs[0]
    record = of(run, modality, name)
    found, body = metadata(card.model_card(record, score_runs([run]), 1, "python ..."))
    assert found["pipeline_tag"] == found["model-index"][0]["results"][0]["task"]["type"] == task
    assert "Regulation 2024/1689, article 5" in body
    assert all(fact in body for fact in facts)
    assert " texts " not in body.replace("writes about texts", "")
