"""Figures: their style, their colours and what they share; and how they are written.

No state, no pyplot: a function that draws takes a frame that a table shows, too, and returns the
figure.
"""

import functools
import io
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from reports.display.fonts import choose_fonts

STYLE = Path(__file__).with_name("style.mplstyle")
DOTS_PER_INCH = 300

# Inches of a column and of a page with two columns, and points of their letters.
PAPER_WIDTHS = {"column": 3.3, "page": 6.8}
PAPER_POINTS = 8

# Inches: letters stay readable where a telephone shows the whole width.
WIDTH = 5.0

# Okabe and Ito's colours, which colour-blind readers tell apart, each with a marker of its own.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")

INK, MUTED, EDGE, GRID, PAPER = "#1b1d23", "#5b606b", "#8b909b", "#d9dbe1", "#ffffff"

_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    EDGE: "--edge",
    GRID: "--grid",
    PAPER: "--paper",
    COLOURS[0].lower(): "--blue",
}


def styled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a function draw in the project's style."""

    @functools.wraps(function)
    def draw(*arguments, **options):
        with matplotlib.rc_context(fname=STYLE):
            return function(*arguments, **options)

    return draw


@styled
def write_figure(figure: Figure, path: Path, *, for_papers: bool = False) -> str:
    """Writes a figure as PNG and as SVG.

    Args:
        figure: `matplotlib.figure.Figure`.
        path: `pathlib.Path` without suffix.
        for_papers: Whether to write it as PDF, too, as wide as a column and as a page of a paper.

    Returns:
        The SVG as a string.
    """
    FigureCanvasAgg(figure)
    texts = figure.findobj(Text)
    families, _ = choose_fonts("".join(text.get_text() for text in texts))
    for text in texts if len(families) > 1 else ():
        text.set_fontfamily(families)
    svg = io.StringIO()
    with warnings.catch_warnings():
        # The page says it once, and what to do.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        # Laid out once: savefig would draw the whole figure for it, and for each file again.
        figure.get_layout_engine().execute(figure)
        if any(axes.get_aspect() == 1 for axes in figure.axes):
            # Axes of a fixed shape move what stands beside them when they are first laid out.
            figure.get_layout_engine().execute(figure)
        # What is None is looked up here again, by savefig, too.
        with matplotlib.rc_context({"figure.constrained_layout.use": False}):
            figure.set_layout_engine(None)
            # Packed lightly: the best packing takes as long as the drawing, for a tenth less.
            figure.savefig(
                path.with_suffix(".png"), dpi=DOTS_PER_INCH, pil_kwargs={"compress_level": 1}
            )
            # Without a date the same records give the same file.
            figure.savefig(svg, format="svg", metadata={"Date": None})
        if for_papers:
            _write_pdfs(figure, path)
    path.with_suffix(".svg").write_text(svg.getvalue(), encoding="utf-8")
    return svg.getvalue()


def _write_pdfs(figure, path):
    """Writes a figure at each width of a paper, with letters that are readable in print."""
    height = figure.get_size_inches()[1]
    for text in figure.findobj(Text):
        text.set_fontsize(PAPER_POINTS)
    for name, width in sorted(PAPER_WIDTHS.items(), key=lambda one: -one[1]):
        if width < WIDTH:
            _break_names(figure)
        figure.set_layout_engine("constrained")
        figure.set_size_inches(width, height)
        figure.savefig(path.with_name(f"{path.name}_{name}.pdf"), metadata={"CreationDate": None})


def _break_names(figure):
    """Writes names in two lines, so that they leave room for the drawing, and a key in a column."""
    for legend in figure.legends:
        legend.set_ncols(1)
    for axes in figure.axes:
        names = [label.get_text() for label in axes.get_yticklabels()]
        if any(" (" in name or " + " in name for name in names):
            broken = [_in_two_lines(name.replace(" + ", " +\n", 1)) for name in names]
            axes.set_yticks(axes.get_yticks(), broken)


