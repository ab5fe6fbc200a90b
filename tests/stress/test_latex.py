"""Tables of the report in LaTeX: a document of them is compiled."""

import shutil
import subprocess

import pandas as pd
import pytest

from reports.display.table import Table, to_latex

pytestmark = pytest.mark.skipif(
    shutil.which("pdflatex") is None,
    reason="pdflatex is not installed; Debian has it in texlive-latex-base",
)


@pytest.fixture
def compile_latex(tmp_path):
    """Compiles tables as pages of one document; returns what pdfLaTeX says of it."""

    def compile_all(texts):
        packages = r"\usepackage{array, booktabs, graphicx, longtable}"
        body = "\n\\clearpage\n".join(texts)
        (tmp_path / "all.tex").write_text(
            f"\\documentclass{{article}}\n{packages}\n"
            f"\\begin{{document}}\n{body}\n\\end{{document}}\n",
            encoding="utf-8",
        )
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, said[-2000:]
        return said

    return compile_all


def test_all_tables_can_be_compiled(rendered, compile_latex):
    paths = sorted((rendered[0] / "tables").glob("*.tex"))
    assert len(paths) > 15
    compile_latex([path.read_text(encoding="utf-8") for path in paths])


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
    made = [
        table_of({"a_b <i>": HOSTILE, "n": ["−1"] * len(HOSTILE)}, ["n"], [(0, "n")]),
        table_of(wide),
        table_of({"a": ["word " * 99] * 50, "b": ["[x"] * 50}),
    ]
    assert "Overfull" not in compile_latex([to_latex(table) for table in made])
