"""Main memory that this process holds."""

import contextlib
import resource
import sys
from pathlib import Path


def peak_memory_bytes() -> int:
    """The most memory that this process has held so far, in bytes of main memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def memory_bytes() -> int:
    """The main memory that this process holds, in bytes; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def reset_peak_memory() -> None:
    """Has `peak_memory_bytes` count from now on, where the system can: on Linux."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
