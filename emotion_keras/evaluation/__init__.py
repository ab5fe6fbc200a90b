"""How good predictions are: NumPy in, plain numbers out. No Keras here."""

from emotion_keras.evaluation.calibration import expected_calibration_error
from emotion_keras.evaluation.metrics import classification_metrics, macro_f1

__all__ = ["classification_metrics", "expected_calibration_error", "macro_f1"]
