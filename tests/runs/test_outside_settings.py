"""What is set around this software: it changes no result, and is as before afterwards."""

import json
import os
import signal
import subprocess
import sys

import keras
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inference.predictor import Predictor
from emotion_keras.machine import devices
from emotion_keras.training import run as training_run

BACKEND = keras.backend.backend()

TRAIN = """
import json, sys
from emotion_keras.machine.quiet import load_keras
load_keras()
from emotion_keras.training.run import fit
print(fit(**json.load(sys.stdin), notify=lambda message: None))
"""


def predictions(options, environment):
    """The predictions of a run made in a process of its own, byte by byte."""
    done = subprocess.run(
        [sys.executable, "-c", TRAIN],
        input=json.dumps(options),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    with open(os.path.join(done.stdout.splitlines()[-1], "predictions.csv"), "rb") as file:
        return file.read()


def test_nothing_around_it_changes_the_predictions_of_a_command(toy, tmp_path):
    settings = {"backend": BACKEND, "floatx": "float16", "epsilon": 0.1}
    settings |= {"image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    odd = {
        "KERAS_HOME": str(tmp_path),
        "KERAS_MAX_EPOCHS": "1",
        "KERAS_MAX_STEPS_PER_EPOCH": "1",
        "JAX_ENABLE_X64": "1",
        "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    }
    plain = {"KERAS_HOME": str(tmp_path / "none"), "KERAS_BACKEND": BACKEND}
    assert predictions(toy | {"study": "odd"}, odd) == predictions(toy | {"study": "plain"}, plain)


KERAS_SETTINGS = [
    pytest.param(keras.config.set_floatx, keras.config.floatx, "float16", id="floatx"),
    pytest.param(keras.config.set_epsilon, keras.config.epsilon, 0.1, id="epsilon"),
    pytest.param(
        keras.config.set_image_data_format,
        keras.config.image_data_format,
        "channels_first",
        id="image data format",
    ),
    pytest.param(
        keras.config.set_dtype_policy,
        lambda: keras.config.dtype_policy().name,
        "mixed_bfloat16",
        id="dtype policy",
    ),
    pytest.param(keras.config.set_max_epochs, keras.config.max_epochs, 1, id="most epochs"),
    pytest.param(
        keras.config.set_max_steps_per_epoch,
        keras.config.max_steps_per_epoch,
        1,
        id="most steps an epoch",
    ),
]


@pytest.mark.each_backend
@pytest.mark.parametrize("write, read, value", KERAS_SETTINGS)
def test_a_callers_setting_is_set_aside_and_put_back(write, read, value):
    before = read()
    write(value)
    try:
        with devices.known_numbers():
            inside = read()
        assert (inside == value, read()) == (False, value)
    finally:
        write(before)


@pytest.mark.skipif(BACKEND != "torch", reason="settings of torch")
def test_torchs_default_type_is_set_aside_and_put_back():
    torch = devices._framework()
    torch.set_default_dtype(torch.float64)
    torch.set_float32_matmul_precision("medium")
    try:
        with devices.known_numbers():
            assert torch.get_default_dtype() == torch.float32
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_default_dtype() == torch.float64
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_float32_matmul_precision("highest")


@pytest.mark.each_backend
def test_fit_sets_a_callers_settings_aside(toy, gated_run):
    keras.config.set_floatx("float16")
    keras.config.set_epsilon(0.1)
    try:
        odd = training_run.fit(**toy, notify=lambda message: None)
        assert (keras.config.floatx(), keras.config.epsilon()) == ("float16", 0.1)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_epsilon(1e-7)
    assert odd.name == gated_run.name
    assert (odd / "predictions.csv").read_bytes() == (gated_run / "predictions.csv").read_bytes()


def test_a_call_from_python_leaves_the_state_of_the_process_as_it_was(toy):
    def handler(*_):
        """What a program does of its own on Ctrl-C."""

    def state():
        return (
            keras.config.dtype_policy().name,
            keras.config.is_flash_attention_enabled(),
            [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
            sys.stdout,
            sys.stderr,
        )

    before = signal.signal(signal.SIGINT, handler)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        expected = state()
        directory = training_run.fit(**toy | {"epochs": 1}, notify=lambda message: None)
        Predictor.load(directory)(["we sang"], explain=True)
        assert state() == expected
    finally:
        signal.signal(signal.SIGINT, before)
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "backend, name, value",
    [
        pytest.param("tensorflow", "TF_ENABLE_ONEDNN_OPTS", "0", id="TensorFlow without oneDNN"),
        pytest.param("tensorflow", "TF_XLA_FLAGS", "--tf_xla_auto_jit=2", id="XLA by itself"),
        pytest.param("torch", "ONEDNN_DEFAULT_FPMATH_MODE", "BF16", id="bfloat16 unasked"),
        pytest.param("torch", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "1", id="TF32 with torch"),
        pytest.param("jax", "NVIDIA_TF32_OVERRIDE", "0", id="no TF32 on an NVIDIA GPU"),
    ],
)
def test_a_variable_that_was_read_already_is_refused(monkeypatch, backend, name, value):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=f"Received: {name}="), devices.known_numbers():
        pass
