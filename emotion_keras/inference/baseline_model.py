"""The model of a finished run that is a baseline, from scikit-learn."""

from pathlib import Path

import numpy as np

from emotion_keras import record
from emotion_keras.errors import UserError


class TrainedBaseline:
    """A model of scikit-learn, which takes texts of any length as they are.

    Args:
        directory: Folder of a finished run.
    """

    tokenizer = None
    sequence_length = None
    can_explain = False
    num_parallel = 1

    def __init__(self, directory):
        self.estimator = load_baseline(directory / record.ESTIMATOR)
        self.num_classes = len(record.read_run(directory)["corpus"]["labels"])

    def probabilities(self, texts):
        """Probabilities of texts as they are, `(num_texts, num_classes)` in float32."""
        return predict_probabilities(self.estimator, texts, self.num_classes)


# Parts of baselines that `skops` does not know itself. Whatever else a file names is not loaded.
_PARTS = [
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.model_selection._split.StratifiedKFold",
]


def load_baseline(path):
    """Loads an estimator without running code from its file, as a pickle would.

    Args:
        path: The file that `train_baseline` wrote.

    Returns:
        The estimator.

    Raises:
        UserError: If the file is damaged, or holds something that is no part of a baseline.
    """
    from skops.io import load
    from skops.io.exceptions import UntrustedTypesFoundException

    again = record.how_to_repeat(Path(path).parent)
    record.check_archive(path, again)
    with record.loading(path, again):
        try:
            return load(path, trusted=_PARTS)
        except UntrustedTypesFoundException as error:
            raise UserError(
                f"{path} is not loaded: it holds what is no part of a model of this software. "
                f"{error}"
            ) from error


def predict_probabilities(estimator, texts, num_classes):
    """Probabilities of texts, `(num_texts, num_classes)`; 0 for labels never trained on."""
    probabilities = np.zeros((len(texts), num_classes), "float32")
    probabilities[:, estimator.classes_] = estimator.predict_proba(texts)
    return probabilities
