"""The settings that a run has unless others are given, by model and encoder.

Chosen on the validation split of ISEAR (split seed 0), never on its test split. Each learning rate
is the best of at least three, each half the next, by validation macro F1, with one seed over
`minilm` and the mean of two elsewhere; the runs that decided are those of the study `settings`, in
`reports/published/isear/settings/`. All else `transformer` and `bert` have from
`gated_transformer`.
"""

from typing import Any

from emotion_keras.inputs import AND, FusionInput, Input, TextInput

_FROM_SCRATCH = {
    "embedding_dim": 128,
    "token_dropout": 0.3,
    "label_smoothing": 0.1,
    "patience": 3,
}
_RECURRENT_OR_CONVOLUTIONAL = {**_FROM_SCRATCH, "dropout": 0.5, "epochs": 12}
_SCRATCH = {**_FROM_SCRATCH, "num_layers": 2, "dropout": 0.4, "epochs": 8}
_EMBEDDINGS = {
    "num_layers": 1,
    "embedding_dim": 128,
    "token_dropout": 0.25,
    "dropout": 0.4,
    "label_smoothing": 0.1,
    "epochs": 15,
    "patience": 5,
}
_MINILM = {
    "num_layers": 0,
    "token_dropout": 0.1,
    "encoder_dropout": 0.0,
    "label_smoothing": 0.1,
    "epochs": 4,
}
_FROZEN = {"num_layers": 0, "epochs": 20, "patience": 4}

CHOSEN: dict[str, dict[str, Any]] = {
    "cnn@scratch": {**_RECURRENT_OR_CONVOLUTIONAL, "learning_rate": 1e-3},
    "lstm@scratch": {**_RECURRENT_OR_CONVOLUTIONAL, "learning_rate": 1e-3},
    "transformer@scratch": {**_SCRATCH, "learning_rate": 2e-3},
    "transformer@embeddings": {**_EMBEDDINGS, "learning_rate": 5e-4},
    "transformer@pretrained": {**_MINILM, "learning_rate": 2e-4},
    "bert@pretrained": {**_MINILM, "learning_rate": 5e-5},
    "gated_transformer@scratch": {**_SCRATCH, "learning_rate": 1e-3},
    "gated_transformer@embeddings": {**_EMBEDDINGS, "learning_rate": 1e-3},
    "gated_transformer@pretrained": {**_MINILM, "learning_rate": 1e-4},
    "gated_transformer@frozen": {**_FROZEN, "learning_rate": 1e-3},
    # Not searched for yet: usual rates for an encoder of this size.
    "transformer@mpnet": {**_MINILM, "learning_rate": 5e-5},
    "bert@mpnet": {**_MINILM, "learning_rate": 2e-5},
    "gated_transformer@mpnet": {**_MINILM, "learning_rate": 5e-5},
}

# Of other modalities; what is not named has those of `gated_transformer`. Of speech, those over the
# frozen encoder were chosen among seven by the validation splits of RAVDESS's five folds. Those
# from scratch were tried on two of the folds, and those of fine-tuning on none.
_SPEECH = {"num_layers": 1, "label_smoothing": 0.1}

