import os
import pickle

import numpy as np
import pytest
import torch

from emotion_keras.inputs.torch_tensors import read_tensors

TENSORS = {
    "whole": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "transposed": torch.arange(6, dtype=torch.float32).reshape(2, 3).T,
    "part": torch.arange(10, dtype=torch.float64)[3:7],
    "parameter": torch.nn.Parameter(torch.tensor([1.5, -2.0])),
    "number": torch.tensor(7.0),
}


def written(path, checkpoint):
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)
    return path


def test_tensors_are_those_that_torch_wrote(tmp_path):
    others = {"step": 3, "moments": [torch.ones(4)]}
    path = written(tmp_path / "a.pt", {"state": TENSORS, "optimizer": others})
    found = read_tensors(path, "state")
    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(found[name], tensor.detach().numpy())


class Harmful:
    def __reduce__(self):
        return os.system, ("exit 1",)


def test_what_is_no_tensor_is_not_run(tmp_path):
    path = written(tmp_path / "a.pt", {"state": TENSORS, "more": Harmful()})
    with pytest.raises(pickle.UnpicklingError, match=r"asks for posix.system, which is no tensor"):
        read_tensors(path, "state")


def test_another_format_is_refused(tmp_path):
    (tmp_path / "a.pt").write_bytes(pickle.dumps(1))
    with pytest.raises(pickle.UnpicklingError, match="not in PyTorch's format"):
        read_tensors(tmp_path / "a.pt", "state")
