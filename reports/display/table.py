"""Tables: frames of plain numbers, and how they are shown in CSV, Markdown and LaTeX.

In HTML the page shows them, by the macro `table` of its templates.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from reports.display.fonts import choose_fonts

# Of LaTeX's article, in its footnotesize.
CHARACTERS_ACROSS = 80
LONGEST_IN_A_LINE = 40
MOST_ROWS_ON_A_PAGE = 45


@dataclass(frozen=True, eq=False)
class Table:
    """A table of the page.

    Args:
        name: The name of its files.
        caption: What it shows.
        frame: Data frame of plain numbers and texts, which the CSV file holds and figures draw.
        shown: Data frame of strings, the same rows as people read them.
        sort_by: Dictionary of a column of `frame` by column of `shown`, to sort by.
        bold: Set of pairs of a row's position and a column of `shown`.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    shown: pd.DataFrame
    sort_by: dict = field(default_factory=dict)
    bold: frozenset = frozenset()

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        """The cells of each row, as dictionaries of `text`, `sort`, `number` and `bold`."""
        keys = {name: self.frame[key].tolist() for name, key in self.sort_by.items()}
        for number, row in enumerate(self.shown.itertuples(index=False, name=None)):
            yield [
                {
                    "text": text,
                    "sort": keys[name][number] if name in keys else None,
                    "number": name in keys,
                    "bold": (number, name) in self.bold,
                }
                for name, text in zip(self.shown.columns, row, strict=True)
            ]


def write_table(table: Table, directory: Path) -> None:
    """Writes a table as CSV, Markdown and LaTeX.

    Args:
        table: `Table`.
        directory: `pathlib.Path` of an existing folder.
    """
    path = directory / table.name
    path.with_suffix(".csv").write_text(to_csv(table.frame), encoding="utf-8", newline="")
    path.with_suffix(".md").write_text(to_markdown(table), encoding="utf-8")
    path.with_suffix(".tex").write_text(to_latex(table), encoding="utf-8")


def to_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV, in full precision, without cells that a spreadsheet would run as formulas."""
    safe = frame.rename(columns=_not_a_formula)
    for position, dtype in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            safe.isetitem(position, safe.iloc[:, position].map(_not_a_formula))
    return safe.to_csv(index=False)


def _not_a_formula(value):
    # The apostrophe makes spreadsheets take what follows for text.
    risky = isinstance(value, str) and value.lstrip(" ").startswith(tuple("=+-@＝＋－＠\t\r\n"))
    return f"'{value}" if risky else value


def to_markdown(table: Table) -> str:
    """A table as Markdown, headed by its caption."""

    def line(cells):
        return f"| {' | '.join(cells)} |"

    numbers = [name in table.sort_by for name in table.shown.columns]
    lines = [
        _markdown(table.caption),
        "",
        line(map(_markdown, table.shown.columns)),
        line("---:" if number else "---" for number in numbers),
    ]
    for row in table.rows():
        texts = [(_markdown(cell["text"]), cell["bold"]) for cell in row]
        lines.append(line(f"**{text}**" if bold else text for text, bold in texts))
    return "\n".join(lines) + "\n"


def _markdown(text):
    text = html.escape(" ".join(str(text).split()), quote=False)
    for mark in "\\`*_[]|~$":
        text = text.replace(mark, "\\" + mark)
    return text


def to_latex(table: Table) -> str:
    """A table as LaTeX with the packages array, booktabs, graphicx and longtable.

    A table of many rows or of sentences continues across pages; any other is made smaller where it
    is wider than the text. A comment names the engine and the fonts that it needs where those of
    pdfLaTeX lack some of its characters.
    """
    shown = table.shown.map(_without_controls)
    # By number: pandas takes some names that differ, such as two forms of an accent, for one.
    numbered = shown.set_axis(range(shown.shape[1]), axis="columns")
    bold = pd.DataFrame("", index=numbered.index, columns=numbered.columns)
    for row, name in table.bold:
        bold.iloc[row, shown.columns.get_loc(name)] = "textbf:--rwrap;"
    styler = numbered.style.hide(axis="index").apply(lambda _: bold, axis=None).format(_latex)
    styler.format_index(lambda number: _latex(shown.columns[number]), axis="columns")
    columns = _latex_columns(shown, table.sort_by)
    is_long = len(shown) > MOST_ROWS_ON_A_PAGE or r"\linewidth" in columns
    text = styler.to_latex(
        hrules=True,
        column_format=columns,
        caption=_latex(table.caption),
        label=f"tab:{table.name}",
        environment="longtable" if is_long else None,
    )
    comment = _engine(text)
    if is_long:
        return comment + "{\\footnotesize\\setlength{\\tabcolsep}{3pt}\n" + text + "}\n"
    fitted = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    text = text.replace(r"\begin{tabular}", fitted + "\n\\begin{tabular}")
    return comment + text.replace(r"\end{tabular}", r"\end{tabular}}")


def _engine(text):
    """A comment that says how to typeset what pdfLaTeX's usual fonts (T1) lack, or nothing."""
    others = sorted({c for c in text if ord(c) > 0x17F and c not in "–—‘’“”„…•€"})
    if not others:
        return ""
    families, _ = choose_fonts("".join(others))
    turned = any(unicodedata.bidirectional(c) in ("R", "AL") for c in others)
    packages = "fontspec and babel (bidi=basic)" if turned else "fontspec"
    shown = " ".join(c for c in others if unicodedata.category(c) != "Cf")
    return (
        f"% For LuaLaTeX or XeLaTeX with {packages}: pdfLaTeX's fonts lack {shown}\n"
        f"% The machine that wrote this draws them with {', '.join(families)}\n"
    )


