"""The built-in corpus: situations that invented respondents tell of, written for this project."""

from pathlib import Path

import pandas as pd

from emotion_keras import tables
from emotion_keras.inputs import TextInput

LICENCE = "CC0 1.0"


def path() -> Path:
    """Returns the path of the corpus's file, which is part of the package."""
    return Path(__file__).with_name("situations.csv")


def read(source: tables.Source) -> pd.DataFrame:
    """Reads the corpus.

    Args:
        source: What `tables.scan` returned for the file.

    Returns:
        A `pandas.DataFrame` with the columns `text`, `label` and `subject`, and the respondent's
        age as an attribute.
    """
    table = tables.open_table(source)
    return tables.read_table(
        table, source.path, TextInput, "text", "label", "respondent", attributes=["age"]
    )
