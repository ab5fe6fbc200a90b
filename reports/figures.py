"""Figures: each from a frame that a table shows, too; no state, no pyplot."""

import functools
import io
import re
import unicodedata
import warnings
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import patches, ticker
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from reports.fonts import choose_fonts
from reports.tables import METRICS, value_in_words

STYLE = Path(__file__).with_name("style.mplstyle")
DOTS_PER_INCH = 300
FEWEST_IN_BIN = 10
MOST_AXES = 7  # More are too small to read where the page is as wide as a telephone.

# Okabe and Ito's colours, which colour-blind readers tell apart, each with a marker of its own.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
KINDS = {
    "pretrained": 0,
    "pretrained vectors": 2,
    "from scratch": 1,
    "anchor": 3,
}
_BLUE = to_rgb(COLOURS[0])
INK, MUTED, EDGE, GRID, PAPER = "#1b1d23", "#5b606b", "#8b909b", "#d9dbe1", "#ffffff"

_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    EDGE: "--edge",
    GRID: "--grid",
    PAPER: "--paper",
    COLOURS[0].lower(): "--blue",
}


def styled(function):
    """Makes a function draw in the project's style."""

    @functools.wraps(function)
    def draw(*arguments, **options):
        with matplotlib.rc_context(fname=STYLE):
            return function(*arguments, **options)

    return draw


