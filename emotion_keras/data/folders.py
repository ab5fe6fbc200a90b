"""Corpora of media files in a folder: known by their names, or with a folder for each label."""

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from emotion_keras.data import recorded_corpora
from emotion_keras.data.official_splits import read_split
from emotion_keras.errors import UserError
from emotion_keras.inputs import Input

# Tables of what the files of a folder are, with a column `file_name`, as Hugging Face's audiofolder
# and imagefolder have them.
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


class Folder(NamedTuple):
    """What a folder of media files holds.

    Args:
        name: The corpus's name.
        table: `pandas.DataFrame` with the string columns `id`, the file's path within the folder,
            `label`, the path in a column with the modality's name and, where the files' names say
            it, `subject`, attributes, and `fold`, of int; `split`, where the outermost folders are
            those of an official split.
        labels: The labels' names in their order; `None` where the corpus is not a known one.
        licence: What the corpus may be used for, as far as known.
        keys: What tells the files apart, by which another table may name them; see `key_of`.
    """

    name: str
    table: pd.DataFrame
    labels: tuple[str, ...] | None
    licence: str
    keys: list[str]


def read_folder(path: Path, modality: type[Input]) -> Folder:
    """Reads the names of a folder's media files.

    Args:
        path: The folder. Where its files are those of a known corpus, their names say the labels;
            otherwise each stands in a folder with the name of its label.
        modality: Class of the `Input` that knows which files are media.

    Raises:
        UserError: If there are no such files, or some stand in no folder.
    """
    files, others = [], Counter()
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            is_medium = os.path.splitext(name)[1].lower() in modality.suffixes
            if is_medium and not name.startswith("."):
                files.append(os.path.relpath(os.path.join(folder, name), path))
            elif not is_medium:
                others[os.path.splitext(name)[1].lower()] += 1
    if not files:
        found = ", ".join(
            f"{count:,} {ending or 'without'}" for ending, count in sorted(others.items())
        )
        raise UserError(
            f"{path} holds no {modality.plural}: {', '.join(modality.suffixes)}. Endings of the "
            f"files that are there: {found or 'none'}."
        )
    table = pd.DataFrame(
        {"id": files, modality.name: [os.path.join(path, file) for file in files]}, dtype="str"
    )
    known = recorded_corpora.recognise(files)
    keys = [key_of(file, known) for file in files]
    if known is None:
        return Folder(path.resolve().name, _by_folder(table, path), None, "unknown", keys)
    described = pd.DataFrame([known.describe(file) for file in files], dtype="str")
    table = pd.concat([table, described], axis="columns")
    if known.folds:
        table["fold"] = table["subject"].map(known.fold_of)
    return Folder(known.name, table, tuple(known.labels.values()), known.licence, keys)


def key_of(file: str, known: recorded_corpora.RecordedCorpus | None = None) -> str:
    """What tells a file from others: its name without folder and ending.

    Args:
        file: Path of the file.
        known: The known corpus that it is of. Of one, files of one performance share their key.
    """
    stem = Path(file).stem
    return known.key_of(stem) if known else stem


def _by_folder(table, path):
    labels = [Path(file).parent.name for file in table["id"]]
    if "" in labels:
        alone = table["id"][labels.index("")]
        raise UserError(
            f"{path}: {alone} stands in no folder that would say its label, and its name is none "
            "of a known corpus (ravdess, emodb, crema_d). Put the files of each label into a "
            "folder of its name, or give a table with a column of paths and one of labels."
        )
    table = table.assign(label=pd.Series(labels, dtype="str"))
    outermost = [Path(file).parts[0] for file in table["id"]]
    splits = [read_split(name) for name in outermost]
    if {"train", "test"} <= {*splits} <= {"train", "val", "test"} and outermost != labels:
        table["split"] = pd.Series(splits, dtype="str")
    return table
