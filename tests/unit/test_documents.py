"""What the documents say is there: files, commands, options, names, numbers."""

import importlib
import re
from pathlib import Path

import pytest
import yaml

from tuning.analyses import ANALYSES

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PUBLISHED = ROOT / "reports" / "published" / "README.md"
DOCUMENTS = [
    README,
    PUBLISHED,
    ROOT / "emotion_keras" / "README.md",
    ROOT / "tests" / "benchmarks" / "README.md",
    *sorted((ROOT / ".github").glob("*.md")),
]

by_path = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def shown_options():
    """The options that documents show, a set for each command; an analysis is one of its own."""
    command = r"python -m ((?:emotion_keras|tuning|reports)\.\w+(?: (?:%s)\b)?)([^`\n#|>]*)"
    command %= "|".join(ANALYSES)
    found = {}
    for path in DOCUMENTS:
        for name, rest in re.findall(command, path.read_text(encoding="utf-8")):
            found.setdefault(name, set()).update(re.findall(r"(?<=\s)--[a-z][\w-]*", rest))
    return found


@by_path
def test_links_lead_to_files(path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target


@by_path
def test_what_is_shown_in_python_can_be_imported(path):
    for block in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        for module, name in re.findall(r"^ *from (\S+) import (\w+)$", block, re.MULTILINE):
            assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("command", "options"), sorted(shown_options().items()))
def test_a_command_that_is_shown_has_the_options_that_are_shown(command, options, capsys):
    module, *analysis = command.split()
    with pytest.raises(SystemExit) as end:
        importlib.import_module(module).main([*analysis, "--help-all"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert {option for option in options if not re.search(rf"{option}\b", said)} == set()


def test_the_readme_is_short_enough_to_be_read():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 180


def test_the_readme_shows_results_as_they_are_published():
    rows = [
        line
        for line in README.read_text(encoding="utf-8").splitlines()
        if re.search(r"\| \d\d\.\d ±", line)
    ]
    assert len(rows) > 3
    published = PUBLISHED.read_text(encoding="utf-8")
    table_1 = published[published.index("| Model | Runs | Accuracy |") :].partition("\n\n")[0]
    assert set(rows) <= set(table_1.splitlines())


def test_every_room_is_described():
    text = (ROOT / "emotion_keras" / "README.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "emotion_keras").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}/`" not in text} == set()


def test_the_files_that_the_architecture_names_are_there():
    text = (ROOT / "emotion_keras" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_/]+\.py)`", text))
    found = {
        path for path in named for top in (ROOT, ROOT / "emotion_keras") if (top / path).exists()
    }
    assert len(named) > 10 and named == found


def test_a_commit_is_checked_with_the_version_of_ruff_that_tests_take():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (ruff,) = (repo for repo in config["repos"] if repo["repo"].endswith("ruff-pre-commit"))
    pinned = re.search(r"ruff==([\d.]+)\.\*", (ROOT / "tox.ini").read_text(encoding="utf-8"))[1]
    assert ruff["rev"].startswith(f"v{pinned}.")
