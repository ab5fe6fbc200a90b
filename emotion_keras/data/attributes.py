"""Attributes: what is known of examples beside label and subject, such as a writer's country.

No model sees them. They say in which groups of examples accuracy is looked at.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.record import ATTRIBUTE
from emotion_keras.record.options import split_names

# Numbers of more values than these are put into bins of about equally many examples.
_MOST_NUMBERS = 8
_NUM_BINS = 4
# More groups than these are no groups: most would hold too few examples to say anything about.
MOST_VALUES = 36


def names_of(attributes: str | None) -> list[str]:
    """The names in the option `attributes`, each once."""
    names = split_names("attributes", attributes or "")
    return list(dict.fromkeys(name for name in names if name))


def group_attributes(examples: pd.DataFrame, asked: str | None, source: str) -> pd.DataFrame:
    """Makes groups of the attributes of a corpus's examples.

    Args:
        examples: Table with the attributes as they are in the source, in columns that begin with
            `ATTRIBUTE`.
        asked: What the option `attributes` says; all where it is `None`.
        source: The source's path, for messages.

    Returns:
        The table with the attributes that are asked for, of few values each. An empty string
        stands where nothing is known.

    Raises:
        UserError: If there is no such attribute, or one has too many values.
    """
    there = [name.removeprefix(ATTRIBUTE) for name in examples if name.startswith(ATTRIBUTE)]
    wanted = there if asked is None else names_of(asked)
    for name in wanted:
        if name not in there:
            known = f"Known are: {', '.join(there)}" if there else "None are known"
            raise UserError(
                f"{source}: nothing says the attribute {name!r}.{did_you_mean(name, there)} "
                f"{known}. Received: attributes={asked!r}"
            )
    found = examples.drop(columns=[f"{ATTRIBUTE}{name}" for name in there])
    for name in wanted:
        values = _as_groups(name, examples[f"{ATTRIBUTE}{name}"].tolist(), asked, source)
        found[f"{ATTRIBUTE}{name}"] = pd.Series(values, found.index, dtype="str")
    return found


def _as_groups(name, values, asked, source):
    values = [" ".join(value.split()) for value in values]
    different = sorted({value for value in values if value})
    numbers = _as_numbers(different)
    if numbers is not None and len(different) > _MOST_NUMBERS:
        names = _bins(np.array([numbers[value] for value in values if value]))
        return [names[numbers[value]] if value else "" for value in values]
    if len(different) > MOST_VALUES:
        raise UserError(
            f"{source}: the attribute {name!r} has {len(different):,} different values, such as "
            f"{different[0][:40]!r}, and at most {MOST_VALUES} make groups that can be compared. "
            "Name a column of fewer values, such as regions in place of towns; numbers are put "
            f"into bins, if nothing else stands in their column. Received: attributes={asked!r}"
        )
    return values


def _as_numbers(values: Sequence[str]) -> dict[str, float] | None:
    """The numbers that values are, by value, or `None` where one is none."""
    try:
        numbers = {value: float(value) for value in values}
    except ValueError:
        return None
    return numbers if np.isfinite(list(numbers.values())).all() else None


def _bins(numbers):
    """By number the name of its bin: from its smallest to its largest number that is there."""
    edges = np.quantile(numbers, np.arange(1, _NUM_BINS) / _NUM_BINS)
    different = np.unique(numbers)
    bins = np.searchsorted(edges, different)
    names = {}
    for number in np.unique(bins):
        members = different[bins == number]
        ends = [f"{end:g}" for end in (members[0], members[-1])]
        name = " to ".join(dict.fromkeys(ends))
        names |= dict.fromkeys(members.tolist(), name)
    return names
