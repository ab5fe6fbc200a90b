"""The options of a run: where it lies, and how a network is trained. Standard library only."""

from dataclasses import dataclass
from typing import Literal

from emotion_keras.record.options import (
    COUNT,
    COUNT_OR_NONE,
    NOT_NEGATIVE,
    PART,
    POSITIVE,
    SEED,
    SHARE,
    Limit,
    Options,
    option,
)

Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]


@dataclass(frozen=True, kw_only=True)
class RunOptions(Options):
    """Which run is made."""

    model: str = option(
        "gated_transformer",
        "What to train: gated_transformer, transformer, cnn, lstm or bert; or a baseline, "
        "majority, tfidf_logistic or tfidf_svm.",
        is_basic=True,
    )
    seed: int = option(0, "Decides initial weights, order and dropout.", SEED, is_basic=True)
    precision: Precision = option(
        "auto",
        "What to train in; auto takes bfloat16 where the device is fast at it. The finished model "
        "always computes in float32.",
    )
    read_test: bool = option(
        True, "Whether to test the model on the test split, as all runs do but those that choose."
    )


@dataclass(frozen=True, kw_only=True)
class PlaceOptions(Options):
    """Where a run is kept."""

    study: str = option("fit", "Name of the set of runs that this one belongs to.", is_basic=True)
    runs_dir: str = option("runs", "Folder of all runs.", is_basic=True)
    tensorboard: bool = option(False, "Whether to write TensorBoard logs into the run's folder.")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Options):
    """How a network is trained."""

    batch_size: int = option(32, "Texts a step.", COUNT, is_basic=True)
    epochs: int = option(4, "Passes over the training split at most.", COUNT, is_basic=True)
    learning_rate: float = option(1e-4, "Highest learning rate of AdamW.", POSITIVE, is_basic=True)
    schedule: Literal["linear", "cosine", "constant"] = option(
        "linear", "What the learning rate does after the warm-up."
    )
    warmup: float = option(0.1, "Share of the steps in which the learning rate rises.", SHARE)
    weight_decay: float = option(
        0.01, "AdamW's decay of weight matrices a step, times the learning rate.", NOT_NEGATIVE
    )
    clip_norm: float = option(
        1.0,
        "Length that the gradient of all weights is cut to; 0 cuts nothing. With several devices "
        "on TensorFlow each device's part of the gradient is cut before they are added.",
        NOT_NEGATIVE,
    )
    layer_decay: float = option(
        1.0,
        "Learning rate of each block of a pretrained encoder as a share of that of the block above "
        "it (Howard and Ruder 2018); its embeddings count as the block below its first.",
        Limit("a share above 0 to 1", lambda value: 0 < value <= 1),
    )
    head_rate: float = option(
        1.0,
        "Learning rate of what starts from nothing above a pretrained encoder, such as the gate "
        "and the classifier, as a multiple of `learning_rate`.",
        POSITIVE,
    )
    weight_average: float = option(
        0.0,
        "Momentum of a moving average of the weights, a step each, which is validated and kept in "
        "place of the last weights; 0 averages nothing.",
        PART,
    )
    label_smoothing: float = option(0.0, "Share of the target spread over all labels.", PART)
    r_drop: float = option(
        0.0,
        "Weight of a penalty for answers that change with dropout: how far those of two passes "
        "over the same examples are apart (Liang et al. 2021). A step takes twice as long.",
        NOT_NEGATIVE,
    )
    adversarial: float = option(
        0.0,
        "Length of a step by which the vectors of an example's tokens are moved to where the loss "
        "grows, to train on them, too (Miyato et al. 2017). A step takes three times as long.",
        NOT_NEGATIVE,
    )
    supervised_contrast: float = option(
        0.0,
        "Weight of supervised contrast: pooled vectors of one label are drawn together, and those "
        "of two apart (Khosla et al. 2020). With several devices on TensorFlow each compares those "
        "of its own part of a batch.",
        NOT_NEGATIVE,
    )
    balance: Literal["none", "undersample", "oversample", "class_weight"] = option(
        "none", "How to even out the labels of the training split."
    )
    patience: int = option(
        2,
        "Epochs without a better macro F1 on the validation split before stopping; 0 never stops "
        "early.",
        COUNT_OR_NONE,
    )
    jit: Literal["auto", "on", "off"] = option(
        "auto", "Whether to compile the training step; auto does so where it pays."
    )


@dataclass(frozen=True, kw_only=True)
class DistillationOptions(Options):
    """What a network learns from another model's answers."""

    teacher: str | None = option(
        None,
        "Folder of a finished run, or of a combination of runs, whose answers are learned beside "
        "the labels (Hinton et al. 2015). It is trained again on parts of the training split, so "
        "that it answers only what it has not seen.",
    )
    teacher_parts: int = option(
        5,
        "Number of these parts; each is answered by a teacher that was trained on the others.",
        Limit("2 or more", lambda value: value >= 2),
    )
    teacher_share: float = option(
        0.5, "Share of what is learned that is the teacher's answer; the rest is the label.", SHARE
    )
    teacher_temperature: float = option(
        1.0, "Temperature of the teacher's answers: above 1 they are softer.", POSITIVE
    )
    unlabelled: str | None = option(
        None,
        "Table of more examples, whose labels are not read: the teacher as it is answers them. "
        "What the validation or the test split has, too, is left out.",
    )