@styled
def write_figure(figure, path):
    """Writes a figure as PNG and as SVG.

    Args:
        figure: `matplotlib.figure.Figure`.
        path: `pathlib.Path` without suffix.

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
            figure.savefig(path.with_suffix(".png"), dpi=DOTS_PER_INCH)
            # Without a date the same records give the same file.
            figure.savefig(svg, format="svg", metadata={"Date": None})
    path.with_suffix(".svg").write_text(svg.getvalue(), encoding="utf-8")
    return svg.getvalue()


def inline_svg(svg, name, alternative):
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


def _series(number):
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
    }


def _title(axes, title):
    axes.set_title(title, color=INK)


def _names(values, longest=40):
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


def _percent_axis(axis):
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{100 * value:g}"))


def _within_range(limits):
    """Limits of an axis of scores: an interval may go beyond what a score can be."""
    low, high = limits
    return max(low, -0.01), min(high, 1.01)


def _legend(figure, axes, columns=2, order=()):
    handles, labels = axes.get_legend_handles_labels()
    by_label = dict(zip(labels, handles, strict=True))
    labels = sorted(by_label, key=lambda label: order.index(label) if label in order else -1)
    figure.legend(
        [by_label[label] for label in labels],
        labels,
        loc="outside lower left",
        ncols=columns,
        labelcolor=INK,
    )


@styled
def draw_scores(runs, summary, metric, name="contender", paper=None, kinds=None):
    """Scores by model or other name: every run a dot, the mean a mark, its interval a line.

    Args:
        runs: Data frame of a row a run, with columns `name` and `metric`.
        summary: Data frame of a row a name, in the order to show, with the columns `_mean`, `_low`
            and `_high` of the metric.
        metric: Key of `METRICS`.
        name: Column of the names.
        paper: Values that the paper reports, as fractions in the order of `summary`, or `None`.
        kinds: Keys of `KINDS` in the order of `summary`, or `None`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(6.4, 1.1 + 0.32 * len(summary)))
    axes = figure.subplots()
    for row, (_, at) in enumerate(summary.iterrows()):
        kind = kinds.iloc[row] if kinds is not None else None
        series = _series(KINDS[kind] if kind else 0)
        values = runs.loc[runs[name] == at[name], metric]
        # Below the mean, which would cover them.
        places = np.full(len(values), row + 0.27)
        axes.scatter(values, places, s=11, alpha=0.5, linewidths=0, **series)
        low, high = at[f"{metric}_low"], at[f"{metric}_high"]
        if not np.isnan(low):
            axes.plot([low, high], [row, row], color=series["color"], linewidth=2.2)
        axes.plot(
            at[f"{metric}_mean"],
            row,
            **series,
            linestyle="none",
            markersize=7,
            markeredgecolor=PAPER,
            label=kind or "mean and 95 % interval",
        )
        if paper is not None and not np.isnan(paper.iloc[row]):
            axes.plot(
                paper.iloc[row],
                row,
                "D",
                markersize=6,
                markerfacecolor="none",
                markeredgecolor=MUTED,
                label="the paper",
            )
    axes.set_yticks(range(len(summary)), _names(summary[name]))
    axes.set_ylim(len(summary) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(_within_range(axes.get_xlim()))
    _percent_axis(axes.xaxis)
    axes.set_xlabel(f"{METRICS[metric]} on the test split, %")
    _legend(figure, axes, columns=5, order=[*KINDS, "the paper"])
    return figure


@styled
def draw_curve(runs, summary, metric, value, label, logarithmic=False):
    """A score by the value of a setting: every run a dot, a line of means, a band of intervals.

    Args:
        runs: Data frame of a row a run, with `contender`, the column `value`, and `metric`.
        summary: Data frame of a row a contender and value.
        metric: Key of `METRICS`.
        value: Column of the values.
        label: What the values are.
        logarithmic: Whether the axis of the values is.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(6.4, 3.7))
    axes = figure.subplots()
    _draw_curves(axes, runs, summary, metric, value)
    if logarithmic:
        axes.set_xscale("log")
    ticks = sorted(set(summary[value]))
    axes.set_xticks(ticks, [value_in_words(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(_within_range(axes.get_ylim()))
    _percent_axis(axes.yaxis)
    axes.set_xlabel(label)
    axes.set_ylabel(f"{METRICS[metric]}, %")
    _legend(figure, axes)
    return figure


def _draw_curves(axes, runs, summary, metric, value):
    names = list(dict.fromkeys(summary["contender"]))
    for number, (name, shown) in enumerate(zip(names, _names(names), strict=True)):
        own = runs[runs["contender"] == name]
        means = summary[summary["contender"] == name].sort_values(value)
        series = _series(number)
        axes.scatter(own[value], own[metric], s=12, alpha=0.5, linewidths=0, **series)
        axes.fill_between(
            means[value], means[f"{metric}_low"], means[f"{metric}_high"],
            color=series["color"], alpha=0.16, linewidth=0,
        )  # fmt: skip
        axes.plot(
            means[value], means[f"{metric}_mean"], **series, markersize=5.5, markeredgecolor=PAPER,
            label=shown,
        )  # fmt: skip


@styled
def draw_noise(runs, summary, metric):
    """A score by the level of noise in texts, a panel a kind of noise.

    Args:
        runs: Data frame of a row a run, kind and level.
        summary: Data frame of a row a contender, kind and level.
        metric: Key of `METRICS`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    kinds = list(dict.fromkeys(summary["kind"]))
    rows = -(-len(kinds) // 2)
    figure = Figure(figsize=(6.4, 0.9 + 1.75 * rows))
    panels = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).ravel()
    for panel in panels[len(kinds) :]:
        panel.set_visible(False)
    for axes, kind in zip(panels, kinds, strict=False):
        of_kind = (frame[frame["kind"] == kind] for frame in (runs, summary))
        _draw_curves(axes, *of_kind, metric, "level")
        _title(axes, kind.replace("_", " "))
        axes.tick_params(labelbottom=True)
    # The panels share their axes: one stands for all.
    panels[0].set_ylim(_within_range(panels[0].get_ylim()))
    _percent_axis(panels[0].yaxis)
    _percent_axis(panels[0].xaxis)
    for axes in panels[max(len(kinds) - 2, 0) : len(kinds)]:
        axes.set_xlabel("level of noise, %")
    figure.supylabel(f"{METRICS[metric]}, %", fontsize=9, color=INK)
    _legend(figure, panels[0])
    return figure


@styled
def draw_trials(frame):
    """Scores of a search's trials by their number, and the best so far.

    Args:
        frame: Frame of `search_table`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    order = frame.assign(
        number=[int(trial) if trial.isdecimal() else 0 for trial in frame["trial"]]
    ).sort_values("number")
    order = order[order["score"].notna()]
    figure = Figure(figsize=(6.4, 3.2))
    axes = figure.subplots()
    axes.step(
        order["number"], order["score"].cummax(), where="post", color=COLOURS[1],
        label="best so far",
    )  # fmt: skip
    axes.plot(
        order["number"], order["score"], "o", color=COLOURS[0], markeredgecolor=PAPER, label="trial"
    )
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    _percent_axis(axes.yaxis)
    axes.set_xlabel("trial (0: the defaults)")
    axes.set_ylabel("Macro F1 on validation, %")
    _legend(figure, axes)
    return figure


@styled
def draw_importance(frame):
    """Importance of each option of a search as bars, from the frame of `importance_table`."""
    figure = Figure(figsize=(6.4, 0.9 + 0.32 * len(frame)))
    axes = figure.subplots()
    axes.barh(frame["option"], frame["importance"].clip(lower=0), color=COLOURS[0], height=0.6)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    _percent_axis(axes.xaxis)
    axes.set_xlim(left=0)
    axes.set_xlabel("share of the spread of scores, %")
    return figure


@styled
def draw_parallel(frame, options=None):
    """Trials of a search in parallel coordinates, coloured by score.

    Args:
        frame: Frame of `search_table`.
        options: Names of options, most important first, or `None`; `MOST_AXES` at most are drawn.

    Returns:
        `matplotlib.figure.Figure`, or `None` where no trial set an option.
    """
    columns = [name for name in frame.columns if name.startswith("option_")]
    columns = (columns if options is None else [f"option_{name}" for name in options])[:MOST_AXES]
    tried = frame[frame["score"].notna()].dropna(subset=columns, how="any")
    if not columns or tried.empty:
        return None
    figure = Figure(figsize=(6.4, 3.9))
    axes = figure.subplots()
    heights = {}
    for column in columns:
        values = sorted(set(tried[column]), key=lambda v: (isinstance(v, str), v))
        places = np.linspace(0, 1, len(values)) if len(values) > 1 else [0.5]
        heights[column] = dict(zip(values, places, strict=True))
    norm = Normalize(tried["score"].min(), tried["score"].max())
    for _, trial in tried.sort_values("score").iterrows():
        line = [heights[column][trial[column]] for column in columns]
        colour = matplotlib.colormaps["cividis"](norm(trial["score"]))
        axes.plot(range(len(columns)), line, color=colour, alpha=0.85, linewidth=1.6)
    for place, column in enumerate(columns):
        axes.axvline(place, color=EDGE, linewidth=0.8)
        shown = _names(map(value_in_words, heights[column]))
        for text, height in zip(shown, heights[column].values(), strict=True):
            axes.text(
                place + 0.03,
                height,
                text,
                fontsize=7.5,
                va="center",
                bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1},
            )
    names = [name.removeprefix("option_").replace("_", "\n") for name in columns]
    axes.set_xticks(range(len(columns)), names)
    axes.set_xlim(-0.1, len(columns) - 0.4)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    mapped = matplotlib.cm.ScalarMappable(norm, "cividis")
    bar = figure.colorbar(mapped, ax=axes, fraction=0.03, pad=0.01)
    bar.ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{100 * value:.1f}"))
    bar.set_label("Macro F1 on validation, %", color=INK)
    bar.outline.set_visible(False)
    return figure


@styled
def draw_history(history):
    """Loss and accuracy by epoch, of the training and the validation split, a line a run.

    Args:
        history: Data frame of a row an epoch and run.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(6.4, 3.3))
    panels = figure.subplots(1, 2)
    titles = {"loss": "Loss", "accuracy": "Accuracy, %"}
    for axes, (column, title) in zip(panels, titles.items(), strict=True):
        for number, (prefix, name) in enumerate((("", "training"), ("val_", "validation"))):
            for _, run in history.groupby("run"):
                series = _series(number)
                axes.plot(
                    run["epoch"],
                    run[prefix + column],
                    **series,
                    alpha=0.3,
                    linewidth=1,
                    markersize=3,
                )
            means = history.groupby("epoch")[prefix + column].mean()
            axes.plot(means.index, means, **_series(number), markeredgecolor=PAPER, label=name)
        axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        _title(axes, title)
    _percent_axis(panels[1].yaxis)
    _legend(figure, panels[0])
    return figure


