"""The options of the data: how they are read, prepared and split. Standard library only."""

import mimetypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from emotion_keras.data.flaws import FLAWS
from emotion_keras.errors import UserError
from emotion_keras.record.options import (
    COUNT_OR_NONE,
    Limit,
    Options,
    join_names,
    option,
    option_names,
)

# The modalities in their order, and the options that name their columns.
_COLUMN_OF = {
    "text": "text_column",
    "speech": "audio_column",
    "image": "image_column",
    "features": "feature_columns",
}

# The options that several labels an example have, and those that columns of labels leave no room.
_OF_SEVERAL = ("label_columns", "label_separator")
_WITHOUT_COLUMNS = ("label_column", "label_separator")


def _in_order(modality):
    """The names of several modalities in their order, whoever wrote them in which."""
    if not isinstance(modality, str):
        return modality
    names = [name.strip() for name in modality.replace(",", "+").split("+")]
    order = [*_COLUMN_OF, *names]
    return "+".join(sorted(names, key=order.index))


_OF_ALL = Limit("a share of all examples, above 0 and below 1", lambda value: 0 < value < 1)


@dataclass(frozen=True, kw_only=True)
class Reading(Options):
    """How a corpus is read, by name or from a file."""

    data: str = option(
        "auto",
        '`"isear"`; `"situations"`, the built-in corpus; `"auto"`, which is ISEAR where it is in '
        "Keras's cache or can be downloaded within seconds, and `situations` otherwise; or the "
        "path of a file or a pipe: CSV, TSV or JSON Lines (also compressed), Parquet, a workbook, "
        "or ISEAR's own file, known by its header.",
        is_basic=True,
    )
    modality: str | None = option(
        None,
        "What an example is: text, speech, image or features, which are vectors of numbers; or "
        "several of them at once, as in `speech+features`. Where it is null, it is what "
        "`text_column`, `audio_column`, `image_column`, `feature_columns` and `feature_table` "
        "name, what `data` holds if that is a folder, and text otherwise.",
    )
    text_column: str | None = option(
        None, "Column of the texts; guessed from usual names where it is null.", is_basic=True
    )
    audio_column: str | None = option(
        None,
        "Column of the paths of recordings, from the table's folder on; guessed likewise where "
        "`modality` is speech.",
        is_basic=True,
    )
    image_column: str | None = option(
        None, "Column of the paths of images, likewise where `modality` is image.", is_basic=True
    )
    feature_columns: str | None = option(
        None,
        "Columns of numbers that make up a vector, names with commas or patterns such as `AU*`; or "
        "one column of vectors, lists of numbers or of such lists.",
        is_basic=True,
    )
    feature_table: str | None = option(
        None,
        "Table of the vectors of a folder's files: a column such as `file_name` names the file, "
        "and `feature_columns` the numbers.",
    )
    label_column: str | None = option(
        None, "Column of the labels; guessed likewise.", is_basic=True
    )
    label_columns: str | None = option(
        None,
        "Columns of 0 and 1, one a label, in place of `label_column`: names with commas or "
        "patterns such as `emotion_*`. Several labels may hold of an example, or none.",
        is_basic=True,
    )
    label_separator: str | None = option(
        None,
        "Separator of the labels in a cell, where `target` is multi; a comma where it is null. A "
        "cell may also be a JSON list. `[]` and `(none)` mean that no label holds.",
    )
    target: str | None = option(
        None,
        "Kind of label: `single`, one label an example; or `multi`, several or none. Where it is "
        "null, it is multi if `label_columns` or `label_separator` is given.",
    )
    group_column: str | None = option(
        None,
        "Column that says which texts belong together and must not be parted by a split (author, "
        "respondent, conversation).",
        is_basic=True,
    )
    split_column: str | None = option(
        None,
        "Column of the official split: train, val and test in any usual spelling. Where it has no "
        "val, `val_size` takes that from train; without effect with `folds`. A folder may have "
        "folders of these names instead, and FER-2013's is known.",
    )
    attributes: str | list[str] | None = option(
        None,
        "What is known of examples beside label and subject, such as a writer's country: names of "
        "columns with commas between them. No model sees them; the report says how good it is by "
        "group. Numbers of many values are put into bins. Of ISEAR (country, sex, age, religion, "
        "field of study) and of known recordings (sex, intensity) all are taken where it is null.",
    )
    encoding: str | None = option(
        None, "Encoding of a text file, such as `cp1252`; found out where it is null."
    )
    max_labels: int | None = option(
        None,
        "How many labels a file may hold; 500 where it is null, as more are mostly texts or "
        "numbers in the wrong column.",
    )

    def __post_init__(self):
        if self.modality is None:
            object.__setattr__(self, "modality", self._find_modality())
        object.__setattr__(self, "modality", _in_order(self.modality))
        several = [name for name in _OF_SEVERAL if getattr(self, name) is not None]
        if self.target is None:
            object.__setattr__(self, "target", "multi" if several else "single")
        super().__post_init__()
        if several and self.target == "single":
            raise UserError(
                f"{several[0]} is for several labels an example, and `target` says that there is "
                "one: leave out one of the two. "
                f"Received: target='single', {several[0]}={getattr(self, several[0])!r}"
            )
        if self.label_columns is not None:
            given = [name for name in _WITHOUT_COLUMNS if getattr(self, name) is not None]
            if given:
                raise UserError(
                    f"label_columns name a column for each label: leave out {given[0]}. "
                    f"Received: {given[0]}={getattr(self, given[0])!r}"
                )
        for name in _OF_SEVERAL:
            if getattr(self, name) == "":
                raise UserError(f"{name} is a character or more. Received: {name}=''")
        if isinstance(self.attributes, list):
            object.__setattr__(self, "attributes", join_names(self.attributes))

    def _find_modality(self):
        named = [name for name, one in _COLUMN_OF.items() if getattr(self, one) is not None]
        if self.feature_table is not None:
            return f"{self.find_medium()}+features"
        return "+".join(named) or self.find_medium()

    def find_medium(self) -> str:
        """The modality of the files of a folder; of what is no folder it is text."""
        folder = os.path.expanduser(str(self.data))
        if not os.path.isdir(folder):
            return "text"
        for _, _, names in os.walk(folder):
            kinds = [(mimetypes.guess_type(name)[0] or "").partition("/")[0] for name in names]
            if found := [kind for kind in kinds if kind in ("audio", "image")]:
                return "image" if found[0] == "image" else "speech"
        return "speech"


