"""The layers of the model as they were trained: the paper's Figure 1."""

from typing import Any

from matplotlib import patches
from matplotlib.figure import Figure

from reports.display.figure import COLOURS, EDGE, MUTED, styled
from reports.display.page import Page
from reports.findings import Findings
from reports.paper import OURS, OURS_FROM_SCRATCH

TITLE = "Architecture"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Draws the layers of the paper's model, or else of the best; see `reports.sections`."""
    compared = findings.compared
    names = [name for name in (OURS, OURS_FROM_SCRATCH, findings.best) if name in compared]
    for run in (run for name in names for run in compared[name]):
        layers = findings.records.read_architecture(run)
        if layers:
            alternative = (
                f"The layers of {run.contender} from input to output with their shapes and numbers "
                f"of parameters: {', '.join(layer['type'] for layer in layers)}."
            )
            picture = page.add_figure("architecture", alternative, draw_architecture(layers))
            return {"run": run, "picture": picture}
    return None


def collapse_layers(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
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
def draw_architecture(layers: list[dict[str, Any]]) -> Figure:
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
