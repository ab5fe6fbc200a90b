"""Ways of explaining a prediction: how much each unit of a cell, such as a word, matters."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from emotion_keras.evaluation.faithfulness import (
    MEASURES,
    MOST_TEXTS,
    SHARES,
    choose_texts,
    measure_faithfulness,
)
from emotion_keras.inference.base import Model
from emotion_keras.inference.outputs import Explanation

# Ways that take one look at a text, so that every run can be measured by them.
QUICK = ("contribution", "gate")
# Texts that a way is tried on first, so that what it compiles is not timed: a batch of them.
_NUM_TRIED = 64


def ways_of(model: Model) -> dict[str, Callable[[Sequence[Any]], list[np.ndarray]]]:
    """The ways in which a model's predictions can be explained.

    Args:
        model: `Model`.

    Returns:
        Dictionary by name of functions from prepared cells to lists of float arrays `(num_units,)`:
        how much each unit speaks for the label that is predicted, where `Model.units` names them.
        `contribution` and `gate`, of a network whose gate stands last, see `Explanation`;
        `occlusion`, how far the label's probability falls without a unit; `integrated_gradients`,
        of every network.
    """
    ways = {}
    if model.can_explain:
        ways |= {
            name: lambda cells, name=name: _column(model.explain(cells), name) for name in QUICK
        }
    ways["occlusion"] = lambda cells: _occlude(model, cells)
    if model.has_gradients:
        ways["integrated_gradients"] = model.integrate_gradients
    return ways


def compare_ways(
    model: Model, cells: Sequence[Any], names: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Measures which units predictions rest on, by several ways of explaining.

    Args:
        model: `Model`.
        cells: Prepared cells of the test split, of which a sample is taken.
        names: Names of ways, all that the model has unless given.

    Returns:
        What `measure_faithfulness` returns; empty where no cell has two units that are no marks.
    """
    is_mark = model.modality.is_mark
    units = model.units(cells)
    words = [sum(not is_mark(unit) for unit in of_cell) for of_cell in units]
    chosen = choose_texts(words)
    if not chosen:
        return []
    sample, units = [cells[i] for i in chosen], [units[i] for i in chosen]
    values, milliseconds = {}, {}
    for name, explain in ways_of(model).items():
        if names is None or name in names:
            explain(sample[:_NUM_TRIED])
            start = time.perf_counter()
            values[name] = explain(sample)
            milliseconds[name] = 1000 * (time.perf_counter() - start) / len(sample)
    texts = [
        [
            {"word": unit}
            | {
                name: None if is_mark(unit) else float(of_way[i][k])
                for name, of_way in values.items()
            }
            for k, unit in enumerate(of_cell)
        ]
        for i, of_cell in enumerate(units)
    ]
    return measure_faithfulness(
        texts,
        model.probabilities,
        lambda i, names, kept: model.modality.part(sample[i], names, kept),
        milliseconds,
    )


def count_answers(num_cells: int) -> int:
    """About how many whole cells are predicted to compare the `QUICK` ways on some cells."""
    orders = len(QUICK) + 1  # Beside them a random one.
    # What is left of a cell has half of its units on average, and is often the same.
    changed = orders * len(SHARES) * len(MEASURES) / 2
    return round(min(num_cells, MOST_TEXTS) * (1 + len(QUICK) + changed))


def _column(explained: list[Explanation], name: str) -> list[np.ndarray]:
    return [
        np.array([np.nan if word[name] is None else word[name] for word in one.words])
        for one in explained
    ]


def _occlude(model, cells):
    part, units = model.modality.part, model.units(cells)
    numbers = [len(of_cell) for of_cell in units]
    whole = [part(cell, own, range(len(own))) for cell, own in zip(cells, units, strict=True)]
    parts = [
        part(cell, own, [k for k in range(len(own)) if k != left_out])
        for cell, own in zip(cells, units, strict=True)
        for left_out in range(len(own))
    ]
    before = model.probabilities(whole)
    class_ids = before.argmax(axis=1)
    after = model.probabilities(parts)[np.arange(len(parts)), np.repeat(class_ids, numbers)]
    drops = np.repeat(before.max(axis=1), numbers) - after
    return np.split(drops, np.cumsum(numbers)[:-1])
