"""Loads the model of a finished run, on whichever backend."""

from pathlib import Path

from emotion_keras import record
from emotion_keras.data.flaws import flaws_of, in_words
from emotion_keras.errors import UserError
from emotion_keras.inference.base import Model
from emotion_keras.inference.combined_model import CombinedModel
from emotion_keras.models.baselines import BASELINES
from emotion_keras.targets import target_of


def load_model(directory: str | Path) -> Model:
    """Loads what a run has trained; no code of the files is run.

    Args:
        directory: A finished run's folder.

    Returns:
        `KerasModel`, `BaselineModel` or `CombinedModel`.

    Raises:
        UserError: If the run is not finished, or its folder holds no model.
    """
    directory = Path(directory)
    run = record.read_run(directory)
    is_baseline = run["model"] in BASELINES
    is_combination = run["model"] == record.COMBINATION
    name = record.ESTIMATOR if is_baseline else record.MODEL
    if is_combination:
        name = record.MEMBERS
    if flaws := flaws_of(run):
        raise UserError(
            f"The run {directory} shows what a protocol with flaws makes of a number, and has no "
            f"model to use. {in_words(flaws)} Choose another run."
        )
    if not (directory / name).exists():
        raise UserError(
            f"The run {directory} is kept without its model: there is no {name}. "
            f"{record.how_to_repeat(directory)}"
        )
    if is_combination:
        members = [load_model(directory / name / one["run_id"]) for one in run["members"]]
        weights = [one["weight"] for one in run["members"]]
        return CombinedModel(members, weights, target_of(run))
    if is_baseline:
        from emotion_keras.inference.baseline_model import BaselineModel

        return BaselineModel.load(directory, run)
    from emotion_keras.inference.keras_model import KerasModel

    return KerasModel.load(directory, run)
