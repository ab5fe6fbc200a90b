"""What is written of speech, faces and both, against the records that are published."""

import re
from pathlib import Path

import pandas as pd
import pytest

from emotion_keras import record
from emotion_keras.evaluation.comparison import contender, correct_by_text, difference_of
from emotion_keras.evaluation.predictions import read_predictions

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "reports" / "published"
TEXT = " ".join((ROOT / "emotion_keras" / "README.md").read_text(encoding="utf-8").split())


def runs(study, name):
    found = [path.parent for path in sorted((PUBLISHED / study).glob("*/run.json"))]
    return [one for one in found if contender(record.read_run(one)) == name]


def accuracy(study, name):
    found = [record.read_run(one)["metrics"]["test"]["accuracy"] for one in runs(study, name)]
    return sum(found) / len(found)


def correct(study, name):
    frames = []
    for directory in runs(study, name):
        run = record.read_run(directory)
        frames.append(read_predictions(directory, run).assign(seed=run["seed"]))
    return correct_by_text(frames)


RESEMBLYZER, BOTH = "gated_transformer@resemblyzer", "gated_transformer@resemblyzer+scratch"


@pytest.mark.parametrize(
    ("study", "name", "said"),
    [
        ("ravdess/comparison", RESEMBLYZER, r"labels (66\.6) ±5\.0 %"),
        ("ravdess/scratch", "gated_transformer@scratch", r"from scratch (54\.2) ±5\.0 %"),
        ("ravdess_fused/comparison", BOTH, r"labels (75\.0) ±5\.1 % of the clips"),
        ("ravdess_fused/comparison", "fusion_svm", r"`fusion_svm` (66\.2)\."),
        (
            "ravdess_action_units/comparison",
            "gated_transformer@scratch",
            r"action units alone (57\.1) ",
        ),
        ("ravdess_action_units/comparison", "features_svm", r"`features_svm` (59\.5)\)"),
        ("fer2013/official_split", "gated_transformer@scratch", r"labels (61\.1) ±1\.6 %"),
        ("fer2013/official_split", "hog_logistic", r"`hog_logistic` (43\.5) ±1\.6 %"),
    ],
)
def test_accuracies_are_those_of_published_runs(study, name, said):
    (found,) = re.findall(said, TEXT)
    assert f"{100 * accuracy(study, name):.1f}" == found


@pytest.mark.parametrize(
    ("study", "name", "sign", "said"),
    [
        ("ravdess/comparison", RESEMBLYZER, 1, "it is 8.6 points (5.3 to 11.9) ahead"),
        (
            "ravdess_fused/comparison",
            "transformer@resemblyzer+scratch",
            1,
            "resolved: -0.6 points (-2.6 to 1.5)",
        ),
    ],
)
def test_differences_are_paired_by_clip_over_actors(study, name, sign, said):
    assert said in TEXT
    fused = correct("ravdess_fused/comparison", BOTH)
    # The last number of a clip's name is its actor.
    actors = {clip: clip.rpartition("-")[2] for clip in fused.index}
    found = difference_of(fused, correct(study, name), actors)
    numbers = [f"{100 * value:.1f}" for value in (found.difference, found.low, found.high)]
    assert re.findall(r"-?\d+\.\d", said) == numbers


@pytest.mark.parametrize(
    ("missing", "said"),
    [("speech", "Without the recording it keeps 56.1 %"), ("features", "action units 60.7 %")],
)
def test_what_is_left_without_a_modality(missing, said):
    assert said in TEXT
    shares = []
    for directory in runs("ravdess_fused/comparison", BOTH):
        kept = pd.read_csv(directory / record.MODALITIES, dtype=str).set_index("id")
        rows = read_predictions(directory, record.read_run(directory))
        truth = rows[rows["split"] == "test"].set_index("id")["label"]
        shares.append((kept[f"without:{missing}"] == truth[kept.index]).mean())
    assert f"{100 * sum(shares) / len(shares):.1f}" in said
