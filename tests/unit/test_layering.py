"""Who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "emotion_keras"
FRAMEWORKS = {"tensorflow", "jax", "torch"}
KERAS = {"keras", "keras_hub", "keras_nlp", "keras_tuner"}

FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """Top-level names of the packages that a file imports, at any depth of its code."""
    return names_of(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def names_of(nodes):
    """Top-level names of the packages that nodes of a syntax tree import."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import of {node.module}"
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


# Who may import whom: a room imports from itself and from rooms above it, and from no other.
ROOMS = (
    "errors",
    "machine",
    "record",
    "command",
    "shading",
    "tables",
    "layers",
    "inputs",
    "targets",
    "models",
    "data",
    "evaluation",
    "inference",
    "training",
    "studies",
)
# The commands stand on all rooms, and on no other command.
COMMANDS = ("combine", "compare", "evaluate", "export", "faithfulness", "fit", "predict", "serve")
# What stands beside the rooms, and what of them it needs.
BESIDE = {
    "service": {"service", "errors", "record", "shading", "__version__"},
    "tuning": {"tuning", "compare", *ROOMS},
    "reports": {
        "reports",
        "errors",
        "record",
        "command",
        "shading",
        "inputs",
        "targets",
        "data",
        "evaluation",
        "training",
    },
}
# The package's face to users: `from emotion_keras import Predictor`, and the list of commands.
FACE = {"__init__": {"inference"}, "__main__": set()}
# Rooms whose every file needs no Keras: what reads records, or runs an exported model, is quick.
WITHOUT_KERAS = (
    "errors",
    "record",
    "command",
    "shading",
    "tables",
    "targets",
    "evaluation",
    "service",
)


def rooms_of(path):
    """The rooms that a file imports from; commands and packages beside them count as rooms."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            # A name in a package is a module of it, or stands in its `__init__`.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for package, *parts in (name.split(".") for name in names):
            if package == "emotion_keras":
                rooms |= {*parts[:1]}
            elif package in BESIDE:
                rooms.add(package)
    return rooms


def room(path):
    """The room that a file belongs to."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "emotion_keras" else parts[0]


def allowed(name):
    """The rooms that a room may import from."""
    if name in BESIDE:
        return BESIDE[name]
    if name in COMMANDS:
        return {*ROOMS, "service"}
    if name in FACE:
        return FACE[name]
    return {"__version__", *ROOMS[: ROOMS.index(name) + 1]}


ALL_FILES = sorted(
    path for name in ("emotion_keras", "tuning", "reports") for path in (ROOT / name).rglob("*.py")
)


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_room_imports_from_the_rooms_above_it_and_no_framework(path):
    assert not imports(path) & (FRAMEWORKS | {"tests"})
    assert rooms_of(path) <= allowed(room(path))


@pytest.mark.parametrize(
    "path",
    [path for path in ALL_FILES if room(path) in (*WITHOUT_KERAS, "reports")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_records_and_what_is_computed_from_them_need_no_keras(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    # What is imported within a function is imported when it is needed.
    found = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not names_of(found) & KERAS


def test_the_root_of_the_package_holds_the_commands_and_little_else():
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    assert modules <= {"__init__", "__main__", "errors", *COMMANDS}


def test_record_needs_the_standard_library_alone():
    allowed = sys.stdlib_module_names | {"emotion_keras"}
    for path in (PACKAGE / "record").glob("*.py"):
        assert imports(path) <= allowed


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
