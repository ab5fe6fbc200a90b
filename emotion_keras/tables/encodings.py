"""Finds the encoding of a text: by its bytes, by its mark, or by asking the user."""

import codecs
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import chardet

from emotion_keras.errors import UserError

_BLOCK = 1 << 20
# A longer line is none of a table's; it would have to be held in memory.
_MOST_LINE_BYTES = 1 << 26
# What the detector is shown, and what a message names.
_SAMPLE = 1 << 16
_LINES_NAMED = 10
# In this order: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WITHOUT_MARK = {(4, 0): "utf-32-le", (4, 3): "utf-32-be", (2, 0): "utf-16-le", (2, 1): "utf-16-be"}
# The code pages that hold Latin letters as Windows-1252 does, and some others in their places.
_RIVALS = {"Windows-1250", "Windows-1254", "Windows-1257"} | {
    f"{name}{part}" for name in ("ISO-8859-", "iso8859-") for part in (2, 3, 4, 9, 10, 13, 16)
}
# By how much more the detector must believe in one of them: less is noise on short texts.
_MARGIN = 0.01
# Letters of Icelandic, in whose places Turkish and Romanian have their most frequent ones.
_CONTESTED = set("ÐÝÞðýþ")
_LETTERS_AS_WORDS = set("àáâãèéêìíòóôöøåæÀÁÂÃÈÉÊÌÍÒÓÔÖØÅÆªº")
# What Western texts do not hold, or not behind a letter.
_UNUSUAL = re.compile(
    r"[¤¦¨¬¯¸¹³¼½¾ƒˆ‰†‡¢¥±µ¶](?=[^\W\d_])"
    r"|(?<=[^\W\d_])[‚„¿¡¤¦¨¬¯¸ƒˆ¢¥±µ¶³¹¼½¾]"
    r"|(?<=[^\W\d_])[“”](?=[^\W\d_])|[¤¦¨¯¸]"
)
_WORD = re.compile(r"[^\W\d_]+")
_HIGH = re.compile(r"[^\x00-\x7f]")
_ODD_CASE = re.compile(r"[a-zà-öø-ÿ][À-ÖØ-ÞŠŽŒŸ]")


class Encoding(NamedTuple):
    """How the bytes of a text become characters.

    Args:
        name: String, the codec's name.
        damaged_lines: Tuple of the first lines that hold bytes which are no characters.
        num_damaged: Integer, the number of these lines; their bytes are read as U+FFFD.
        notice: String, what the user should know, or `""`.
    """

    name: str
    damaged_lines: tuple = ()
    num_damaged: int = 0
    notice: str = ""

    @property
    def errors(self) -> str:
        """What `open` takes as `errors`."""
        return "replace" if self.num_damaged else "strict"


def find_encoding(
    path: str | Path, open_bytes: Callable[[], BinaryIO], asked: str | None = None
) -> Encoding:
    """Finds the encoding of a text by all of its bytes.

    Args:
        path: The file, for messages.
        open_bytes: Function that opens it for reading bytes.
        asked: The encoding that the user named, or `None`.

    Returns:
        An `Encoding`. What is UTF-8 but for some bytes is UTF-8. What is in no form of Unicode is
        Windows-1252 if nothing speaks for another code page.

    Raises:
        UserError: If the bytes could be in several encodings, or are not in the one that was asked
            for.
    """
    if asked is not None:
        return _asked(path, open_bytes, asked)
    with open_bytes() as file:
        beginning = file.read(_SAMPLE)
    for mark, name in _MARKS:
        if beginning.startswith(mark):
            if name == "utf-8-sig":
                return _unicode(path, open_bytes, name)
            with open_bytes() as file:
                line = first_failure(path, file, name)
            if line:
                raise UserError(
                    f"{path}, line {line}: this is not {name.upper()}, which the file's first "
                    "bytes announce. The file is damaged or cut: save it as UTF-8."
                )
            return Encoding(name)
    _refuse_nul(path, beginning)
    if b"\x1b$" in beginning or b"\x1b(J" in beginning:
        raise UserError(
            f"{path} is in an encoding with escape sequences, such as ISO-2022-JP. Name it: "
            "`--encoding iso2022_jp`; or save the file as UTF-8."
        )
    return _unicode(path, open_bytes, "utf-8")


