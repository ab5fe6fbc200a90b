"""How explanations look: the same steps, signs and sentences in a terminal and on every page."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# From which contribution to a label's score on, for it or against it, a word has the first shade,
# the second and so on, the same in all texts. In long texts a word adds less than in short ones.
STEPS = (0.05, 0.15, 0.3, 0.6)
# What fills a moment's bar or a patch: there are more of them than words, and each adds less.
FULL_BAR = 0.2
# What units can be shown by.
VIEWS = ("contribution", "gate")
# How units lie: as the words of a text, as the moments of a recording, as the patches of an image.
LAYOUTS = ("words", "strip", "square")

_NOT_MEASURED = "Whether predictions rest on the {units} that it points at was not measured."
_REST = "punctuation, what marks the start and the end, and the constant that the label always has"


def step_of(contribution: float | None) -> int:
    """The shade of a contribution.

    Args:
        contribution: What a unit adds to a score; `None` of a punctuation mark.

    Returns:
        Integer from -4 to 4, below 0 for what speaks against the label.

    Example:

    >>> step_of(0.25), step_of(-0.1), step_of(0.04)
    (2, -1, 0)
    """
    number = sum(abs(contribution or 0) >= step for step in STEPS)
    return -number if (contribution or 0) < 0 else number


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, the minus as long as the plus.

    Example:

    >>> signed(-0.5), signed(-0.001)
    ('−0.50', '+0.00')
    """
    # What is rounded to 0 has no minus.
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


Layout = str | Mapping[str, str]


class Group(NamedTuple):
    """The units of one modality.

    Args:
        name: The modality; empty where there is no other.
        layout: One of `LAYOUTS`.
        units: The units, without the modality in their names.
    """

    name: str
    layout: str
    units: Sequence[Mapping[str, Any]]

    @property
    def added(self) -> float:
        """What they add to the score."""
        return sum(unit["contribution"] or 0 for unit in self.units)


def groups(units: Sequence[Mapping[str, Any]], layout: Layout) -> list[Group]:
    """The units of each modality of an example.

    Args:
        units: Dictionaries of units, as `Explanation` holds them.
        layout: One of `LAYOUTS`, or of several modalities one each by their names.

    Example:

    >>> units = [{"word": "text: we", "contribution": 0.5}, {"word": "image: row 1"}]
    >>> [(group.name, group.units[0]["word"]) for group in groups(units, {"text": "words"})]
    [('text', 'we')]
    """
    if isinstance(layout, str):
        return [Group("", layout, units)]
    found = []
    for name, of_modality in layout.items():
        start = f"{name}: "
        own = [unit for unit in units if unit["word"].startswith(start)]
        if own:
            shown = [{**unit, "word": unit["word"].removeprefix(start)} for unit in own]
            found.append(Group(name, of_modality, shown))
    return found


def kinds(layout: Layout) -> dict[str, list[str]]:
    """The modalities whose units lie alike, by how they do, for one legend each.

    Example:

    >>> kinds({"text": "words", "speech": "strip", "features": "strip"})
    {'words': ['text'], 'strip': ['speech', 'features']}
    """
    if isinstance(layout, str):
        return {layout: []}
    found: dict[str, list[str]] = {}
    for name, one in layout.items():
        found.setdefault(one, []).append(name)
    return found


def total(explanation: Mapping[str, Any], units: str, layout: Layout = "words") -> str:
    """The sum of an explanation in words.

    Args:
        explanation: Dictionary of what `Explanation` holds.
        units: What the units are called, in the plural.
        layout: One of `LAYOUTS`, or of several modalities one each by their names, which then stand
            in the sum.

    Example:

    >>> total({"score": 3.125, "rest": 0.5}, "words")
    'Score +3.12 = words +2.62, rest +0.50'
    >>> total({"explained": "joy", "score": 3.125, "rest": 0.5}, "words")
    'Score of joy +3.12 = words +2.62, rest +0.50'
    """
    score = round(explanation["score"], 2)
    if isinstance(layout, str):
        added = {units: score - round(explanation["rest"], 2)}
    else:
        added = {one.name: round(one.added, 2) for one in groups(explanation["words"], layout)}
    parts = ", ".join(f"{name} {signed(value)}" for name, value in added.items())
    # What is left, so that the sum is right as it is shown.
    # Where several labels may hold, one of them is explained.
    of_label = f" of {explanation['explained']}" if explanation.get("explained") else ""
    rest = signed(score - sum(added.values()))
    return f"Score{of_label} {signed(score)} = {parts}, rest {rest}"


def about(view: str, units: str, layout: Layout) -> str:
    """What a view shows, beside its scale.

    Args:
        view: One of `VIEWS`.
        units: What the units are called, in the plural.
        layout: One of `LAYOUTS`, or of several modalities one each by their names.
    """
    if view == "gate":
        return (
            f"The gate lets each of the {units} pass from 0, not at all, to 1, whole. That is not "
            "for which label it speaks."
        )
    has_words = "words" in ([layout] if isinstance(layout, str) else layout.values())
    rest = _REST if has_words else "the constant that the label always has"
    return (
        f"The {units} and the rest add up to the label's score. The rest: {rest}. The scale is the "
        "same everywhere."
    )


def faithful(sentences: Mapping[str, str], view: str, units: str) -> str:
    """Whether what a view points at matters to the model, as it was measured, in a sentence.

    Args:
        sentences: What `evaluation.faithfulness.in_words` gives of the model's run.
        view: One of `VIEWS`.
        units: What the units are called, in the plural.
    """
    return sentences.get(view) or _NOT_MEASURED.format(units=units)


def grouped(units: Sequence[Mapping[str, Any]], most: int) -> list[Sequence[Mapping[str, Any]]]:
    """Neighbours put together, so that at most a given number is left."""
    size = -(-len(units) // most)
    return [units[i : i + size] for i in range(0, len(units), size)]
