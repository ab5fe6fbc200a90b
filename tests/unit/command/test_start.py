"""Every command says what it does and which version it is of before anything heavy is loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import emotion_keras
from emotion_keras.__main__ import COMMANDS

ROOT = Path(__file__).parents[3]
HEAVY = {"keras", "keras_hub", "tensorflow", "jax", "torch", "sklearn", "scipy"}
CODE = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as end:
    print("exit", end.code or 0, *{name.split(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def start(*arguments):
    """What a command prints, its exit code, and the packages that it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        cwd=ROOT,
        # A command that is asked for its help need not know the backend.
        env={**os.environ, "KERAS_BACKEND": "nonsense"},
        capture_output=True,
        text=True,
    )
    _, code, *packages = done.stderr.split()
    return done.stdout, int(code), set(packages)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_version_load_no_keras(name):
    said, code, packages = start(name, "--help")
    assert code == 0 and said.startswith(f"usage: python -m {name} ")
    assert not packages & HEAVY
    said, code, packages = start(name, "--version")
    assert (said, code) == (f"emotion_keras {emotion_keras.__version__}\n", 0)
    assert not packages & HEAVY


@pytest.mark.parametrize("analysis", ["learning_rate", "noise", "data_ratio", "gate"])
def test_help_of_an_analysis_loads_no_keras(analysis):
    said, code, packages = start("tuning.sensitivity", analysis, "--help")
    assert code == 0 and f"tuning.sensitivity {analysis}" in said
    assert not packages & HEAVY


def test_a_wrong_option_is_told_before_keras_is_loaded():
    done = subprocess.run(
        [sys.executable, "-m", "emotion_keras.fit", "--epochs=0"],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "nonsense"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == "\nerror: epochs is 1 or more. Received: epochs=0\n"
