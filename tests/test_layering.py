"""Who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_backend

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "emotion_keras"
FRAMEWORKS = {"tensorflow", "jax", "torch"}
KERAS = {"keras", "keras_hub", "keras_nlp", "keras_tuner"}
OTHERS = {"tuning", "reports", "tests"}

FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """Top-level names of the packages that a file imports, at any depth of its code."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module.split(".")[0])
    return names


def test_the_top_level_holds_what_it_should_and_nothing_that_a_trial_left():
    made = {"runs", "logs", "report", "__pycache__"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - made
    folders = {"emotion_keras", "tuning", "reports", "tests"}
    assert found == folders | {"README.md", "LICENSE", "requirements.txt", "tox.ini"}


def test_the_import_reader_sees_what_is_there(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("import a.b\ndef f():\n    from c.d import e\n")
    assert imports(path) == {"a", "c"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_application_imports_neither_frameworks_nor_what_stands_on_it(path):
    assert not imports(path) & (FRAMEWORKS | OTHERS)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tuning").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_tuning_imports_neither_frameworks_nor_reports(path):
    assert not imports(path) & (FRAMEWORKS | {"reports", "tests"})


def modules(path):
    """Full names of the modules of this project that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # A name in a package is a module of it, or stands in its `__init__`.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == "emotion_keras"}


# What they need of the application: records, what is computed from them, and how commands end.
OF_REPORTS = ("card", "record", "evaluation", "errors", "options", "temperature")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "reports").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_reports_import_records_and_evaluation_and_no_keras(path):
    assert not imports(path) & (FRAMEWORKS | KERAS | {"tuning", "tests"})
    assert {name.split(".")[1] for name in modules(path)} <= set(OF_REPORTS)


@pytest.mark.parametrize(
    "path",
    [
        *(PACKAGE / f"{name}.py" for name in ("record", "errors", "options")),
        *sorted((PACKAGE / "evaluation").glob("*.py")),
    ],
    ids=lambda path: path.name,
)
def test_what_reports_may_import_needs_no_keras(path):
    assert not imports(path) & KERAS


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "service").glob("*.py")), ids=lambda path: path.name
)
def test_the_service_needs_nothing_but_a_predictor(path):
    assert not imports(path) & KERAS
    assert {name.split(".")[1] for name in modules(path)} <= {"service", "__version__"}


def test_record_needs_the_standard_library_alone():
    allowed = sys.stdlib_module_names | {"emotion_keras"}
    assert imports(PACKAGE / "record.py") <= allowed


def test_only_one_file_asks_which_backend_is_used_and_acts_on_it():
    askers = {
        path.name for path in FILES if "backend.backend() ==" in path.read_text(encoding="utf-8")
    }
    assert askers <= {"devices.py"}


def test_importing_the_package_loads_no_keras():
    code = (
        "import sys, emotion_keras, emotion_keras.record, emotion_keras.evaluation, "
        "emotion_keras.data; print([m for m in sys.modules if m.split('.')[0] in "
        "('keras', 'keras_hub', 'tensorflow', 'jax', 'torch')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
