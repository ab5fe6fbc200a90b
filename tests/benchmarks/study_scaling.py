"""Scaling: the time that a study of small models takes with two workers, against one worker.

    python tests/benchmarks/study_scaling.py [--rounds N] [--record]

Both make the same comparison again, cnn and gated_transformer from scratch with four seeds each on
the built-in corpus, as a user makes it, in turns.

Takes 10 minutes on 2 cores; run nothing beside it.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time

import history
import processes

MOST = 0.65
_COMMAND = (
    "-m emotion_keras.compare --data situations --models cnn,gated_transformer@scratch --seeds 4"
)


def study(workers):
    """Seconds that the study takes with so many workers."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *_COMMAND.split(), f"--workers={workers}", "--runs-dir", folder]
        start = time.perf_counter()
        done = subprocess.run(
            command, env=processes.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"compare failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2, help="how often each is timed")
    history.add_option(parser)
    arguments = parser.parse_args()
    seconds = {1: [], 2: []}
    for _ in range(arguments.rounds):
        for workers, times in seconds.items():
            times.append(study(workers))
            print(f"{workers} workers: {times[-1]:.0f} s", flush=True)
    ratio = statistics.median(seconds[2]) / statistics.median(seconds[1])
    print(f"Two workers take {ratio:.2f} of one worker's time, at most {MOST} wanted.")
    if arguments.record:
        history.record({"seconds": seconds, "ratio": ratio})


if __name__ == "__main__":
    main()
