"""Vectors and probabilities of several modalities together, against scikit-learn and NumPy."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emotion_keras.data.noise import perturb
from emotion_keras.inputs import SpeechInput, find_modality
from emotion_keras.models.frequent_words import FrequentWords
from emotion_keras.models.fused_vectors import FusedVectors, LateFusion, mean_probabilities
from emotion_keras.models.mfcc_statistics import MfccStatistics

RNG = np.random.default_rng(0)
CLASS_IDS = np.arange(60) % 3
VECTORS = np.eye(3)[CLASS_IDS] + RNG.normal(size=(60, 3))
WORDS = ["joy sun", "dark alone", "rude lie"]
TEXTS = [WORDS[i] if RNG.random() < 0.7 else WORDS[RNG.integers(3)] for i in CLASS_IDS]
CELLS = [
    json.dumps({"text": text, "features": json.dumps(vector.tolist())})
    for text, vector in zip(TEXTS, VECTORS, strict=True)
]
MODALITY = "text+features"


def without(cell, name):
    return json.dumps({key: value for key, value in json.loads(cell).items() if key != name})


def fitted(vectors, class_ids, C=0.5):
    regression = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=5000))
    return regression.fit(vectors, class_ids)


def test_vectors_stand_side_by_side_and_what_is_missing_is_the_mean():
    fused = FusedVectors(MODALITY)
    found = fused.fit_transform(CELLS)
    words = FrequentWords().fit_transform(TEXTS)
    np.testing.assert_allclose(found, np.concatenate([words, VECTORS], axis=1))
    np.testing.assert_allclose(fused.transform(CELLS[:2]), found[:2])
    changed = fused.transform([CELLS[0], without(CELLS[0], "features"), without(CELLS[1], "text")])
    np.testing.assert_allclose(changed[0], found[0])
    np.testing.assert_allclose(changed[1], [*words[0], *VECTORS.mean(axis=0)])
    np.testing.assert_allclose(changed[2], [*words.mean(axis=0), *VECTORS[1]])


@pytest.fixture(scope="module")
def late():
    return LateFusion(MODALITY, C=0.5, seed=0).fit(CELLS, CLASS_IDS)


def test_late_fusion_is_the_weighted_mean_of_regressions(late):
    of_modalities = FrequentWords().fit_transform(TEXTS), VECTORS
    alone = [fitted(vectors, CLASS_IDS).predict_proba(vectors) for vectors in of_modalities]
    assert late.weights_.sum() == pytest.approx(1) and (late.weights_ > 0).all()
    expected = late.weights_[0] * alone[0] + late.weights_[1] * alone[1]
    np.testing.assert_allclose(late.predict_proba(CELLS), expected, atol=1e-4)
    assert late.predict(CELLS).tolist() == expected.argmax(axis=1).tolist()
    # Of three classes a coefficient for each of six words and three numbers, and a constant each.
    assert late.num_parameters_ == 3 * (6 + 1) + 3 * (3 + 1) + 2
    missing = late.predict_proba([without(CELLS[0], "text"), without(CELLS[1], "features")])
    np.testing.assert_allclose(missing, [alone[1][0], alone[0][1]], atol=1e-4)


def test_a_modality_that_says_nothing_counts_little():
    noise = [
        json.dumps({"text": WORDS[i], "features": json.dumps(RNG.normal(size=3).tolist())})
        for i in CLASS_IDS
    ]
    weights = LateFusion(MODALITY, C=0.5, seed=0).fit(noise, CLASS_IDS).weights_
    assert weights[0] > 0.8


def test_recordings_with_noise_are_heard_with_it():
    modality = find_modality("speech+features")
    cells = [
        json.dumps({"speech": SpeechInput.samples[i % 2], "features": f"[{i // 2}, {i // 4}]"})
        for i in range(20)
    ]
    class_ids = np.arange(20) % 2
    late = LateFusion("speech+features", C=1e-4, seed=0).fit(cells, class_ids)
    fused = FusedVectors("speech+features").fit(cells)
    noisy = perturb(cells[:4], "white_noise", 0.01, modality=modality)
    of_speech = MfccStatistics().transform([modality.split(cell)[0] for cell in noisy])
    np.testing.assert_allclose(fused.transform(noisy)[:, :-2], of_speech)
    assert np.abs(of_speech - fused.transform(cells[:4])[:, :-2]).max() > 1
    heard = MfccStatistics().transform([modality.split(cell)[0] for cell in cells])
    numbers = np.stack([np.arange(20) // 2, np.arange(20) // 4], axis=1).astype(float)
    assert late.weights_[0] > 0.5  # The numbers say nothing.
    expected = [
        fitted(heard, class_ids, C=1e-4).predict_proba(of_speech),
        fitted(numbers, class_ids, C=1e-4).predict_proba(numbers[:4]),
    ]
    expected = mean_probabilities(expected, late.weights_)
    np.testing.assert_allclose(late.predict_proba(noisy), expected, atol=1e-6)
    late.fit([*noisy, *cells[4:]], class_ids)
    assert (late.predict_proba(noisy) != expected).any()


def test_a_weight_of_0_still_answers_where_nothing_else_is():
    first = np.array([[0.9, 0.1], [np.nan, np.nan]])
    second = np.array([[0.2, 0.8], [0.3, 0.7]])
    found = mean_probabilities([first, second], np.array([1.0, 0.0]))
    np.testing.assert_allclose(found, [[0.9, 0.1], [0.3, 0.7]], atol=1e-5)


def test_words_of_scripts_without_blanks_are_words():
    texts = ["我很高兴", "我很害怕"]
    # Of the characters two are in both texts.
    assert FrequentWords().fit_transform(texts).shape == (2, 6)