@styled
def draw_confusion(frame, shares=False):
    """A confusion matrix, as counts or as shares of the true label's texts.

    Args:
        frame: Data frame of counts: rows are true labels, columns predicted ones.
        shares: Whether to divide each row by its sum.

    Returns:
        `matplotlib.figure.Figure`.
    """
    values = frame.div(frame.sum(axis=1), axis=0) if shares else frame
    names = _names(frame.index, longest=24)
    # Room for names that are longer than most.
    size = 1.9 + 0.55 * len(frame) + 0.07 * max(0, max(map(len, names)) - 14)
    figure = Figure(figsize=(size + 0.6, size))
    axes = figure.subplots()
    # From clear to a blue that text can be read on, on white paper and on black.
    colours = LinearSegmentedColormap.from_list("clear", [(*_BLUE, 0), (*_BLUE, 0.6)])
    axes.pcolormesh(values.to_numpy(), cmap=colours, vmin=0, edgecolors=PAPER, linewidth=1)
    for (row, column), value in np.ndenumerate(values.to_numpy()):
        text = f"{100 * value:.0f}" if shares else f"{value:.0f}"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8.5)
    places = np.arange(len(frame)) + 0.5
    axes.set_xticks(places, names, rotation=35, ha="right")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted label")
    axes.set_ylabel("true label")
    return figure


