"""The package, built and installed with the extra `[onnx]` alone, labels a text."""

import csv
import importlib.metadata
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from emotion_keras import __version__, record
from emotion_keras.inference.export import export

pytestmark = pytest.mark.tensorflow

FOLDER = Path(__file__).parents[2] / "emotion_keras"


def run(*command, folder):
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def required_by(distribution, extras=()):
    """The distributions that one asks for, with what these ask for, by name."""
    found = {}
    for line in distribution.requires or ():
        needed = Requirement(line)
        markers = [{"extra": extra} for extra in ("", *extras)]
        if not needed.marker or any(map(needed.marker.evaluate, markers)):
            one = importlib.metadata.distribution(needed.name)
            found |= {one.name: one} | required_by(one, needed.extras)
    return found


def link(distribution, packages):
    """Puts an installed distribution into another environment."""
    for file in distribution.files:
        if ".." not in file.parts and file.suffix != ".pyc":
            path = packages / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(file.locate())


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment with the package, and with what `[onnx]` asks for alone.

    The environment of the tests gives what it asks for, so that this needs no network.
    """
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    folder = tmp_path_factory.mktemp("package")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = ["wheel", FOLDER, "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    run(*pip, *build, folder=folder)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "environment", symlinks=True)
    python = folder / "environment" / "bin" / "python"
    run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel, folder=folder)
    (packages,) = folder.glob("environment/lib/python*/site-packages")
    (package,) = importlib.metadata.distributions(path=[str(packages)])
    for distribution in required_by(package, ["onnx"]).values():
        link(distribution, packages)
    return python


def test_an_exported_model_labels_a_text(python, gated_run, tmp_path):
    exported = export(str(gated_run), out=str(tmp_path / "onnx"), notify=lambda message: None)
    with open(gated_run / record.TEXTS, encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:5]
    with open(gated_run / record.PREDICTIONS, encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    code = (
        "import sys; from emotion_keras import Predictor; "
        "print(*Predictor.load(sys.argv[1]).predict(sys.argv[2:]))"
    )
    labels = run(python, "-I", "-c", code, exported, *texts, folder=tmp_path).split()
    assert labels == [row["predicted"] for row in rows[: len(texts)]]


def test_the_package_lists_its_commands_and_holds_all_its_files(python, tmp_path):
    listed = run(python, "-I", "-m", "emotion_keras", folder=tmp_path)
    assert "python -m emotion_keras.fit" in listed and "tuning" not in listed
    version = run(python, "-I", "-m", "emotion_keras", "--version", folder=tmp_path)
    assert version == f"emotion_keras {__version__}"
    code = "import emotion_keras; print(emotion_keras.__path__[0])"
    installed = Path(run(python, "-I", "-c", code, folder=tmp_path))
    kept = {path.relative_to(installed) for path in installed.rglob("*") if path.suffix != ".pyc"}
    own = {path.relative_to(FOLDER) for path in FOLDER.rglob("*") if path.suffix != ".pyc"}
    missing = {str(path) for path in own - kept if path.name != "__pycache__"}
    assert missing == {"pyproject.toml"}
