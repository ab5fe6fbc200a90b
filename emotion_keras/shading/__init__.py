"""How explanations look: the same steps, signs and sentences in a terminal and on every page."""

from collections.abc import Mapping, Sequence
from typing import Any

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

    >>> signed(-0.5)
    '−0.50'
    """
    return f"{value:+.{digits}f}".replace("-", "−")


def total(explanation: Mapping[str, Any], units: str) -> str:
    """The sum of an explanation in words.

    Args:
        explanation: Dictionary of what `Explanation` holds.
        units: What the units are called, in the plural.

    Example:

    >>> total({"score": 3.125, "rest": 0.5}, "words")
    'Score +3.12 = words +2.62, rest +0.50'
    """
    score, rest = (round(explanation[name], 2) for name in ("score", "rest"))
    return f"Score {signed(score)} = {units} {signed(score - rest)}, rest {signed(rest)}"


def about(view: str, units: str, layout: str) -> str:
    """What a view shows, beside its scale.

    Args:
        view: One of `VIEWS`.
        units: What the units are called, in the plural.
        layout: One of `LAYOUTS`.
    """
    if view == "gate":
        return (
            f"The gate lets each of the {units} pass from 0, not at all, to 1, whole. That is not "
            "for which label it speaks."
        )
    rest = _REST if layout == "words" else "the constant that the label always has"
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
    """Neighbours put together, so that there are at most so many."""
    size = -(-len(units) // most)
    return [units[i : i + size] for i in range(0, len(units), size)]
