"""A corpus that is ready to train on: read, prepared and split."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from emotion_keras.data.cache import once
from emotion_keras.data.corpus import Corpus, load_corpus
from emotion_keras.data.flaws import repeat_examples
from emotion_keras.data.options import DataOptions
from emotion_keras.data.preparation import Audit, prepare
from emotion_keras.data.splits import Split, split
from emotion_keras.errors import UserError


class Dataset(NamedTuple):
    """A corpus, prepared and split.

    Args:
        corpus: The prepared `Corpus`.
        audit: What the preparation did, an `Audit`.
        split: Who goes where, a `Split`.
    """

    corpus: Corpus
    audit: Audit
    split: Split

    def cells(self, name: str) -> list[Any]:
        """Prepared cells of the split `train`, `val` or `test`, a list."""
        return self._column(self.corpus.modality.name, name)

    def truth(self, name: str) -> np.ndarray:
        """What a model is to say of the split `train`, `val` or `test`; see `Target.encode`."""
        return self.corpus.target.encode(self._column("label", name))

    def subjects(self, name: str) -> list[str]:
        """Whose the examples of the split `train`, `val` or `test` are, a list."""
        return self._column("subject", name)

    def _column(self, column, name):
        return self.corpus.examples[column].iloc[getattr(self.split, name)].tolist()


def read_dataset(
    options: DataOptions, cache: dict[str, Any], notify: Callable[[str], Any] = print
) -> Dataset:
    """Loads, prepares and splits a corpus.

    Args:
        options: `DataOptions`.
        cache: Dictionary that keeps the corpus and the split from one call to the next.
        notify: Called with messages for the user.

    Returns:
        `Dataset`.

    Raises:
        UserError: If the corpus cannot be loaded, or an option is wrong.
    """

    def read():
        corpus = load_corpus(options=options.reading, notify=notify)
        return prepare(corpus, options.preparation)

    made_from = {
        "reading": options.reading.to_dict(),
        "preparation": options.preparation.to_dict(),
    }
    corpus, audit = once(cache, "corpus", made_from, read)
    protocol = options.protocol
    made_from["protocol"] = protocol.to_dict()
    corpus = repeat_examples(corpus, protocol.flaws or [], protocol.split_seed)
    try:
        parts = once(cache, "split", made_from, lambda: split(corpus, protocol))
    except UserError:
        notify(str(audit))  # What is missing from a split may be what the preparation removed.
        raise
    return Dataset(corpus, audit, parts)
