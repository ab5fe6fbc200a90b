"""Loads the model of a finished run, on whichever backend."""

from pathlib import Path

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.inference.base import TrainedModel
from emotion_keras.models.baselines import BASELINES


def load_model(directory: str | Path) -> TrainedModel:
    """Loads what a run has trained; no code of the files is run.

    Args:
        directory: A finished run's folder.

    Returns:
        `KerasModel` or `BaselineModel`.

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
    if is_baseline:
        from emotion_keras.inference.baseline_model import BaselineModel

        return BaselineModel.load(directory, run)
    from emotion_keras.inference.keras_model import KerasModel

    return KerasModel.load(directory, run)
