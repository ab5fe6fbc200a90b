"""Fonts for what figures say: matplotlib's own has Latin, Greek, Cyrillic, Arabic and little else.

The machine's fonts are looked through only where a text has a character beyond that. What shapes
letters and turns right-to-left text, matplotlib does by itself.
"""

import functools
import unicodedata
from collections.abc import Iterable

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font, StyleFlags

OWN = "DejaVu Sans"
# How Debian and Ubuntu call fonts of many languages, of Chinese, Japanese and Korean, of emoji.
_PACKAGES = ("fonts-noto-core", "fonts-noto-cjk", "fonts-symbola")
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC")


def choose_fonts(text: str) -> tuple[tuple[str, ...], str]:
    """Families of fonts that together have the characters of a text.

    Args:
        text: String.

    Returns:
        Tuple of names of families, matplotlib's own first, and a string of the characters that no
        font on this machine can draw.

    Example:

    >>> choose_fonts("joy")
    (('DejaVu Sans',), '')
    """
    others = frozenset(c for c in set(text) if ord(c) not in _own_characters() and _is_seen(c))
    return _search(others) if others else ((OWN,), "")


def packages_for(characters: Iterable[str]) -> list[str]:
    """Names of Debian's packages of fonts that have these characters, a sorted list."""
    return sorted({_PACKAGES[_kind(character)] for character in characters})


def _kind(character):
    if unicodedata.name(character, "").startswith(_EAST_ASIAN):
        return 1
    return 2 if unicodedata.category(character) in ("So", "Sk") else 0


def _is_seen(character):
    # Joiners, marks of direction and selectors of variants have an effect and no shape.
    is_selector = "VARIATION SELECTOR" in unicodedata.name(character, "")
    return not (is_selector or unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp"))


@functools.cache
def _own_characters():
    return frozenset(FT2Font(font_manager.findfont(OWN)).get_charmap())


@functools.cache
def _search(characters):
    """Chooses the fewest fonts, and of equal ones the plainest."""
    found = []
    for path in sorted(font_manager.findSystemFonts()):
        try:
            font = FT2Font(path)
            charmap = font.get_charmap()
        except (OSError, RuntimeError):
            continue  # A broken file, or a format that FreeType does not read.
        has = {c for c in characters if ord(c) in charmap}
        # Pictures, as of colour emoji, cannot be drawn at any size; a last resort has only boxes.
        if has and font.scalable and "LastResort" not in font.family_name:
            found.append((has, _plainness(font), font))
    families, missing = [OWN], set(characters)
    while missing:
        has, _, font = max(found, key=lambda one: (len(one[0] & missing), one[1]), default=[()] * 3)
        if not missing.intersection(has):
            break
        missing -= has
        families.append(_family(font, characters))
        if font.fname not in {known.fname for known in font_manager.fontManager.ttflist}:
            # It was installed after matplotlib made its list.
            font_manager.fontManager.addfont(font.fname)
    return tuple(families), "".join(sorted(missing))


def _plainness(font):
    is_upright = not font.style_flags & (StyleFlags.BOLD | StyleFlags.ITALIC)
    is_regular = font.style_name in ("Regular", "Book")
    return is_upright, is_regular, "Sans" in font.family_name, -len(font.family_name), font.fname


def _family(font, characters):
    """The font's family; of one for several countries the member for the characters' country."""
    names = [FT2Font(font.fname, face_index=i).family_name for i in range(font.num_faces)]
    scripts = {unicodedata.name(c, "").partition(" ")[0] for c in characters}
    country = "KR" if "HANGUL" in scripts else "JP" if scripts & {"HIRAGANA", "KATAKANA"} else "SC"
    return next((name for name in names if name.endswith(f" {country}")), names[0])
