"""A baseline that answers: a model of scikit-learn, which takes cells as they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.inference.base import TrainedModel
from emotion_keras.inference.outputs import Outputs
from emotion_keras.inputs import Input, modality_of
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.targets import Target, target_of

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

# Parts of baselines that `skops` does not know itself. Whatever else a file names is not loaded.
_PARTS = [
    "emotion_keras.models.frequent_words.FrequentWords",
    "emotion_keras.models.fused_vectors.FusedVectors",
    "emotion_keras.models.fused_vectors.LateFusion",
    "emotion_keras.models.image_statistics.OrientedGradients",
    "emotion_keras.models.image_statistics.Pixels",
    "emotion_keras.models.mean_vectors.MeanVectors",
    "emotion_keras.models.mfcc_statistics.MfccStatistics",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.multiclass._ConstantPredictor",
]


class BaselineModel(TrainedModel):
    """A fitted estimator of scikit-learn.

    Args:
        estimator: The estimator, from cells to probabilities of the class ids that it was fitted
            to.
        modality: Class of the `Input` whose cells it takes.
        target: `Target`.
    """

    input = None
    layers = None

    def __init__(self, estimator: "BaseEstimator", modality: type[Input], target: Target):
        self.estimator = estimator
        self.modality = modality
        self.target = target

    @classmethod
    def load(cls, directory: Path, run: dict) -> "BaselineModel":
        """Loads the baseline of a finished run, without running code from its file.

        Args:
            directory: The run's folder.
            run: Its record.

        Raises:
            UserError: If the file is damaged, or holds something that is no part of a baseline.
        """
        return cls(_load_estimator(directory), modality_of(run), target_of(run))

    def outputs(self, sequences: Sequences, explain: bool = False) -> Outputs:
        raise TypeError("A baseline takes cells as they are: call `probabilities`.")

    def probabilities(self, cells: Sequence[Any]) -> np.ndarray:
        probabilities = np.zeros((len(cells), len(self.target.labels)), "float32")
        # Labels that no training example had stay at 0.
        probabilities[:, self.estimator.classes_] = self.estimator.predict_proba(cells)
        return probabilities

    @property
    def num_parameters(self) -> int:
        """The number of numbers that it has learned from labels."""
        return _count_numbers(self.estimator)

    def save(self, directory: Path) -> None:
        from skops.io import dump  # Imported here: it takes seconds, and networks need none.

        dump(self.estimator, directory / record.ESTIMATOR)


def _count_numbers(estimator):
    last = estimator[-1] if hasattr(estimator, "__getitem__") else estimator
    if hasattr(last, "estimators_"):  # One for each label.
        return sum(map(_count_numbers, last.estimators_))
    if not hasattr(last, "predict_proba") or hasattr(last, "y_"):
        return 1  # A label that holds of all training examples, or of none.
    if hasattr(last, "num_parameters_"):
        return last.num_parameters_
    if hasattr(last, "class_prior_"):
        return last.class_prior_.size
    if hasattr(last, "coef_"):
        return last.coef_.size + last.intercept_.size
    (calibrated,) = last.calibrated_classifiers_
    svm = calibrated.estimator
    has_kernel = hasattr(svm, "dual_coef_")
    weights = svm.support_vectors_.size + svm.dual_coef_.size if has_kernel else svm.coef_.size
    return weights + svm.intercept_.size + 2 * len(calibrated.calibrators)


def _load_estimator(directory):
    from skops.io import load
    from skops.io.exceptions import UntrustedTypesFoundException

    path, again = directory / record.ESTIMATOR, record.how_to_repeat(directory)
    record.check_archive(path, again)
    with record.loading(path, again):
        try:
            return load(path, trusted=_PARTS)
        except UntrustedTypesFoundException as error:
            raise UserError(
                f"{path} is not loaded: it holds what is no part of a model of this software. "
                f"{error}"
            ) from error
