"""A model that was just trained, and how that went."""

from typing import NamedTuple

from emotion_keras.inference.base import TrainedModel


class Trained(NamedTuple):
    """A model that was just trained, and how that went.

    Args:
        model: `TrainedModel`, of the same kind as `load_model` loads.
        history: List of dictionaries, a row an epoch; empty of a baseline.
        best_epoch: The epoch whose weights it has, from 1; `None` of a baseline.
        seconds: Time of training alone.
        examples_per_second: Examples trained on in that time, each epoch counted.
        audit: Dictionary of what training did to the data, for the audit.
    """

    model: TrainedModel
    history: list[dict]
    best_epoch: int | None
    seconds: float
    examples_per_second: float
    audit: dict