def decode_line(line: bytes, number: int, asked: str | None = None) -> tuple[str, bool]:
    """Decodes a line of which nothing is known but what came before it.

    Args:
        line: The line's bytes.
        number: Its number, for the message.
        asked: The encoding that the user named, or `None` for UTF-8.

    Returns:
        The line, and whether it is not ASCII.

    Raises:
        UserError: If the line is not in the encoding.
    """
    try:
        text = line.decode(asked or "utf-8")
    except UnicodeError:
        raise UserError(
            f"Standard input, line {number}: this is not {asked or 'UTF-8'}. Name the encoding, as "
            f"in `--encoding cp1252`. Received: {line[:60]!r}"
        ) from None
    return text, not text.isascii()


def is_garbled(text: str) -> bool:
    """Whether a text reads as UTF-8 that was taken for Windows-1252.

    Args:
        text: String.

    Example:

    >>> is_garbled("cafÃ©"), is_garbled("café")
    (True, False)
    """
    try:
        return not text.isascii() and text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False


def check_name(encoding: str | None) -> None:
    """Raises `UserError` if there is no text encoding of a name."""
    try:
        known = encoding is None or codecs.lookup(encoding)._is_text_encoding
    except (LookupError, ValueError):  # A NUL in a name is no LookupError.
        known = False
    if not known or encoding == "undefined":
        raise UserError(
            "There is no such encoding. Accepted: names that Python knows, such as utf-8, cp1252, "
            f"cp1251, gb18030, shift_jis. Received: encoding={encoding!r}"
        )


def _asked(path, open_bytes, name):
    check_name(name)
    with open_bytes() as file:
        line = first_failure(path, file, name)
    if line:
        raise UserError(
            f"{path}, line {line}: this is not {name}. Name another encoding, or leave the option "
            f"out. Received: encoding={name!r}"
        )
    return Encoding(codecs.lookup(name).name)


