"""The models: one function a file that builds a functional `keras.Model`.

A builder takes an `Embedded`, and its keyword-only arguments are the model's hyperparameters.
"""

from emotion_keras.models.bert import bert
from emotion_keras.models.cnn import cnn
from emotion_keras.models.gated_transformer import gated_transformer
from emotion_keras.models.lstm import lstm
from emotion_keras.models.transformer import transformer

MODELS = {
    "cnn": cnn,
    "lstm": lstm,
    "transformer": transformer,
    "bert": bert,
    "gated_transformer": gated_transformer,
}
