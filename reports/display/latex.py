"""Tables in LaTeX, of 8 pt, that fit articles of one and of two columns without being scaled.

How wide a cell is, is known from the widths of the characters of Computer Modern, which LaTeX uses
unless it is given another font; most fonts of journals are narrower.
"""

import functools
import math
import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass

import pandas as pd

from reports.display.fonts import choose_fonts

# Points of a column of an article of two (3.3 in), and of the text of LaTeX's article of one, which
# is narrower than both columns of the other (6.8 in).
COLUMN, PAGE = 238.0, 345.0
# Between two columns of a table; the second where a table would not fit otherwise.
_GAPS = (6.0, 4.0)
# What LaTeX's article has on a page, lines of the caption and of the head among them.
_MOST_LINES = 52
# A text has this many lines at most where its table is a column wide, and where it is a page wide;
# there only a sentence, a text that is wider than this, may have more.
_LINES_IN_A_COLUMN, _LINES_ON_A_PAGE, _SENTENCE = 2, 3, 150.0
# Of cmr8; a text in bold is wider.
_CHARACTERS = {
    "!',.:;[]`il|": 2.36, "fj-I": 3.0, "()rt s": 3.35, "cez": 3.8, "Sbdhnpu": 4.75, "FLZ": 5.5,
    "BCEPTw": 6.14, "ADHKNOQRUVXY&+=@_−±×→<>": 6.67, "#%mGM": 7.8, "W—": 8.75,
}  # fmt: skip
_WIDTHS = {mark: width for marks, width in _CHARACTERS.items() for mark in marks}
_USUAL, _IDEOGRAPH, _BOLD = 4.5, 8.5, 1.17
# Where a word may be broken: behind these marks, and within what is longer than most words.
_BREAK = re.compile(r"(?<=[_@/])(?=\w)|[^\s_@/]{12}(?=[^\s_@/]{12})")


@dataclass(frozen=True, eq=False)
class _Column:
    """A column of a table.

    Args:
        name: Its heading.
        cells: List of strings.
        bold: Which of them are in bold, a list of booleans.
        is_number: Whether cells are numbers, which stand at its right end in one line.
    """

    name: str
    cells: list[str]
    bold: list[bool]
    is_number: bool

    @functools.cached_property
    def widest(self) -> float:
        """Its width with every cell in one line."""
        cells = zip(self.cells, self.bold, strict=True)
        return max([_longest_word(self.name), *(measure(cell, bold) for cell, bold in cells)])

    @functools.cached_property
    def narrowest(self) -> float:
        """Its width with cells in as many lines as they have words."""
        if self.is_number:
            return self.widest
        cells = zip(self.cells, self.bold, strict=True)
        return max([_longest_word(self.name), *(_longest_word(cell, bold) for cell, bold in cells)])


# Tables repeat what their cells say, and a column is tried in several widths.
_remembered = functools.lru_cache(maxsize=20_000)


@_remembered
def measure(text: str, bold: bool = False) -> float:
    """The width of a text of 8 pt, in points."""
    width = sum(
        _WIDTHS.get(mark, _IDEOGRAPH if ord(mark) > 0x2E80 else _USUAL)
        for mark in text
        if not unicodedata.combining(mark)
    )
    return width * _BOLD if bold else width


def typeset(
    name: str,
    caption: str,
    shown: pd.DataFrame,
    numbers: Container[str],
    bold: Container[tuple[int, str]] = (),
) -> str:
    """A table as LaTeX with the packages array and booktabs.

    A table that fits a column is a `table`, and any other a `table*`, across both. One of more rows
    than a page holds, or of more columns, has several parts, each a table of its own that says
    which it continues. A comment names the engine and the fonts that it needs where those of
    pdfLaTeX lack some of its characters.

    Args:
        name: What the label is made of.
        caption: Its caption.
        shown: Data frame of strings.
        numbers: The columns of numbers.
        bold: Pairs of a row's position and a column.
    """
    columns = [
        _Column(
            _without_controls(heading),
            [_without_controls(cell) for cell in shown.iloc[:, place]],
            [(row, heading) in bold for row in range(len(shown))],
            heading in numbers,
        )
        for place, heading in enumerate(shown.columns)
    ]
    caption = _without_controls(caption)
    widths = _fit(columns, COLUMN, _GAPS[0])
    if widths is not None and _most_lines(columns, widths) <= _LINES_IN_A_COLUMN:
        environment, across, blocks = "table", COLUMN, [(columns, widths, _GAPS[0])]
    else:
        environment, across, blocks = "table*", PAGE, _blocks(columns)
    floats = []
    for block, of_block, gap in blocks:
        heads = [_wrap(column.name, width) for column, width in zip(block, of_block, strict=True)]
        taken = 2 + _lines_of(caption, across) + max(map(len, heads))
        for rows in _parts(block, of_block, _MOST_LINES - taken):
            above = _caption(name, caption, is_first=not floats)
            body = _tabular(block, of_block, heads, rows, across)
            floats.append(
                f"\\begin{{{environment}}}\n"
                "\\centering\\fontsize{8}{9.5}\\selectfont"
                f"\\setlength{{\\tabcolsep}}{{{gap / 2:g}pt}}\n"
                f"{above}\n\\vspace{{4pt}}\n{body}\n\\end{{{environment}}}\n"
            )
    text = "\n".join(floats)
    return _engine(text) + text


