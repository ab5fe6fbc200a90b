"""What a search may choose from: for each model, the values of its options, all written out.

What stands first matters most. The middle of a list is about the value in
`emotion_keras/training/defaults.py`.
"""

from typing import Any

from emotion_keras.inputs import AND, find_modality

_FROM_SCRATCH = {
    "learning_rate": [2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3],
}
_FINE_TUNED = {
    "learning_rate": [2e-5, 5e-5, 1e-4, 2e-4, 4e-4],
}
_BLOCKS = {
    "num_layers": [1, 2, 3, 4],
    "num_heads": [2, 4, 8],
    "embedding_dim": [64, 128, 256],
    "intermediate_dim": [128, 256, 512],
}
_BLOCKS_ON_TOP = {
    "num_layers": [0, 1, 2],
}
_SMALL_TRAINING = {
    "dropout": [0.2, 0.3, 0.4, 0.5],
    "token_dropout": [0.0, 0.15, 0.3, 0.45],
    "batch_size": [16, 32, 64],
    "warmup": [0.0, 0.1, 0.2],
    "weight_decay": [0.0, 0.01, 0.1],
}
_FINE_TUNING = {
    "dropout": [0.0, 0.1, 0.3],
    "token_dropout": [0.0, 0.1, 0.2],
    "encoder_dropout": [0.0, 0.1],
    "batch_size": [16, 32],
    "warmup": [0.0, 0.1, 0.2],
    "weight_decay": [0.0, 0.01, 0.1],
}
_GATE = {
    "gate": ["features", "scalar", "linear_unit"],
}
_POOLING = {
    "pooling": ["average", "max", "first", "attention"],
}

# In place of what drops words: what masks a part of a recording's picture, and how long its tokens
# are, 8 frames being 80 ms.
_OF_SPEECH = {
    "mask_bands": [0, 6, 12, 18],
    "mask_seconds": [0.0, 0.1, 0.2, 0.4],
    "frames_per_token": [4, 8],
}

# Of images: how large they are read, and what is changed in them while training.
_OF_IMAGES = {
    "shift": [0.0, 0.1, 0.2],
    "rotation": [0.0, 10.0, 20.0],
    "erasing": [0.0, 0.25, 0.5],
    "embedding_dim": [64, 96, 128],
    "image_size": [48, 64],
}
# Of vectors of numbers: what is changed in them while training.
_OF_FEATURES = {
    "feature_dropout": [0.0, 0.1, 0.2, 0.4],
    "feature_noise": [0.0, 0.1, 0.3],
}
_OF_SEVERAL = {"embedding_dim": [64, 128, 256], "modality_dropout": [0.0, 0.2, 0.4]}
_IN_PLACE: dict[str, dict[str, Any]] = {
    "speech": _OF_SPEECH,
    "image": _OF_IMAGES,
    "features": _OF_FEATURES,
}

# By model, and by kind of encoder for those that have one.
SPACES: dict[str, Any] = {
    "tfidf_logistic": {"C": [0.3, 1.0, 3.0, 10.0, 30.0]},
    "tfidf_svm": {"C": [0.03, 0.1, 0.3, 1.0, 3.0]},
    "mfcc_logistic": {"C": [0.001, 0.003, 0.01, 0.03, 0.1]},
    "mfcc_svm": {"C": [1.0, 3.0, 10.0, 30.0, 100.0]},
    "pixels_logistic": {"C": [3e-5, 1e-4, 3e-4, 1e-3, 3e-3]},
    "hog_logistic": {"C": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]},
    "hog_svm": {"C": [1e-5, 3e-5, 1e-4, 3e-4, 1e-3]},
    "features_logistic": {"C": [0.001, 0.01, 0.1, 1.0, 10.0]},
    "features_svm": {"C": [0.3, 1.0, 3.0, 10.0, 30.0]},
    "fusion_logistic": {"C": [0.001, 0.003, 0.01, 0.03, 0.1]},
    "fusion_svm": {"C": [1.0, 3.0, 10.0, 30.0, 100.0]},
    "late_logistic": {"C": [0.001, 0.01, 0.03, 0.1, 1.0]},
    "cnn@small": {
        **_FROM_SCRATCH,
        "num_filters": [50, 100, 200],
        "embedding_dim": [64, 128, 256],
        **_SMALL_TRAINING,
    },
    "lstm@small": {
        **_FROM_SCRATCH,
        "units": [64, 128, 256],
        "embedding_dim": [64, 128, 256],
        **_SMALL_TRAINING,
    },
    "transformer@small": {**_FROM_SCRATCH, **_BLOCKS, **_SMALL_TRAINING, **_POOLING},
    "gated_transformer@small": {
        **_FROM_SCRATCH,
        **_BLOCKS,
        **_SMALL_TRAINING,
        **_GATE,
        "gate_after": ["embeddings", "blocks", "last"],
        **_POOLING,
    },
    "cnn@pretrained": {**_FINE_TUNED, "num_filters": [50, 100, 200], **_FINE_TUNING},
    "lstm@pretrained": {**_FINE_TUNED, "units": [64, 128, 256], **_FINE_TUNING},
    "bert@pretrained": {**_FINE_TUNED, **_FINE_TUNING},
    "transformer@pretrained": {**_FINE_TUNED, **_BLOCKS_ON_TOP, **_FINE_TUNING, **_POOLING},
    "gated_transformer@pretrained": {
        **_FINE_TUNED,
        **_BLOCKS_ON_TOP,
        **_FINE_TUNING,
        **_GATE,
        **_POOLING,
    },
}


def space_of(name: str, modality: str = "text") -> dict[str, list[Any]] | None:
    """The search space of a model.

    Args:
        name: Full name such as `cnn@scratch`.
        modality: Name of the modality of the data.

    Returns:
        Dictionary of lists of values by option of `fit`; `None` for a model without a setting.
    """
    model, _, encoder = name.partition("@")
    if not encoder:
        return SPACES.get(model)
    size = (
        "pretrained"
        if find_modality(modality).find_encoder(encoder).kind == "pretrained"
        else "small"
    )
    space = SPACES[f"{model}@{size}"]
    if AND not in modality and modality not in _IN_PLACE:
        return space
    own = _IN_PLACE.get(modality, _OF_SEVERAL)
    if AND in modality and "pooling" in space:  # The first token is that of one modality.
        own = own | {"pooling": [one for one in space["pooling"] if one != "first"]}
    return {option: v for option, v in space.items() if option != "token_dropout"} | own
