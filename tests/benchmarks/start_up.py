"""Start-up: seconds from the command to the first training step of `fit`, and its peak memory.

    python tests/benchmarks/start_up.py [--data FILE] [--record]

The command runs as a user runs it, with default settings, in a terminal of its own: the time is
taken when its progress shows that the first step is done. It is stopped there, a few times
over; the last time it trains two epochs and writes its run, and its memory is taken at its end.

Takes 3 minutes on 2 cores; run nothing beside it. Measure where nothing but requirements.txt is
installed: TensorFlow imports JAX where it finds it, which takes 0.1 GB more.
"""

import argparse
import os
import pty
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import history
import processes

MOST_SECONDS = 25
MOST_MEMORY = 2.5e9

# The line of progress is there once the first step is done.
_FIRST_STEP = re.compile(rb"\rEpoch 1 of \d+, \d+ %")


def start(data, runs_dir, stop_at_first_step):
    """Runs `fit` once.

    Args:
        data: The corpus.
        runs_dir: Folder for the run.
        stop_at_first_step: Whether to end it there.

    Returns:
        Seconds to the first step, and the peak memory in bytes.
    """
    command = [sys.executable, "-m", "emotion_keras.fit", "--data", data, "--epochs", "2"]
    terminal, other_end = pty.openpty()
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--runs-dir", runs_dir],
        env=processes.environment(),
        stdin=subprocess.DEVNULL,
        stdout=other_end,
        stderr=other_end,
    )
    os.close(other_end)
    shown, seconds = b"", None
    while part := _read(terminal):
        shown += part
        if seconds is None and _FIRST_STEP.search(shown):
            seconds = time.perf_counter() - begin
            if stop_at_first_step:
                process.send_signal(signal.SIGKILL)
    os.close(terminal)
    peak = processes.wait(process)
    if seconds is None or (process.returncode and not stop_at_first_step):
        sys.exit(f"fit failed:\n{shown.decode(errors='replace')[-3000:]}")
    return seconds, peak


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # So Linux says that the other end is closed.
        return b""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="../shared/data/isear/isear.csv", help="the corpus")
    parser.add_argument("--repeats", type=int, default=3, help="how often the start is timed")
    history.add_option(parser)
    arguments = parser.parse_args()
    times = []
    for number in range(arguments.repeats):
        is_last = number == arguments.repeats - 1
        with tempfile.TemporaryDirectory() as folder:
            seconds, peak = start(arguments.data, folder, stop_at_first_step=not is_last)
        times.append(seconds)
        print(f"First step after {seconds:.1f} s")
    median = statistics.median(times)
    print(
        f"Median {median:.1f} s, less than {MOST_SECONDS} wanted; peak memory of two epochs "
        f"{peak / 1e9:.2f} GB, less than {MOST_MEMORY / 1e9:g} wanted."
    )
    if arguments.record:
        history.record({"seconds_to_first_step": times, "peak_memory_bytes": peak})


if __name__ == "__main__":
    main()
