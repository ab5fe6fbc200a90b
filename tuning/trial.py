"""A setting of an analysis."""

from typing import NamedTuple


class Trial(NamedTuple):
    """A setting of an analysis.

    Args:
        value: Number or string, the value of what is analysed.
        options: Dictionary of the options of `fit` that make it.
        model: Name of the model in place of the contender's, or `None`.
    """

    value: float | str
    options: dict
    model: str | None = None