@dataclass(frozen=True, kw_only=True)
class Preparation(Options):
    """How a corpus is prepared to learn from."""

    clean: bool = option(
        True,
        "Whether to decode HTML entities, remove control characters, fold blanks, cut texts to "
        "20,000 characters and, in ISEAR, repair the file's artefacts and remove the no-answers.",
    )
    normalize_punctuation: bool = option(
        True,
        "Whether to write quotes, dashes, ellipses and full-width forms in ASCII, repeated marks "
        "once, and no blank before a mark.",
    )
    labels: str | list[str] | None = option(
        None,
        "Names of the labels to keep, with commas between them; a name that holds a comma stands "
        'in double quotes, as in `joy,"fear, or dread"`. Or a list of names. Where it is null all '
        "are kept.",
        is_basic=True,
    )
    repeats: Literal["drop", "keep"] = option(
        "drop",
        '`"drop"` keeps the first of the examples whose texts differ in case and blanks alone, and '
        "none of those with such a text under two labels: no model could be right about them, and "
        'which label to believe would be an accident of the file\'s order. `"keep"` keeps them '
        "all; the split then keeps them together.",
    )

    def __post_init__(self):
        super().__post_init__()
        if isinstance(self.labels, list):
            object.__setattr__(self, "labels", join_names(self.labels))