@styled
def draw_labels(frame, contenders):
    """F1 by label, a mark a contender with the interval over runs.

    Args:
        frame: Data frame of a row a contender and label: `f1_mean`, `f1_low`, `f1_high`.
        contenders: Names of those to draw, in order.

    Returns:
        `matplotlib.figure.Figure`.
    """
    labels = list(dict.fromkeys(frame["label"]))
    figure = Figure(figsize=(6.4, 1.2 + 0.5 * len(labels)))
    axes = figure.subplots()
    for number, (name, shown) in enumerate(zip(contenders, _names(contenders), strict=True)):
        own = frame[frame["contender"] == name]
        series = _series(number)
        shift = 0.14 * (number - (len(contenders) - 1) / 2)
        places = np.array([labels.index(label) for label in own["label"]]) + shift
        axes.hlines(places, own["f1_low"], own["f1_high"], color=series["color"], linewidth=1.8)
        axes.plot(
            own["f1_mean"], places, **series, linestyle="none", markersize=6,
            markeredgecolor=PAPER, label=shown,
        )  # fmt: skip
    axes.set_yticks(range(len(labels)), _names(labels))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    _percent_axis(axes.xaxis)
    axes.set_xlabel("F1 on the test split, %")
    _legend(figure, axes, columns=3)
    return figure


@styled
def draw_reliability(curves, contenders):
    """Accuracy by confidence, before and after temperature scaling, a panel each.

    Bins of fewer than `FEWEST_IN_BIN` predictions say nothing, and are left out.

    Args:
        curves: Data frame of a row a contender, `scaled` and bin.
        contenders: Names of those to draw, in order.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(6.4, 3.9))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, scaled, title in zip(
        panels, (False, True), ("As they are", "After temperature scaling"), strict=True
    ):
        axes.plot([0, 1], [0, 1], color=EDGE, linestyle=(0, (4, 3)), linewidth=1)
        for number, (name, shown) in enumerate(zip(contenders, _names(contenders), strict=True)):
            own = curves[(curves["contender"] == name) & (curves["scaled"] == scaled)]
            own = own[own["num_texts"] >= FEWEST_IN_BIN]
            axes.plot(
                own["confidence"], own["accuracy"], **_series(number), markersize=5,
                markeredgecolor=PAPER, linewidth=1.4, label=shown,
            )  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_aspect("equal")
        _percent_axis(axes.xaxis)
        _percent_axis(axes.yaxis)
        axes.set_xlabel("mean confidence of a bin, %")
        _title(axes, title)
    panels[0].set_ylabel("accuracy of a bin, %")
    _legend(figure, panels[0], columns=3)
    return figure


@styled
def draw_confidences(frame):
    """A histogram of the confidence of right and wrong predictions.

    Args:
        frame: Data frame of `confidence` and `correct`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(6.4, 3.2))
    axes = figure.subplots()
    right, wrong = (
        frame.loc[frame["correct"] == is_right, "confidence"] for is_right in (True, False)
    )
    axes.hist(
        [right, wrong], bins=np.linspace(0, 1, 21), stacked=True, color=[COLOURS[0], COLOURS[1]],
        edgecolor=PAPER, linewidth=0.6, label=["right", "wrong"],
    )  # fmt: skip
    for patch in axes.patches[20:]:  # Told apart without colour, too.
        patch.set_hatch("////")
    axes.set_xlim(0, 1)
    _percent_axis(axes.xaxis)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("confidence, %")
    axes.set_ylabel("predictions")
    _legend(figure, axes)
    return figure


