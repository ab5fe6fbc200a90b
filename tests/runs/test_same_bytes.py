"""The same command makes the same bytes, whatever else the process has drawn at random."""

import random

import numpy as np
import pytest

from emotion_keras import record
from emotion_keras.inference.load import load_model
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import baselines_of
from emotion_keras.record.options import option_names
from emotion_keras.training.options import RunOptions
from emotion_keras.training.run import fit
from emotion_keras.training.settings import stage_classes


def weights(model, texts):
    """All weights of a network; of an estimator its probabilities as it computes them."""
    if hasattr(model, "network"):
        return model.network.get_weights()
    return [model.estimator.predict_proba(texts)]


NETWORKS = [pytest.param(name, marks=pytest.mark.each_backend) for name in MODELS]


@pytest.mark.parametrize("model", [*baselines_of("text"), *NETWORKS])
def test_the_same_command_makes_the_same_bytes(model, toy, toy_bert, corpus_path, tmp_path):
    toy["epochs"] = 1
    known = {*option_names(stage_classes(model).values()), *RunOptions.names()}
    options = {name: value for name, value in toy.items() if name in known}
    if model == "bert":
        options["encoder"] = str(toy_bert)
    runs = []
    for chance in (1, 2):
        random.seed(chance)
        np.random.seed(chance)
        runs.append(
            fit(model=model, **options, runs_dir=str(tmp_path / str(chance)), notify=lambda _: None)
        )
    first, second = runs
    assert (first / record.PREDICTIONS).read_bytes() == (second / record.PREDICTIONS).read_bytes()
    texts = corpus_path.read_text().splitlines()
    for a, b in zip(*(weights(load_model(run), texts) for run in runs), strict=True):
        np.testing.assert_array_equal(a, b)
