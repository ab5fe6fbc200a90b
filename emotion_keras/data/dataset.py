"""A corpus that is ready to train on: read, prepared and split."""

from typing import NamedTuple

from emotion_keras.data.cache import once
from emotion_keras.data.corpus import Corpus, load_corpus
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

    def cells(self, name):
        """Prepared cells of the split `train`, `val` or `test`, a list."""
        return self._column(self.corpus.modality.name, name)

    def truth(self, name):
        """What a model is to say of the split `train`, `val` or `test`; see `Target.encode`."""
        return self.corpus.target.encode(self._column("label", name))

    def _column(self, column, name):
        return self.corpus.examples[column].iloc[getattr(self.split, name)].tolist()


def read_dataset(settings, cache, notify=print):
    """Loads, prepares and splits a corpus.

    Args:
        settings: `DataOptions`, or `Settings`, which have the same stages.
        cache: Dictionary that keeps the corpus and the split from one call to the next.
        notify: Called with messages for the user.

    Returns:
        `Dataset`.

    Raises:
        UserError: If the corpus cannot be had, or an option is wrong.
    """

    def read():
        corpus = load_corpus(options=settings.reading, notify=notify)
        return prepare(corpus, settings.preparation)

    made_from = {
        "reading": settings.reading.to_dict(),
        "preparation": settings.preparation.to_dict(),
    }
    corpus, audit = once(cache, "corpus", made_from, read)
    made_from["protocol"] = settings.protocol.to_dict()
    try:
        parts = once(cache, "split", made_from, lambda: split(corpus, settings.protocol))
    except UserError:
        notify(str(audit))  # What is missing from a split may be what the preparation removed.
        raise
    return Dataset(corpus, audit, parts)