def _lines_of(caption, across):
    """How many lines of 8 pt a caption takes the room of: it has the size of the article's text."""
    return math.ceil(len(_wrap(caption, across * 8 / 10)) * 12 / 9.5)


def _caption(name, caption, is_first):
    if is_first:
        return f"\\caption{{{escape(caption)}}}\n\\label{{tab:{name}}}"
    return f"\\tablename~\\ref{{tab:{name}}}, continued\\par"


def _tabular(block, widths, heads, rows, across):
    formats = "".join(_format(*one, across) for one in zip(block, widths, strict=True))
    head = [_heading(*one) for one in zip(block, heads, strict=True)]
    lines = [f"\\begin{{tabular}}{{@{{}}{formats}@{{}}}}", "\\toprule", _line(head), "\\midrule"]
    for row in rows:
        lines.append(_line(_cell(column.cells[row], column.bold[row]) for column in block))
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"])


def _line(cells):
    return f"{' & '.join(cells)} \\\\"


def _cell(text, bold):
    return f"\\textbf{{{escape(text)}}}" if bold else escape(text)


def _heading(column, lines):
    if len(lines) == 1:
        return escape(lines[0])
    side = "r" if column.is_number else "l"
    listed = r"\\ ".join(map(escape, lines))
    return f"\\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{listed}\\end{{tabular}}"


def _format(column, width, across):
    if column.is_number:
        return "r"
    if width >= column.widest:
        return "l"
    # Rounded down, lest all together are too wide.
    return f">{{\\raggedright\\arraybackslash}}p{{{int(1000 * width / across) / 1000}\\linewidth}}"


def _fit(columns: Sequence[_Column], across: float, gap: float) -> list[float] | None:
    """The widths of columns that are as wide as `across` together at most, or `None`.

    Numbers and what is narrow enough have the width of their widest cell. Texts share what is left
    by the roots of theirs, but none is narrower than its longest word, or wider than in one line.
    """
    rest = across - gap * (len(columns) - 1)
    # As few lines of headings as there is room for.
    for most_lines in (1, 2, 3):
        heads = [_narrowest_in(column.name, most_lines) for column in columns]
        widths = [max(column.widest, head) for column, head in zip(columns, heads, strict=True)]
        if sum(widths) <= rest:
            return widths
    widths = [column.widest for column in columns]
    if sum(widths) <= rest:
        return widths
    shared = {i for i, column in enumerate(columns) if column.narrowest < column.widest}
    least = {i: columns[i].narrowest for i in shared}
    rest -= sum(width for i, width in enumerate(widths) if i not in shared)
    if not shared or sum(least.values()) > rest:
        return None
    while shared:
        roots = {i: columns[i].widest ** 0.5 for i in shared}
        share = {i: rest * root / sum(roots.values()) for i, root in roots.items()}
        too_narrow = {i: least[i] for i in shared if share[i] < least[i]}
        too_wide = {i: columns[i].widest for i in shared if share[i] > columns[i].widest}
        settled = too_narrow or too_wide or share
        for i, width in settled.items():
            widths[i] = width
            rest -= width
        shared -= settled.keys()
    return widths


def _most_lines(columns, widths, longest=float("inf")):
    """Of how many lines the cells are that need no more than some width in one."""
    cells = (
        (cell, width, bold)
        for column, width in zip(columns, widths, strict=True)
        for cell, bold in zip(column.cells, column.bold, strict=True)
        if not column.is_number and measure(cell, bold) <= longest
    )
    return max((len(_wrap(*cell)) for cell in cells), default=1)


