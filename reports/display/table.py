"""Tables: frames of plain numbers, and how they are shown in CSV, Markdown and LaTeX.

In HTML the page shows them, by the macro `table` of its templates.
"""

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from reports.display.latex import typeset


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
    """A table as LaTeX; see `reports.display.latex`."""
    return typeset(table.name, table.caption, table.shown, set(table.sort_by), table.bold)


def own_heading(name: str, labels: Iterable[str]) -> str:
    """A table's own heading, in brackets where a label has that name, too."""
    while name in labels:
        name = f"({name})"
    return name
