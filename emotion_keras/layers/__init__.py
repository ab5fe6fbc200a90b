"""The project's own layers."""

from emotion_keras.layers.attention_pooling import AttentionPooling
from emotion_keras.layers.augmentation import Augmentation
from emotion_keras.layers.biased_transformer_encoder import BiasedTransformerEncoder
from emotion_keras.layers.clear_padding import ClearPadding
from emotion_keras.layers.fusion import Fusion
from emotion_keras.layers.gating import GatingLayer
from emotion_keras.layers.hard_concrete_gate import CLOSING, HardConcreteGate
from emotion_keras.layers.relative_position_bias import RelativePositionBias
from emotion_keras.layers.spectrogram_masking import SpectrogramMasking
from emotion_keras.layers.spectrogram_variation import SpectrogramVariation
from emotion_keras.layers.token_dropout import TokenDropout

__all__ = [
    "CLOSING",
    "AttentionPooling",
    "Augmentation",
    "BiasedTransformerEncoder",
    "ClearPadding",
    "Fusion",
    "GatingLayer",
    "HardConcreteGate",
    "RelativePositionBias",
    "SpectrogramMasking",
    "SpectrogramVariation",
    "TokenDropout",
]