def inline_svg(svg: str, name: str, alternative: str) -> str:
    """An SVG as a part of a page: its own identifiers, the page's colours, and a text for it.

    Args:
        svg: String, an SVG file that matplotlib wrote.
        name: String that no other figure of the page has.
        alternative: String, escaped for HTML, what the figure shows.

    Returns:
        String.
    """
    svg = svg[svg.index("<svg") :]
    # What a text says may look like a colour or an identifier, and stays as it is.
    said = []

    def keep(match):
        said.append(match[2])
        return f"{match[1]}\0"

    svg = re.sub(r"(<(?:text|tspan)\b[^>]*>)([^<]+)", keep, svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", r"font: \1var(--font)", svg)
    # Width and height come from the page.
    svg = re.sub(r'<svg ([^>]*?)height="[^"]*"([^>]*?)width="[^"]*"', r"<svg \1\2", svg, count=1)
    said = iter(said)
    svg = re.sub("\0", lambda _: next(said), svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{alternative}" ', 1)


def series_style(number: int) -> dict[str, Any]:
    """Colour and marker of the series of a number, as options of matplotlib."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
    }


def shade_cells(
    axes: Axes, values: np.ndarray, texts: Callable[[int, int], str] | None = None
) -> None:
    """Fills a panel with a matrix of shares: numbers on shades, the first row on top.

    Args:
        axes: `matplotlib.axes.Axes`.
        values: Float array `(num_rows, num_columns)`; a cell of NaN stays empty.
        texts: Function of a row and a column that gives what a cell says; per cent unless given.
    """
    # From clear to a blue that text can be read on, on white paper and on black.
    blue = to_rgb(COLOURS[0])
    colours = LinearSegmentedColormap.from_list("clear", [(*blue, 0), (*blue, 0.6)])
    axes.pcolormesh(values, cmap=colours, vmin=0, vmax=1, edgecolors=PAPER, linewidth=1)
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            shown = f"{100 * value:.0f}" if texts is None else texts(row, column)
            axes.text(column + 0.5, row + 0.5, shown, ha="center", va="center", fontsize=8.5)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def set_title(axes: Axes, title: str) -> None:
    """Sets the title of a panel."""
    axes.set_title(title, color=INK)


def short_names(values: Iterable[Any], longest: int = 40) -> list[str]:
    """Names that come from data as a figure shows them, a list.

    Each stands in one line, without characters that an SVG cannot hold, and is cut in its middle
    where it is long. No two are alike.
    """
    shown = []
    for value in values:
        kept = (c for c in str(value) if c.isspace() or unicodedata.category(c) != "Cc")
        name = cut = " ".join("".join(kept).split())
        if len(name) > longest:
            name = cut = f"{name[: longest - 11]}…{name[-10:]}"
        number = 1
        while name in shown:
            number += 1
            name = f"{cut} ({number})"
        shown.append(name)
    return shown


def percent_axis(axis: Axis) -> None:
    """Shows the fractions of an axis in per cent."""
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{100 * value:g}"))


def within_range(limits: tuple[float, float]) -> tuple[float, float]:
    """Limits of an axis of scores: an interval may go beyond what a score can be."""
    low, high = limits
    return max(low, -0.01), min(high, 1.01)


def label_lines(axes: Axes, at: float | None = None) -> None:
    """Writes the label of each line of a panel beside it, in its colour.

    To call when the limits of the panel are final. Labels that would cover each other move apart.

    Args:
        axes: `matplotlib.axes.Axes`.
        at: Where lines that end at one point differ; their ends unless given.
    """
    lines = [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]
    ends = [_point(line, at) for line in lines]
    shown = [(line, end) for line, end in zip(lines, ends, strict=True) if end is not None]
    if not shown:
        return
    low, high = axes.get_ylim()
    names = [_in_two_lines(str(line.get_label())) for line, _ in shown]
    places = _apart(
        [(y - low) / (high - low) for _, (_, y) in shown],
        [_LINE_HEIGHT * (1 + name.count("\n")) / _height(axes) for name in names],
    )
    for (line, end), name, place in zip(shown, names, places, strict=True):
        axes.annotate(
            name, end, (1.04, place), "data", "axes fraction",
            va="center", fontsize=8, linespacing=1, color=line.get_color(), annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": line.get_color(), "linewidth": 0.7, "alpha": 0.6,
                "shrinkA": 0, "shrinkB": 3,
            },
        )  # fmt: skip


# Points from one line of a label to the next.
_LINE_HEIGHT = 9.5


def _point(line, at):
    """The last point of a line that is there, or that nearest to `at`; `None` where none is."""
    points = np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return None
    return tuple(points[-1 if at is None else np.abs(points[:, 0] - at).argmin()])


def _height(axes):
    """About how many points a panel is high, before it is laid out."""
    rows = axes.get_subplotspec().get_gridspec().nrows
    return 72 * (axes.figure.get_size_inches()[1] / rows - 0.45)


def _in_two_lines(name):
    return name.replace(" (", "\n(", 1)


def _apart(places, heights):
    """Places between 0 and 1 that are `heights` apart, each as near as may be to where it was.

    Labels that touch become a block, whose centre is the mean of where its labels belong.
    """

    def inside(centre, height):
        return min(max(centre, height / 2), max(1 - height / 2, height / 2))

    blocks = []
    for number in sorted(range(len(places)), key=places.__getitem__):
        blocks.append(([number], heights[number], inside(places[number], heights[number])))
        while len(blocks) > 1:
            (below, height, centre), (above, other, middle) = blocks[-2:]
            if centre + (height + other) / 2 <= middle:
                break
            joined = below + above
            mean = sum(places[one] for one in joined) / len(joined)
            blocks[-2:] = [(joined, height + other, inside(mean, height + other))]
    found = list(places)
    for members, height, centre in blocks:
        at = centre - height / 2
        for one in members:
            found[one] = at + heights[one] / 2
            at += heights[one]
    return found


def add_legend(figure: Figure, axes: Axes, columns: int) -> None:
    """Puts a legend below a figure: what is drawn in `axes`, each label once."""
    handles, labels = axes.get_legend_handles_labels()
    by_label = dict(zip(labels, handles, strict=True))
    figure.legend(
        list(by_label.values()),
        list(by_label),
        loc="outside lower left",
        ncols=columns,
        labelcolor=INK,
    )
