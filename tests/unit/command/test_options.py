from typing import Literal

import pytest

from emotion_keras.command.options import make_parser, option_defaults, parse, read_options
from emotion_keras.errors import UserError


def bake(
    flour,
    *,
    oven_heat: int = 180,
    fan: bool = False,
    grain: Literal["rye", "wheat"] = "rye",
    minutes: float | None = None,
    rises: tuple[int, ...] = (1, 2),
    notify=print,
):
    """Bakes.

    Args:
        flour: Not an option: it has no default.
        oven_heat: Degrees Celsius.
        fan: Whether the fan runs.
        grain: What is ground.
        minutes: How long.
        rises: Minutes of each rise.
        notify: Not an option: it has no type.
    """


@pytest.fixture
def parser():
    return make_parser("bake", "Bakes bread.", [bake], {"oven_heat": 220})


def test_options_are_the_annotated_arguments_with_a_default():
    assert option_defaults(bake) == {
        "oven_heat": 180,
        "fan": False,
        "grain": "rye",
        "minutes": None,
        "rises": (1, 2),
    }


@pytest.mark.parametrize("name", ["--oven-heat", "--oven_heat"])
def test_options_are_written_with_dashes_or_underscores(parser, name):
    assert parser.parse_args([name, "200"]).oven_heat == 200


def test_given_defaults_stand_in_for_the_functions_own(parser):
    options = parser.parse_args([])
    assert (options.oven_heat, options.fan) == (220, False)


def test_help_shows_dashes_and_the_text_of_the_docstring(parser):
    text = parser.format_help()
    assert "--oven-heat" in text
    assert "--oven_heat" not in text
    assert "Degrees Celsius." in text


def test_options_are_read_from_a_file_and_overridden_after_it(parser, tmp_path):
    path = tmp_path / "bread.yaml"
    path.write_text("oven_heat: 90\nfan: true\n")
    options = parser.parse_args(["--config", str(path), "--oven-heat", "100"])
    assert (options.oven_heat, options.fan) == (100, True)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--oven-heat", "hot"], "oven_heat is a whole number. Received: oven_heat=hot"),
        (["--fan", "maybe"], "fan is true or false. Received: fan=maybe"),
        (["--grain", "oats"], "grain is one of rye, wheat. Received: grain=oats"),
        (["--minutes", "many"], "minutes is a number. Received: minutes=many"),
        (
            ["--rises", "3,4"],
            "rises is a list in brackets, each of it a whole number. Rec",
        ),
        (["--oven", "200"], "There is no such option; `--help` lists them. Received: --oven 200"),
        (["--oven-heat"], "--oven-heat: expected one argument. `--help` lists the options."),
        (["--config", "missing.yaml"], "missing.yaml"),
    ],
)
def test_wrong_use_is_told_in_words(parser, arguments, message):
    with pytest.raises(UserError) as told:
        parse(parser, arguments)
    assert message in str(told.value)


def test_values_of_a_call_are_read_too():
    assert read_options(bake, {"oven_heat": 90, "fan": "yes"}) == {"oven_heat": 90, "fan": True}
    with pytest.raises(UserError, match="oven_heat is a whole number. Received: oven_heat=hot"):
        read_options(bake, {"oven_heat": "hot"})
