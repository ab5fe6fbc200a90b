"""Data throughput: how fast, and in how much memory, a corpus of a million texts becomes token ids.

    python tests/benchmarks/data_throughput.py [--texts 1000000] [--record]

A CSV of a million texts of about 25 words by 140,000 authors is generated; then, in a process of
its own, it is loaded, prepared, split by author, a vocabulary is learned from the training split,
and all three splits are encoded: what `fit --encoder scratch` does before it trains.

Takes 2 minutes, half of it for the file.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from pathlib import Path

import history
import numpy as np
import processes
import rich
from rich.table import Table

LABELS = ("joy", "fear", "anger", "sadness", "disgust", "shame", "guilt")
LEAST_TEXTS_PER_SECOND = 20_000
MOST_MEMORY = 3e9

_TEXTS_AT_ONCE = 10_000


def write_corpus(path, num_texts, num_authors, seed=0):
    """Writes a CSV of texts that have a language's spread of word frequencies and of lengths.

    Args:
        path: The file's path.
        num_texts: Integer, texts of 4 to 100 words, 25 on average.
        num_authors: Integer.
        seed: Integer.
    """
    rng = np.random.default_rng(seed)
    words = _invent_words(rng, 200_000)
    # Zipf's law, with an exponent that lets as large a share of the words be rare as in English.
    cumulative = np.cumsum(np.arange(1, len(words) + 1) ** -1.15)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "author"])
        for start in range(0, num_texts, _TEXTS_AT_ONCE):
            size = min(_TEXTS_AT_ONCE, num_texts - start)
            lengths = np.clip(rng.negative_binomial(3, 3 / 28, size), 4, 100)
            drawn = rng.random(lengths.sum()) * cumulative[-1]
            chosen = words[np.searchsorted(cumulative, drawn)]
            labels = rng.integers(len(LABELS), size=size)
            authors = rng.integers(num_authors, size=size)
            ends = np.cumsum(lengths)
            for end, length, label, author in zip(ends, lengths, labels, authors, strict=True):
                text = _sentences(chosen[end - length : end].tolist())
                writer.writerow([text, LABELS[label], f"author {author}"])


def _invent_words(rng, number):
    """Words of one to four syllables, the frequent ones shorter."""
    syllables = [a + b + c for a in "bdfgklmnprstvw" for b in "aeiou" for c in ("", "n", "r", "st")]
    words = {}
    while len(words) < number:
        most = 1 + min(3, len(words) // 150)
        words["".join(rng.choice(syllables, rng.integers(1, most + 1)))] = None
    return np.array(list(words), dtype=object)


def _sentences(words):
    """A capital, a comma and a full stop every twelve words."""
    parts = [words[start : start + 12] for start in range(0, len(words), 12)]
    for part in parts:
        part[0] = part[0].capitalize()
        part[len(part) // 2] += ","
        part[-1] = f"{part[-1].rstrip(',')}."
    return " ".join(word for part in parts for word in part)


def measure(path):
    """Takes a file through all steps.

    Args:
        path: A CSV with the columns `text`, `label` and `author`.

    Returns:
        Dictionary of `num_texts`, `num_tokens`, and by step `seconds` and `cpu_seconds`, those of
        all cores.
    """
    from emotion_keras.data import Dataset, load_corpus, prepare, split
    from emotion_keras.inputs.text import TextInput

    seconds, cpu_seconds = {}, {}
    start, cpu_start = time.perf_counter(), time.process_time()

    def lap(step):
        nonlocal start, cpu_start
        now, cpu_now = time.perf_counter(), time.process_time()
        seconds[step], cpu_seconds[step] = now - start, cpu_now - cpu_start
        start, cpu_start = now, cpu_now

    corpus = load_corpus(path, group_column="author")
    num_texts = len(corpus)
    lap("load")
    corpus, audit = prepare(corpus)
    lap("prepare")
    dataset = Dataset(corpus, audit, split(corpus))
    lap("split")
    text = TextInput.learn(dataset.cells("train"), encoder="scratch")
    lap("learn vocabulary")
    encoded = [text.encode(dataset.cells(name)) for name in ("train", "val", "test")]
    lap("encode")
    num_tokens = int(sum(sequences.lengths.sum() for sequences in encoded))
    return {
        "num_texts": num_texts,
        "num_tokens": num_tokens,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }


def show(result):
    """Prints seconds and texts a second of each step, and of all together."""
    seconds, cpu_seconds = (
        result[key] | {"together": sum(result[key].values())} for key in ("seconds", "cpu_seconds")
    )
    table = Table(title=f"{result['num_texts']:,} texts, {result['num_tokens']:,} tokens")
    for column in ("step", "seconds", "CPU seconds", "texts a second"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for step, value in seconds.items():
        speed = f"{result['num_texts'] / value:,.0f}"
        table.add_row(step, f"{value:.1f}", f"{cpu_seconds[step]:.1f}", speed)
    rich.print(table)
    speed, memory = result["num_texts"] / seconds["together"], result["peak_memory_bytes"]
    rich.print(
        f"{speed:,.0f} texts a second, at least {LEAST_TEXTS_PER_SECOND:,} wanted; "
        f"peak memory {memory / 1e9:.2f} GB, less than {MOST_MEMORY / 1e9:g} wanted."
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=1_000_000, help="texts to generate")
    history.add_option(parser)
    parser.add_argument("--measure", type=Path, help="measure with this file, in this process")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.csv"
        write_corpus(path, arguments.texts, num_authors=max(10, round(0.14 * arguments.texts)))
        finished = processes.run(__file__, "--measure", path)
    if finished.returncode:
        sys.exit(finished.errors)
    result = finished.result() | {"peak_memory_bytes": finished.peak_memory_bytes}
    show(result)
    if arguments.record:
        history.record(result)


if __name__ == "__main__":
    main()
