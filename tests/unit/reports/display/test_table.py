import csv
import io

import numpy as np
import pandas as pd
import pytest

from reports.display.table import Table, own_heading, to_csv, to_latex, to_markdown, write_table

HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    r"\input{secret} 5$ & 10% #1 a_b ~ ^ {x}",
    "a|b\nc",
    "turned \u202earound\u200f",
]


@pytest.fixture
def hostile():
    frame = pd.DataFrame({"text": HOSTILE, "number": -np.arange(len(HOSTILE), dtype=float)})
    shown = pd.DataFrame({"a_b <i>": HOSTILE, "n": [f"−{n}" for n in range(len(HOSTILE))]})
    return Table("hostile", "50 % of <b>", frame, shown, {"n": "number"}, frozenset({(0, "n")}))


def test_csv_holds_no_formula_and_numbers_as_they_are(hostile):
    rows = list(csv.DictReader(io.StringIO(to_csv(hostile.frame))))
    assert [row["text"].removeprefix("'") for row in rows] == HOSTILE
    risky = [row["text"] for row in rows if row["text"].lstrip(" ")[0] in "=+-@\t\r"]
    assert risky == []
    assert [float(row["number"]) for row in rows] == hostile.frame["number"].tolist()


def test_csv_headings_hold_no_formula():
    assert to_csv(pd.DataFrame({"=cmd": [1]})).startswith("'=cmd")


def test_csv_is_in_full_precision():
    text = to_csv(pd.DataFrame({"score": [1 / 3]}))
    assert float(text.splitlines()[1]) == 1 / 3


def test_markdown_is_a_table_that_no_text_breaks(hostile):
    text = to_markdown(hostile)
    lines = text.splitlines()[2:]
    assert len(lines) == 2 + len(HOSTILE)
    assert all(line.replace(r"\|", "").count("|") == 3 for line in lines)
    assert "<script>" not in text and "<b>" not in text and "<i>" not in text
    assert lines[1] == "| --- | ---: |"
    assert lines[2].endswith("| **−0** |")


def test_latex_is_booktabs_without_commands_of_texts(hostile):
    text = to_latex(hostile)
    for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{@{}lr@{}}"):
        assert rule in text
    assert r"\input" not in text and r"\textbackslash" in text
    assert r"5\$ \& 10\% \#1 a\_" in text
    assert r"\caption{50 \% of $<$b$>$}" in text
    assert r"\textbf{$-$0}" in text
    assert "\u202e" not in text and "\u200f" not in text
    assert "resizebox" not in text and r"\fontsize{8}{9.5}" in text


def test_files_of_a_table_have_its_name(hostile, tmp_path):
    write_table(hostile, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "hostile.csv",
        "hostile.md",
        "hostile.tex",
    ]


def test_a_tables_own_heading_gives_way():
    labels = np.array(["Model", "(Model)"])
    assert own_heading("Model", labels) == "((Model))"
    assert own_heading("Model", ["joy"]) == "Model"