@styled
def draw_gate_words(frame):
    """Mean gate of the words that it opens and closes most, from the frame of their table."""
    figure = Figure(figsize=(6.4, 0.9 + 0.24 * len(frame)))
    axes = figure.subplots()
    places = np.arange(len(frame))
    for number, side in enumerate(("opened most", "closed most")):
        own = (frame["side"] == side).to_numpy()
        series = _series(number)
        axes.plot(frame["gate"][own], places[own], **series, linestyle="none", label=side)
    axes.set_yticks(places, _names(frame["word"]))
    axes.set_ylim(len(frame) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("mean gate (0 closed, 1 open)")
    _legend(figure, axes)
    return figure


def collapse_layers(layers):
    """Blocks that repeat one after the other, as one with their number.

    Args:
        layers: List of dictionaries of `name`, `type`, `inputs`, `output_shape`, `parameters`.

    Returns:
        The same list with `times` in each, the inputs named by what stands for them.
    """
    kept, stands_for = [], {}
    for layer in layers:
        inputs = [stands_for.get(name, name) for name in layer["inputs"]]
        layer = {**layer, "inputs": list(dict.fromkeys(inputs)), "times": 1}
        before = kept[-1] if kept else None
        repeats = (
            before is not None
            and "Encoder" in layer["type"]
            and layer["type"] == before["type"]
            and layer["parameters"] == before["parameters"]
            and layer["output_shape"] == before["output_shape"]
            and before["name"] in layer["inputs"]
        )
        if repeats:
            before["times"] += 1
            stands_for[layer["name"]] = before["name"]
        else:
            kept.append(layer)
    return kept


@styled
def draw_architecture(layers):
    """The layers of a model from inputs, above, to output, with shapes and parameters.

    Args:
        layers: List of dictionaries of `name`, `type`, `inputs`, `output_shape`, `parameters`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    layers = collapse_layers(layers)
    depth, at_depth = {}, {}
    for layer in layers:
        depth[layer["name"]] = 1 + max(
            (depth.get(name, -1) for name in layer["inputs"]), default=-1
        )
        at_depth.setdefault(depth[layer["name"]], []).append(layer["name"])
    width, height, gap = 3.7, 0.62, 0.42
    places = {
        name: ((n - (len(names) - 1) / 2) * (width + 0.5), -level * (height + gap))
        for level, names in at_depth.items()
        for n, name in enumerate(names)
    }
    columns = max(map(len, at_depth.values()))
    wide, tall = columns * (width + 0.5) + 1.2, len(at_depth) * (height + gap)
    rail = max(x for x, _ in places.values()) + width / 2 + 0.35
    figure = Figure(figsize=(6.4, 6.4 * (tall + 0.3) / max(wide, 5.2)))
    axes = figure.subplots()
    for layer in layers:
        x, y = places[layer["name"]]
        is_gate = "Gating" in layer["type"]
        axes.add_patch(
            patches.FancyBboxPatch(
                (x - width / 2, y - height / 2), width, height,
                boxstyle="round,pad=0,rounding_size=0.08", linewidth=1.6 if is_gate else 1,
                edgecolor=COLOURS[1] if is_gate else COLOURS[0],
                facecolor=(COLOURS[1] if is_gate else COLOURS[0]) + "1f",
            )
        )  # fmt: skip
        times = f" × {layer['times']}" if layer["times"] > 1 else ""
        parameters = layer["parameters"] * layer["times"]
        details = _shape(layer["output_shape"])
        if parameters:
            details += f" · {parameters:,} parameters"
        title = layer["name"] if layer["type"] == "InputLayer" else f"{layer['type']}{times}"
        axes.text(x, y + 0.12, title, ha="center", va="center", weight="bold", fontsize=8.5)
        axes.text(x, y - 0.15, details, ha="center", va="center", fontsize=7.5, color=MUTED)
        for source in layer["inputs"]:
            if source in places:
                passes = depth[layer["name"]] - depth[source] > 1
                _arrow(axes, places[source], (x, y), height, width, rail if passes else None)
    axes.set_xlim(-max(wide, 5.2) / 2, max(wide, 5.2) / 2)
    axes.set_ylim(-tall + height / 2, height / 2 + 0.3)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


def _arrow(axes, source, target, height, width, rail):
    """An arrow straight down, or past the layers between, along `rail` at the right."""
    if rail is None:
        start, corners = (source[0], source[1] - height / 2), []
        end = (target[0], target[1] + height / 2)
    else:
        start, end = (source[0] + width / 2, source[1]), (target[0] + width / 2, target[1])
        corners = [(rail, start[1]), (rail, end[1])]
    points = [start, *corners, end]
    line = "-" if rail is None else (0, (3, 2))
    axes.plot(*zip(*points[:-1], strict=True), color=EDGE, linewidth=1, linestyle=line)
    style = {"arrowstyle": "-|>", "color": EDGE, "shrinkA": 0, "shrinkB": 0, "linewidth": 1}
    axes.annotate("", end, points[-2], arrowprops=style | {"linestyle": line})


def _shape(shape):
    """A shape such as `(batch, length, 128)`, from a list or a list of lists."""
    if shape and isinstance(shape[0], list):
        return ", ".join(map(_shape, shape))
    names = iter(("batch", "length"))
    return f"({', '.join(next(names, '?') if size is None else str(size) for size in shape)})"
