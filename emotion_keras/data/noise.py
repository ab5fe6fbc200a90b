"""Noise: what may happen to texts and labels on their way to a model, at a level that is chosen."""

import re
import string
import zlib

import numpy as np

from emotion_keras.data.options import NoiseOptions
from emotion_keras.errors import UserError

# No vocabulary holds it, so that every tokenizer takes it for an unknown word.
UNKNOWN = "▒"

LABELS = "labels"

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # Each row half a key to the right.
_MARK = re.compile(f"[{re.escape(string.punctuation)}]")

# Beginnings of words that name what is felt, rather than what happened.
_EMOTION = re.compile(
    r"\W*(?:"
    r"joy|enjoy|happ[iy]|unhapp[iy]|glad|delight|pleas(?:ed|ure)|cheer|excit|proud|pride|ecsta|elat|"
    r"fear|afraid|scar(?:ed|y)|fright|terrif|terror|anxi|panic|worr[iy]|dread|horr[io]|nervous|"
    r"ang(?:er|r[iy])|furious|fury|rag(?:e[ds]?|ing)\b|mad\b|annoy|irritat|outrag|indign|"
    r"sad(?:ly|ness)?\b|sadden|griev|grief|sorrow|depress|miser|mourn|lonel|desper|despair|disappoint|"
    r"disgust|revolt|repuls|repugn|nause|loath|"
    r"sham(?:e|ing)|asham|embarrass|humiliat|"
    r"guilt|remorse|regret|hate|hatred|hurt|upset|emotion|feel|felt\b"
    r")",
    re.IGNORECASE,
)


def perturb(texts, kind, level, *, seed=0):
    """Perturbs texts; the noise of a text follows from the seed and the text alone.

    Args:
        texts: Sequence of strings.
        kind: Name of a kind of `KINDS`.
        level: Float in `[0, 1]`, the expected share of what the kind is about (characters, words,
            marks, emotion words) that is touched; 0 leaves a text as it is. A higher level touches
            what a lower one does and more, except where neighbours are swapped.
        seed: Integer, or sequence of them.

    Returns:
        List of strings. Of a text that has a word something stays at any level.

    Raises:
        UserError: If there is no such kind, or on a level outside of 0 to 1.

    Example:

    >>> perturb(["I was late", "We won"], "mask_words", 1.0)
    ['▒ ▒ ▒', '▒ ▒']
    """
    check_kind(kind, KINDS)
    check_level(level)
    if not level:
        return list(texts)
    seed = [*np.atleast_1d(seed), zlib.crc32(kind.encode())]
    return [
        KINDS[kind](text, level, np.random.default_rng([*seed, zlib.crc32(text.encode())]))
        for text in texts
    ]


def perturb_labels(label_ids, level, num_classes, *, seed=0):
    """Gives some examples another label, each of the others with the same chance.

    Args:
        label_ids: Integer array.
        level: Float in `[0, 1]`, the expected share of examples with another label than theirs.
        num_classes: Number of labels.
        seed: Integer.

    Returns:
        Array like `label_ids`.

    Raises:
        UserError: On a level outside of 0 to 1.
    """
    check_level(level)
    rng = np.random.default_rng([seed, zlib.crc32(LABELS.encode())])
    touched = rng.random(len(label_ids)) < level
    others = (label_ids + rng.integers(1, num_classes, len(label_ids))) % num_classes
    return np.where(touched, others, label_ids).astype(label_ids.dtype)


class TrainingNoise:
    """Noise for the training split: of texts again in each epoch, of labels once.

    Args:
        seed: Integer.
        options: `NoiseOptions`.
        **given: Its fields, in place of the object.

    Raises:
        UserError: If `noise` says something else.
    """

    def __init__(self, seed, options=None, **given):
        noise = (options or NoiseOptions(**given)).noise
        self.seed = seed
        levels = [] if noise is None else [_parse(part) for part in noise.split(",")]
        self._levels = dict(levels)
        if len(self._levels) < len(levels):
            raise UserError(f"A kind of noise has one level. Received: noise={noise!r}")
        self._label_level = self._levels.pop(LABELS, 0)
        self.touches_texts = bool(self._levels)

    def perturb(self, texts, epoch):
        """Perturbs texts for an epoch, counted from 0."""
        for kind, level in self._levels.items():
            # Texts to test on have noise of seeds without an epoch: no model has seen theirs.
            texts = perturb(texts, kind, level, seed=[self.seed, 1 + epoch])
        return texts

    def perturb_labels(self, label_ids, num_classes):
        """Perturbs class ids; see the function of the same name."""
        return perturb_labels(label_ids, self._label_level, num_classes, seed=self.seed)


