"""Runs that share compiled models: each is as it would be alone."""

import pytest

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.training import loop


@pytest.fixture
def compiled(monkeypatch):
    """List of the models that were compiled."""
    models, compile_model = [], loop._compile

    def note(model, *arguments, **options):
        models.append(model)
        compile_model(model, *arguments, **options)

    monkeypatch.setattr(loop, "_compile", note)
    return models


def outcome(directory):
    history = [
        {name: value for name, value in row.items() if "seconds" not in name}
        for row in record.read_rows(directory / record.HISTORY)
    ]
    return history, (directory / record.PREDICTIONS).read_text()


@pytest.mark.each_backend
def test_runs_that_share_what_is_compiled_are_as_they_would_be_alone(fit, compiled, monkeypatch):
    def interrupt(state, batch, logs=None):
        if state._epoch == 1:
            raise UserError("Stopped.")

    cache = {}
    first = {"seed": 0}
    second = {"seed": 1, "learning_rate": 0.003}
    # Neither what diverged nor what was stopped reaches the runs after it.
    with pytest.raises(UserError, match="diverged"):
        fit(learning_rate=1e30, study="shared", cache=cache)
    with monkeypatch.context() as patch, pytest.raises(UserError, match="Stopped"):
        patch.setattr(loop.TrainingState, "on_train_batch_end", interrupt)
        fit(study="shared", cache=cache, **first)
    shared = [fit(study="shared", cache=cache, **options) for options in (second, first)]
    assert len(compiled) == 1
    alone = [fit(study="alone", **options) for options in (second, first)]
    assert len(compiled) == 3
    assert [outcome(run) for run in shared] == [outcome(run) for run in alone]


@pytest.mark.parametrize("options", [{"batch_size": 8}, {"num_heads": 4}, {"vocabulary_size": 90}])
def test_other_settings_are_compiled_again(fit, compiled, options):
    cache = {}
    fit(epochs=1, cache=cache)
    fit(epochs=1, cache=cache, **options)
    assert len(compiled) == 2


def test_a_scaled_loss_begins_again_too(fit, compiled):
    cache = {}
    options = {"precision": "mixed_float16", "epochs": 1}
    fit(seed=1, study="shared", cache=cache, **options)
    # A scale that overflows: were it kept, the next run's first steps would change nothing.
    compiled[0].optimizer.dynamic_scale.assign(2.0**40)
    shared = fit(study="shared", cache=cache, **options)
    assert len(compiled) == 1
    assert outcome(shared) == outcome(fit(study="alone", **options))


def test_another_number_of_steps_is_compiled_again(fit, compiled):
    # Wrong labels leave other numbers of texts after undersampling, and other schedules, by seed.
    options = {"balance": "undersample", "noise": "labels:0.4", "batch_size": 4}
    cache = {}
    shared = [fit(study="shared", cache=cache, seed=seed, **options) for seed in (0, 1)]
    assert outcome(shared[1]) == outcome(fit(study="alone", seed=1, **options))
