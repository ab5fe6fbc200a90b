"""Tables in LaTeX: which are a column wide, how they wrap, and where they are parted."""

import re
import shutil
import subprocess

import pandas as pd
import pytest

from reports.display.latex import COLUMN, PAGE, escape, measure, typeset


def typeset_of(shown, numbers=(), caption="A caption.", bold=()):
    return typeset("made", caption, pd.DataFrame(shown), numbers, bold)


def floats_of(text):
    """The environments of a text, and the rows between the rules of each."""
    kinds = re.findall(r"\\begin{(table\*?)}", text)
    bodies = re.findall(r"\\midrule\n(.*?)\n\\bottomrule", text, re.DOTALL)
    return kinds, [[line.removesuffix(r" \\") for line in body.split("\n")] for body in bodies]


def formats_of(text):
    return re.findall(r"\\begin{tabular}{@{}(.*)@{}}\n", text)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize(
    "text", ["gated_transformer@minilm", "70.4 ±0.9", "−0.8", "Share of the label, %", "MWQ|<"]
)
def test_a_text_is_measured_as_latex_sets_it_or_a_little_wider(text, tmp_path):
    (tmp_path / "one.tex").write_text(
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\begin{document}"
        f"\\fontsize{{8}}{{9.5}}\\selectfont\\setbox0=\\hbox{{{escape(text)}}}"
        "\\typeout{width \\the\\wd0}\\end{document}",
        encoding="utf-8",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "one.tex"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60).stdout.decode()
    width = float(re.search(r"width ([0-9.]+)pt", said)[1])
    assert width <= measure(text) <= 1.15 * width


def test_what_fits_a_column_is_a_table_and_what_does_not_is_across_both():
    # A digit is 4.5 points wide, and 6 points are between columns: 238 hold 5 of ten digits, not 6.
    narrow = {f"{n}": ["1" * 9] for n in range(5)}
    assert floats_of(typeset_of(narrow, narrow))[0] == ["table"]
    wide = {f"{n}": ["1" * 9] for n in range(6)}
    assert floats_of(typeset_of(wide, wide))[0] == ["table*"]
    assert 5 * 9 * 4.5 + 4 * 6 < COLUMN < 6 * 9 * 4.5 + 5 * 6 < PAGE


def test_sentences_wrap_in_shares_of_the_line_by_the_roots_of_their_lengths():
    # 345 points less 45 of the numbers and twice 6; of it one third and two thirds.
    text = typeset_of({"n": ["1" * 10], "b": ["a " * 100], "c": ["a " * 400]}, ["n"])
    (found,) = formats_of(text)
    assert re.sub(r"0\.\d+", "?", found) == "r" + 2 * (
        r">{\raggedright\arraybackslash}p{?\linewidth}"
    )
    shares = [PAGE * float(share) for share in re.findall(r"0\.\d+", found)]
    rest = PAGE - 45 - 12
    assert shares == pytest.approx([rest / 3, 2 * rest / 3], abs=1) and sum(shares) <= rest
    assert "table*" in text


def test_a_name_may_take_two_lines_in_a_column_but_not_three():
    name = "gated_transformer@embeddings"
    # In one line it would be wider than the 82 points that the numbers leave.
    assert measure("gated_transformer@") < 82 < measure(name)
    two = {"Model": [name], "n": ["1" * 20], "m": ["1" * 12]}
    assert floats_of(typeset_of(two, ["n", "m"]))[0] == ["table"]
    assert r"gated\_\allowbreak{}transformer@\allowbreak{}embeddings" in typeset_of(two, ["n", "m"])
    three = {"Model": [name], "n": ["1" * 20], "m": ["1" * 16]}
    assert floats_of(typeset_of(three, ["n", "m"]))[0] == ["table*"]


def test_many_rows_are_parted_and_say_what_they_continue():
    text = typeset_of({"n": [str(number) for number in range(120)]}, ["n"])
    kinds, parts = floats_of(text)
    assert kinds == ["table"] * 3 and sum(parts, []) == [str(number) for number in range(120)]
    assert [len(part) for part in parts] == [40, 40, 40]
    assert text.count(r"\caption") == text.count(r"\label{tab:made}") == 1
    assert text.count(r"\tablename~\ref{tab:made}, continued") == 2
    assert len(re.findall(r"^n \\\\$", text, re.MULTILINE)) == 3  # Each part has the headings.


def test_a_long_caption_takes_room_of_rows():
    rows = {"n": [str(number) for number in range(45)]}
    assert len(floats_of(typeset_of(rows, ["n"]))[0]) == 1
    assert len(floats_of(typeset_of(rows, ["n"], "A word and another. " * 30))[0]) == 2


def test_many_columns_are_parted_and_each_part_has_what_tells_rows_apart():
    shown = {"model": ["a", "a", "b"], "way": ["x", "y", "x"]}
    shown |= {f"n{n}": ["123.4 ±56.7"] * 3 for n in range(10)}
    kinds, parts = floats_of(typeset_of(shown, [name for name in shown if name[0] == "n"]))
    assert kinds == ["table*", "table*"]
    for part in parts:
        assert [row.split(" & ")[:2] for row in part] == [["a", "x"], ["a", "y"], ["b", "x"]]
        assert {row.count(" & ") for row in part} == {6}


def test_headings_take_as_few_lines_as_there_is_room_for():
    shown = {"Share of the label": ["1"], "n": ["1"]}
    assert "Share of the label & n" in typeset_of(shown, shown)
    crowded = {f"Share of label {n}": ["12.3 ±4.5"] for n in "abcd"}
    text = typeset_of(crowded, crowded)
    assert r"\begin{tabular}[b]{@{}r@{}}Share of\\ label a\end{tabular}" in text
    assert floats_of(text)[0] == ["table"]


def test_bold_is_kept():
    text = typeset_of({"a": ["x", "y"], "b": ["x_1", "y"]}, (), bold={(0, "b")})
    assert floats_of(text)[1] == [[r"x & \textbf{x\_\allowbreak{}1}", "y & y"]]


def test_a_table_without_rows_has_its_headings():
    kinds, _ = floats_of(typeset_of({"a": [], "b": []}))
    assert kinds == ["table"]
