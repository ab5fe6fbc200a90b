"""Checksums of files and folders."""

import hashlib
from pathlib import Path


def content_sha256(path: Path) -> str:
    """Checksum of a file, or of a folder's files with their names.

    Args:
        path: The file or the folder.

    Raises:
        OSError: If a file cannot be read.
    """
    if path.is_file():
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listed = "".join(f"{content_sha256(file)} {file.relative_to(path)}\n" for file in files)
    return hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()
