import re
from dataclasses import FrozenInstanceError, dataclass, make_dataclass
from typing import Literal

import pytest

from emotion_keras.command.options import make_parser
from emotion_keras.errors import UserError
from emotion_keras.record.options import COUNT, Options, join_names, option, split_names


@dataclass(frozen=True, kw_only=True)
class Bake(Options):
    """How bread is baked."""

    oven_heat: int = option(180, "Degrees Celsius, at 100 % of its power.")
    fan: bool = option(False, "Whether the fan runs.")
    grain: Literal["rye", "wheat"] = option("rye", "What is ground.")
    minutes: float | None = option(None, "How long.", COUNT)
    rises: tuple[int, ...] = option((1, 2), "Minutes of each rise.", COUNT)


@pytest.fixture
def parser():
    return make_parser("bake", "Bakes bread.", [Bake], {"oven_heat": 220})


def test_options_have_defaults_and_cannot_be_changed():
    bake = Bake()
    assert bake.to_dict() == {
        "oven_heat": 180,
        "fan": False,
        "grain": "rye",
        "minutes": None,
        "rises": (1, 2),
    }
    with pytest.raises(FrozenInstanceError):
        bake.fan = True


@pytest.mark.parametrize("name", ["--oven-heat", "--oven_heat"])
def test_options_are_written_with_dashes_or_underscores(parser, name):
    assert parser.parse_args([name, "200"]).oven_heat == 200


def test_given_defaults_stand_in_for_the_classes_own(parser):
    options = parser.parse_args([])
    assert (options.oven_heat, options.fan) == (220, False)


def test_help_shows_dashes_types_and_defaults(parser):
    text = " ".join(parser.format_help().split())
    assert "--oven-heat" in text
    assert "--oven_heat" not in text
    assert "--oven-heat N" in text and "--fan true|false" in text
    assert "at 100 % of its power. (default: 220)" in text
    assert "What is ground. (rye, wheat; default: rye)" in text
    assert "--minutes X How long. --rises" in text  # Unless given it is nothing.
    assert "Minutes of each rise. (a list in brackets, each of it a whole number;" in text
    assert text.startswith("usage: bake [options] Bakes bread.")


def test_an_option_that_stands_elsewhere_is_told(tmp_path):
    where = {"salt": " salt is an option of soup."}
    parser = make_parser("bake", "", [Bake], elsewhere=lambda name: where.get(name, ""))
    with pytest.raises(UserError, match="salt is an option of soup. Received: --salt=3"):
        parser.parse_args(["--salt=3"])
    (tmp_path / "a.yaml").write_text("salt: 3\n")
    with pytest.raises(UserError, match="salt is an option of soup. Received: salt"):
        parser.parse_args(["--config", str(tmp_path / "a.yaml")])


def many_options():
    """A command of more options than anyone reads."""
    fields = [(f"step_{i}", int, option(i, f"Step {i}.", is_basic=i < 2)) for i in range(30)]
    fields.append(("mill", Literal["stone", "steel"], option("stone", "What grinds.")))
    Mill = make_dataclass("Mill", fields, bases=(Options,), frozen=True, kw_only=True)
    parser = make_parser("mill", "Grinds grain.", [Mill])
    parser.add_argument("grain", help="What is ground.")
    return parser


def test_the_help_of_many_options_shows_the_basic_ones(capsys):
    for name, expected in (("--help", {"--step-0", "--step-1"}), ("-h", {"--step-0", "--step-1"})):
        with pytest.raises(SystemExit) as end:
            many_options().parse_args([name])
        shown = capsys.readouterr().out
        assert end.value.code == 0
        assert set(re.findall(r"^  (--step-\d+)", shown, re.M)) == expected
        assert "`--help-all` shows all 31 options." in shown and "--mill" not in shown
        assert shown.startswith("usage: mill [options] grain\n")
    with pytest.raises(SystemExit):
        many_options().parse_args(["--help-all"])
    shown = capsys.readouterr().out
    assert len(re.findall(r"^  --step-\d+", shown, re.M)) == 30
    assert "--mill NAME" in shown and "What grinds. (stone, steel; default: stone)" in shown
    assert "--help-all" not in shown
    with pytest.raises(UserError, match="`--help-all` lists them. Did you mean --step-29"):
        many_options().parse_args(["rye", "--step-29x=1"])


def test_the_help_of_many_options_shows_all_where_none_is_basic(capsys):
    fields = [(f"step_{i}", int, option(i, f"Step {i}.")) for i in range(30)]
    Mill = make_dataclass("Mill", fields, bases=(Options,), frozen=True, kw_only=True)
    with pytest.raises(SystemExit):
        make_parser("mill", "Grinds grain.", [Mill]).parse_args(["--help"])
    shown = capsys.readouterr().out
    assert "--step-29" in shown and "--help-all" not in shown


def test_the_help_of_few_options_shows_all(parser, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    shown = capsys.readouterr().out
    assert "--rises" in shown and "--help-all" not in shown


def test_options_are_read_from_a_file_and_overridden_after_it(parser, tmp_path):
    path = tmp_path / "bread.yaml"
    path.write_text("oven_heat: 90\nfan: true\n")
    options = parser.parse_args(["--config", str(path), "--oven-heat", "100"])
    assert (options.oven_heat, options.fan) == (100, True)


def test_a_printed_file_of_options_reads_as_the_same_options(parser, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--rises=[3, 4]", "--grain=wheat", "--print_config"])
    assert end.value.code == 0
    path = tmp_path / "bread.yaml"
    path.write_text(capsys.readouterr().out)
    read = parser.parse_args(["--config", str(path)])
    assert (read.rises, read.grain, read.minutes, read.oven_heat) == ((3, 4), "wheat", None, 220)


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
        (
            ["--oven", "200"],
            "There is no such option; `--help` lists them. Did you mean --oven-heat? "
            "Received: --oven 200",
        ),
        (["--zebra"], "There is no such option; `--help` lists them. Received: --zebra"),
        (["--oven-heat"], "--oven-heat: expected one argument. `--help` lists the options."),
        (["--config", "missing.yaml"], "missing.yaml"),
        (
            ["--config", "odd.yaml"],
            "odd.yaml: there is no such option; `--help` lists them. Did you mean --oven-heat?",
        ),
    ],
)
def test_wrong_use_is_told_in_words(parser, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.yaml").write_text("oven: 3\n")
    with pytest.raises(UserError) as said:
        parser.parse_args(arguments)
    assert message in str(said.value)


def test_values_of_a_call_are_read_too():
    bake = Bake(oven_heat="90", fan="yes", rises=[3])
    assert (bake.oven_heat, bake.fan, bake.rises) == (90, True, (3,))
    with pytest.raises(UserError, match="oven_heat is a whole number. Received: oven_heat=hot"):
        Bake(oven_heat="hot")


@pytest.mark.parametrize("values", [{"minutes": 0.5}, {"rises": ()}, {"rises": (1, 0)}])
def test_numbers_beyond_their_limits_are_refused(values):
    with pytest.raises(UserError, match="is 1 or more. Received: "):
        Bake(**values)


def test_options_are_picked_from_what_others_need_too():
    assert Bake.pick({"fan": True, "flour": "much"}) == Bake(fan=True)


@pytest.mark.parametrize("names", [["joy"], ["joy", "fear, or dread"], ['say "ah"', "b"]])
def test_joined_names_are_split_again(names):
    assert split_names("labels", join_names(names)) == names
