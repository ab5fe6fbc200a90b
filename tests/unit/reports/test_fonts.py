"""Names of labels in figures and in LaTeX, whatever letters they are written in."""

import xml.etree.ElementTree as xml

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from reports.display import fonts
from reports.display.figure import inline_svg, short_names, write_figure
from reports.display.table import Table, to_latex
from reports.sections.labels import draw_confusion

CHINESE, HINDI = "\u559c\u60a6", "\u0906\u0928\u0928\u094d\u0926"
ARABIC, HEBREW, PERSIAN = (
    "\u0641\u0631\u062d",
    "\u05e9\u05de\u05d7\u05d4",
    "\u062e\u0648\u0634\u06cc",
)
THAI, ROBOT = "\u0e2a\u0e38\u0e02", "\U0001f916"


def make_font(path, family, characters, style="Regular"):
    """A font whose characters are all the same thin bar, far from the box of a missing one."""
    pen = TTGlyphPen(None)
    for point in ((0, 0), (0, 700), (60, 700), (60, 0)):
        (pen.moveTo if point == (0, 0) else pen.lineTo)(point)
    pen.closePath()
    names = [".notdef", *(f"c{number}" for number in range(len(characters)))]
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, characters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": style})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return str(path)


@pytest.fixture
def machine(monkeypatch):
    """Makes these files all the fonts of the machine."""

    def install(*paths):
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(paths))
        fonts._search.cache_clear()

    yield install
    fonts._search.cache_clear()


def draw(labels, path):
    """Draws a confusion matrix; returns what its SVG says, and the PNG."""
    frame = pd.DataFrame(np.eye(len(labels), dtype=int), index=labels, columns=labels)
    svg = write_figure(draw_confusion(frame), path)
    said = [element.text for element in xml.fromstring(svg).iter() if element.tag.endswith("text")]
    return said, matplotlib.image.imread(path.with_suffix(".png"))


def test_a_font_of_the_machine_draws_what_the_own_one_lacks(machine, tmp_path):
    machine(make_font(tmp_path / "a.ttf", "Bars", CHINESE))
    assert fonts.choose_fonts(f"joy {CHINESE}") == (("DejaVu Sans", "Bars"), "")
    said, with_bars = draw([CHINESE, "joy"], tmp_path / "figure")
    assert said.count(CHINESE) == 2
    svg = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert "'DejaVu Sans', 'Bars'" in svg
    machine()
    # Without it there are boxes, and no warning, which would be an error here.
    _, with_boxes = draw([CHINESE, "joy"], tmp_path / "figure")
    assert not np.array_equal(with_bars, with_boxes)


@pytest.mark.parametrize(
    "text, families, missing",
    [
        pytest.param(
            "joy, \u0440\u0430\u0434, \u03c7\u03b1\u03c1", [], "", id="Cyrillic and Greek"
        ),
        pytest.param(ARABIC + HEBREW + PERSIAN, [], "", id="Arabic, Hebrew and Persian"),
        pytest.param("e\u0301", [], "", id="an accent of its own"),
        pytest.param("\U0001f600", [], "", id="an emoji that matplotlib's font has"),
        pytest.param("\u2764\ufe0f\u200d", [], "", id="selectors and joiners, which have no shape"),
        pytest.param("two\nlines\u202e", [], "", id="characters that are not drawn"),
        pytest.param(CHINESE, ["Bars"], "", id="Chinese"),
        pytest.param(CHINESE + THAI, ["Waves", "Bars"], "", id="two scripts of two fonts"),
        pytest.param(HINDI, [], "".join(sorted(set(HINDI))), id="a script of no font"),
        pytest.param(f"{THAI}{ROBOT}", ["Waves"], ROBOT, id="one of a font, one of none"),
    ],
)
def test_fonts_are_looked_for_only_where_they_are_needed(
    machine, tmp_path, text, families, missing
):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    last = make_font(tmp_path / "last.ttf", ".LastResort", CHINESE + HINDI + THAI + ROBOT)
    bars = make_font(tmp_path / "a.ttf", "Bars", CHINESE)
    machine(str(broken), last, bars, make_font(tmp_path / "b.ttf", "Waves", THAI))
    assert fonts.choose_fonts(text) == (("DejaVu Sans", *families), missing)


