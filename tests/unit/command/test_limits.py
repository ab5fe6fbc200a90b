"""Numbers that options accept: the ends of each limit, and that each is told before training."""

import pytest

from emotion_keras.command.limits import LIMITS, check_limits
from emotion_keras.command.options import option_defaults
from emotion_keras.errors import UserError
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.serve import serve
from emotion_keras.service.app import make_app
from emotion_keras.training.run import fit, stages

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
    "epochs": [0, -3],
    "port": [-1, 65536],
    "max_queue": [0],
    "client_seconds": [0.0],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in ACCEPTED for value in ACCEPTED[name]]
)
def test_what_is_accepted(name, value):
    check_limits({name: value})


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in REFUSED for value in REFUSED[name]]
)
def test_what_is_refused(name, value):
    with pytest.raises(UserError, match=f"^{name} is .*Received: {name}="):
        check_limits({name: value})


def test_every_number_of_a_run_and_of_the_service_has_a_limit():
    functions = [fit, serve, make_app]
    for model in (*MODELS, *BASELINES):
        functions += stages(model).values()
    of_data = {"split_seed", "test_size", "val_size", "train_fraction"}  # The split checks these.
    numbers = {
        name
        for function in functions
        for name, default in option_defaults(function).items()
        if isinstance(default, int | float | tuple) and not isinstance(default, bool)
    }
    assert numbers - of_data == set(LIMITS)


def test_a_run_is_refused_before_it_begins(tmp_path):
    for options in ({"seed": -1}, {"learning_rate": -1.0}, {"model": "tfidf_svm", "C": 0.0}):
        with pytest.raises(UserError, match="Received"):
            fit(data="situations", runs_dir=str(tmp_path), **options)
    assert list(tmp_path.iterdir()) == []
