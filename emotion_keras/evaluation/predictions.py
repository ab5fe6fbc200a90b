"""Reads what a run predicted."""

import pandas as pd

from emotion_keras import record


def read_split(directory, labels, split):
    """Class ids and probabilities of a split of a finished run.

    Args:
        directory: The run's folder.
        labels: Names of the labels by class id.
        split: `"val"` or `"test"`.

    Returns:
        Integer array `(num_texts,)` and float array `(num_texts, num_classes)`.
    """
    labels = list(labels)
    rows = pd.read_csv(record.predictions_path(directory), dtype={"label": str}, na_filter=False)
    rows = rows[rows["split"] == split]
    return rows["label"].map(labels.index).to_numpy(), rows[labels].to_numpy()
