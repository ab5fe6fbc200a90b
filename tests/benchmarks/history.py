"""The history of the benchmarks: `history.jsonl`, a line a run, to which `--record` adds."""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

HISTORY = Path(__file__).with_name("history.jsonl")

# Instructions of a CPU that decide how fast it computes in float32, in bfloat16 and in int8.
INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8")


def add_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--record` to the options of a benchmark."""
    parser.add_argument(
        "--record", action="store_true", help="add the figures to history.jsonl, beside this file"
    )


def record(figures: dict, path: Path = HISTORY) -> None:
    """Adds a line about the run of this process.

    Args:
        figures: Dictionary of what was measured, in seconds, bytes and fractions unless a name says
            otherwise.
        path: The history's path.
    """
    line = {
        "benchmark": Path(sys.argv[0]).stem,
        "date": date.today().isoformat(),
        "machine": machine(),
        "command": command(sys.argv),
        "commit": commit(),
        "figures": figures,
    }
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def machine() -> dict:
    """What this machine computes with: `cpu`, `cores` and `instructions`."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    # Of the last core: all are alike.
    fields = {name.strip(): value for name, _, value in (line.partition(":") for line in lines)}
    flags = fields.get("flags", "").split()
    return {
        "cpu": fields.get("model name", platform.processor()).strip(),
        "cores": os.cpu_count(),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
    }


def command(arguments: list) -> str:
    """The command as on any machine: without `--record`, and with the names of paths alone."""
    script, *options = arguments
    kept = [
        Path(option).name if os.path.exists(option) else option
        for option in options
        if option != "--record"
    ]
    return shlex.join(["python", f"tests/benchmarks/{Path(script).name}", *kept])


def commit() -> str:
    """The commit that was measured, with `-dirty` where other files than the history differ.

    Empty where this is no checkout of Git.
    """
    changed = _git("status", "--porcelain", "--untracked-files=no", ":/", f":!{HISTORY.name}")
    return _git("rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else "")


def _git(*arguments):
    command = ["git", "-C", os.fspath(HISTORY.parent), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
