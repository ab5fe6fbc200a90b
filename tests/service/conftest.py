"""A predictor that needs no model, and the service with it in a process of its own."""

import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]

# The command with the predictor of this file in the place of the real one.
COMMAND = """
import runpy, sys, types
module = types.ModuleType("emotion_keras.inference.predictor")
module.Predictor = runpy.run_path(sys.argv[1])["FakePredictor"]
sys.modules[module.__name__] = module
sys.argv = ["serve", *sys.argv[2:]]
runpy.run_module("emotion_keras.serve", run_name="__main__")
"""


class FakePredictor:
    """Finds joy in texts with "sun" and fear in all others; of three words it reads no more.

    Args:
        can_explain: Whether it explains.
    """

    labels = ["fear", "joy"]
    name = "gated_transformer-seed0"
    sequence_length = 5
    num_parallel = 1

    def __init__(self, can_explain=True):
        self.can_explain = can_explain
        self.calls = []

    @classmethod
    def load(cls, folder, parallel=False):
        return cls()

    def __call__(self, texts, explain=False):
        self.calls.append((list(texts), explain))
        return [self._predict(text, explain) for text in texts]

    def _predict(self, text, explain):
        if text == "fail":
            raise RuntimeError("no such kernel")
        if text == "slow":
            time.sleep(1)
        words = text.split()
        found = {"label": "", "confidence": None, "probabilities": None, "flag": "empty"}
        if words:
            joy = 0.75 if "sun" in text else 0.125
            found = {
                "label": "joy" if joy > 0.5 else "fear",
                "confidence": max(joy, 1 - joy),
                "probabilities": {"fear": 1 - joy, "joy": joy},
                "flag": "truncated" if len(words) > 3 else "",
            }
        if explain:
            # The first word speaks for the label, the second against it, the third does nothing.
            values = zip(words, (0.25, 0.75, 0.5), (1.5, -0.5, 0.0), strict=False)
            found["words"] = [{"word": w, "gate": g, "contribution": c} for w, g, c in values]
        return found


@pytest.fixture
def fake_predictor():
    """The class, since test modules cannot import from here."""
    return FakePredictor


class Service(NamedTuple):
    """A service that runs.

    Args:
        process: `subprocess.Popen`.
        address: URL without a slash at its end.
        port: Integer.
    """

    process: subprocess.Popen
    address: str
    port: int


@contextlib.contextmanager
def start(*options):
    """Starts a service on a port that is free, and ends it."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, __file__, ".", "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        found = re.search(r"on (http://127\.0\.0\.1:(\d+)) ", line)
        assert found, line + process.stderr.read()
        yield Service(process, found[1], int(found[2]))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def start_service():
    return start


@pytest.fixture(scope="module")
def service():
    """A service whose clients have a second and a half for what they send."""
    with start("--client-seconds", "1.5") as service:
        yield service
