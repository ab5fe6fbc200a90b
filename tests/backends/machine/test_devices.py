"""Precision, compilation and several devices; run as a script, it trains on two virtual ones."""

import json
import os
import platform
import subprocess
import sys
import tempfile

import keras
import numpy as np
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inputs.embedded import embedded_features
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.machine import devices
from emotion_keras.models import GatedTransformer
from emotion_keras.targets import SingleLabel
from emotion_keras.training.loop import train
from emotion_keras.training.options import TrainingOptions
from emotion_keras.training.regularization import regularize

BACKEND = keras.backend.backend()
WAYS = [{}, {"r_drop": 1.0, "weight_average": 0.5}]
if BACKEND == "jax":  # On TensorFlow each device compares those of its own part of a batch.
    WAYS.append({"supervised_contrast": 0.5})


def train_on_all_devices(**way):
    """Trains a toy model; returns its losses, and over how many devices it was spread.

    Args:
        **way: Fields of `TrainingOptions`.
    """
    options = TrainingOptions(
        batch_size=8,
        epochs=3,
        learning_rate=0.01,
        # With several devices on TensorFlow each cuts its own part of the gradient.
        clip_norm=0.0 if BACKEND == "tensorflow" else 0.5,
        patience=0,
        **way,
    )
    rng = np.random.default_rng(0)
    label_ids = np.repeat([0, 1, 2], 16).astype("int32")
    lengths = rng.integers(2, 9, len(label_ids))
    values = rng.normal(size=(lengths.sum(), 4)).astype("float32")
    truth = np.eye(3, dtype="float32")[label_ids]
    data = Sequences(values, np.concatenate([[0], np.cumsum(lengths)]), "features"), truth
    keras.utils.set_random_seed(0)
    with devices.data_parallel(), tempfile.TemporaryDirectory() as directory:
        form = GatedTransformer(num_layers=1, num_heads=2, dropout=0.0)
        target = SingleLabel("abc")
        model = regularize(form.build(embedded_features(4), target), options, target)
        outcome = train(
            model,
            data,
            data,
            target=target,
            sequence_length=8,
            seed=0,
            directory=directory,
            options=options,
        )
    value = model.trainable_variables[0].value
    if BACKEND == "jax":
        spread = len(value.sharding.device_set)
    else:
        spread = len(getattr(value, "values", [value]))
    losses = [[row["loss"], row["val_loss"]] for row in outcome["history"]]
    return {"losses": losses, "spread": spread, "device": devices.describe()}


def test_choosing_kernels_changes_no_result_and_is_undone():
    vectors = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]], bool)[:, None]

    def attend():
        layer = keras.layers.MultiHeadAttention(2, 4)
        layer.build(vectors.shape, vectors.shape)
        rng = np.random.default_rng(1)
        layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
        return keras.ops.convert_to_numpy(layer(vectors, vectors, attention_mask=mask))

    before, enabled = attend(), keras.config.is_flash_attention_enabled()
    with devices.chosen_kernels():
        # Sums in another order: some units in float32's last place, of numbers up to 18.
        np.testing.assert_allclose(attend(), before, rtol=1e-5, atol=1e-4)
    assert keras.config.is_flash_attention_enabled() == enabled


# 24 MB in blocks of 1 MB, ten times: used again they cost no page faults, mapped 6,144 each time.
REUSE_MEMORY = """
import resource, sys
import numpy as np
import tensorflow
from emotion_keras.machine import devices
devices.reuse_memory()
data, element = tensorflow.data.Dataset, tensorflow.TensorSpec(())
list(data.from_generator(lambda: iter([0.0]), output_signature=element))
blocks = [np.ones(1 << 17) for _ in range(24)]
del blocks
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    blocks = [np.ones(1 << 17) for _ in range(24)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(
    BACKEND != "tensorflow" or platform.libc_ver()[0] != "glibc",
    reason="TensorFlow has glibc give memory back",
)
@pytest.mark.parametrize(
    "chosen, fewest, most",
    [
        pytest.param({}, 0, 6_000, id="memory is used again"),
        pytest.param(
            {"MALLOC_MMAP_THRESHOLD_": "131072"}, 30_000, 70_000, id="glibc's variables decide"
        ),
    ],
)
def test_tensorflow_uses_freed_memory_again(chosen, fewest, most):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", REUSE_MEMORY],
        env=environment | chosen,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert fewest <= int(done.stdout) <= most


@pytest.mark.skipif(BACKEND == "torch", reason="torch uses one device")
def test_two_devices_learn_as_one_does():
    done = subprocess.run(
        [sys.executable, __file__],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for two, way in zip(json.loads(done.stdout.splitlines()[-1]), WAYS, strict=True):
        one = train_on_all_devices(**way)
        assert (two["spread"], two["device"]) == (2, "CPU, 2 devices")
        assert (one["spread"], one["device"]) == (1, "CPU")
        assert one["losses"][-1][0] < one["losses"][0][0]
        np.testing.assert_allclose(two["losses"], one["losses"], atol=1e-4)


@pytest.mark.skipif(BACKEND != "torch", reason="only torch uses one of several devices")
def test_torch_says_that_it_uses_one_of_several(monkeypatch):
    cuda = devices._framework().cuda
    monkeypatch.setattr(cuda, "device_count", lambda: 2)
    monkeypatch.setattr(cuda, "get_device_name", lambda index: "Large GPU")
    assert devices.list_devices() == ["GPU:0", "GPU:1"]
    assert devices.describe() == "Large GPU (one of 2: torch uses one device)"


def test_this_machine_is_described():
    assert devices.list_devices()
    assert devices.on_cpu() == devices.list_devices()[0].startswith("CPU")
    assert devices.on_cpu() == devices.describe().startswith("CPU")


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_a_named_precision_is_taken(precision):
    assert devices.resolve_precision(precision) == precision


@pytest.mark.parametrize("fast", [True, False])
def test_auto_takes_bfloat16_on_a_cpu_that_multiplies_it_fast(monkeypatch, fast):
    monkeypatch.setattr(devices, "on_cpu", lambda: True)
    monkeypatch.setattr(devices, "_cpu_multiplies_bfloat16", lambda: fast)
    expected = "mixed_bfloat16" if fast and BACKEND != "jax" else "float32"
    assert devices.resolve_precision("auto") == expected


def test_unknown_values_are_refused():
    with pytest.raises(UserError, match="Accepted: auto, float32.*Received: 'int4'"):
        devices.resolve_precision("int4")
    with pytest.raises(UserError, match="Accepted: auto, on, off.*Received: 'yes'"):
        devices.resolve_jit("yes")


def test_jit_is_on_off_or_left_to_the_backend(monkeypatch):
    monkeypatch.setattr(devices, "on_cpu", lambda: True)
    assert devices.resolve_jit("on") is True
    assert devices.resolve_jit("off") is False
    assert devices.resolve_jit("auto") == (BACKEND == "jax")


def test_versions_name_the_backend():
    versions = devices.versions()
    assert versions["keras"] == keras.__version__
    assert versions[BACKEND] == sys.modules[BACKEND].__version__


if __name__ == "__main__":
    if BACKEND == "tensorflow":
        config = sys.modules["tensorflow"].config
        cpu = config.list_physical_devices("CPU")[0]
        virtual = [config.LogicalDeviceConfiguration()] * 2
        config.set_logical_device_configuration(cpu, virtual)
    print(json.dumps([train_on_all_devices(**way) for way in WAYS]))
