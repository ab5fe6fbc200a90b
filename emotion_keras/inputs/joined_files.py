"""Several files read as one. Standard library only."""

import bisect
import io
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class JoinedFiles(io.RawIOBase):
    """Reads files one after another as if they were one, such as the parts of an archive.

    Args:
        paths: Their paths, in order.

    Raises:
        OSError: If one cannot be read.
    """

    def __init__(self, paths: Sequence[Path]):
        super().__init__()
        self._paths = list(paths)
        self._starts = [0, *itertools.accumulate(path.stat().st_size for path in self._paths)]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._starts[-1]}
        self._position = max(0, base[whence] + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        index = bisect.bisect_right(self._starts, self._position) - 1
        if index == len(self._paths):
            return 0
        with open(self._paths[index], "rb") as file:
            file.seek(self._position - self._starts[index])
            number = file.readinto(buffer)
        self._position += number
        return number
