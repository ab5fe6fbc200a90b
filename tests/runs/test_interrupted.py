"""Runs that are killed or stopped: the same command continues to the same weights."""

import os
import signal

import keras
import numpy as np
import pytest

from emotion_keras import fit as fit_module
from emotion_keras import record
from emotion_keras.training.loop import CHECKPOINT, TrainingState


def weights(model):
    return [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]


def saved(directory):
    """The weights of a run's model, and its predictions."""
    model = keras.saving.load_model(directory / record.MODEL, compile=False)
    return weights(model), (directory / record.PREDICTIONS).read_bytes()


def assert_same_run(directory, other):
    for found, expected in zip(saved(directory)[0], saved(other)[0], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert saved(directory)[1] == saved(other)[1]
    # The weights may be those of an epoch before the interruption; the losses are of all epochs.
    histories = [record.read_rows(folder / record.HISTORY) for folder in (directory, other)]
    losses = [[row["loss"] for row in history] for history in histories]
    assert losses[0] == losses[1]
    metrics = [record.read_run(folder)["metrics"] for folder in (directory, other)]
    assert metrics[0] == metrics[1]


KILLED = """
import os, signal
from emotion_keras import fit
from emotion_keras.training import loop

def kill(self, batch, logs=None):
    if (self._epoch, batch) == (2, 1):
        os.kill(os.getpid(), signal.SIGKILL)

loop.TrainingState.on_train_batch_end = kill
fit.main(arguments)
"""


@pytest.mark.each_backend
def test_a_killed_run_continues_to_bit_identical_weights(command, fit, forked, tmp_path):
    options = {"epochs": 4, "token_dropout": 0.2}
    arguments = command(runs_dir=tmp_path / "killed", **options)
    process = forked.Process(target=exec, args=(KILLED, {"arguments": arguments}))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (directory,) = (tmp_path / "killed" / "fit").iterdir()
    assert (directory / CHECKPOINT).exists()
    assert not record.is_finished(directory)
    assert fit_module.main(arguments) == 0
    assert record.is_finished(directory)
    assert not (directory / CHECKPOINT).exists()
    assert_same_run(directory, fit(runs_dir=str(tmp_path / "whole"), **options))


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_ctrl_c_stops_after_the_step_and_the_same_command_continues(
    command, fit, tmp_path, monkeypatch, capsys, precision
):
    steps = []

    def press(self, batch, logs=None):
        steps.append((self._epoch, batch))
        if steps[-1] == (1, 2):
            os.kill(os.getpid(), signal.SIGINT)

    options = {"epochs": 3, "token_dropout": 0.2, "precision": precision}
    arguments = command(runs_dir=tmp_path / "stopped", **options)
    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(TrainingState, "on_train_batch_begin", press)
        assert fit_module.main(arguments) == 2
    assert steps[-1] == (1, 2)
    assert signal.getsignal(signal.SIGINT) is handler
    error = capsys.readouterr().err
    assert "Stopped in epoch 2. The same command continues with that epoch." in error
    assert "Traceback" not in error
    assert fit_module.main(arguments) == 0
    (directory,) = (tmp_path / "stopped" / "fit").iterdir()
    assert_same_run(directory, fit(runs_dir=str(tmp_path / "whole"), **options))