def first_failure(path: str | Path, file: BinaryIO | io.BufferedIOBase, name: str) -> int | None:
    """Finds the line on which decoding fails.

    Args:
        path: The file, for messages.
        file: It, opened for reading bytes.
        name: The encoding.

    Returns:
        The line's number, or `None` if all can be decoded.

    Raises:
        UserError: If a NUL is among the characters.
    """
    decoder = codecs.getincrementaldecoder(name)()
    line = 1
    while True:
        block = file.read(_BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeError as error:
            start = getattr(error, "start", 0)
            return line + block.count(b"\n", 0, start)
        if "\0" in text:
            line += text.count("\n", 0, text.index("\0"))
            raise UserError(f"{path}, line {line}: a NUL character, which no text holds.")
        if not block:
            return None
        line += text.count("\n")


def _refuse_nul(path, beginning):
    position = beginning.find(b"\0")
    if position < 0:
        return
    nuls = [i for i, byte in enumerate(beginning[:4096]) if not byte]
    for (width, place), name in _WITHOUT_MARK.items():
        # Where the zeros stand says how wide a character is, and in which order its bytes are.
        zeros = {i % width for i in nuls}
        expected = {i for i in range(width) if i != place}
        if len(nuls) > len(beginning[:4096]) // 3 and zeros == expected:
            raise UserError(
                f"{path} looks like {name.upper()} without a byte order mark. If it is, name the "
                f"encoding: `--encoding {name}`."
            )
    line = 1 + beginning.count(b"\n", 0, position)
    raise UserError(_nul(path, line))


def _nul(path, line):
    return (
        f"{path}, line {line}: a NUL byte, which no text holds. The file is damaged or no text. "
        "Accepted: text in UTF-8, in UTF-16 with a byte order mark, or in the encoding that "
        "`--encoding` names."
    )


def _unicode(path, open_bytes, name):
    """UTF-8 if all of a file is, or nearly all; else what a code page makes of it."""
    with open_bytes() as file:
        decoder = codecs.getincrementaldecoder("utf-8")()
        line = 1
        while block := file.read(_BLOCK):
            if (position := block.find(b"\0")) >= 0:
                raise UserError(_nul(path, line + block.count(b"\n", 0, position)))
            line += block.count(b"\n")
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                break
        else:
            if not decoder.getstate()[0]:
                return Encoding(name)
    with open_bytes() as file:
        found = _count_damage(file)
    is_marked = name == "utf-8-sig"
    if is_marked or (found.num_characters and found.num_characters >= found.num_failures):
        first = ", ".join(map(str, found.lines[:_LINES_NAMED]))
        more = ", ..." if found.num_lines > _LINES_NAMED else ""
        return Encoding(
            name,
            tuple(found.lines),
            found.num_lines,
            f"{path} is UTF-8, but not on {found.num_lines:,} of its lines ({first}{more}): what "
            "is no character there is read as \N{REPLACEMENT CHARACTER}. If the file is in another "
            "encoding, name it with `--encoding`.",
        )
    return _code_page(path, found)


class _Damage(NamedTuple):
    lines: list
    num_lines: int
    num_characters: int
    num_failures: int
    sample: bytes


def _count_damage(file):
    """What of a file is UTF-8 beyond ASCII, and what is not."""
    lines, sample = [], bytearray()
    number = num_lines = num_characters = num_failures = 0
    while piece := file.readline(_MOST_LINE_BYTES):
        for line in piece.splitlines(keepends=True):
            number += 1
            if line.isascii():
                continue
            if len(sample) < _SAMPLE:
                sample += line[:_SAMPLE]
            text = line.decode("utf-8", "replace")
            failures = text.count("\ufffd") - line.count(b"\xef\xbf\xbd")
            num_characters += len(_HIGH.findall(text)) - failures
            num_failures += failures
            if failures:
                num_lines += 1
                if len(lines) < 2 * _LINES_NAMED:
                    lines.append(number)
    return _Damage(lines, num_lines, num_characters, num_failures, bytes(sample))


def _code_page(path, found):
    guesses = [guess for guess in chardet.detect_all(found.sample, ignore_threshold=True)]
    readings = {}
    for guess in guesses:
        text = _decoded(found.sample, guess["encoding"])
        if text is not None:
            readings.setdefault(text, (guess["confidence"], guess["encoding"]))
    western = _decoded(found.sample, "cp1252")
    if western is not None and not found.num_characters and _is_western(western, guesses, found):
        return Encoding(
            "cp1252",
            notice=f"{path} is not UTF-8 (line {found.lines[0]}), and is read as Windows-1252. If "
            "letters come out wrong, name the right encoding with `--encoding`.",
        )
    if western is not None:
        readings.setdefault(western, (0.0, "Windows-1252"))
    best = sorted(readings.items(), key=lambda item: -item[1][0])[:3]
    shown = "; ".join(
        f"`--encoding {codecs.lookup(name).name}`: {_excerpt(text)!r}" for text, (_, name) in best
    )
    mixed = (
        f" {found.num_characters:,} characters elsewhere are UTF-8: the file seems to be put "
        "together from files in several encodings."
        if found.num_characters
        else ""
    )
    raise UserError(
        f"{path}, line {found.lines[0]}: this is not UTF-8, and the bytes alone do not say what it "
        f"is.{mixed} Save the file as UTF-8, or name its encoding. What line {found.lines[0]} "
        f"would be: {shown or 'nothing that any known encoding allows'}."
    )


def _decoded(sample, name):
    try:
        return sample.decode(name)
    except (UnicodeError, LookupError, TypeError):
        # The sample may end within a character of several bytes.
        try:
            return sample.rpartition(b"\n")[0].decode(name) if b"\n" in sample else None
        except (UnicodeError, LookupError, TypeError):
            return None


def _excerpt(text):
    line = next((line for line in text.splitlines() if not line.isascii()), "")
    position = _HIGH.search(line).start() if _HIGH.search(line) else 0
    return line[max(0, position - 20) : position + 30].strip()


def _is_western(text, guesses, found):
    """Whether a reading as Windows-1252 holds words as Western languages write them.

    In Cyrillic, Greek, Chinese and the like, read so, words are of letters beyond ASCII alone, or
    have signs among their letters. Other languages in Latin letters are for the detector to see.
    """
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    foreign = [
        word for word in words if not re.search("[A-Za-z]", word) and word not in _LETTERS_AS_WORDS
    ]
    if len(foreign) > len(words) / 20 or _CONTESTED & set(text):
        return False
    if len(_UNUSUAL.findall(text)) + len(_ODD_CASE.findall(text)) > len(words) / 50:
        return False
    same = other = 0.0
    for guess in guesses:
        reading = _decoded(found.sample, guess["encoding"])
        if reading == text:
            same = max(same, guess["confidence"])
        elif reading is not None and guess["encoding"] in _RIVALS:
            other = max(other, guess["confidence"])
    return other <= same + _MARGIN
