"""Loads what a run has trained, on whichever backend."""

from pathlib import Path

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.inference.baseline_model import TrainedBaseline
from emotion_keras.inference.keras_model import TrainedNetwork
from emotion_keras.models.baselines import BASELINES


def load_trained(directory):
    """Loads what a run has trained; no code of the files is run.

    Args:
        directory: A finished run's folder.

    Returns:
        `TrainedNetwork` or `TrainedBaseline`.

    Raises:
        UserError: If the run is not finished, or its folder holds no model.
    """
    directory = Path(directory)
    run = record.read_run(directory)
    is_baseline = run["model"] in BASELINES
    name = record.ESTIMATOR if is_baseline else record.MODEL
    if not (directory / name).exists():
        raise UserError(
            f"The run {directory} is kept without its model: there is no {name}. "
            f"{record.how_to_repeat(directory)}"
        )
    return (TrainedBaseline if is_baseline else TrainedNetwork)(directory)
