"""How a text is cleaned before a model sees it, in training and after. Standard library only."""

import html
import re
import unicodedata

MAX_CHARACTERS = 20_000

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# Soft hyphen, zero-width blank, marks of direction, byte order mark. Joiners stay: they spell words
# and emoji.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]")

_MARKS = {ord(mark): "'" for mark in "‘’‚‛′‹›´`"}
_MARKS |= {ord(mark): '"' for mark in "“”„‟″«»"}
_MARKS |= {ord(mark): "-" for mark in "‐‑‒–−"}
_MARKS |= {ord(mark): " - " for mark in "—―"}
_MARKS |= {ord("…"): "...", 0x3000: " "}
_MARKS |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full-width forms
_MARK = re.compile(f"[{''.join(map(chr, _MARKS))}]")
# A mark after a mark or a blank. One search for it spares most texts the six that follow.
_AFTER_ANOTHER = re.compile(r"[!?,;.:'-](?<=[ !?,;.'-].)")
_DASHES = re.compile(r" ?-{2,} ?")
_DOTS = re.compile(r"\.{2,}")
_REPEATED_MARK = re.compile(r"([,;])\1+")
_EXCLAMATION = re.compile(r"[!?]{2,}")
_BLANK_BEFORE_MARK = re.compile(r" +(?=[,.;:!?]+(?:[\s\"']|$))")

# The scripts that are written without blanks between words, as the inside of a pattern's brackets:
# Thai, Lao, Tibetan, Burmese, Khmer, Japanese syllables, and Chinese characters.
UNSPACED = (
    r"\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
)
_UNSPACED = re.compile(f"[{UNSPACED}]")

# Letters and digits; and letters and symbols that are blank, or stand for what could not be read.
_LETTER = re.compile(r"[^\W_]")
_BLANK_LETTER = re.compile("[\u115f\u1160\u2800\u3164\uffa0\ufffc\ufffd]")


def has_words(text: str) -> bool:
    """Whether a text says something: with a letter, a digit, or a symbol such as an emoji.

    Punctuation, signs of mathematics and currency, blanks and marks that are not seen say nothing.

    Args:
        text: String.

    Example:

    >>> [has_words(text) for text in ("so?", "42", "😀", "?!", "...", "")]
    [True, True, True, False, False, False]
    """
    if not text.isascii():
        text = _BLANK_LETTER.sub("", text)
    return bool(_LETTER.search(text)) or any(map(_is_symbol, text))


def count_words(text: str) -> int:
    """Counts words: stretches between blanks, and characters of scripts that have no blanks.

    Args:
        text: String.

    Example:

    >>> [count_words(text) for text in ("I was late", "我很高兴", "iPhone 很好", "")]
    [3, 4, 3, 0]
    """
    if text.isascii():
        return len(text.split())
    rest, num_characters = _UNSPACED.subn(" ", text)
    return num_characters + len(rest.split())


def is_unspaced(text: str) -> bool:
    """Whether a text has characters of scripts that are written without blanks between words."""
    return not text.isascii() and bool(_UNSPACED.search(text))


def unspaced_share(texts: list[str]) -> float:
    """The share of letters that are of scripts without blanks between words."""
    num_unspaced = sum(len(_UNSPACED.findall(text)) for text in texts if not text.isascii())
    num_letters = sum(len(_LETTER.findall(text)) for text in texts) if num_unspaced else 1
    return min(1.0, num_unspaced / max(num_letters, 1))


def fold_text(text: str) -> str:
    """What texts share that differ in case, blanks or in how Unicode writes a character alone.

    Args:
        text: String.

    Example:

    >>> fold_text("Too  LATE") == fold_text("too late")
    True
    """
    text = " ".join(text.split())
    if text.isascii():
        return text.casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())


def _is_symbol(character):
    category = unicodedata.category(character)
    # Python's tables lack the newest emoji; their block is known.
    return category == "So" or (category == "Cn" and "\U0001f300" <= character <= "\U0001fbff")


def clean_text(text: str) -> str:
    """Decodes HTML entities, composes accents, removes control characters, folds blanks.

    Args:
        text: String; what is beyond 20,000 characters is cut off.

    Returns:
        String.
    """
    text = text[:MAX_CHARACTERS]
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
    if not text.isprintable():
        text = _CONTROL.sub(" ", _INVISIBLE.sub("", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def normalize_marks(text: str) -> str:
    """Writes quotes, dashes, ellipses and full-width forms in ASCII, and repeated marks once.

    Args:
        text: String.

    Returns:
        String without a blank before a mark.
    """
    text = _MARK.sub(lambda match: _MARKS[ord(match.group())], text)
    if not _AFTER_ANOTHER.search(text):
        return text
    text = text.replace("''", '"')
    text = _DASHES.sub(" - ", text)
    text = _BLANK_BEFORE_MARK.sub("", text)
    text = _DOTS.sub("...", text)
    text = _REPEATED_MARK.sub(r"\1", text)
    text = _EXCLAMATION.sub(_one_mark, text)
    return " ".join(text.split())


def _one_mark(match):
    marks = set(match.group())
    return "?!" if len(marks) == 2 else marks.pop()