def _latex_columns(shown, numbers):
    """The columns' format: numbers to the right; sentences share what the others leave and wrap."""
    lengths = {name: max(map(len, [name, *shown[name]])) for name in shown.columns}
    roots = {name: n**0.5 for name, n in lengths.items() if n > LONGEST_IN_A_LINE}
    taken = sum(n + 2 for name, n in lengths.items() if name not in roots)
    left = max(0.95 - taken / CHARACTERS_ACROSS, 0.2)
    formats = dict.fromkeys(shown.columns, "l") | dict.fromkeys(numbers, "r")
    for name, root in roots.items():
        width = left * root / sum(roots.values())
        formats[name] = rf">{{\raggedright\arraybackslash}}p{{{width:.2f}\linewidth}}"
    return "".join(formats.values())


def _latex(text):
    marks = {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
        "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        # What pdfLaTeX's own font has another character for, or none.
        "<": "$<$", ">": "$>$", "|": "$|$", "−": "$-$", "±": r"$\pm$", "→": r"$\to$",
        "×": r"$\times$",
        # At the start of a row they would be arguments of the row's end before.
        "[": "{[}", "*": "{*}",
        "\0": r"\allowbreak{}",
    }  # fmt: skip
    # A word that is longer than a column may be broken.
    text = re.sub(r"\S{20}(?=\S{20})", "\\g<0>\0", _without_controls(text))
    text = "".join(marks.get(mark, mark) for mark in text)
    # Otherwise LaTeX would join two characters, such as hyphens to a dash.
    return re.sub(r"([-`',])(?=\1)|([?!])(?=`)", r"\g<0>{}", text)


def _without_controls(text):
    # Among them the marks that turn the direction of text, which LaTeX would set as they come; but
    # not the joiners, which belong to the spelling of Persian, Hindi and emoji.
    kept = (
        c
        for c in str(text)
        if unicodedata.category(c) not in ("Cc", "Cf") or c.isspace() or c in "\u200c\u200d"
    )
    return " ".join("".join(kept).split())


def own_heading(name: str, labels: Iterable[str]) -> str:
    """A table's own heading, in brackets where a label has that name, too."""
    while name in labels:
        name = f"({name})"
    return name