def test_of_fonts_that_have_the_same_the_upright_one_is_taken(machine, tmp_path):
    condensed = make_font(tmp_path / "a.ttf", "Bars Extra Condensed Sans", CHINESE)
    black = make_font(tmp_path / "b.ttf", "Bars Sans Black", CHINESE, "Black")
    plain = make_font(tmp_path / "c.ttf", "Bars Sans", CHINESE)
    few = make_font(tmp_path / "d.ttf", "Bars", CHINESE[0])
    machine(condensed, black, plain, few)
    assert fonts.choose_fonts(CHINESE)[0] == ("DejaVu Sans", "Bars Sans")


@pytest.mark.parametrize(
    "name, expected",
    [
        pytest.param("$x_1$", "$x_1$", id="mathematics"),
        pytest.param("a^b\\frac{1}", "a^b\\frac{1}", id="a command of TeX"),
        pytest.param("__proto__", "__proto__", id="underscores, which legends leave out"),
        pytest.param("<script>alert(1)", "<script>alert(1)", id="HTML"),
        pytest.param("two\n lines", "two lines", id="a line break"),
        pytest.param("\x1b[31mred\x00", "[31mred", id="what no SVG can hold"),
        pytest.param(ARABIC, ARABIC, id="right to left"),
        pytest.param("x" * 300, "x" * 13 + "\u2026" + "x" * 10, id="300 characters"),
    ],
)
def test_a_figure_shows_a_label_as_it_is(tmp_path, name, expected):
    said, _ = draw([name, "joy"], tmp_path / "figure")
    assert said.count(expected) == 2


def test_names_that_differ_where_they_are_cut_stay_apart():
    assert short_names([f"{'x' * 50}{c}{'y' * 50}" for c in "ab"], 20) == [
        f"{'x' * 9}\u2026{'y' * 10}",
        f"{'x' * 9}\u2026{'y' * 10} (2)",
    ]


@pytest.mark.parametrize("name", ["#1b1d23", 'id="x"', "url(#x", "font: 9px 'DejaVu Sans'", "\\1"])
def test_a_label_that_looks_like_a_part_of_an_svg_stays_as_it_is_on_the_page(tmp_path, name):
    frame = pd.DataFrame([[1, 0], [0, 1]], index=[name, "joy"], columns=[name, "joy"])
    svg = write_figure(draw_confusion(frame), tmp_path / "figure")
    assert inline_svg(svg, "figure", "alternative").count(f">{name}</text>") == 2


def test_arabic_letters_are_joined_and_run_from_right_to_left(tmp_path):
    """Seen in the picture: letters that are kept apart by a mark without width look otherwise."""
    apart = "\u200c".join(ARABIC)
    pictures = [draw([name, "joy"], tmp_path / "figure")[1] for name in (ARABIC, apart)]
    assert pictures[0].shape == pictures[1].shape
    assert not np.array_equal(*pictures)
    # Hebrew has no joined letters: marks that say from left to right what they are change it.
    forced = [draw([name, "joy"], tmp_path / "figure")[1] for name in (HEBREW, f"\u202d{HEBREW}")]
    assert not np.array_equal(*forced)


@pytest.mark.parametrize(
    "name, says, engine",
    [
        pytest.param("\u00e9\u0151\u20ac", "\u00e9\u0151\u20ac", "", id="Latin"),
        pytest.param(CHINESE, CHINESE, "LuaLaTeX or XeLaTeX with fontspec:", id="Chinese"),
        pytest.param(ARABIC, ARABIC, "babel (bidi=basic)", id="right to left"),
        pytest.param("e\u0301", "e\u0301", "fontspec", id="an accent of its own"),
        pytest.param(
            "\u0634\u0631\u0645\u200c\u0622", "\u0634\u0631\u0645\u200c\u0622", "fontspec",
            id="a joiner of Persian",
        ),
        pytest.param("a--b", "a-{}-b", "", id="hyphens that would become a dash"),
        pytest.param("''a``", "'{}'a`{}`", "", id="quotes that would become others"),
        pytest.param("?`", "?{}`", "", id="marks that would become a Spanish one"),
        pytest.param("x" * 24, f"{'x' * 12}\\allowbreak{{}}{'x' * 12}", "", id="a long word"),
    ],
)  # fmt: skip
def test_latex_says_a_label_as_it_is_and_which_engine_can(name, says, engine):
    shown = pd.DataFrame({"Label": [name]})
    text = to_latex(Table("labels", "Labels.", shown, shown))
    assert f"{says} \\\\" in text
    assert text.startswith("%") == bool(engine) and engine in text
