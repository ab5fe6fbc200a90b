"""Which state of this software is running."""

import contextlib
import os
import subprocess
from pathlib import Path


def find_commit() -> str | None:
    """The commit of this software's checkout, or `None` where it is not one."""
    folder = Path(__file__).parent
    command = ["git", "-C", os.fspath(folder), "rev-parse", "HEAD"]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return None