def _blocks(columns) -> list[tuple[list[_Column], list[float], float]]:
    """Columns that fit a page, with their widths and the gap.

    Where there are several blocks of them, each has the columns that tell the rows apart.
    """
    num_keys = _count_keys(columns)
    keys, others = columns[:num_keys], columns[num_keys:]
    for number in range(1, len(others) + 1):
        size = -(-len(others) // number)
        blocks = [[*keys, *others[at : at + size]] for at in range(0, len(others), size)]
        found = [_fit_page(block) for block in blocks]
        if all(found):
            return [(block, *fit) for block, fit in zip(blocks, found, strict=True)]
    # Not even one column beside these fits: each is as narrow as it can be.
    blocks = [[*keys, one] for one in others] or [keys]
    return [(block, [column.narrowest for column in block], _GAPS[-1]) for block in blocks]


def _count_keys(columns):
    """How many of the first columns tell rows apart, or 1 where not even all but the last do."""
    for number in range(1, len(columns)):
        rows = [*zip(*(column.cells for column in columns[:number]), strict=True)]
        if len(set(rows)) == len(rows):
            return number
    return 1


def _fit_page(block):
    """The widths of columns across a page, and the gap between them, or `None`."""
    for gap in _GAPS:
        widths = _fit(block, PAGE, gap)
        if widths and _most_lines(block, widths, _SENTENCE) <= _LINES_ON_A_PAGE:
            return widths, gap
    return None


def _parts(block, widths, most_lines):
    """Rows by part, of about as many lines each, and none of more than a page holds."""
    lines = [
        max(
            len(_wrap(column.cells[row], width, column.bold[row])) if width < column.widest else 1
            for column, width in zip(block, widths, strict=True)
        )
        for row in range(len(block[0].cells))
    ]
    fewest = len(_parted(lines, most_lines))
    even = -(-sum(lines) // fewest)
    tried = (_parted(lines, size) for size in range(even, most_lines + 1))
    return next((parts for parts in tried if len(parts) == fewest), _parted(lines, most_lines))


def _parted(lines, most_lines):
    parts, taken = [[]], 0
    for row, needed in enumerate(lines):
        if parts[-1] and taken + needed > most_lines:
            parts.append([])
            taken = 0
        parts[-1].append(row)
        taken += needed
    return parts


@_remembered
def _wrap(text, width, bold=False):
    """A text in lines of a width, of its words, which may be broken."""
    lines = [""]
    for word in text.split():
        for number, piece in enumerate(_pieces(word)):
            blank = " " if lines[-1] and number == 0 else ""
            # Sums of widths may differ by a rounding.
            if lines[-1] and measure(f"{lines[-1]}{blank}{piece}", bold) > width + 0.01:
                lines.append(piece)
            else:
                lines[-1] += blank + piece
    return lines


def _narrowest_in(text, most_lines):
    """The narrowest width in which a text has some number of lines at most."""
    words = text.split()
    spans = (words[start:end] for end in range(len(words) + 1) for start in range(end))
    widths = sorted({_longest_word(text), *(measure(" ".join(span)) for span in spans)})
    return next(width for width in widths if len(_wrap(text, width)) <= most_lines)


def _pieces(word):
    """A word where it may be broken, a list."""
    return _BREAK.sub("\\g<0>\0", word).split("\0")


@_remembered
def _longest_word(text, bold=False):
    pieces = (piece for word in text.split() for piece in _pieces(word))
    return max((measure(piece, bold) for piece in pieces), default=0.0)


def escape(text: str) -> str:
    """A text as LaTeX sets it, with no commands of its own, and where its long words may break."""
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
    text = _BREAK.sub("\\g<0>\0", _without_controls(text))
    text = "".join(marks.get(mark, mark) for mark in text)
    # Otherwise LaTeX would join two characters, such as hyphens to a dash.
    return re.sub(r"([-`',])(?=\1)|([?!])(?=`)", r"\g<0>{}", text)


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


def _without_controls(text):
    # Among them the marks that turn the direction of text, which LaTeX would set as they come; but
    # not the joiners, which belong to the spelling of Persian, Hindi and emoji.
    kept = (
        c
        for c in str(text)
        if unicodedata.category(c) not in ("Cc", "Cf") or c.isspace() or c in "\u200c\u200d"
    )
    return " ".join("".join(kept).split())
