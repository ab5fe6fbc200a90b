"""A sample of what tests/fuzz/files.py makes: no row is lost, and nothing ends in a traceback."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "fuzz" / "files.py"


@pytest.fixture(scope="module")
def fuzz():
    pytest.importorskip("pyarrow")
    spec = importlib.util.spec_from_file_location("fuzz_files", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_fuzzed_files(fuzz, tmp_path, first):
    problems = {seed: fuzz.check(seed, tmp_path) for seed in range(first, first + 50)}
    assert {seed: problem for seed, problem in problems.items() if problem} == {}


def test_the_fuzzer_sees_a_row_that_is_lost(fuzz, tmp_path, monkeypatch):
    from emotion_keras.tables.delimited import DelimitedTable

    rows = DelimitedTable._rows
    monkeypatch.setattr(
        DelimitedTable, "_rows", lambda table: (row for row in rows(table) if row != [""])
    )
    assert any(fuzz.check(seed, tmp_path) for seed in range(50))
