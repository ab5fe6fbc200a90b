"""What a shell learns of the words that may come next on a command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_keras.__main__ import COMMANDS

pytest.importorskip("argcomplete", reason="argcomplete is not installed")

ROOT = Path(__file__).parents[3]


def complete(line, tmp_path):
    """The words that may come next, as argcomplete's shell function asks for them."""
    module = line.split()[2]
    out = tmp_path / "out"
    asked = {
        "_ARGCOMPLETE": "3",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(out),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
        "IFS": "\v",
    }
    done = subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, env={**os.environ, **asked}, capture_output=True
    )
    assert (done.stdout, done.returncode) == (b"", 0), done.stderr
    return out.read_text().split("\v")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("python -m emotion_keras.fit --ep", ["--epochs"]),
        # Which options there are depends on what was typed before.
        ("python -m emotion_keras.fit --model cnn --num-f", ["--num-filters"]),
        ("python -m emotion_keras.fit --model gated", ["gated_transformer"]),
        ("python -m emotion_keras.fit --freeze-encoder ", ["true", "false"]),
        ("python -m emotion_keras.compare --see", ["--seeds"]),
        ("python -m emotion_keras.predict best --long ", ["truncate", "split"]),
        ("python -m emotion_keras.export best --format s", ["saved_model"]),
        ("python -m emotion_keras.serve --min", ["--min-confidence"]),
        ("python -m tuning.sensitivity learn", ["learning_rate"]),
        ("python -m tuning.sensitivity gate --see", ["--seeds"]),
    ],
)
def test_words_that_may_come_next(line, words, tmp_path):
    assert complete(line, tmp_path) == words


@pytest.mark.parametrize("module", COMMANDS)
def test_every_command_has_the_mark_that_a_shell_looks_for(module):
    code = f"import sys; from argcomplete._check_module import main; sys.argv[1:] = [{module!r}]"
    done = subprocess.run([sys.executable, "-c", f"{code}; main()"], cwd=ROOT)
    assert done.returncode == 0
