import itertools
import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from reports.display.figure import (
    GRID,
    INK,
    PAPER,
    WIDTH,
    inline_svg,
    label_lines,
    write_figure,
)
from reports.scores import draw_scores
from tests.fixtures.records import summary_of


def test_a_figure_is_a_picture_of_300_dots_and_a_text(tmp_path, scored):
    figure = draw_scores(scored, summary_of(scored, ["contender"]), "auc")
    svg = write_figure(figure, tmp_path / "scores")
    head = (tmp_path / "scores.png").read_bytes()[:24]
    width = int.from_bytes(head[16:20], "big")
    assert width == pytest.approx(5 * 300, abs=1)
    assert (tmp_path / "scores.svg").read_text() == svg
    xml.fromstring(svg)
    again = draw_scores(scored, summary_of(scored, ["contender"]), "auc")
    assert write_figure(again, tmp_path / "again") == svg


def test_an_inline_figure_has_its_own_names_colours_and_text(tmp_path, scored):
    scored["contender"] = "<b>&$x$"
    figure = draw_scores(scored, summary_of(scored, ["contender"]), "auc")
    svg = write_figure(figure, tmp_path / "scores")
    inline = inline_svg(svg, "scores", "What &lt;it&gt; shows")
    assert inline.startswith('<svg role="img" aria-label="What &lt;it&gt; shows"')
    assert "<b>" not in inline and "&lt;b&gt;&amp;$x$" in inline
    names = re.findall(r'\bid="([^"]+)"', inline)
    assert len(names) == len(set(names)) and all(name.startswith("scores-") for name in names)
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', inline))
    for pair in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', inline):
        assert next(filter(None, pair)) in names
    for colour in (INK, GRID, PAPER):
        assert colour not in inline
    assert "var(--ink)" in inline
    xml.fromstring(inline.replace("xlink:href", "href"))


def labelled(*ends, names=None):
    """A laid-out panel from 0 to 1 of lines that end at these heights, with their labels."""
    figure = Figure(figsize=(WIDTH, 3), layout="constrained")
    axes = figure.subplots()
    for number, end in enumerate(ends):
        axes.plot([0, 1], [0.5, end], label=(names or {}).get(number, f"line {number} (long)"))
    axes.set_ylim(0, 1)
    label_lines(axes)
    FigureCanvasAgg(figure).draw()
    return figure, axes


def test_labels_stand_at_the_ends_of_their_lines_in_their_colours():
    _, axes = labelled(0.2, 0.8)
    assert [text.get_text() for text in axes.texts] == ["line 0\n(long)", "line 1\n(long)"]
    for text, line, end in zip(axes.texts, axes.lines, (0.2, 0.8), strict=True):
        assert text.get_color() == line.get_color()
        assert text.xy == (1, end) and text.get_position()[1] == pytest.approx(end)


@pytest.mark.parametrize(
    "ends", [(0.5,) * 5, (1.0, 1.0, 0.99), (0.0, 0.0, 0.01), (0.4, 0.5, 0.45, 0.9)]
)
def test_labels_neither_cover_each_other_nor_leave_the_panel(ends):
    figure, axes = labelled(*ends)
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    for one, other in itertools.combinations(boxes, 2):
        assert min(one.y1, other.y1) - max(one.y0, other.y0) < 1.5
    panel = axes.get_window_extent()
    assert min(box.y0 for box in boxes) > panel.y0 - 3
    assert max(box.y1 for box in boxes) < panel.y1 + 3
    # Upwards as the lines are.
    places = [text.get_position()[1] for text in axes.texts]
    assert sorted(places) == [place for _, place in sorted(zip(ends, places, strict=True))]


def test_a_line_without_a_label_or_a_point_has_none():
    _, axes = labelled(0.5, np.nan, 0.7, names={2: "_hidden"})
    assert [text.get_text() for text in axes.texts] == ["line 0\n(long)", "line 1\n(long)"]
    # The second line has a point, its first.
    assert axes.texts[1].xy == (0, 0.5)


def test_for_papers_a_figure_is_a_pdf_of_each_width(tmp_path, scored):
    figure = draw_scores(scored, summary_of(scored, ["contender"]), "auc")
    write_figure(figure, tmp_path / "scores", for_papers=True)
    for name, inches in (("column", 3.3), ("page", 6.8)):
        content = (tmp_path / f"scores_{name}.pdf").read_bytes()
        box = re.search(rb"/MediaBox \[ 0 0 ([0-9.]+) ", content)
        assert float(box[1]) == pytest.approx(72 * inches, abs=0.1)
    assert {text.get_fontsize() for text in figure.findobj(Text)} == {8}
    assert not list(tmp_path.glob("*/*.pdf"))
