"""How models are called and drawn: one name and one look each, on every page and in every figure.

A contender such as `gated_transformer@minilm` is a model over an encoder. Its colour says the
model, its marker and its line say the encoder.
"""

import re
from typing import Any

from emotion_keras.inputs.fusion import AND
from emotion_keras.record.names import COMBINATION
from reports.display.figure import COLOURS, MUTED

_MODELS = {
    "gated_transformer": "Gated Transformer",
    "transformer": "Transformer",
    "bert": "BERT",
    "lstm": "LSTM",
    "cnn": "CNN",
    "majority": "Majority",
    "late_logistic": "Late fusion",
}

# A baseline is called after what it reads and what decides.
_STATISTICS = {
    "tfidf": "TF-IDF",
    "mfcc": "MFCC",
    "pixels": "Pixels",
    "hog": "HOG",
    "features": "Features",
    "fusion": "Early fusion",
}
_CLASSIFIERS = {"logistic": "logistic regression", "svm": "SVM"}

_ENCODERS = {
    "scratch": "from scratch",
    "embeddings": "pretrained vectors",
    "glove": "GloVe",
    "minilm": "MiniLM",
    "mpnet": "MPNet",
    "e5": "E5",
    "resemblyzer": "Resemblyzer",
}

_COLOURS = dict(
    zip(
        ("transformer", "gated_transformer", "bert", "lstm", "cnn", COMBINATION),
        COLOURS,
        strict=True,
    )
)
_MARKERS = {
    "scratch": "^",
    "embeddings": "s",
    "glove": "D",
    "mpnet": "P",
    "e5": "v",
    COMBINATION: "*",
}
_MARKERS_OF_BASELINES = {"svm": "X", "logistic": "h"}
_DASHES: dict[str, Any] = {"scratch": (0, (4, 2)), "embeddings": (0, (1, 1.2)), "glove": "-."}


def name_of(contender: str) -> str:
    """What readers call a contender.

    Args:
        contender: String, a model, or a model and its encoder with `@` between them.

    Returns:
        String. What has no name of ours, such as an encoder from a folder, keeps its own.

    Example:

    >>> name_of("gated_transformer@minilm")
    'Gated Transformer (MiniLM)'
    >>> name_of("tfidf_svm")
    'TF-IDF + SVM'
    >>> name_of("combination@5 gated_transformer@minilm, tfidf_svm")
    '5 × Gated Transformer (MiniLM) with TF-IDF + SVM'
    """
    model, _, encoder = contender.partition("@")
    if not encoder:
        return _model_name(model)
    if model.endswith(COMBINATION):
        kinds = " with ".join(map(_kind_name, encoder.split(", ")))
        return kinds if model == COMBINATION else f"{kinds} (equal weights)"
    parts = encoder.split(AND)
    if not all(part in _ENCODERS for part in parts):
        # The path of a folder may hold what stands between encoders.
        parts = [encoder]
    return f"{_model_name(model)} ({' + '.join(_ENCODERS.get(part, part) for part in parts)})"


def _kind_name(kind):
    """What readers call members of one kind, such as `5 cnn@scratch`."""
    number, _, name = kind.partition(" ")
    if not name:
        return name_of(kind)
    # Of many kinds there is their number, and what tells them from as many others.
    of_many = re.match(r"\d+ runs of \d+ models", kind)
    return f"{of_many[0]} together" if of_many else f"{number} × {name_of(name)}"


def _model_name(model):
    statistics, _, classifier = model.partition("_")
    if model not in _MODELS and statistics in _STATISTICS and classifier in _CLASSIFIERS:
        return f"{_STATISTICS[statistics]} + {_CLASSIFIERS[classifier]}"
    return _MODELS.get(model, model)


def look_of(contender: str) -> dict[str, Any]:
    """How figures draw a contender: `color`, `marker` and `linestyle`, options of matplotlib."""
    model, _, encoder = contender.partition("@")
    if not encoder and model not in _COLOURS:
        marker = _MARKERS_OF_BASELINES.get(model.rpartition("_")[2], "d")
        return {"color": MUTED, "marker": marker, "linestyle": (0, (5, 1.5, 1, 1.5))}
    if model.endswith(COMBINATION):
        model = encoder = COMBINATION  # Which encoders its members have, its name says.
    return {
        "color": _COLOURS.get(model, COLOURS[-1]),
        "marker": _MARKERS.get(encoder, "o"),
        "linestyle": _DASHES.get(encoder, "-"),
    }
