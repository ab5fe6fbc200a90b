import os

import pytest

from emotion_keras.machine.quiet import load_keras


@pytest.mark.parametrize("chosen", [None, "0"])
def test_keras_is_loaded_with_onednn_unless_somebody_chose(monkeypatch, chosen):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    if chosen is None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    load_keras()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == (chosen or "1")
