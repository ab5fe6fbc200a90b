import re
import xml.etree.ElementTree as xml

import pytest

from reports.display.figure import GRID, INK, PAPER, inline_svg, write_figure
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
