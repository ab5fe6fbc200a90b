"""Tables of the report in LaTeX: documents of one and of two columns are made of them."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from reports.display.table import Table, to_latex
from reports.render import render

pytestmark = pytest.mark.skipif(
    shutil.which("pdflatex") is None,
    reason="pdflatex is not installed; Debian has it in texlive-latex-base",
)


# One column of LaTeX's own article; and two of 3.3 in on a page of 6.8 in.
DOCUMENTS = {
    "one column": r"\documentclass{article}",
    "two columns": (
        r"\documentclass[twocolumn]{article}\setlength{\textwidth}{6.8in}"
        r"\setlength{\columnsep}{0.2in}\setlength{\oddsidemargin}{-0.15in}"
    ),
}


@pytest.fixture(params=DOCUMENTS)
def compile_latex(request, tmp_path):
    """Compiles tables as pages of one document; returns what pdfLaTeX says is wrong with it."""

    def compile_all(texts):
        packages = r"\usepackage[T1]{fontenc}\usepackage{array, booktabs}"
        body = "\n\\clearpage\n".join(texts)
        (tmp_path / "all.tex").write_text(
            f"{DOCUMENTS[request.param]}\n{packages}\n"
            f"\\begin{{document}}\n{body}\n\\end{{document}}\n",
            encoding="utf-8",
        )
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
        for _ in range(2):  # What continues a table refers to it.
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
            said = done.stdout.decode(errors="replace")
            assert done.returncode == 0, said[-2000:]
        wide = re.findall(r"Overfull .hbox \(([0-9.]+)pt too wide.*", said)
        warnings = re.findall(r"LaTeX Warning: (?!Label).*", said)
        return [*warnings, *(f"{points} pt too wide" for points in wide if float(points) > 1)]

    return compile_all


def tables_in(out):
    return [path.read_text(encoding="utf-8") for path in sorted((out / "tables").glob("*.tex"))]


def test_all_tables_fit(rendered, compile_latex):
    texts = tables_in(rendered[0])
    assert len(texts) > 15
    assert compile_latex(texts) == []


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Folder of the page of the published runs."""
    out = tmp_path_factory.mktemp("published")
    records = Path(__file__).parents[2] / "reports" / "published" / "isear"
    assert render(records, out=str(out), notify=lambda message: None) == 0
    return out


def test_all_tables_of_published_runs_fit(published, compile_latex):
    assert compile_latex(tables_in(published)) == []


HOSTILE = [
    "<script>alert(1)</script>",
    r"\input{secret} 5$ & 10% #1 a_b ~ ^ {x}",
    "a|b\nc",
    "turned \u202earound\u200f",
]


def table_of(shown, numbers=(), best=()):
    frame = pd.DataFrame(shown)
    numbers = {name: name for name in numbers}
    return Table("made", "50 % of <b>", frame, frame, numbers, frozenset(best))


def test_any_text_can_be_compiled(compile_latex):
    wide = {f"column {n}": ["[1] * 2 < 3 > 2 | −1 ±2 → ×3", "*"] for n in range(9)}
    numbers = {f"of_column_{n}": ["1,234.5 ±12.3", "−0.1"] for n in range(20)}
    made = [
        table_of({"a_b <i>": HOSTILE, "n": ["−1"] * len(HOSTILE)}, ["n"], [(0, "n")]),
        table_of(wide),
        table_of(numbers, numbers),
        table_of({"a": ["word " * 99] * 50, "b": ["[x"] * 50}),
        table_of({"a": ["W" * 150, "under_" * 20], "b": ["x", "bold " * 20]}, (), [(1, "b")]),
        table_of({"a": [str(number) for number in range(150)]}),
    ]
    made = [replace(table, name=f"made_{number}") for number, table in enumerate(made)]
    assert compile_latex([to_latex(table) for table in made]) == []
