"""Labelled examples, from a file to the indices of the splits, without Keras.

`load_corpus` reads a corpus, `prepare` cleans it and says what it did, `split` says which example
goes where, and `balance` evens out the labels of the training split. `read_dataset` does the first
three.
"""

import importlib

# Imported when they are asked for: pandas takes half a second, and the options of the data, which
# every command shows in its help, need none of it.
_PLACES = {
    "Audit": "preparation",
    "Corpus": "corpus",
    "Dataset": "dataset",
    "Split": "splits",
    "audit_balance": "preparation",
    "balance": "preparation",
    "load_corpus": "corpus",
    "prepare": "preparation",
    "read_dataset": "dataset",
    "split": "splits",
}

__all__ = list(_PLACES)


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
