"""The encoders of recordings. Keras is not imported here.

`find_encoder` says what an encoder's name stands for. An encoder is one entry of `ENCODERS`.
"""

from __future__ import annotations

import abc
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.inputs.encoders import Encoder, find_packaged
from emotion_keras.inputs.mel import LOG_MEL, SPEAKER_MEL, FrontEnd

if TYPE_CHECKING:
    from keras import KerasTensor

    from emotion_keras.inputs.speech import SpeechOptions


class SpeechEncoder(Encoder, abc.ABC):
    """Where the vectors of a recording's tokens come from.

    Attributes:
        front_end: `FrontEnd`, what makes the frames that it reads.
        is_standardized: Whether it reads frames that are standardized on the training split.
    """

    front_end: ClassVar[FrontEnd]
    is_standardized: ClassVar[bool]

    @abc.abstractmethod
    def embed(
        self,
        frames: KerasTensor,
        padding_mask: KerasTensor,
        options: SpeechOptions,
        scale: float,
        load_weights: bool = True,
        dtype: str = "float32",
    ) -> tuple[KerasTensor, KerasTensor]:
        """Gives each token its vector, as part of a functional model.

        Args:
            frames: Symbolic float32 tensor `(batch, length, frames_per_token * num_bins)`.
            padding_mask: Symbolic int32 tensor `(batch, length)`, 1 for what is real.
            options: The options of `SpeechInput`.
            scale: By how much frames were divided to standardize them.
            load_weights: Whether a pretrained encoder has its pretrained weights.
            dtype: Name of the Keras dtype policy of its layers.

        Returns:
            Symbolic tensors: the vectors `(batch, length, dim)`, and the padding mask, which is
            another than before where recordings change their speed in training.

        Raises:
            UserError: If the encoder cannot be loaded.
        """


class Scratch(SpeechEncoder):
    """Convolutions over log-mel frames, learned from the training split."""

    front_end = LOG_MEL
    is_standardized = True

    def embed(
        self,
        frames: KerasTensor,
        padding_mask: KerasTensor,
        options: SpeechOptions,
        scale: float,
        load_weights: bool = True,
        dtype: str = "float32",
    ) -> tuple[KerasTensor, KerasTensor]:
        from emotion_keras.inputs.speech_embedding import embed_from_scratch

        return embed_from_scratch(frames, padding_mask, options, scale, dtype)


class Resemblyzer(SpeechEncoder):
    """The encoder of speakers of the package Resemblyzer (Wan et al. 2018; Apache-2.0).

    Three LSTMs that tell voices apart. The states of the second say most about emotions.
    """

    kind = "pretrained"
    can_be_frozen = True
    front_end = SPEAKER_MEL
    is_standardized = False

    def weights(self) -> Path:
        """The path of its weights, which are checked.

        Raises:
            UserError: If the package is not installed, or the weights are damaged.
        """
        return find_packaged("Resemblyzer", "resemblyzer==0.1.4", "pretrained.pt", _WEIGHTS_SHA256)

    def embed(
        self,
        frames: KerasTensor,
        padding_mask: KerasTensor,
        options: SpeechOptions,
        scale: float,
        load_weights: bool = True,
        dtype: str = "float32",
    ) -> tuple[KerasTensor, KerasTensor]:
        from emotion_keras.inputs.speech_embedding import embed_with_lstms

        weights = self.weights() if load_weights else None
        return embed_with_lstms(frames, padding_mask, options, weights, dtype)


_WEIGHTS_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"

ENCODERS: dict[str, type[SpeechEncoder]] = {"scratch": Scratch, "resemblyzer": Resemblyzer}


def find_encoder(name: str) -> SpeechEncoder:
    """Finds the encoder of recordings that a name stands for.

    Raises:
        UserError: If there is no such encoder.
    """
    if name not in ENCODERS:
        raise UserError(
            f"Unknown encoder of recordings.{did_you_mean(name, ENCODERS)} "
            f"Accepted: {', '.join(ENCODERS)}. Received: encoder={name!r}"
        )
    return ENCODERS[name](name)