@dataclass(frozen=True, kw_only=True)
class Protocol(Options):
    """Which examples are for training, for validation and for the test."""

    split_seed: int = option(0, "Decides which example goes where.", COUNT_OR_NONE)
    test_size: float = option(
        0.2, "Share of all examples in the test split; without effect with `folds`.", _OF_ALL
    )
    val_size: float = option(0.1, "Share of all examples in the validation split.", _OF_ALL)
    folds: int | None = option(
        None,
        "Number of folds; each example is in the test split of exactly one of them.",
        Limit("2 or more", lambda value: value >= 2),
    )
    fold: int | None = option(None, "Which of them, from 0 on, is the test split.")
    train_fraction: float = option(
        1.0,
        "Share of the training split to keep, by example and stratified by label. A smaller share "
        "is a part of a larger one; validation and test are the same for all.",
        Limit("a share of the training split, above 0 and at most 1", lambda value: 0 < value <= 1),
    )
    flaws: list[str] | None = option(
        None,
        "Names of what the protocol does wrong on purpose; for the analysis `protocol` alone.",
        is_hidden=True,
    )

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "flaws", self.flaws or None)
        if unknown := [name for name in self.flaws or () if name not in FLAWS]:
            raise UserError(
                f"Unknown flaw of a protocol. Accepted: {', '.join(FLAWS)}. "
                f"Received: {', '.join(unknown)}"
            )


@dataclass(frozen=True, kw_only=True)
class NoiseOptions(Options):
    """Noise for the training split: of its cells again in each epoch, of labels once."""

    noise: str | None = option(
        None,
        "What to perturb the training split with, kinds with their levels such as "
        "`typos:0.05,labels:0.2`. Of texts: typos, delete_characters, insert_characters, "
        "swap_characters, delete_words, swap_words, mask_words, mask_emotion_words, lose_case, "
        "lose_punctuation. Of recordings: white_noise, babble, reverberation, clipping, speed, "
        "dropped_stretches, telephone. Of images: gaussian_noise, blur, jpeg, brightness, "
        "rotation, occlusion. Of vectors: jitter, drop_numbers. labels is the share of examples "
        "with a wrong label.",
    )


class DataOptions(NamedTuple):
    """The options of the data, by the names that they have in a record.

    Args:
        reading: `Reading`.
        preparation: `Preparation`.
        protocol: `Protocol`.
    """

    reading: Reading
    preparation: Preparation
    protocol: Protocol

    @classmethod
    def make(cls, **given: Any) -> "DataOptions":
        """Makes the options of the data of given ones.

        Raises:
            UserError: If an option is unknown, or its value is of a wrong type or out of its limit;
                or if it is a flaw of the protocol, which no user may choose.
        """
        if given.get("flaws") is not None:
            raise UserError(
                "A protocol with flaws shows what they are worth, and nothing else is made under "
                "it. Use `python -m tuning.sensitivity protocol`. "
                f"Received: flaws={given['flaws']!r}"
            )
        if unknown := sorted(set(given) - option_names(DATA_STAGES.values())):
            raise UserError(f"Unknown option of the data. Received: {', '.join(unknown)}")
        parts: dict[str, Any] = {name: kind.pick(given) for name, kind in DATA_STAGES.items()}
        return cls(**parts)

    def options(self) -> dict[str, Any]:
        """The values by option, as `make` takes them."""
        return {name: value for stage in self for name, value in stage.to_dict().items()}


# Options that the first records do not have. Their usual value says what was so before.
_YOUNGER = (
    "modality",
    "audio_column",
    "image_column",
    "feature_columns",
    "feature_table",
    "split_column",
    "target",
    "label_columns",
    "label_separator",
)


def identifying(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of the values by option tells a run from others: not the usual value of an option that
    was not there when the first runs were made, nor attributes, which no model sees."""
    usual = {name: getattr(Reading(), name) for name in _YOUNGER}
    return {
        name: value
        for name, value in values.items()
        if name != "attributes" and usual.get(name, ...) != value
    }


# The classes of the options of the data, by their name in a record.
DATA_STAGES: dict[str, type[Options]] = dict(DataOptions.__annotations__)