def _parse(part):
    """Kind and level from a string such as `typos:0.05`."""
    kind, _, level = part.strip().partition(":")
    check_kind(kind)
    try:
        level = float(level)
    except ValueError as error:
        raise UserError(
            f"Noise is a kind and its level, as in typos:0.05. Received: {part!r}"
        ) from error
    check_level(level)
    return kind, level


def check_kind(kind, known=None):
    """Raises `UserError` if a kind of noise is not known: of `known`, or of all."""
    known = known or (*KINDS, LABELS)
    if kind not in known:
        raise UserError(f"Unknown kind of noise. Accepted: {', '.join(known)}. Received: {kind!r}")


def check_level(level):
    """Raises `UserError` if a level of noise is not a share."""
    if not 0 <= level <= 1:
        raise UserError(f"A level of noise is a share from 0 to 1. Received: {level}")


def _neighbours():
    """The keys around each letter's, by letter."""
    place = {
        letter: (column + 0.5 * row, row)
        for row, letters in enumerate(_KEYBOARD)
        for column, letter in enumerate(letters)
    }
    return {
        letter: [
            other
            for other, (column, row) in place.items()
            if other != letter and abs(row - place[letter][1]) <= 1
            if abs(column - place[letter][0]) <= 1
        ]
        for letter in place
    }


_NEIGHBOURS = _neighbours()


def _typos(text, level, rng):
    """Hits a key beside a letter's."""
    touched = rng.random(len(text)) < level
    choices = rng.random(len(text))
    characters = list(text)
    for i in np.flatnonzero(touched):
        keys = _NEIGHBOURS.get(text[i].lower())
        if keys:
            key = keys[int(choices[i] * len(keys))]
            characters[i] = key if text[i].islower() else key.upper()
    return "".join(characters)


def _delete_characters(text, level, rng):
    return "".join(_keep(list(text), rng.random(len(text)), level))


def _insert_characters(text, level, rng):
    """Puts a letter after a character."""
    touched = (rng.random(len(text)) < level) & ~_are_blank(text)
    letters = rng.integers(0, 26, len(text))
    return "".join(
        character + string.ascii_lowercase[letter] if insert else character
        for character, letter, insert in zip(text, letters, touched, strict=True)
    )


def _swap_characters(text, level, rng):
    return "".join(_swap(list(text), _are_blank(text), level, rng))


def _delete_words(text, level, rng):
    words = text.split()
    return " ".join(_keep(words, rng.random(len(words)), level))


def _swap_words(text, level, rng):
    words = text.split()
    return " ".join(_swap(words, _are_blank(words), level, rng))


def _mask_words(text, level, rng):
    return _change_words(text, level, rng, lambda word: UNKNOWN)


def _mask_emotion_words(text, level, rng):
    return _change_words(text, level, rng, lambda word: UNKNOWN if _EMOTION.match(word) else word)


def _lose_case(text, level, rng):
    return _change_words(text, level, rng, str.lower)


def _lose_punctuation(text, level, rng):
    touched = iter((rng.random(len(text)) < level).tolist())
    return _MARK.sub(lambda mark: "" if next(touched) else mark[0], text)


def _change_words(text, level, rng, change):
    words = text.split()
    touched = rng.random(len(words)) < level
    return " ".join(
        change(word) if is_touched else word
        for word, is_touched in zip(words, touched, strict=True)
    )


def _are_blank(parts):
    return np.array([part.isspace() for part in parts], bool)


def _keep(parts, chances, level):
    """The parts that are not deleted: blanks, and at least one other."""
    blank = _are_blank(parts)
    kept = blank | (chances >= level)
    if not blank.all():
        kept[np.where(blank, -1, chances).argmax()] = True
    return [part for part, keep in zip(parts, kept, strict=True) if keep]


def _swap(parts, blank, level, rng):
    """Swaps neighbours that are no blanks; of a long row the expected share that moves is `level`.

    From left to right a part is swapped with the next with chance `q`, and the two are passed; or
    it alone is. Of `1 + q` parts passed `2 q` have moved, so that `q = level / (2 - level)`.
    """
    chance = level / (2 - level)
    draws = rng.random(len(parts))
    parts = list(parts)
    i = 0
    while i + 1 < len(parts):
        if draws[i] < chance and not blank[i] and not blank[i + 1]:
            parts[i], parts[i + 1] = parts[i + 1], parts[i]
            i += 1
        i += 1
    return parts


# Beside a kind stands what its level is a share of, where the name does not say it.
KINDS = {
    "typos": _typos,  # letters
    "delete_characters": _delete_characters,
    "insert_characters": _insert_characters,  # characters that one is put after
    "swap_characters": _swap_characters,
    "delete_words": _delete_words,
    "swap_words": _swap_words,
    "mask_words": _mask_words,
    "mask_emotion_words": _mask_emotion_words,
    "lose_case": _lose_case,  # words
    "lose_punctuation": _lose_punctuation,  # marks
}
