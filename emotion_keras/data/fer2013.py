"""FER-2013, faces of the ICML 2013 challenge (Goodfellow et al. 2013), known by its columns."""

from collections.abc import Sequence

NAME = "fer2013"
# In the order of the numbers that stand for them in the original file.
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
LICENCE = "that of the challenge (Goodfellow et al. 2013): research use, not to be redistributed"
SPLIT_COLUMN = "usage"
# The original CSV, and the form of Hugging Face's data sets.
_COLUMNS = ({"emotion", "pixels", "usage"}, {"image", "label", "usage"})


def recognises(columns: Sequence[str]) -> bool:
    """Says whether a table is FER-2013, by its columns."""
    return {column.lower() for column in columns} in _COLUMNS


def read_label(cell: str) -> str:
    """The label's name, of its number or its name; a cell that is neither as it is."""
    return LABELS[int(cell)] if cell in map(str, range(len(LABELS))) else cell.lower()
