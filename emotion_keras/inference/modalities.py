"""What each modality does for the answers of a model of several."""

from collections.abc import Sequence
from typing import Any

from emotion_keras.inference.base import Model
from emotion_keras.inference.outputs import Explanation
from emotion_keras.record.names import ADDED, WITHOUT


def compare_modalities(
    model: Model,
    cells: Sequence[Any],
    predicted: Sequence[str],
    explained: Sequence[Explanation] | None = None,
) -> list[dict[str, Any]]:
    """Answers without each modality, and what each adds to the score of the label that is answered.

    Args:
        model: `Model` of several modalities.
        cells: Prepared cells.
        predicted: The labels that it answers.
        explained: What `Model.explain` gives of the cells, of a model that can be explained.

    Returns:
        List, by cell, of dictionaries of `predicted`; for each modality the label without it, empty
        where nothing else is left; and with explanations, what the modality adds to the label's
        score, 0 where the example lacks it.
    """
    fused: Any = model.modality
    rows: list[dict[str, Any]] = [{"predicted": label} for label in predicted]
    for position, part in enumerate(fused.modalities):
        left = []
        for cell in cells:
            split = list(fused.split(cell))
            split[position] = ""
            left.append(fused.join(split))
        held = [i for i, cell in enumerate(left) if not fused.flaw(cell)]
        found = dict(zip(held, _labels(model, [left[i] for i in held]), strict=True))
        for i, row in enumerate(rows):
            row[f"{WITHOUT}{part.name}"] = found.get(i, "")
    if explained:
        for row, explanation in zip(rows, explained, strict=True):
            for part in fused.modalities:
                start = f"{part.name}: "
                own = [unit for unit in explanation.words if unit["word"].startswith(start)]
                row[f"{ADDED}{part.name}"] = sum(unit["contribution"] or 0.0 for unit in own)
    return rows


def _labels(model, cells):
    return model.target.decide(model.probabilities(cells)) if cells else []
