"""Explanations in a terminal: colours for those who see them, signs and digits for everybody."""

import math
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from emotion_keras import shading

# Colours of 256 by step: blue for the label, red against it.
_STYLES = {
    1: "black on color(195)",
    2: "black on color(153)",
    3: "black on color(75)",
    4: "bright_white on color(25)",
    -1: "black on color(224)",
    -2: "black on color(217)",
    -3: "black on color(210)",
    -4: "bright_white on color(124)",
}
# By tenths of a gate: grey, from pale to strong.
_GATES = (255, 254, 252, 250, 248, 246, 245, 244, 243, 242, 241)
_TENTHS = "₀₁₂₃₄₅₆₇₈₉"
_BLOCKS = "▁▂▃▄▅▆▇█"
# As many as stay on a line of 80 characters.
_MOST_BLOCKS = 14
# A block of several moments is full where together they add so much.
_FULL_BLOCK = 0.5


def shade(explanation: Mapping[str, Any], view: str, layout: shading.Layout) -> Text:
    """Shows the units of an explanation.

    Args:
        explanation: Dictionary of what `Explanation` holds.
        view: One of `VIEWS`.
        layout: One of `LAYOUTS`, or of several modalities one each by their names.
    """
    found = shading.groups(explanation["words"], layout)
    return Text("\n").join(_shade_group(group, view) for group in found)


def _shade_group(group, view):
    heading = f"{group.name} {shading.signed(group.added)}\n" if group.name else ""
    if group.layout != "words":
        draw = _strip if group.layout == "strip" else _square
        return Text(heading) + draw(group.units, view)
    write = _write_gate if view == "gate" else _write_contribution
    return Text(heading) + Text(" ").join(write(unit) for unit in group.units)


def legend(view: str, units: str, layout: shading.Layout) -> Text:
    """Says what `shade` shows; see `about`."""
    if isinstance(layout, str):
        return _scale(view, units, layout) + Text(shading.about(view, units, layout))
    scales = [
        Text(f"{' and '.join(names)}: ") + _scale(view, units, one)
        for one, names in shading.kinds(layout).items()
    ]
    return Text("\n").join([*scales, Text(shading.about(view, units, layout))])


def _scale(view, units, layout):
    if view == "gate" and layout == "words":
        scale = Text("Small digits are tenths: ")
        scale += Text(" ").join(_write_gate({"word": "", "gate": n / 10}) for n in (0, 3, 6, 9))
        scale += Text(". ")
    elif view == "gate":
        scale = Text("▁ stands for 0, █ for 1. ")
    elif layout == "words":
        scale = Text()
        for number, style in sorted(_STYLES.items()):
            limit = shading.STEPS[abs(number) - 1]
            scale.append(f"{'-' if number < 0 else '+'}{limit}{_sign(number)}", style=style)
            scale.append("  ")
        scale.append("and further. ")
    else:
        full = _FULL_BLOCK if layout == "strip" else shading.FULL_BAR
        scale = Text(
            f"+ is for the label, - against it; a block is full where its {units} add {full} or "
            "more. "
        )
    return scale


def _write_contribution(unit):
    number = shading.step_of(unit["contribution"])
    return Text(unit["word"] + _sign(number), style=_STYLES.get(number, ""))


def _sign(number):
    return abs(number) * ("+" if number > 0 else "-")


def _write_gate(unit):
    tenths = round(10 * unit["gate"])
    style = f"{'black' if tenths < 7 else 'bright_white'} on color({_GATES[tenths]})"
    return Text(unit["word"] + _TENTHS[min(int(10 * unit["gate"]), 9)], style=style)


def _strip(moments, view):
    """A few blocks, each as high as what its moments add together, or as their mean gate."""
    parts = shading.grouped(moments, _MOST_BLOCKS)
    first, last = moments[0]["word"], moments[-1]["word"]
    ends = f"{first} to {last}" if last != first else first
    if view == "gate":
        means = [sum(unit["gate"] for unit in part) / len(part) for part in parts]
        return Text(f"{first} {''.join(map(_block, means))} {last}")
    added = [sum(unit["contribution"] for unit in part) / _FULL_BLOCK for part in parts]
    above = "".join(_block(value) if value > 0 else " " for value in added)
    below = "".join(_block(-value) if value < 0 else " " for value in added)
    strip = Text("+ ").append(above, style="color(33)").append("\n- ")
    return strip.append(below, style="color(160)").append(f"\n{ends}")


def _square(patches, view):
    """Rows of patches, each as high as what it adds, behind its sign, or as its gate."""
    side = math.isqrt(len(patches))
    if view == "gate":
        cells = [Text(2 * _block(patch["gate"])) for patch in patches]
    else:
        cells = [_signed_block(patch["contribution"]) for patch in patches]
    rows = [Text().join(cells[i : i + side]) for i in range(0, len(cells), side)]
    return Text("\n").join(rows)


def _signed_block(added):
    if not added:
        return Text("· ")
    block = _block(abs(added) / shading.FULL_BAR)
    return Text(f"+{block}", "color(33)") if added > 0 else Text(f"-{block}", "color(160)")


def _block(share: float) -> str:
    return _BLOCKS[min(int(len(_BLOCKS) * share), len(_BLOCKS) - 1)]
