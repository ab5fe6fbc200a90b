"""Features of media files on disk, by the content of the files; what was not used for long goes.

Every feature array is a file of NumPy's format, which is read memory-mapped, and a JSON file beside
it, written last, says what was found out about the medium: where it is, the features are whole.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

# All that is kept, in bytes: about 115 hours of sound.
MAX_BYTES = 10 * 2**30


def folder() -> Path:
    """The folder of all features, in Keras's own folder (`KERAS_HOME`, or `~/.keras`)."""
    home = os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras"))
    return Path(home) / "emotion_keras" / "features"


def find(sha256: str, version: str) -> dict[str, Any] | None:
    """What was found out about a medium, or `None` where nothing is kept of it.

    Args:
        sha256: Checksum of the medium's content.
        version: How the features are made.
    """
    path = _path(sha256, version, ".json")
    with contextlib.suppress(OSError, ValueError):
        os.utime(path)  # It was of use: others go first.
        return json.loads(path.read_text(encoding="utf-8"))
    return None


def load(sha256: str, version: str) -> np.ndarray:
    """The features of a medium that `find` knows, memory-mapped.

    Raises:
        OSError: If they are not there any more.
    """
    return np.load(_path(sha256, version, ".npy"), mmap_mode="r")


def store(sha256: str, version: str, features: np.ndarray, facts: Mapping[str, Any]) -> None:
    """Keeps features, and what was found out about their medium, ready for JSON."""
    with whole_file(_path(sha256, version, ".npy")) as file:
        np.save(file, features)
    with whole_file(_path(sha256, version, ".json")) as file:
        file.write(json.dumps(dict(facts)).encode())


def shrink(most: int = MAX_BYTES) -> int:
    """Removes what was not used for longest until no more than `most` bytes are kept.

    Returns:
        How many media were removed.
    """
    kept, num_removed = [], 0
    for facts in folder().glob("*/*.json"):
        with contextlib.suppress(OSError):
            size = facts.with_suffix(".npy").stat().st_size
            kept.append((facts.stat().st_mtime, size, facts))
    too_much = sum(size for _, size, _ in kept) - most
    for _, size, facts in sorted(kept):
        if too_much <= 0:
            break
        facts.unlink(missing_ok=True)
        facts.with_suffix(".npy").unlink(missing_ok=True)
        too_much -= size
        num_removed += 1
    return num_removed


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when it is whole, whatever else writes it meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            yield file
        except BaseException:
            os.unlink(file.name)
            raise
    os.replace(file.name, path)


def _path(sha256, version, ending):
    return folder() / sha256[:2] / f"{sha256}.{version}{ending}"
