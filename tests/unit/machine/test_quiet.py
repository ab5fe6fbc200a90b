import logging
import os

import pytest

from emotion_keras.command.entry import run_command
from emotion_keras.machine.quiet import load_keras


def test_a_command_lets_tensorflow_say_nothing_of_itself(monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    logger = logging.getLogger("tensorflow")
    monkeypatch.setattr(logger, "level", logging.WARNING)
    assert run_command(lambda: 0) == 0
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
    assert not logger.isEnabledFor(logging.WARNING) and logger.isEnabledFor(logging.ERROR)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")  # Unless somebody wants to know.
    run_command(lambda: 0)
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"


@pytest.mark.parametrize("chosen", [None, "0"])
def test_keras_is_loaded_with_onednn_unless_somebody_chose(monkeypatch, chosen):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    if chosen is None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    load_keras()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == (chosen or "1")
