"""Tables for the terminal, in which names give way to numbers."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import rich
from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

# Beside this much of a name, numbers go on below rather than leave it less.
_SHORTEST_NAME = 16
# No table is as wide: what a file or another program reads is not cut.
_WIDE = 100_000


class ScoreTable:
    """A table of names and numbers that fits a terminal of any width.

    Names are cut in their middle where they are too long, and numbers never. Numbers that do not
    fit beside each other go on below, beside the names once more.

    Args:
        title: String.
        headings: Headings of the columns, the first of which holds the names.

    Example:

    >>> table = ScoreTable("Test split", ("model", "accuracy"))
    >>> table.add_row("tfidf_svm", "63.4")
    >>> print_tables(table)
        Test split
    <BLANKLINE>
     model       accuracy
     ────────────────────
     tfidf_svm       63.4
    <BLANKLINE>
    """

    def __init__(self, title: str, headings: Sequence[str]):
        self._title = title
        self._headings = headings
        self._rows = []
        self._sections = set()

    def add_row(self, name: str, *cells: str) -> None:
        """Adds a row, all of it strings."""
        kept = (c if unicodedata.category(c) != "Cc" else " " for c in name)
        self._rows.append((" ".join("".join(kept).split()), *cells))

    def add_section(self) -> None:
        """Draws a line below the rows that are there."""
        self._sections.add(len(self._rows))

    def __rich_console__(self, console, options):
        names = [self._headings[0], *(row[0] for row in self._rows)]
        longest = max(map(cell_len, names))
        room, wide = options.max_width, options.update(width=_WIDE)

        def width(columns, of_name):
            return Measurement.get(console, wide, self._table(columns, of_name)).maximum

        yield Text(self._title, style="table.title")
        waiting = list(range(1, len(self._headings)))
        while waiting:
            columns = [waiting.pop(0)]
            shortest = min(longest, _SHORTEST_NAME)
            while waiting and width([*columns, waiting[0]], shortest) <= room:
                columns.append(waiting.pop(0))
            left = room - width(columns, shortest)
            yield self._table(columns, max(min(longest, shortest + left), 1))

    def _table(self, columns, width):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column(Text(_cut(self._headings[0], width)), width=width)
        for column in columns:
            table.add_column(Text(self._headings[column]), justify="right", no_wrap=True)
        for number, (name, *cells) in enumerate(self._rows, start=1):
            shown = (Text(cells[column - 1]) for column in columns)
            table.add_row(Text(_cut(name, width)), *shown, end_section=number in self._sections)
        return table


def _cut(name, width):
    if cell_len(name) <= width:
        return name
    # The end tells names apart that begin alike, such as those of one model with two encoders.
    end = (width - 1) // 2
    start = set_cell_size(name, width - 1 - end)
    return f"{start}…{set_cell_size(name[::-1], end)[::-1]}"


def main_scores(scores: Mapping[str, Any]) -> dict[str, str]:
    """The scores that a table shows first, and what it calls them, the most telling one first.

    Args:
        scores: Dictionary by score, or metrics of a split; they say of what kind labels are.
    """
    if "jaccard" in scores:  # Several labels may hold of an example.
        return {"macro_f1": "macro F1", "accuracy": "all right", "auc": "AUC"}
    return {"accuracy": "accuracy", "macro_f1": "macro F1", "auc": "AUC"}


def with_interval(score: dict[str, Any] | None) -> str:
    """A score in per cent for a table, with half of its interval's width where it has one."""
    if score is None:
        return "-"
    mean = f"{100 * score['mean']:.1f}"
    return mean if score["low"] is None else f"{mean} ±{100 * (score['high'] - score['mean']):.1f}"


def spread_of(score: dict[str, Any]) -> str:
    """A score's standard deviation over seeds in points, `-` of a single one."""
    return "-" if score["spread"] is None else f"{100 * score['spread']:.1f}"


def print_tables(renderable: RenderableType) -> None:
    """Prints tables as wide as the terminal is, and uncut where the output is no terminal."""
    console = rich.get_console()
    if not console.is_terminal:
        console = Console(file=console.file, width=_WIDE)
    console.print(renderable)
