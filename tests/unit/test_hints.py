"""Whatever is public says the types of what it takes and returns; mypy checks that they hold."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    path.relative_to(ROOT)
    for name in ("emotion_keras", "tuning", "reports")
    for path in sorted((ROOT / name).rglob("*.py"))
]


def without_hints(body, prefix="", in_class=False):
    """Names of public functions and methods that lack a hint, and what lacks it."""
    for node in body:
        is_public = not node.name.startswith("_") if hasattr(node, "name") else False
        if isinstance(node, ast.ClassDef) and is_public:
            yield from without_hints(node.body, f"{node.name}.", in_class=True)
        is_called = in_class and getattr(node, "name", "") in ("__init__", "__call__")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (is_public or is_called):
            given = node.args
            named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
            named += [one for one in (given.vararg, given.kwarg) if one]
            is_static = "staticmethod" in map(ast.unparse, node.decorator_list)
            for one in named[1 if in_class and not is_static else 0 :]:
                if one.annotation is None:
                    yield f"{prefix}{node.name}: {one.arg}"
            if node.returns is None and node.name != "__init__":
                yield f"{prefix}{node.name}: return"


def test_the_reader_of_hints_sees_what_lacks_one():
    code = (
        "def f(a: int, b, *c, d=1) -> int: ...\n"
        "def _g(a): ...\n"
        "class A:\n"
        "    def __init__(self, a): ...\n"
        "    @staticmethod\n"
        "    def h(a: int): ...\n"
        "    def _i(self, a): ...\n"
        "class _B:\n"
        "    def j(self, a): ...\n"
    )
    expected = ["f: b", "f: d", "f: c", "A.__init__: a", "A.h: return"]
    assert list(without_hints(ast.parse(code).body)) == expected


@pytest.mark.parametrize("path", FILES, ids=str)
def test_the_public_interface_has_type_hints(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert list(without_hints(tree.body)) == []
