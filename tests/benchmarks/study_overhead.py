"""Overhead: what a study of learning rates takes beyond the training of its runs.

    python tests/benchmarks/study_overhead.py [--backends tensorflow jax] [--record]

Makes 20 trials of the gated Transformer from scratch on ISEAR, four learning rates with five seeds
each, as a user makes them, and compares the time of the whole command with that of the epochs in
the records, training and validation: what is left is starting, reading, encoding, building,
compiling, testing and writing.

Takes 22 minutes with TensorFlow and 16 with JAX on 2 cores; run nothing beside it.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import history
import processes

MOST = 0.10
_COMMAND = (
    "-m tuning.sensitivity learning_rate --data isear --models gated_transformer@scratch "
    "--rates 1e-4,5e-4,1e-3,2e-3 --seeds 5"
)


def study(backend):
    """Seconds that the study takes, and those of the epochs of its runs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *_COMMAND.split(), "--runs-dir", folder]
        start = time.perf_counter()
        done = subprocess.run(
            command,
            env=processes.environment(KERAS_BACKEND=backend),
            capture_output=True,
            text=True,
            check=False,
        )
        whole = time.perf_counter() - start
        if done.returncode:
            sys.exit(f"The study failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        epochs = 0.0
        for path in Path(folder).glob("*/*/history.csv"):
            with open(path, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    epochs += float(row["seconds"]) + float(row["val_seconds"])
        return whole, epochs


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax"])
    history.add_option(parser)
    arguments = parser.parse_args()
    results = {}
    for backend in arguments.backends:
        whole, epochs = study(backend)
        share = whole / epochs - 1
        results[backend] = {"whole": whole, "epochs": epochs, "share": share}
        print(
            f"{backend}: {whole:.0f} s, of which epochs {epochs:.0f} s: {100 * share:.1f} % beyond "
            f"them, at most {100 * MOST:.0f} % wanted.",
            flush=True,
        )
    if arguments.record:
        history.record(results)


if __name__ == "__main__":
    main()
