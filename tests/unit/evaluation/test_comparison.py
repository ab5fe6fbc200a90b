"""A study of made-up runs, compared; expected values by scikit-learn and by hand."""

import gzip

import numpy as np
import pytest

from emotion_keras import record
from emotion_keras.evaluation.comparison import compare_runs
from emotion_keras.evaluation.predictions import (
    read_attributes,
    read_groups,
    write_groups,
    write_predictions,
)
from emotion_keras.evaluation.significance import holm, paired_difference
from emotion_keras.targets import SingleLabel
from emotion_keras.targets.metrics import classification_metrics

LABELS = ["anger", "fear", "joy"]


def make_run(make_record, folder, model, seed, skill, encoder=None):
    """Writes a run that is right on a share of texts; returns where it is right on the test split.

    The same texts are hard for all models, so that their verdicts go together.
    """
    rng = np.random.default_rng([seed, int(100 * skill)])
    hardness = np.random.default_rng(0).random(400)
    label_ids = np.random.default_rng(1).integers(3, size=400)
    right = hardness + 0.1 * rng.random(400) < skill
    predicted = np.where(right, label_ids, (label_ids + 1) % 3)
    probabilities = np.full((400, 3), 0.1) + 0.7 * np.eye(3)[predicted]
    splits, metrics = {}, {}
    for name, part in (("val", slice(0, 100)), ("test", slice(100, 400))):
        metrics[name] = classification_metrics(label_ids[part], probabilities[part], LABELS)
        cells = [LABELS[i] for i in label_ids[part]]
        splits[name] = [str(i) for i in range(400)[part]], cells, probabilities[part]
    directory = folder / f"{model}-{encoder}-{seed}"
    directory.mkdir()
    write_predictions(directory, SingleLabel(LABELS), splits)
    run = make_record(
        LABELS,
        model=model,
        seed=seed,
        inputs={"encoder": encoder} if encoder else {},
        metrics=metrics,
    )
    record.write_run(directory, run | {"cost": {**run["cost"], "seconds": 10.0 + seed}})
    return right[100:]


@pytest.fixture
def study(make_record, tmp_path):
    right = {
        "cnn@scratch": [
            make_run(make_record, tmp_path, "cnn", seed, 0.7, "scratch") for seed in range(3)
        ],
        "majority": [make_run(make_record, tmp_path, "majority", seed, 0.3) for seed in range(3)],
        "lstm@scratch": [
            make_run(make_record, tmp_path, "lstm", seed, 0.69, "scratch") for seed in range(3)
        ],
    }
    return record.find_runs(tmp_path), {name: np.array(value) for name, value in right.items()}


def test_contenders_are_ordered_by_their_mean_accuracy(study):
    directories, right = study
    rows = compare_runs(directories)["contenders"]
    assert [row["name"] for row in rows] == ["cnn@scratch", "lstm@scratch", "majority"]
    for row in rows:
        assert row["accuracy"]["mean"] == pytest.approx(right[row["name"]].mean())
        assert row["num_runs"] == 3
        assert row["cost"]["seconds"] == 11


def test_differences_are_those_of_the_statistics(study):
    directories, right = study
    rows = {
        row["name"]: row for row in compare_runs(directories, reference="cnn@scratch")["contenders"]
    }
    assert "difference" not in rows["cnn@scratch"]
    for name in ("majority", "lstm@scratch"):
        found = rows[name]["difference"]
        expected = paired_difference(right[name], right["cnn@scratch"])
        for key, value in expected._asdict().items():
            assert found[key] == pytest.approx(value)
    assert rows["majority"]["difference"]["resolved"]
    assert not rows["lstm@scratch"]["difference"]["resolved"]
    p_values = [rows[name]["difference"]["p_value"] for name in ("majority", "lstm@scratch")]
    corrected = [rows[name]["difference"]["p_holm"] for name in ("majority", "lstm@scratch")]
    assert corrected == pytest.approx(holm(p_values))


def test_of_many_differences_one_is_resolved_only_after_the_correction(make_record, tmp_path):
    # The p-value of `a` against `b` is 0.012; that one of six is so small has a chance of 0.07.
    for name, skill in zip("abcdefg", (0.7, 0.66, *[0.69] * 5), strict=True):
        for seed in range(2):
            make_run(make_record, tmp_path, name, seed, skill)
    directories = record.find_runs(tmp_path)
    alone = compare_runs([p for p in directories if p.name[0] in "ab"], "a")["contenders"]
    beside = compare_runs(directories, "a")["contenders"]
    (alone,), (beside,) = (
        [row["difference"] for row in rows if row["name"] == "b"] for rows in (alone, beside)
    )
    assert alone["resolved"] and alone["p_holm"] == alone["p_value"] == beside["p_value"]
    assert beside["p_holm"] > 0.05 and not beside["resolved"]


def test_texts_of_one_group_count_together(study):
    directories, right = study
    apart = {row["name"]: row for row in compare_runs(directories, "cnn@scratch")["contenders"]}
    # One run's folder says it for all.
    groups = np.arange(300) // 10
    write_groups(directories[0], [str(i) for i in range(100, 400)], groups.tolist())
    comparison = compare_runs(directories, "cnn@scratch")
    assert comparison["grouped"]
    rows = {row["name"]: row for row in comparison["contenders"]}
    for name in ("majority", "lstm@scratch"):
        expected = paired_difference(right[name], right["cnn@scratch"], groups)
        assert rows[name]["difference"]["low"] == pytest.approx(expected.low)
        assert rows[name]["difference"]["low"] != apart[name]["difference"]["low"]
    for name, row in rows.items():
        assert row["accuracy"]["mean"] == apart[name]["accuracy"]["mean"]
        assert row["accuracy"]["low"] != apart[name]["accuracy"]["low"]
        spread = right[name].mean(axis=1).std(ddof=1)
        assert row["accuracy"]["spread"] == pytest.approx(spread)


def test_groups_and_attributes_are_read_as_they_were_written_compressed_or_not(tmp_path):
    assert read_groups(tmp_path) == {} and read_attributes(tmp_path).empty
    write_groups(tmp_path, ["1", "2"], [7, 8], {"field of study": ["law", ""], "n": ["NA", "x,y"]})
    path = tmp_path / record.GROUPS
    for _ in range(2):
        assert read_groups(tmp_path) == {"1": "7", "2": "8"}
        found = read_attributes(tmp_path)
        assert found.to_dict("index") == {
            "1": {"field of study": "law", "n": "NA"},
            "2": {"field of study": "", "n": "x,y"},
        }
        if path.exists():
            with gzip.open(f"{path}.gz", "wb") as file:
                file.write(path.read_bytes())
            path.unlink()
    write_groups(tmp_path, ["1"], None, {"sex": ["f"]})
    assert read_groups(tmp_path) == {} and read_attributes(tmp_path)["sex"].tolist() == ["f"]
    write_groups(tmp_path, ["1"], [3])  # As records without attributes are.
    assert read_groups(tmp_path) == {"1": "3"} and read_attributes(tmp_path).columns.empty


def test_temperature_is_fitted_on_validation(study):
    directories, _ = study
    (cnn, *_) = compare_runs(directories)["contenders"]
    # The model says 0.8, and is right a little less often: cooling down lowers the log loss.
    assert cnn["calibrated"]["temperature"] > 1
    assert cnn["calibrated"]["log_loss"] < cnn["log_loss"]["mean"]
    assert sum(cnn["reliability"]["num_texts"]) == 900
