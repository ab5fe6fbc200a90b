"""Noise of texts: what may happen to them on their way to a model. NumPy only."""

import re
import string

import numpy as np

# No text holds it, and few vocabularies do: of most tokenizers it is an unknown word, and a model
# over another has learned nothing about it.
UNKNOWN = "▒"

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
