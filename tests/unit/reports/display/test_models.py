import itertools

import pytest

from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from reports.display.models import look_of, name_of


@pytest.mark.parametrize(
    "contender, name",
    [
        ("gated_transformer@minilm", "Gated Transformer (MiniLM)"),
        ("cnn@scratch", "CNN (from scratch)"),
        ("transformer@embeddings", "Transformer (pretrained vectors)"),
        ("gated_transformer@resemblyzer+scratch", "Gated Transformer (Resemblyzer + from scratch)"),
        ("tfidf_svm", "TF-IDF + SVM"),
        ("fusion_logistic", "Early fusion + logistic regression"),
        ("late_logistic", "Late fusion"),
        # What nobody has named here stays as it is.
        ("bert@models/a+b", "BERT (models/a+b)"),
        ("sigmoid@minilm", "sigmoid (MiniLM)"),
        ("most_frequent", "most_frequent"),
    ],
)
def test_a_contender_has_one_name_for_readers(contender, name):
    assert name_of(contender) == name


def test_every_model_and_baseline_has_a_name_of_its_own():
    names = [name_of(name) for name in (*MODELS, *BASELINES)]
    assert len(set(names)) == len(names) and not [name for name in names if "_" in name]


def test_colours_tell_models_apart_and_markers_encoders():
    encoders = ("scratch", "minilm", "embeddings")
    for encoder in encoders:
        colours = [look_of(f"{model}@{encoder}")["color"] for model in MODELS]
        assert len(set(colours)) == len(MODELS)
    for model in MODELS:
        looks = [look_of(f"{model}@{encoder}") for encoder in encoders]
        assert len({look["color"] for look in looks}) == 1
        assert len({look["marker"] for look in looks}) == len(encoders)
    every = [*(f"{m}@{e}" for m, e in itertools.product(MODELS, encoders)), "tfidf_svm"]
    assert len({(look_of(one)["color"], look_of(one)["marker"]) for one in every}) == len(every)
