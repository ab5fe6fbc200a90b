"""The models: one class of options a file, whose `build` makes a functional `keras.Model`.

`build` takes an `Embedded`, and never learns what its tokens stand for. Keras is imported there, so
that what the options are is known without it.
"""

from emotion_keras.models.bert import BERT
from emotion_keras.models.cnn import CNN
from emotion_keras.models.gated_transformer import GatedTransformer
from emotion_keras.models.lstm import LSTM
from emotion_keras.models.transformer import Transformer

MODELS = {
    "cnn": CNN,
    "lstm": LSTM,
    "transformer": Transformer,
    "bert": BERT,
    "gated_transformer": GatedTransformer,
}
