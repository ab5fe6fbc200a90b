"""`f_embed`: from what a user has to the vectors that encoder, gate and pooling work on.

Every kind of input is one file here that ends in an `Embedded`, and the models know no more of it.
"""

from emotion_keras.inputs.embedded import Embedded, embedded_features

__all__ = ["Embedded", "embedded_features"]
