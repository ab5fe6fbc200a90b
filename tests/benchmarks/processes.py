"""Runs what is measured in processes of their own, and takes their time and memory from outside."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Finished(NamedTuple):
    """What a process left behind.

    Args:
        output: Its standard output, a string.
        errors: Its standard error, a string.
        returncode: Its exit code.
        seconds: Its life, from the command to the exit.
        peak_memory_bytes: The most main memory that it held.
    """

    output: str
    errors: str
    returncode: int
    seconds: float
    peak_memory_bytes: int

    def result(self):
        """The last line of the output, read as JSON."""
        return json.loads(self.output.splitlines()[-1])


def environment(**variables):
    """This process's environment with the application importable, and with more variables."""
    return os.environ | {"PYTHONPATH": os.fspath(ROOT)} | variables


def wait(process):
    """Waits for a process to end.

    Args:
        process: `subprocess.Popen`.

    Returns:
        The most main memory that it held, in bytes.
    """
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024


def run(script, *arguments, variables=None):
    """Runs a script of this folder.

    Args:
        script: The script's path.
        *arguments: Its arguments.
        variables: Dictionary of environment variables to add.

    Returns:
        `Finished`.
    """
    command = [sys.executable, os.fspath(script), *map(str, arguments)]
    # Files, because a pipe that nobody reads blocks the process when it is full.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment(**(variables or {})), stdout=output, stderr=errors
        )
        peak = wait(process)
        seconds = time.perf_counter() - start
        output.seek(0)
        errors.seek(0)
        return Finished(output.read(), errors.read(), process.returncode, seconds, peak)
