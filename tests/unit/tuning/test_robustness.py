"""Noise in the texts of several labels, decided by the thresholds of the model that is tested."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics

from emotion_keras.evaluation.sensitivity import read_noise
from emotion_keras.inputs import TextInput
from emotion_keras.targets import MultiLabel
from tuning.robustness import measure_robustness

TRUTH = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], "float32")
PROBABILITIES = np.array([[0.3, 0.1], [0.1, 0.8], [0.3, 0.6], [0.1, 0.65]])


def test_labels_hold_from_the_thresholds_of_the_model_on(tmp_path, monkeypatch):
    model = SimpleNamespace(
        target=MultiLabel(["joy", "fear"], [0.2, 0.7]), probabilities=lambda cells: PROBABILITIES
    )
    monkeypatch.setattr("emotion_keras.inference.load.load_model", lambda directory: model)
    dataset = SimpleNamespace(
        cells=lambda split: ["we laughed", "it was dark", "a storm at sea", "a day"],
        truth=lambda split: TRUTH,
        # What data know of labels: no thresholds.
        corpus=SimpleNamespace(target=MultiLabel(["joy", "fear"]), modality=TextInput),
    )
    measure_robustness(tmp_path, [("typos", 0.5)], dataset)
    (row,) = read_noise(tmp_path)
    said = PROBABILITIES >= [0.2, 0.7]
    assert row["macro_f1"] == pytest.approx(metrics.f1_score(TRUTH, said, average="macro"))
    assert row["accuracy"] == metrics.accuracy_score(TRUTH, said) == 0.75
