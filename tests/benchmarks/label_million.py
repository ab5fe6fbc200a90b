"""Labelling of a million texts: texts a second, peak memory, and what two kills do to the result.

    python tests/benchmarks/label_million.py RUN [--rows N] [--record]

Writes a CSV of texts from the built-in corpus, each with its number, and has the command label it
as a user does. At two random moments the process is killed (SIGKILL), and the same command
continues. In the end each row must have been answered once, in order and unchanged.

The time depends on the run's model alone: with `tfidf_logistic` it is minutes, with MiniLM on a CPU
hours, for which `--rows` is there.
"""

import argparse
import csv
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import history
import processes

MOST_MEMORY = 1e9


def write_texts(path, num_rows):
    """Writes the input: a number, a text of the built-in corpus, and a cell that is to be kept."""
    corpus = processes.ROOT / "emotion_keras" / "data" / "situations.csv"
    with open(corpus, encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "text", "note"])
        for number, text in zip(range(num_rows), itertools.cycle(texts), strict=False):
            writer.writerow([number, text, f"00{number % 7}, NA"])


def label(command, journal, kill_at):
    """Runs the command once.

    Args:
        command: List of strings.
        journal: The file that says how many rows are labelled.
        kill_at: Number of rows at which to kill it, or `None`.

    Returns:
        Seconds that it took, and its peak memory in bytes.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=processes.environment())
    while kill_at is not None and rows_done(journal) < kill_at:
        if process.poll() is not None:
            sys.exit(f"The command ended with exit code {process.returncode} before it was killed.")
        time.sleep(0.05)
    if kill_at is not None:
        time.sleep(random.random() / 10)
        process.send_signal(signal.SIGKILL)
    peak = processes.wait(process)
    if process.returncode != (0 if kill_at is None else -signal.SIGKILL):
        sys.exit(f"The command ended with exit code {process.returncode}.")
    return time.perf_counter() - begin, peak


def rows_done(journal):
    """Number of rows that are labelled so far."""
    return json.loads(journal.read_text())["rows"] if journal.exists() else 0


def check(given, labelled):
    """Compares both files row by row, and ends with a message where they differ."""
    with open(given, newline="") as before, open(labelled, newline="") as after:
        rows, answered = csv.reader(before), csv.reader(after)
        width = len(next(rows))
        new = next(answered)[width:]
        label = width + new.index("label")
        for number, (row, answer) in enumerate(itertools.zip_longest(rows, answered)):
            if row is None or answer is None or answer[:width] != row or not answer[label]:
                sys.exit(f"Row {number} is not answered once: {row} became {answer}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", help="folder of a run with its model")
    parser.add_argument("--rows", type=int, default=1_000_000, help="number of texts")
    history.add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        given, labelled = Path(folder, "texts.csv"), Path(folder, "labelled.csv")
        write_texts(given, arguments.rows)
        command = [sys.executable, "-m", "emotion_keras.predict", arguments.run]
        command += ["--input", os.fspath(given), "--output", os.fspath(labelled), "--resume"]
        journal = Path(folder, "labelled.csv.progress.json")
        kills = sorted(random.sample(range(1, int(0.9 * arguments.rows)), 2))
        runs = [label(command, journal, kill_at) for kill_at in (*kills, None)]
        check(given, labelled)
    seconds, peak = sum(run[0] for run in runs), max(run[1] for run in runs)
    print(
        f"{arguments.rows:,} rows answered once and in order, after kills at {kills[0]:,} and "
        f"{kills[1]:,}. {arguments.rows / seconds:,.0f} texts a second, three starts included; "
        f"peak memory {peak / 1e9:.2f} GB, less than {MOST_MEMORY / 1e9:g} wanted."
    )
    if arguments.record:
        history.record({"rows": arguments.rows, "seconds": seconds, "peak_memory_bytes": peak})


if __name__ == "__main__":
    main()
