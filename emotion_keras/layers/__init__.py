"""The project's own layers."""

from emotion_keras.layers.attention_pooling import AttentionPooling
from emotion_keras.layers.gating import GatingLayer
from emotion_keras.layers.token_dropout import TokenDropout

__all__ = ["AttentionPooling", "GatingLayer", "TokenDropout"]
