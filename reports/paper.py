"""What the paper reports in its Table 1, and which models of ours stand for its rows.

The paper calls BERT pretrained, names pretrained embeddings as one way to make vectors for its own
model, and says nothing of the vectors of the other three.
"""

from collections.abc import Iterable

OURS = "gated_transformer@minilm"
OURS_FROM_SCRATCH = "gated_transformer@scratch"
BERT = "bert@minilm"

# Accuracy, macro F1 and AUC as fractions, by the form of each model that stands for its row.
TABLE_1 = {
    "cnn@scratch": ("CNN", 0.812, 0.798, 0.856),
    "lstm@scratch": ("LSTM", 0.835, 0.821, 0.872),
    "transformer@scratch": ("Transformer", 0.853, 0.845, 0.891),
    BERT: ("BERT", 0.876, 0.869, 0.914),
    OURS: ("Ours", 0.891, 0.883, 0.930),
}

# The five, best first.
ORDER = tuple(reversed(TABLE_1))

# The rows of Table 1, best first.
ROWS = tuple(name for name, *_ in reversed(TABLE_1.values()))

# Our models for the rows whose vectors the paper leaves open, and the encoders to read them by.
RIVALS = {"Transformer": "transformer", "LSTM": "lstm", "CNN": "cnn"}
VECTORS = {"from scratch": "scratch", "pretrained vectors": "embeddings"}

# The forms of the paper's own model by where its vectors come from.
FORMS_OF_OURS = {
    "pretrained encoder": OURS,
    **{name: f"gated_transformer@{encoder}" for name, encoder in VECTORS.items()},
}

# The paper's form of the gate.
GATE = "features"

_CORPUS = "isear"
_LABELS = {"anger", "disgust", "fear", "joy", "sadness", "shame", "guilt"}


def is_about(corpus: str, labels: Iterable[str]) -> bool:
    """Whether the paper's numbers are of a corpus: of ISEAR with its seven emotions, and no other.

    Args:
        corpus: Name of the corpus.
        labels: Its labels.

    Returns:
        Boolean.

    Example:

    >>> is_about("situations", ("joy", "fear", "anger", "sadness", "disgust", "shame", "guilt"))
    False
    """
    return corpus == _CORPUS and set(labels) == _LABELS