# Those of images are from one run on FER-2013's official split, by its validation split: no search
# has been made. More epochs were better to the end.
_IMAGE = {
    "num_layers": 1,
    "dropout": 0.2,
    "label_smoothing": 0.1,
    "learning_rate": 2e-3,
    "schedule": "cosine",
    "weight_decay": 0.05,
    "batch_size": 64,
    "epochs": 24,
    "patience": 8,
}
# Those of vectors of numbers were not searched for.
_FEATURES = {
    "num_layers": 1,
    "dropout": 0.3,
    "label_smoothing": 0.1,
    "learning_rate": 1e-3,
    "epochs": 40,
    "patience": 10,
}
CHOSEN_BY_MODALITY: dict[str, dict[str, dict[str, Any]]] = {
    "speech": {
        "gated_transformer@scratch": {
            **_SPEECH,
            "dropout": 0.2,
            "mask_bands": 8,
            "learning_rate": 2e-3,
            "epochs": 60,
            "patience": 20,
        },
        "gated_transformer@frozen": {
            "num_layers": 0,
            "freeze_encoder": True,
            "label_smoothing": 0.1,
            "dropout": 0.2,
            "learning_rate": 3e-2,
            "weight_decay": 0.1,
            "epochs": 30,
            "patience": 8,
        },
        "gated_transformer@pretrained": {
            **_SPEECH,
            "dropout": 0.2,
            "learning_rate": 3e-4,
            "epochs": 15,
            "patience": 5,
        },
    },
    "image": {"gated_transformer@scratch": _IMAGE},
    "features": {"gated_transformer@scratch": _FEATURES},
}
# Of several modalities at once. Those over a frozen encoder were chosen among eight by the
# validation splits of RAVDESS's five folds, speech with action units; the others were not searched
# for.
CHOSEN_FOR_FUSION: dict[str, dict[str, Any]] = {
    "gated_transformer@scratch": {
        "num_layers": 1,
        "dropout": 0.2,
        "label_smoothing": 0.1,
        "learning_rate": 1e-3,
        "epochs": 40,
        "patience": 10,
    },
    "gated_transformer@frozen": {
        "num_layers": 0,
        "dropout": 0.2,
        "label_smoothing": 0.1,
        "learning_rate": 3e-3,
        "epochs": 40,
        "patience": 10,
    },
    "gated_transformer@pretrained": {
        "num_layers": 0,
        "dropout": 0.2,
        "label_smoothing": 0.1,
        "learning_rate": 2e-4,
        "epochs": 10,
        "patience": 3,
    },
}


def default_encoder(model: str, modality: type[Input] = TextInput) -> str:
    """The encoder of a model unless one is chosen: `scratch` for `cnn` and `lstm`."""
    if model in ("cnn", "lstm"):
        return AND.join("scratch" for _ in modality.name.split(AND))
    return modality.default_encoder


def defaults_for(
    model: str,
    encoder: str,
    freeze_encoder: bool | None = None,
    modality: type[Input] = TextInput,
) -> dict[str, Any]:
    """The defaults that differ from those of the functions themselves.

    Args:
        model: Name of a model.
        encoder: Name of an encoder, whose own settings come before those of its kind; word vectors
            start from the settings of `embeddings`, and other pretrained encoders from those of
            `minilm`.
        freeze_encoder: Whether it is frozen; `None` for what is usual.
        modality: Class of the `Input` that the encoder is for.

    Returns:
        Dictionary of values by option, some of which the model may not have.
    """
    if issubclass(modality, FusionInput):
        return _defaults_for_fusion(model, encoder, modality)
    kind = modality.find_encoder(encoder).kind
    if kind == "pretrained":
        is_frozen = modality.usually_frozen if freeze_encoder is None else freeze_encoder
        kind = "frozen" if is_frozen else "pretrained"
    chosen = CHOSEN_BY_MODALITY.get(modality.name, CHOSEN)
    names = [f"{one}@{kind}" for one in (model, "gated_transformer")]
    if kind == "pretrained":
        names = [f"{one}@{encoder}" for one in (model, "gated_transformer")] + names
    values = next(chosen[name] for name in names if name in chosen)
    return {"encoder": encoder, **values}


def _defaults_for_fusion(model, encoder, modality):
    """The defaults for several modalities, whose encoders are frozen where each by itself is."""
    encoders = zip(modality.modalities, modality.find_encoder(encoder).encoders, strict=True)
    pretrained = [part for part, one in encoders if one.kind == "pretrained"]
    frozen = {f"{part.name}_freeze_encoder": True for part in pretrained if part.usually_frozen}
    kind = "pretrained" if len(frozen) < len(pretrained) else "frozen" if frozen else "scratch"
    chosen = CHOSEN_FOR_FUSION
    values = chosen.get(f"{model}@{kind}") or chosen[f"gated_transformer@{kind}"]
    return {"encoder": encoder, **values, **frozen}
