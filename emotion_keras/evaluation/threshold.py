"""The threshold of confidence that an accuracy asks for. Standard library only, as exports need."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from emotion_keras.errors import UserError
from emotion_keras.record.options import SHARE


class Threshold(NamedTuple):
    """A confidence from which on a model answers, and what is known of it.

    Args:
        min_confidence: The confidence.
        answered: The share of the test split's examples that are answered, or of the validation
            split's where the test split was not read.
        accuracy: The share of these answers that are right.
        split: Which of both it is.
    """

    min_confidence: float
    answered: float
    accuracy: float
    split: str

    def in_words(self, plural: str) -> str:
        """What it means, in a sentence about examples that are called `plural`."""
        split = {"test": "test", "val": "validation"}[self.split]
        return (
            f"Answers from a confidence of {100 * self.min_confidence:.1f} % on: of the {split} "
            f"split {100 * self.answered:.1f} % of the {plural} are answered, and "
            f"{100 * self.accuracy:.1f} % of these answers are right."
        )


def choose_threshold(known: Mapping[str, Any], target_accuracy: float, plural: str) -> Threshold:
    """The smallest threshold that surely reaches an accuracy on the validation split.

    Args:
        known: What `evaluation.coverage.thresholds` gives.
        target_accuracy: Float from 0 to 1.
        plural: What examples are called.

    Returns:
        `Threshold`.

    Raises:
        UserError: If no threshold reaches it, or the validation split is too small to say so.
    """
    if not SHARE.accepts(target_accuracy):
        raise UserError(
            f"target_accuracy is {SHARE.words}. Received: target_accuracy={target_accuracy}"
        )
    examples, steps = known["examples"], known["steps"]
    found = next((step for step in steps if step["accuracy"] >= target_accuracy), None)
    if found is None:
        raise UserError(_refusal(known, target_accuracy, plural))
    split = "test" if "test" in examples else "val"
    answered, right = found["answered"][split], found["right"][split]
    return Threshold(
        found["min_confidence"],
        answered / examples[split],
        right / answered if answered else 0.0,
        split,
    )


def _refusal(known, target_accuracy, plural):
    num_examples, best = known["examples"]["val"], known["steps"][-1]
    answered, right = best["answered"]["val"], best["right"]["val"]
    if not best["accuracy"] and known.get("subjects"):
        return (
            "No threshold of confidence surely reaches an accuracy: the validation split has "
            f"{plural} of {known['subjects']} subjects, and those of others may be answered less "
            "well. Train with a larger validation split (`--val-size`), or choose a threshold "
            f"yourself with `--min-confidence`. Received: target_accuracy={target_accuracy}"
        )
    small = f"the validation split of {num_examples:,} {plural} is too small to say so"
    reason = small if right == answered else f"the model is not that good, or {small}"
    return (
        f"No threshold of confidence surely reaches this accuracy: {reason}. At best {right:,} of "
        f"{answered:,} answers are right, which makes {math.floor(1000 * best['accuracy']) / 1000} "
        "sure. Ask for no more than that, train with a larger validation split (`--val-size`), or "
        "choose a threshold yourself with `--min-confidence`. "
        f"Received: target_accuracy={target_accuracy}"
    )
