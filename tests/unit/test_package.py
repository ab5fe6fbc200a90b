"""What the package says of itself: its commands, its version, what it needs."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import emotion_keras
from emotion_keras import __main__ as package
from emotion_keras.inference.predictor import Predictor

ROOT = Path(__file__).parents[2]
FILES = [
    path for name in ("emotion_keras", "tuning", "reports") for path in (ROOT / name).rglob("*.py")
]


def is_command(path):
    return any(
        isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
        for node in ast.parse(path.read_text(encoding="utf-8")).body
    )


def test_the_list_has_every_command_with_what_it_does(capsys):
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in FILES if is_command(path)
    }
    assert {*package.COMMANDS, "emotion_keras.__main__"} == names
    package.main([])
    lines = capsys.readouterr().out.splitlines()
    for name in package.COMMANDS:
        (line,) = [line for line in lines if f"python -m {name} " in line]
        docstring = ast.get_docstring(
            ast.parse((ROOT / f"{name.replace('.', '/')}.py").read_text())
        )
        assert docstring.startswith(line.split(name)[1].strip(" ."))


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [(["predct", "best", "a"], "emotion_keras.predict"), (["zebra"], "emotion_keras.fit")],
)
def test_a_command_that_is_given_to_the_list_is_told(arguments, meant, capsys):
    with pytest.raises(SystemExit) as end:
        package.main(arguments)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert f"such as python -m {meant}. Received: {' '.join(arguments)}" in said


def test_the_list_imports_no_command_and_shows_the_version():
    code = (
        "import sys; from emotion_keras import __main__ as package; package.main([]); "
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = set(done.stderr.split())
    assert not imported & {*package.COMMANDS, "numpy", "keras", "rich"}


HEAVY = {"keras", "keras_hub", "tensorflow", "jax", "torch", "pandas", "sklearn", "scipy"}
HEAVY |= {"statsmodels", "matplotlib", "onnx", "onnxruntime", "keras_tuner", "tokenizers"}


@pytest.mark.parametrize("name", package.COMMANDS)
def test_help_and_version_answer_without_what_takes_seconds_to_import(name):
    code = (
        "import runpy, sys\n"
        "for option in ('--help', '--version'):\n"
        "    sys.argv[1:] = [option]\n"
        "    try:\n"
        f"        runpy.run_module({name!r}, run_name='__main__')\n"
        "    except SystemExit as stop:\n"
        "        assert not stop.code\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"usage: python -m {name}" in done.stdout
    assert done.stdout.endswith(f"emotion_keras {emotion_keras.__version__}\n")
    assert not set(done.stderr.split()) & HEAVY


def test_the_version_is_shown(capsys):
    with pytest.raises(SystemExit, match="0"):
        package.main(["--version"])
    assert capsys.readouterr().out == f"emotion_keras {emotion_keras.__version__}\n"


def test_the_predictor_is_imported_when_it_is_asked_for():
    assert emotion_keras.Predictor is Predictor
    with pytest.raises(AttributeError, match="no attribute 'Trainer'"):
        emotion_keras.Trainer  # noqa: B018


def test_an_exported_model_is_imported_without_what_training_needs():
    code = (
        "import emotion_keras.inference.onnx_model; from emotion_keras import Predictor; "
        "print(*{name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    others = {"keras", "pandas", "sklearn", "scipy", "rich", "yaml", "pyarrow"}
    found = set(done.stdout.split())
    assert {"numpy", "onnxruntime"} <= found and not found & others


def test_the_package_asks_for_what_the_requirements_say():
    with open(ROOT / "emotion_keras" / "pyproject.toml", "rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    asked = {line for line in lines if not line.startswith("#")}
    found = {line for extra in extras.values() for line in extra} - {
        "emotion_keras[onnx,speech,image]"
    }
    # Tuning and reports, which are not in the package, need these.
    assert asked - found == {
        line for line in asked if line.startswith(("keras-tuner", "matplotlib", "tensorboard"))
    }
    assert found <= asked
