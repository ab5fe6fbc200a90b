"""Media files, whatever they hold: what they contain, their noise, and their features on disk."""

import concurrent.futures
import contextlib
import dataclasses
import functools
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emotion_keras.inputs import feature_cache
from emotion_keras.machine.cores import available_cores
from emotion_keras.record.checksums import content_sha256


class Perturbed(NamedTuple):
    """A medium with noise.

    Args:
        medium: The path of its file, or what has noise already.
        kind: Name of a kind of noise of its modality; see `Input.noises`.
        level: Float in `[0, 1]`.
        seed: Integer, decides what is left to chance.
    """

    medium: "str | Perturbed"
    kind: str
    level: float
    seed: int


def perturb(kind: str, cell: str | Perturbed, level: float, rng: np.random.Generator) -> Perturbed:
    """A medium with noise, which is made when it is read."""
    return Perturbed(cell, kind, level, int(rng.integers(2**32)))


class Excerpt(NamedTuple):
    """A medium of which some tokens alone are there; in place of the others is the mean.

    Args:
        cell: The path of its file, or a `Perturbed`.
        kept: Positions of the tokens.
    """

    cell: str | Perturbed
    kept: tuple[int, ...]


def whole(cell: str | Perturbed | Excerpt) -> tuple[str | Perturbed, tuple[int, ...] | None]:
    """A medium, and which of its tokens are kept; `None` for all."""
    return cell if isinstance(cell, Excerpt) else (cell, None)


def version_of(path: str) -> tuple[int, int] | None:
    """What changes when the file does; `None` where there is no file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError of a path with a zero byte.
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


# A service is asked about new files without end.
@functools.lru_cache(maxsize=2**17)
def sha256_of(path: str, version: tuple[int, int] | None) -> str:
    """Checksum of the content of a file in some version; see `version_of`."""
    return content_sha256(Path(path))


def keep(
    paths: Sequence[str],
    features_version: str,
    read: Callable[[str], tuple[Any, np.ndarray]],
    plural: str,
    notify: Callable[[str], object] = print,
) -> None:
    """Makes the features of media, as many at a time as there are cores, and keeps them.

    What is interrupted continues where it was.

    Args:
        paths: The media's paths.
        features_version: How the features are made; see `feature_cache`.
        read: Function of a path that gives what the medium is, a dataclass with its `sha256`, and
            its features.
        plural: What several media are called.
        notify: Called with messages.
    """
    # Imported here: who answers with an exported model needs none of it.
    from emotion_keras.command.progress import RowProgress

    shrink_stored(paths)
    new = [path for path in dict.fromkeys(paths) if not _is_kept(path, features_version)]
    if not new:
        return
    notify(
        f"Reading {len(new):,} {plural}. What is made of them is kept in "
        f"{feature_cache.folder()} for the next time."
    )

    def store(path):
        facts, found = read(path)
        feature_cache.store(facts.sha256, features_version, found, dataclasses.asdict(facts))

    with (
        concurrent.futures.ThreadPoolExecutor(len(available_cores())) as threads,
        RowProgress(len(new), 0, plural) as progress,
    ):
        for _ in threads.map(store, new):
            progress.advance(1)
    if num_removed := feature_cache.shrink():
        notify(
            f"{feature_cache.folder()} was full: the features of {num_removed:,} media that were "
            "not used for longest are removed."
        )


def _is_kept(path, features_version):
    version = version_of(path)
    try:
        return version is None or (
            feature_cache.find(sha256_of(path, version), features_version) is not None
        )
    except OSError:
        return True  # There is nothing to keep.


def stored_folder() -> Path:
    """The folder of media that came as bytes within a table, by their content."""
    return feature_cache.folder().with_name("media")


def store(content: bytes, as_file: Callable[[bytes], bytes] | None = None) -> str:
    """Writes a medium that is no file of its own, once.

    Args:
        content: What tells it from others.
        as_file: Function of it that gives the bytes of a file; without it they are these.

    Returns:
        The path of the file.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    path = stored_folder() / sha256[:2] / sha256
    with contextlib.suppress(OSError):
        os.utime(path)  # It was of use: others go first.
        return str(path)
    with feature_cache.whole_file(path) as file:
        file.write(as_file(content) if as_file else content)
    return str(path)


def shrink_stored(used: Iterable[str], most: int = feature_cache.MAX_BYTES) -> int:
    """Removes stored media that were not used for longest until no more than `most` bytes are left.

    Args:
        used: Paths that stay in any case.
        most: Bytes.

    Returns:
        How many were removed.
    """
    used, found, num_removed = set(used), [], 0
    for path in stored_folder().glob("*/*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    too_much = sum(size for _, size, _ in found) - most
    for _, size, path in sorted(found):
        if too_much > 0 and str(path) not in used:
            path.unlink(missing_ok=True)
            too_much -= size
            num_removed += 1
    return num_removed


def read_cell(value: Any) -> str:
    """The path of a medium, from what stands in a table.

    Args:
        value: A path; or the medium's bytes, as they are or in a structure of `bytes` and `path`
            (Hugging Face's form), which are written into a file.

    Raises:
        UserError: If it is something else.
    """
    from emotion_keras.tables.cells import as_text

    if isinstance(value, Mapping) and value.keys() == {"bytes", "path"}:
        value = value["path"] if value["bytes"] is None else value["bytes"]
    return store(value) if isinstance(value, bytes) else as_text(value)


def count(kinds: Iterable[str]) -> dict[str, int]:
    """How often each comes up, the most frequent first."""
    return dict(Counter(kinds).most_common())


def listed(cells: Sequence[str], most: int = 3) -> str:
    """The first of some cells, for a message."""
    more = f" and {len(cells) - most:,} more" if len(cells) > most else ""
    return ", ".join(map(repr, cells[:most])) + more


def describe_flaws(
    flaw_of: Sequence[str], cells: Sequence[str], flaws: Iterable[str], plural: str
) -> Iterator[str]:
    """Yields a sentence for each flaw that some of the media have."""
    for flaw in flaws:
        named = [cell for cell, found in zip(cells, flaw_of, strict=True) if found == flaw]
        if named:
            verb = "is" if len(named) == 1 else "are"
            yield f"{len(named):,} of {len(cells):,} {plural} {verb} {flaw}: {listed(named)}."
