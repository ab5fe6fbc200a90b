"""Metrics and numbers in words, the same in tables, figures and sentences."""

from collections.abc import Iterable
from typing import Any

import numpy as np

METRICS = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "auc": "AUC"}
# The same where several labels may hold of an example, and what tables show beside them.
METRICS_OF_SEVERAL = {"macro_f1": "Macro F1", "accuracy": "All labels right", "auc": "AUC"}
MORE_OF_SEVERAL = {"micro_f1": "Micro F1", "jaccard": "Jaccard", "lrap": "LRAP"}


def percent(value: float | None, signed: bool = False) -> str:
    """A fraction in per cent with one digit, such as `70.4` or, signed, `−0.8`."""
    if value is None or np.isnan(value):
        return "–"
    text = f"{100 * value:+.1f}" if signed else f"{100 * value:.1f}"
    return text.replace("-", "−")


def interval(low: float | None, high: float | None, signed: bool = False) -> str:
    """An interval in per cent, such as `69.5 to 71.3`."""
    if low is None or np.isnan(low):
        return "–"
    return f"{percent(low, signed)} to {percent(high, signed)}"


def p_in_words(value: float | None) -> str:
    """A p-value with three digits."""
    return (
        "–" if value is None or np.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"
    )


def count(number: float | None) -> str:
    """A count with commas."""
    return "–" if number is None or np.isnan(number) else f"{number:,.0f}"


def value_in_words(value: Any) -> str:
    """A value of a setting, such as `0.2`, or `5e-5` below a hundredth."""
    if isinstance(value, (str, bool)):
        return str(value)
    if 0 < abs(value) < 0.01:
        digits, _, exponent = f"{value:.2e}".partition("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{value:g}"


def listed(names: Iterable[str]) -> str:
    """Names in a sentence, such as `joy, fear and anger`, or an empty string for none."""
    *others, last = [*names] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def capitalized(text: str) -> str:
    """A text whose first letter is a capital one; the others stay as they are."""
    return text[:1].upper() + text[1:]


def or_nan(value: float | None) -> float:
    """A number, or NaN in place of `None`."""
    return np.nan if value is None else value
