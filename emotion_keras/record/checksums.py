"""Checksums of files that users may change between two runs."""

import hashlib
import os
from pathlib import Path

from emotion_keras.errors import UserError


def encoder_sha256(encoder):
    """Checksum of an encoder that is a file of word vectors or a preset's folder.

    Args:
        encoder: String, an encoder's name or path.

    Returns:
        String; `None` for an encoder that has a name and no path, whose content does not change.

    Raises:
        UserError: If a file cannot be read.
    """
    path = Path(os.path.expanduser(encoder))
    try:
        if path.is_file():
            return _sha256(path)
        if not encoder or not (path / "config.json").is_file():  # No preset has none.
            return None
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listed = "".join(f"{_sha256(file)} {file.relative_to(path)}\n" for file in files)
    except OSError as error:
        raise UserError(
            f"The encoder cannot be read: {error.strerror}: {error.filename}. "
            f"Received: encoder={encoder!r}"
        ) from error
    return hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
