"""Files read as one, against the bytes of all of them."""

import io
import os
import random

import pytest

from emotion_keras.inputs.joined_files import JoinedFiles


@pytest.fixture
def whole():
    return random.Random(0).randbytes(10_000)


@pytest.fixture
def joined(whole, tmp_path):
    bounds = [0, 1, 4_000, 4_000, 9_999, 10_000]
    paths = [tmp_path / f"part.{i}" for i in range(5)]
    for path, start, end in zip(paths, bounds[:-1], bounds[1:], strict=True):
        path.write_bytes(whole[start:end])
    return JoinedFiles(paths)


def test_it_reads_as_one_file_does(joined, whole):
    file, rng = io.BytesIO(whole), random.Random(1)
    assert joined.read() == whole
    for _ in range(300):
        whence = rng.choice([os.SEEK_SET, os.SEEK_CUR, os.SEEK_END])
        low = {os.SEEK_SET: 0, os.SEEK_CUR: -joined.tell(), os.SEEK_END: -10_000}[whence]
        offset = rng.randint(low, low + 10_500)
        assert joined.seek(offset, whence) == file.seek(offset, whence)
        size = rng.choice([0, 1, 3_000, 20_000])
        assert io.BufferedReader(_Kept(joined)).read(size) == file.read(size)
        joined.seek(file.tell())


class _Kept(io.RawIOBase):
    """Leaves open what a buffer around it would close."""

    def __init__(self, file):
        self._file = file

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._file.readinto(buffer)


def test_a_missing_part_is_an_error(tmp_path):
    with pytest.raises(OSError):
        JoinedFiles([tmp_path / "part.0"])
