"""Corpora of recorded speech that are known by the names of their files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from emotion_keras.record import ATTRIBUTE


@dataclass(frozen=True)
class RecordedCorpus:
    """A public corpus whose file names say what each recording is.

    Args:
        name: The corpus's name.
        pattern: Regular expression of a file's stem, with groups `label` and `subject`; `key`, if
            it is less than the stem that tells which performance a file is of; and those that
            `attributes` are read from.
        labels: The labels' names by what stands in file names, in their fixed order.
        licence: What it may be used for, as far as known.
        folds: Subjects by fold, where the literature has such folds.
        attributes: By attribute the group of the pattern that says it, and the values by what
            stands there; of what is not among them nothing is known.
    """

    name: str
    pattern: re.Pattern
    labels: dict[str, str]
    licence: str
    folds: tuple[tuple[str, ...], ...] = field(default=())
    attributes: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def describe(self, path: str) -> dict[str, str]:
        """The label, the subject and the attributes of a recording, from its path.

        Returns:
            Dictionary of strings by column of a corpus's examples.
        """
        (found,) = self.pattern.finditer(PurePath(path).stem)
        described = {"label": self.labels[found["label"]], "subject": found["subject"]}
        for name, (group, values) in self.attributes.items():
            described[f"{ATTRIBUTE}{name}"] = values.get(found[group], "")
        return described

    def key_of(self, stem: str) -> str:
        """What files of one performance share, such as its sound and its video."""
        found = self.pattern.fullmatch(stem)
        return found.groupdict().get("key", stem) if found else stem

    def fold_of(self, subject: str) -> int | None:
        """Which fold of the literature a subject is in; `None` where there are none."""
        return next((i for i, fold in enumerate(self.folds) if subject in fold), None)


CORPORA = (
    # Livingstone and Russo 2018. The folds are those of Luna-Jiménez et al. 2021.
    RecordedCorpus(
        "ravdess",
        re.compile(
            r"0[13]-(?P<key>01-(?P<label>0[1-8])-(?P<intensity>0[12])-0[12]-0[12]"
            r"-(?P<subject>[0-2]\d))"
        ),
        {
            "01": "neutral",
            "02": "calm",
            "03": "happy",
            "04": "sad",
            "05": "angry",
            "06": "fearful",
            "07": "disgust",
            "08": "surprised",
        },
        "CC BY-NC-SA 4.0 (Livingstone & Russo): research use, not to be redistributed otherwise",
        (
            ("02", "05", "14", "15", "16"),
            ("03", "06", "07", "13", "18"),
            ("10", "11", "12", "19", "20"),
            ("08", "17", "21", "23", "24"),
            ("01", "04", "09", "22"),
        ),
        {
            "sex": ("subject", {f"{n:02}": "male" if n % 2 else "female" for n in range(1, 25)}),
            "intensity": ("intensity", {"01": "normal", "02": "strong"}),
        },
    ),
    # Burkhardt et al. 2005.
    RecordedCorpus(
        "emodb",
        re.compile(r"(?P<subject>\d\d)[abc]\d\d(?P<label>[WLEAFTN])[a-z]"),
        {
            "W": "anger",
            "L": "boredom",
            "E": "disgust",
            "A": "fear",
            "F": "happiness",
            "T": "sadness",
            "N": "neutral",
        },
        "free for research (Burkhardt et al.)",
        attributes={
            "sex": (
                "subject",
                dict.fromkeys(("03", "10", "11", "12", "15"), "male")
                | dict.fromkeys(("08", "09", "13", "14", "16"), "female"),
            )
        },
    ),
    # Cao et al. 2014.
    RecordedCorpus(
        "crema_d",
        re.compile(
            r"(?P<subject>1\d{3})_[A-Z]{3}_(?P<label>ANG|DIS|FEA|HAP|NEU|SAD)"
            r"_(?P<intensity>LO|MD|HI|XX|X)"
        ),
        {
            "ANG": "anger",
            "DIS": "disgust",
            "FEA": "fear",
            "HAP": "happiness",
            "NEU": "neutral",
            "SAD": "sadness",
        },
        "Open Database License (Cao et al.)",
        attributes={"intensity": ("intensity", {"LO": "low", "MD": "medium", "HI": "high"})},
    ),
)


def recognise(paths: Sequence[str]) -> RecordedCorpus | None:
    """The corpus that all of some recordings are of, by the names of their files."""
    stems = [PurePath(path).stem for path in paths]
    matching = (c for c in CORPORA if all(map(c.pattern.fullmatch, stems)))
    return next(matching, None) if stems else None
