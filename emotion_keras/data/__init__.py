"""Labelled texts, from a file to the indices of the splits, without Keras.

`load_corpus` reads a corpus, `prepare` cleans it and says what it did, `split` says which example
goes where, and `balance` evens out the labels of the training split. `read_dataset` does the first
three.
"""

from emotion_keras.data.corpus import Corpus, load_corpus
from emotion_keras.data.dataset import Dataset, read_dataset
from emotion_keras.data.preparation import Audit, audit_balance, balance, prepare
from emotion_keras.data.splits import Split, split

__all__ = [
    "Audit",
    "Corpus",
    "Dataset",
    "audit_balance",
    "Split",
    "balance",
    "load_corpus",
    "prepare",
    "read_dataset",
    "split",
]
