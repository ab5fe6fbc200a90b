import pytest

from emotion_keras.options import make_parser, option_defaults


def bake(flour, *, oven_heat: int = 180, fan: bool = False, notify=print):
    """Bakes.

    Args:
        flour: Not an option: it has no default.
        oven_heat: Degrees Celsius.
        fan: Whether the fan runs.
        notify: Not an option: it has no type.
    """


@pytest.fixture
def parser():
    return make_parser("bake", "Bakes bread.", [bake], {"oven_heat": 220})


def test_options_are_the_annotated_arguments_with_a_default():
    assert option_defaults(bake) == {"oven_heat": 180, "fan": False}


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
    "arguments, said",
    [
        (["--oven-heat", "hot"], "hot"),
        (["--oven", "200"], "--oven"),
        (["--flour", "rye"], "--flour"),
        (["--config", "missing.yaml"], "missing.yaml"),
    ],
)
def test_wrong_use_ends_with_a_message_and_exit_code_2(parser, arguments, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        parser.parse_args(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
