"""Emotion classification from text with a gated Transformer, on every Keras backend.

`python -m emotion_keras` lists the commands. From Python, `Predictor` labels texts with a trained
or an exported model. Importing this package loads neither a backend nor `Predictor`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion_keras.inference.predictor import Predictor

__all__ = ["Predictor", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Predictor":
        from emotion_keras.inference.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
