"""The models: one function a file that builds a functional `keras.Model`.

A builder takes an `Embedded`, and its keyword-only arguments are the model's hyperparameters.
"""

from emotion_keras.models.gated_transformer import gated_transformer
from emotion_keras.models.transformer import transformer

MODELS = {"transformer": transformer, "gated_transformer": gated_transformer}
