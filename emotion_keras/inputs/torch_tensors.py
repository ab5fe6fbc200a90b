"""Tensors from files of PyTorch's format before version 1.6, read without PyTorch and its code."""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {"FloatStorage": np.dtype("<f4"), "DoubleStorage": np.dtype("<f8")}


class _Tensor(NamedTuple):
    storage: str  # Its key. The numbers follow after the pickles.
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Makes tensors and dictionaries, and refuses all else: nothing of a file is run."""

    def __init__(self, file):
        super().__init__(file)
        self.dtypes = {}  # Of all storages, by their keys.

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
        }
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which is no tensor")
        return known[module, name]

    def persistent_load(self, pid: Any) -> str:
        _, dtype, key, *_ = pid
        self.dtypes[key] = dtype
        return key


def _rebuild(storage, start, shape, strides, *_):
    return _Tensor(storage, start, shape, strides)


def read_tensors(path: str | Path, entry: str) -> dict[str, np.ndarray]:
    """Reads the tensors of a checkpoint.

    Args:
        path: The file, as `torch.save` wrote it before PyTorch 1.6.
        entry: Key of the dictionary of tensors in the checkpoint.

    Returns:
        Dictionary of arrays by name.

    Raises:
        pickle.UnpicklingError: If the file is not of that format, or asks for anything but tensors.
    """
    with open(path, "rb") as file:
        if _Unpickler(file).load() != _MAGIC:
            raise pickle.UnpicklingError("the file is not in PyTorch's format before version 1.6")
        _Unpickler(file).load()  # The format's version,
        _Unpickler(file).load()  # and the sizes of numbers on the machine that wrote it.
        checkpoint = _Unpickler(file)
        tensors = checkpoint.load()[entry]
        storages = {}
        for key in _Unpickler(file).load():
            size = int(np.fromfile(file, "<i8", 1)[0])
            storages[key] = np.fromfile(file, checkpoint.dtypes[key], size)
    return {name: _take(tensor, storages) for name, tensor in tensors.items()}


def _take(tensor, storages):
    values = storages[tensor.storage][tensor.start :]
    strides = [stride * values.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(values, tensor.shape, strides).copy()
