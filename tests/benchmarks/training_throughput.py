"""Training throughput: our fine-tuning of MiniLM beside keras-hub's and transformers' own.

    python tests/benchmarks/training_throughput.py [--data FILE] [--record]

Beyond the requirements of the package: transformers, accelerate; jax and torch for their rows.

On the same texts of ISEAR, with the same weights and batches of 32:

- ours: `train` as `fit` calls it, with its defaults, on each backend in the precision that it
  chooses; and with the word-piece vectors trained too, as the peers do, which ours freezes;
- keras-hub: `BertTextClassifier.fit`, at the sequence length that its preset sets (256) and at 64,
  in float32 and in bfloat16; compared with is the faster;
- transformers: `Trainer` as most run it (batches in random order, padded to their longest, float32)
  and at its best (grouped by length, bfloat16).

Each is trained in a process of its own, warms up (ours and transformers for an epoch, keras-hub,
whose batches are all of one shape, for three steps), and is timed over an epoch of 1,280 texts that
have the mix of lengths of the whole training split (keras-hub: over some steps). The contenders
take turns, so that a machine that slows down slows them all; numbers are medians over the rounds,
and ratios are ratios of medians. Encoding texts to tokens is not timed where it is done once before
training (ours, transformers), and is where it is a part of training (keras-hub).

Where the device is slow in bfloat16, as CPUs without AVX-512 BF16 or AMX are, nothing is measured
in it: one matrix product would take minutes. Beside texts a second stand CPU seconds an epoch, on
all cores together: other processes on the machine change them less than the clock.

The share of the peak compares with the fastest matrix product measured in the same run. Useful
operations are 6 for each real token and each weight of the encoder that tokens are multiplied with
(2 forward, 2 for the gradient of the input, 2 for that of the weight); padding, attention scores
and everything else count as nothing.

Takes 30 minutes on 2 cores; run nothing beside it.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import history
import processes
import rich
from rich.table import Table

SCRIPT = Path(__file__).with_name("contenders.py")
BATCH_SIZE = 32
PACKAGES = ("keras", "keras-hub", "tensorflow", "jax", "torch", "transformers", "accelerate")


class Contender(NamedTuple):
    """Something that trains.

    Args:
        name: For the tables.
        function: Name of a function of `contenders.py`.
        backend: Keras backend.
        options: Dictionary of arguments of the function.
        peer: What it is compared as: contenders of one peer differ in precision, and the faster
            counts. `None` for ours.
    """

    name: str
    function: str
    backend: str
    options: dict
    peer: str | None = None


def contenders(backends, peer_backend, num_steps, precisions):
    """All contenders.

    Args:
        backends: Names of the backends for ours.
        peer_backend: Name of the backend for keras-hub.
        num_steps: Steps to time where all steps are alike.
        precisions: Names of the dtype policies that the device is fast in.

    Returns:
        List of `Contender`.
    """
    ours = [
        Contender(f"ours, {backend}", "emotion_keras_fit", backend, {"options": {}})
        for backend in backends
    ]
    ours.append(
        Contender(
            f"ours, {backends[0]}, nothing frozen",
            "emotion_keras_fit",
            backends[0],
            {"options": {"freeze_embeddings": False}},
        )
    )
    keras_hub = [
        Contender(
            f"{peer}, {precision}",
            "keras_hub_classifier",
            peer_backend,
            {"sequence_length": length, "precision": precision, "num_steps": num_steps},
            peer,
        )
        for peer, length in (("keras-hub", None), ("keras-hub, 64", 64))
        for precision in precisions
    ]
    transformers = [
        Contender(peer, "transformers_trainer", "torch", {"at_its_best": best}, peer)
        for peer, best in (
            ("transformers, usual", False),
            ("transformers, best", True),
        )
    ]
    return ours + keras_hub + transformers


def call(function, backend, job):
    """Calls a function of `contenders.py` in a process of its own.

    Returns:
        Its result, or `None` if it failed, which is said.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(job))
        finished = processes.run(
            SCRIPT,
            function,
            path,
            variables={"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
    if finished.returncode:
        print(f"{function} on {backend} failed:\n{finished.errors[-2000:]}", file=sys.stderr)
        return None
    return finished.result()


def run_rounds(competing, sample, rounds, precisions):
    """Lets the contenders take turns.

    Args:
        competing: List of `Contender`.
        sample: What `contenders.sample` returned.
        rounds: Integer.
        precisions: Names of the dtype policies to multiply matrices in.

    Returns:
        Dictionary of results by contender's name, a list with a result a round, and the dictionary
        of the highest speed of matrix products by precision.
    """
    results = {contender.name: [] for contender in competing}
    peak = {}
    for number in range(1, rounds + 1):
        job = {"precisions": precisions}
        for backend in ("tensorflow", "torch"):
            for precision, flops in (call("matmul", backend, job) or {}).items():
                peak[precision] = max(flops, peak.get(precision, 0))
        for contender in competing:
            job = sample | {"batch_size": BATCH_SIZE} | contender.options
            result = call(contender.function, contender.backend, job)
            if result is None:
                continue
            results[contender.name].append(result)
            speed = result["num_texts"] / result["seconds"]
            print(f"round {number} of {rounds}: {contender.name}: {speed:.1f} texts a second")
    return results, peak


def summarize(competing, results, peak, sample):
    """Medians of each contender.

    Returns:
        List of dictionaries, one for each contender that did not fail.
    """
    rows = []
    for contender in competing:
        rounds = results[contender.name]
        if not rounds:
            continue
        last = rounds[-1]
        speeds = [result["num_texts"] / result["seconds"] for result in rounds]
        speed = statistics.median(speeds)
        flops = 6 * sample["num_matmul_weights"] * last["num_tokens"] / last["num_texts"] * speed
        rows.append(
            {
                "name": contender.name,
                "peer": contender.peer,
                "backend": contender.backend,
                "precision": last["precision"],
                "sequence_length": last["sequence_length"],
                "texts_per_second": speed,
                "texts_per_second_by_round": speeds,
                "cpu_seconds_per_epoch": statistics.median(
                    result["cpu_seconds"] / result["num_texts"] * sample["num_train"]
                    for result in rounds
                ),
                "seconds_per_epoch": sample["num_train"] / speed,
                "share_of_peak": flops / peak[last["precision"]],
            }
        )
    return rows


def compare(rows):
    """How many times as fast as each peer ours are.

    Args:
        rows: What `summarize` returned.

    Returns:
        Dictionary by peer of dictionaries by our contenders' names.
    """
    speed_of_peer = {}
    for row in rows:
        if row["peer"]:
            best = speed_of_peer.get(row["peer"], 0)
            speed_of_peer[row["peer"]] = max(best, row["texts_per_second"])
    ours = [row for row in rows if not row["peer"]]
    return {
        peer: {row["name"]: row["texts_per_second"] / speed for row in ours}
        for peer, speed in speed_of_peer.items()
    }


def show(report):
    """Prints the tables."""
    peak = ", ".join(f"{value / 1e9:.0f} in {name}" for name, value in report["peak"].items())
    rich.print(f"\nMatrix products, 2048 x 2048, billions of operations a second: {peak}.")
    table = Table(title=f"Fine-tuning MiniLM on {report['num_train']:,} texts")
    for column in (
        "contender",
        "precision",
        "length",
        "texts/s",
        "s/epoch",
        "CPU s/epoch",
        "% of peak",
    ):
        table.add_column(
            column, justify="left" if column in ("contender", "precision") else "right"
        )
    for row in report["contenders"]:
        table.add_row(
            row["name"],
            row["precision"],
            str(row["sequence_length"]),
            f"{row['texts_per_second']:.1f}",
            f"{row['seconds_per_epoch']:.0f}",
            f"{row['cpu_seconds_per_epoch']:.0f}",
            f"{100 * row['share_of_peak']:.0f}",
        )
    rich.print(table)
    table = Table(title="Ours, times as fast as each peer")
    table.add_column("peer")
    for row in report["contenders"]:
        if not row["peer"]:
            table.add_column(row["name"].removeprefix("ours, "), justify="right")
    for peer, ratios in report["ratios"].items():
        table.add_row(peer, *(f"{ratio:.2f}" for ratio in ratios.values()))
    rich.print(table)


def versions():
    """Versions of the packages that are installed, by name."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="../shared/data/isear/isear.csv", help="the corpus")
    parser.add_argument("--backends", default="tensorflow,jax,torch", help="backends for ours")
    parser.add_argument("--peer-backend", default="tensorflow", help="backend for keras-hub")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--texts", type=int, default=1280, help="texts of an epoch")
    parser.add_argument("--steps", type=int, default=10, help="timed steps of keras-hub")
    parser.add_argument("--only", default="", help="only contenders whose name holds this")
    history.add_option(parser)
    return parser.parse_args()


def main():
    arguments = parse()
    if (load := os.getloadavg()[0]) > 0.5:
        print(f"Something else is running here (load {load:.1f}): the numbers will be wrong.")
    sample = call("sample", "tensorflow", {"data": arguments.data, "num_texts": arguments.texts})
    if sample is None:
        return 1
    precisions = ["float32"]
    if sample["fast_bfloat16"]:
        precisions.append("mixed_bfloat16")
    else:
        print("This device is slow in bfloat16: nothing is measured in it.")
    competing = [
        contender
        for contender in contenders(
            arguments.backends.split(","), arguments.peer_backend, arguments.steps, precisions
        )
        if arguments.only in contender.name
    ]
    results, peak = run_rounds(competing, sample, arguments.rounds, precisions)
    rows = summarize(competing, results, peak, sample)
    report = {
        "num_train": sample["num_train"],
        "num_texts": arguments.texts,
        "batch_size": BATCH_SIZE,
        "versions": versions(),
        "peak": peak,
        "contenders": rows,
        "ratios": compare(rows),
    }
    show(report)
    if arguments.record:
        history.record(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
