"""How explanations look: what a reader without colour still sees."""

import jinja2
import pytest
from rich.text import Text

from emotion_keras import shading
from emotion_keras.shading.page import FOLDER, add_shading
from emotion_keras.shading.terminal import legend, shade

WORDS = [
    {"word": "we", "gate": 0.0, "contribution": 0.04},
    {"word": "lost", "gate": 0.44, "contribution": 0.4},
    {"word": "<b>", "gate": 1.0, "contribution": -0.1},
    {"word": "!", "gate": 0.9, "contribution": None},
]
EXPLANATION = {"words": WORDS, "rest": 0.1249, "score": 0.4251}


def template(call, **values):
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True)
    add_shading(environment)
    source = '{% from "explained.html" import explained, legend, scale with context %}' + call
    return environment.from_string(source).render(values)


@pytest.mark.parametrize(
    ("contribution", "step"),
    [(0, 0), (0.049, 0), (0.05, 1), (0.15, 2), (0.3, 3), (9, 4), (-0.1, -1), (-7, -4), (None, 0)],
)
def test_steps_are_those_of_the_scale(contribution, step):
    assert shading.step_of(contribution) == step


def test_the_parts_add_up_as_they_are_shown():
    # 0.4251 - 0.1249 = 0.3002, but what is shown of them is 0.43 - 0.12.
    assert shading.total(EXPLANATION, "words") == "Score +0.43 = words +0.31, rest +0.12"
    assert shading.total({"score": -0.5, "rest": -0.75}, "moments") == (
        "Score −0.50 = moments +0.25, rest −0.75"
    )


def test_what_was_measured_is_said_and_what_was_not():
    assert shading.faithful({"gate": "No better."}, "gate", "words") == "No better."
    assert "words that it points at was not measured" in shading.faithful({}, "gate", "words")


def test_a_terminal_without_colours_shows_signs_and_tenths():
    assert shade(EXPLANATION, "contribution", "words").plain == "we lost+++ <b>- !"
    assert shade(EXPLANATION, "gate", "words").plain == "we₀ lost₄ <b>₉ !₉"
    said = legend("contribution", "words", "words").plain
    for part in ("+0.6++++", "+0.3+++", "+0.15++", "+0.05+", "-0.05-", "-0.6----", "and further"):
        assert part in said
    assert "tenths" in legend("gate", "words", "words").plain


def test_a_strip_has_a_side_for_and_one_against():
    moments = [
        {"word": f"0.{i} s", "gate": gate, "contribution": added}
        for i, (gate, added) in enumerate([(0.0, 0.5), (0.5, -0.25), (1.0, 0.0), (0.99, 9.0)])
    ]
    # A block is full at 0.5; of half of it the fifth of eight blocks.
    assert (
        shade({"words": moments}, "contribution", "strip").plain == "+ █  █\n-  ▅  \n0.0 s to 0.3 s"
    )
    assert shade({"words": moments}, "gate", "strip").plain == "0.0 s ▁▅██ 0.3 s"
    many = [{"word": f"{i} s", "gate": 0.5, "contribution": 0.1} for i in range(28)]
    # Fourteen blocks of two moments, 0.2 of 0.5 each.
    assert shade({"words": many}, "contribution", "strip").plain.startswith("+ " + 14 * "▄" + "\n")


def test_a_page_says_signs_by_lines_and_never_takes_a_word_for_html():
    found = template("{{ explained(words, view, 'words') }}", words=WORDS, view="contribution")
    assert 'class="word for3" title="lost: contribution +0.400, gate 0.440">lost<' in found
    assert 'class="word against1"' in found and "&lt;b&gt;" in found and "<b>" not in found
    assert 'class="word" title="!: part of the rest, gate 0.900">!<' in found
    assert template("{{ scale('contribution') }}").count('class="word against') == 4


def test_a_page_draws_bars_of_moments_on_one_scale():
    moments = [
        {"word": "0.0 s", "gate": 0.25, "contribution": shading.FULL_BAR / 2},
        {"word": "0.1 s", "gate": 0.5, "contribution": -9.0},
    ]
    found = template("{{ explained(words, 'contribution', 'strip') }}", words=moments)
    assert 'class="bar for" style="height: 25%"' in found
    assert 'class="bar against" style="height: 50%"' in found
    found = template("{{ explained(words, 'gate', 'strip') }}", words=moments)
    assert 'class="bar open" style="height: 25%"' in found


def test_patches_lie_in_a_square_with_their_signs():
    values = [(0.0, 0.2), (0.5, -0.1), (1.0, 0.0), (0.25, -9.0)]
    patches = [{"word": "row", "gate": gate, "contribution": added} for gate, added in values]
    assert shade({"words": patches}, "contribution", "square").plain == "+█-▅\n· -█"
    assert shade({"words": patches}, "gate", "square").plain == "▁▁▅▅\n██▃▃"
    found = template("{{ explained(words, 'contribution', 'square') }}", words=patches)
    assert "grid-template: repeat(2, 1fr) / repeat(2, 1fr)" in found
    assert 'class="patch for" style="--share: 1.00"' in found
    assert 'class="patch against" style="--share: 0.50"' in found and ">−</span>" in found


@pytest.mark.parametrize(
    ("units", "layout"), [("words", "words"), ("moments", "strip"), ("patches", "square")]
)
@pytest.mark.parametrize("view", shading.VIEWS)
def test_legends_call_units_by_their_name(view, units, layout):
    source = "{{ legend(view, units, layout) }}"
    for said in (
        legend(view, units, layout),
        Text(template(source, view=view, units=units, layout=layout)),
    ):
        assert ("word" in said.plain) == (units == "words")
        assert units in said.plain
