"""The cores that this process may use, and how busy they are."""

import os
from pathlib import Path

_STAT = Path("/proc/stat")


def available_cores() -> list[int]:
    """Numbers of the cores that this process may use, where the system says so; else all."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def busy_seconds() -> float | None:
    """Seconds that the cores of `available_cores` have worked since the machine started.

    Returns:
        Float, the sum over cores of the work of all processes; `None` where the system does not
        count it, as all but Linux.
    """
    try:
        lines = _STAT.read_text().splitlines()
    except OSError:
        return None
    names = {f"cpu{number}" for number in available_cores()}
    rows = [line.split() for line in lines]
    # User, nice, system, idle, waiting for a disk, interrupts (twice), taken by other machines.
    counts = [[int(count) for count in row[1:9]] for row in rows if row and row[0] in names]
    ticks = sum(sum(row) - row[3] - row[4] for row in counts)
    return ticks / os.sysconf("SC_CLK_TCK")
