"""Devices, precision and compilation: the one file that may know a framework."""

import contextlib
import ctypes
import functools
import importlib
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.machine.quiet import quiet

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


def _framework():
    return importlib.import_module(keras.backend.backend())


def list_devices() -> list[str]:
    """Names of the devices that a run can use: all accelerators, or else the CPU.

    Returns:
        List of strings such as `["GPU:0", "GPU:1"]` or `["CPU:0"]`.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        num_gpus = _framework().cuda.device_count()
        return [f"GPU:{i}" for i in range(num_gpus)] or ["CPU:0"]
    if backend == "jax":
        return [
            f"{'CPU' if d.platform == 'cpu' else d.platform.upper()}:{d.id}"
            for d in _framework().devices()
        ]
    config = _framework().config
    devices = config.list_logical_devices("GPU") or config.list_logical_devices("CPU")
    return [device.name.split("device:")[-1] for device in devices]


def on_cpu() -> bool:
    """Whether a run uses no accelerator."""
    return list_devices()[0].startswith("CPU")


def describe() -> str:
    """The device in words, for people and for the record."""
    devices = list_devices()
    if on_cpu():
        return f"CPU, {len(devices)} devices" if len(devices) > 1 else "CPU"
    backend = keras.backend.backend()
    if backend == "torch":
        name = _framework().cuda.get_device_name(0)
        used = "" if len(devices) == 1 else f" (one of {len(devices)}: torch uses one device)"
        return f"{name}{used}"
    if backend == "jax":
        name = _framework().devices()[0].device_kind
    else:
        config = _framework().config
        details = config.experimental.get_device_details(config.list_physical_devices("GPU")[0])
        name = details.get("device_name", "GPU")
    return f"{name} x {len(devices)}" if len(devices) > 1 else name


@contextlib.contextmanager
def chosen_kernels() -> Iterator[None]:
    """Within it the backend uses the kernels that are fast on this device; results are the same."""
    if keras.backend.backend() != "torch" or not on_cpu():
        yield
        return
    # For texts as short as ours the gradient of torch's fused attention takes a third of a training
    # step, five times as long as that of the plain products.
    cuda = _framework().backends.cuda
    before = keras.config.is_flash_attention_enabled(), cuda.flash_sdp_enabled()
    keras.config.disable_flash_attention()
    cuda.enable_flash_sdp(False)  # Its name notwithstanding, on CPU too.
    try:
        yield
    finally:
        if before[0] is not False:
            keras.config.enable_flash_attention()
        cuda.enable_flash_sdp(before[1])


# Of glibc's mallopt. The values are those that glibc itself goes up to when nobody sets them.
_M_MMAP_THRESHOLD, _LARGEST_KEPT = -3, 32 << 20
_M_TRIM_THRESHOLD, _MOST_KEPT = -1, 2 * _LARGEST_KEPT


@functools.cache
def reuse_memory() -> None:
    """Has TensorFlow use the memory of freed tensors again; results are the same.

    With its first generator data set TensorFlow has glibc map the memory of every tensor above
    128 kB from the system and give it back: a third of a training's CPU time. So the first one is
    started here, and glibc set after it. Only glibc is known to need it; where its own variables
    (`MALLOC_MMAP_THRESHOLD_`, `MALLOC_TRIM_THRESHOLD_` or `GLIBC_TUNABLES`) are set, they decide.
    """
    chosen = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")
    if keras.backend.backend() != "tensorflow" or platform.libc_ver()[0] != "glibc":
        return
    if any(name in os.environ for name in chosen):
        return
    data, element = _framework().data.Dataset, _framework().TensorSpec(())
    with quiet():  # TensorFlow says that it has changed the setting.
        for _ in data.from_generator(lambda: iter([0.0]), output_signature=element):
            pass
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
    libc.mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT)


def _cpu_multiplies_bfloat16():
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def resolve_precision(precision: str) -> str:
    """Chooses the precision to train in.

    Args:
        precision: `auto`, `float32`, `mixed_bfloat16` or `mixed_float16`. `auto` takes bfloat16
            where the device multiplies it fast: GPUs since Ampere, CPUs with AVX-512 BF16 or AMX;
            on CPU not with JAX, whose bfloat16 products are slower there than its float32 ones.

    Returns:
        Name of a Keras dtype policy.

    Raises:
        UserError: If there is no such precision.
    """
    if precision not in PRECISIONS:
        raise UserError(
            f"Unknown precision. Accepted: {', '.join(PRECISIONS)}. Received: {precision!r}"
        )
    if precision != "auto":
        return precision
    backend = keras.backend.backend()
    if on_cpu():
        fast = backend != "jax" and _cpu_multiplies_bfloat16()
        return "mixed_bfloat16" if fast else "float32"
    if backend == "tensorflow":
        config = _framework().config
        details = config.experimental.get_device_details(config.list_physical_devices("GPU")[0])
        capability = details.get("compute_capability", (0, 0))
    elif backend == "torch":
        capability = _framework().cuda.get_device_capability()
    else:
        capability = (8, 0)  # JAX runs bfloat16 on every accelerator that it supports.
    return "mixed_bfloat16" if tuple(capability) >= (8, 0) else "mixed_float16"


def resolve_jit(jit: str) -> bool:
    """Whether to compile the training step.

    Args:
        jit: `auto`, `on` or `off`. `auto` compiles on JAX always and with TensorFlow on
            accelerators; on a CPU XLA gains nothing for TensorFlow, and torch.compile costs more
            than a run of this size takes.

    Returns:
        Boolean.

    Raises:
        UserError: If `jit` is another value.
    """
    if jit not in ("auto", "on", "off"):
        raise UserError(f"Unknown value of jit. Accepted: auto, on, off. Received: {jit!r}")
    if jit != "auto":
        return jit == "on"
    backend = keras.backend.backend()
    return backend == "jax" or (backend == "tensorflow" and not on_cpu())


def compiles_moved_pixels() -> bool:
    """Whether layers that move an image's pixels can be compiled.

    Keras says of no backend that they can, for TensorFlow's sake, whose XLA lacks the operation.
    """
    return keras.backend.backend() == "jax"


# What a framework reads when it is loaded, and computes other numbers by: the value that stands for
# its default. Nothing can set these aside afterwards.
_READ_AT_LOADING = {
    "tensorflow": {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "TF_XLA_FLAGS": "",
        "NVIDIA_TF32_OVERRIDE": "",
        "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",
        "DNNL_DEFAULT_FPMATH_MODE": "STRICT",
    },
    "jax": {"NVIDIA_TF32_OVERRIDE": ""},
    "torch": {
        "NVIDIA_TF32_OVERRIDE": "",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "0",
        "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",
        "DNNL_DEFAULT_FPMATH_MODE": "STRICT",
    },
}


@contextlib.contextmanager
def known_numbers() -> Iterator[None]:
    """Within it numbers are computed as records have it, whatever is set around this software.

    Settings of Keras (its file `keras.json` included) and of the backend that change results have
    their defaults within, and are as before afterwards.

    Raises:
        UserError: If an environment variable changes results and was read already.
    """
    _start_backend()
    if keras.config.is_nnx_enabled():
        raise UserError(
            "NNX changes results, and no run's record says so: leave `nnx_enabled` out of "
            "keras.json, and unset KERAS_NNX_ENABLED. Received: nnx_enabled=true"
        )
    for name, default in _READ_AT_LOADING[keras.backend.backend()].items():
        value = os.environ.get(name, "")
        if value.upper() not in ("", default):
            raise UserError(
                f"The environment variable {name} changes results, and no run's record says so. "
                f"Unset it. Received: {name}={value!r}"
            )
    before = [(write, read()) for read, write, _ in _number_settings()]
    try:
        for _, write, value in _number_settings():
            write(value)
        yield
    finally:
        for write, value in before:
            write(value)


@functools.cache
def _start_backend():
    """Has the backend look for devices, without the lines that it prints meanwhile."""
    with quiet():
        list_devices()


def _number_settings():
    """What changes results: functions that read and write it, and its value for all runs."""
    config = keras.config
    yield config.floatx, config.set_floatx, "float32"
    yield config.epsilon, config.set_epsilon, 1e-7
    yield config.image_data_format, config.set_image_data_format, "channels_last"
    yield config.dtype_policy, config.set_dtype_policy, "float32"
    yield config.max_epochs, config.set_max_epochs, None
    yield config.max_steps_per_epoch, config.set_max_steps_per_epoch, None
    framework, backend = _framework(), keras.backend.backend()
    if backend == "torch":
        yield framework.get_default_dtype, framework.set_default_dtype, framework.float32
        yield (
            framework.get_float32_matmul_precision,
            framework.set_float32_matmul_precision,
            "highest",
        )
        cuda = framework.backends.cuda
        yield cuda.flash_sdp_enabled, cuda.enable_flash_sdp, True
    elif backend == "tensorflow":
        config = framework.config
        experimental = config.experimental
        yield (
            experimental.tensor_float_32_execution_enabled,
            experimental.enable_tensor_float_32_execution,
            True,
        )
        yield config.optimizer.get_jit, config.optimizer.set_jit, ""
        yield config.functions_run_eagerly, config.run_functions_eagerly, False
    else:
        for name, value in {
            "jax_enable_x64": False,
            "jax_default_matmul_precision": None,
            "jax_default_prng_impl": "threefry2x32",
            "jax_threefry_partitionable": True,
            "jax_numpy_dtype_promotion": "standard",
            "jax_disable_jit": False,
        }.items():
            yield (
                functools.partial(getattr, framework.config, name),
                functools.partial(framework.config.update, name),
                value,
            )


@contextlib.contextmanager
def data_parallel() -> Iterator[None]:
    """Within it a model is built for all devices: each takes its part of every batch."""
    backend = keras.backend.backend()
    devices = list_devices()
    if len(devices) == 1 or backend == "torch":
        yield
    elif backend == "jax":
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)
    else:
        with _framework().distribute.MirroredStrategy(devices).scope():
            yield


def seed_dropout(seed: int) -> None:
    """Seeds what draws dropout beside the layers' own states: on torch its own generator.

    On TensorFlow Keras's own function for that would make it optimize each compiled step again,
    which takes many seconds.

    Args:
        seed: Integer.
    """
    if keras.backend.backend() == "torch":
        _framework().manual_seed(seed)


def gradient(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """The gradient of a function of Keras's operations, which themselves know none.

    Args:
        function: Function from tensors to a tensor of one number.

    Returns:
        Function from as many float32 arrays to the gradient by the first, of its shape. It is
        compiled once for each shape where the backend compiles.
    """
    framework, backend = _framework(), keras.backend.backend()
    if backend == "jax":
        compute = framework.jit(framework.grad(function))
    elif backend == "tensorflow":

        @framework.function
        def compute(values, *others):
            with framework.GradientTape() as tape:
                tape.watch(values)
                output = function(values, *others)
            return tape.gradient(output, values)

    else:

        def compute(values, *others):
            values.requires_grad_()
            return framework.autograd.grad(function(values, *others), values)[0]

    return lambda *arrays: keras.ops.convert_to_numpy(
        compute(*map(keras.ops.convert_to_tensor, arrays))
    )


def gradient_within_step(function: Callable[[Any], Any], values: Any) -> Any:
    """The gradient of a function of Keras's operations, as a part of a training step.

    Args:
        function: Function from a tensor to a tensor of one number; it changes no state.
        values: Tensor.

    Returns:
        Tensor of the shape of `values`, a constant to the step's own gradient.
    """
    framework, backend = _framework(), keras.backend.backend()
    if backend == "jax":
        return framework.lax.stop_gradient(framework.grad(function)(values))
    if backend == "tensorflow":
        with framework.GradientTape() as tape:
            tape.watch(values)
            output = function(values)
        return framework.stop_gradient(tape.gradient(output, values))
    values = values.detach().requires_grad_()
    return framework.autograd.grad(function(values), values)[0].detach()


def versions() -> dict[str, str]:
    """Versions of Python, Keras and the backend, for the record."""
    import keras_hub

    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "keras_hub": keras_hub.__version__,
        keras.backend.backend(): _framework().__version__,
        "numpy": np.__version__,
    }
