"""Answers that say where a model is unsure."""

from emotion_keras.inference.unsure import mark_unsure


def test_only_labels_below_the_threshold_change():
    answers = [
        {"label": "joy", "confidence": 0.5, "flag": "truncated"},
        {"label": "fear", "confidence": 0.49, "flag": ""},
        {"label": "", "confidence": None, "flag": "empty"},
    ]
    assert mark_unsure(answers, 0.5) == [
        {**answers[0], "guess": "joy"},
        {"label": "unsure", "confidence": 0.49, "flag": "", "guess": "fear"},
        {**answers[2], "guess": ""},
    ]
