"""Numbers that options accept: the ends of each limit, and that each is refused before training."""

from dataclasses import fields

import numpy as np
import pytest

from emotion_keras.data.options import DATA_STAGES
from emotion_keras.errors import UserError
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.serve import AddressOptions
from emotion_keras.service.options import ServiceOptions
from emotion_keras.training.options import RunOptions
from emotion_keras.training.run import fit
from emotion_keras.training.settings import stage_classes

ACCEPTED = {
    "seed": [0, 2**32 - 1],
    "sequence_length": [3],
    "vocabulary_size": [5],
    "num_layers": [0, 4],
    "patience": [0],
    "filter_widths": [(1,), [3, 4]],
    "dropout": [0.0, 0.99],
    "warmup": [0.0, 1.0],
    "learning_rate": [1e-9],
    "clip_norm": [0.0],
    "C": [0.1],
    "split_seed": [0],
    "test_size": [0.01, 0.99],
    "train_fraction": [0.01, 1.0],
    "folds": [2],
    "epochs": [1],
    "port": [0, 65535],
    "max_queue": [1],
    "client_seconds": [0.1],
}
REFUSED = {
    "seed": [-1, 2**32],
    "sequence_length": [2],
    "vocabulary_size": [4],
    "num_layers": [-1],
    "patience": [-1],
    "filter_widths": [(), (3, 0)],
    "dropout": [-0.1, 1.0, float("nan")],
    "warmup": [-0.1, 1.1],
    "learning_rate": [0.0, -1.0, float("inf"), float("nan")],
    "clip_norm": [-1.0, float("nan")],
    "C": [0.0],
    "split_seed": [-1],
    "test_size": [0.0, 1.0, float("nan")],
    "train_fraction": [0.0, 1.1],
    "folds": [1],
    "epochs": [0, -3],
    "port": [-1, 65536],
    "max_queue": [0],
    "client_seconds": [0.0],
}


CLASSES = {
    *(RunOptions, AddressOptions, ServiceOptions, *DATA_STAGES.values()),
    *(stage for model in (*MODELS, *BASELINES) for stage in stage_classes(model).values()),
}


def classes_with(name):
    return [one for one in CLASSES if name in one.names()]


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in ACCEPTED for value in ACCEPTED[name]]
)
def test_what_is_accepted(name, value):
    for options in classes_with(name):
        assert getattr(options(**{name: value}), name) in (value, tuple(np.atleast_1d(value)))


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in REFUSED for value in REFUSED[name]]
)
def test_what_is_refused(name, value):
    for options in classes_with(name):
        with pytest.raises(UserError, match=f"^{name} is .*Received: {name}="):
            options(**{name: value})


def test_every_number_of_a_run_and_of_the_service_has_a_limit():
    without = {
        field.name
        for options in CLASSES
        for field in fields(options)
        if isinstance(field.default, int | float | tuple) and not isinstance(field.default, bool)
        if field.metadata["limit"] is None
    }
    assert without == set()


def test_a_run_is_refused_before_it_begins(tmp_path):
    for options in ({"seed": -1}, {"learning_rate": -1.0}, {"model": "tfidf_svm", "C": 0.0}):
        with pytest.raises(UserError, match="Received"):
            fit(data="situations", runs_dir=str(tmp_path), **options)
    assert list(tmp_path.iterdir()) == []
