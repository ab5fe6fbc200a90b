"""Tables in terminals of any width: names are cut, numbers never."""

import copy
import io
import re

import pytest
import rich
from rich.console import Console

from emotion_keras.command.score_table import ScoreTable, print_tables
from emotion_keras.compare import summarize
from tuning.sensitivity import summarize as summarize_analysis

LONG = "gated_transformer@" + "/data/of/a/project" * 8 + "/vectors.txt"
NAMES = [
    pytest.param("cnn@scratch", id="a short name"),
    pytest.param(LONG, id="the path of word vectors"),
    pytest.param("x" * 300, id="300 characters"),
    pytest.param("\u559c\u60a6" * 60, id="characters of two columns"),
    pytest.param("[red]x[/red]", id="markup"),
    pytest.param("a\nb\x1b[31mc", id="a line break and an escape"),
]


def score(mean):
    return {"mean": mean, "low": mean - 0.0123, "high": mean + 0.0123, "spread": 0.0087}


def row(name, **more):
    return {
        "name": name,
        "num_runs": 5,
        **{key: score(0.712) for key in ("accuracy", "macro_f1", "auc", "ece")},
        "log_loss": {"mean": 0.86},
        "brier_score": {"mean": 0.43},
        "calibrated": {"ece": 0.045, "log_loss": 0.85, "brier_score": 0.4, "temperature": 1.07},
        "num_parameters": 22_713_216,
        "cost": {
            "seconds": 1234.5,
            "examples_per_second": 98.7,
            "milliseconds_for_1_text": 12.3,
            "milliseconds_for_256_texts": 4567.8,
            "peak_memory_bytes": 2_500_000_000,
        },
        **more,
    }


DIFFERENCE = {
    **{"difference": -0.105, "low": -0.125, "high": -0.085},
    **{"p_holm": 0.0004, "resolved": False},
}
NUMBERS = [
    *("71.2 ±1.2", "71.2 > 4.5", "0.86 > 0.85", "0.43 > 0.40", "1.07", "22.7M", "1234", "99"),
    *("12.3", "4568", "2.5", "-10.5", "-12.5 to -8.5", "< 0.001", "not resolved", "0.9"),
]


def shown(renderable, width):
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132, 200])
@pytest.mark.parametrize("name", NAMES)
def test_a_comparison_has_all_its_numbers(name, width):
    rows = [row("majority"), row(name, difference=DIFFERENCE)]
    comparison = {"corpus": {"name": "isear"}, "reference": "majority", "grouped": True}
    comparison["contenders"] = rows
    text = shown(summarize(copy.deepcopy(comparison)), width)
    for number in NUMBERS:
        assert re.search(rf"(?<!\S){re.escape(number)}(?!\S)", text), number
    assert "..." not in text and not re.search(r"\d\u2026", text)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


def test_a_latency_that_was_not_measured_alone_is_no_number():
    made = row("cnn@scratch")
    made["cost"] |= {"milliseconds_for_1_text": None, "milliseconds_for_256_texts": None}
    comparison = {"corpus": {"name": "isear"}, "reference": "cnn@scratch"}
    comparison |= {"grouped": False, "contenders": [made]}
    text = shown(summarize(comparison), 200)
    (costs,) = re.findall(r"^ *cnn@scratch +22\.7M.*$", text, re.MULTILINE)
    assert costs.split() == ["cnn@scratch", "22.7M", "1234", "99", "-", "-", "2.5"]
    assert "-: no run had the machine to itself" in " ".join(text.split())


@pytest.mark.parametrize("width", [40, 80, 200])
def test_an_analysis_has_all_its_numbers(width):
    levels = (0.05, 0.1, 0.2, 0.3, 0.4)
    found = {
        "analysis": "noise",
        "points": [
            {
                "contender": LONG,
                "value": 1e-5,
                "run_ids": list("abcde"),
                "test": {key: score(0.712) for key in ("accuracy", "macro_f1", "auc")},
                "val": {"macro_f1": score(0.698)},
            }
        ],
        "noise": {
            LONG: [
                {"kind": "mask_emotion_words", "level": x, "test": {"accuracy": score(0.7 - x)}}
                for x in levels
            ]
        },
    }
    text = shown(summarize_analysis(found), width)
    assert text.count("71.2 ±1.2") == 3 and text.count("69.8 ±1.2") == 1 and "1e-05" in text
    for level in levels:
        assert f"{70 - 100 * level:.1f} ±1.2" in text


def test_names_that_begin_alike_stay_apart_where_they_are_cut():
    table = ScoreTable("Scores", ("model", "accuracy"))
    for encoder in ("scratch", "minilm"):
        table.add_row(f"gated_transformer@{encoder}", "70.4 ±0.9")
    first, second = (line.split()[0] for line in shown(table, 32).splitlines()[-3:-1])
    assert first != second and "\u2026" in first and "\u2026" in second


def test_numbers_that_do_not_fit_go_on_below():
    table = ScoreTable("Scores", ("model", "first", "second"))
    table.add_row("a" * 30, "1" * 12, "2" * 12)
    text = shown(table, 40)
    assert "1" * 12 in text and "2" * 12 in text
    assert text.index("first") < text.index("1" * 12) < text.index("second") < text.index("2" * 12)


@pytest.mark.parametrize("columns", [None, "40", "80"])
def test_what_is_piped_is_not_cut(columns, monkeypatch):
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    file = io.StringIO()
    monkeypatch.setattr(rich, "get_console", lambda: Console(file=file, force_terminal=False))
    table = ScoreTable(f"Scores of {LONG}", ("model", *"abcdefgh"))
    table.add_row(LONG, *["70.4 ±0.9"] * 8)
    print_tables(table)
    lines = file.getvalue().splitlines()
    assert lines[0] == f"Scores of {LONG}"
    (line,) = [line for line in lines[1:] if LONG in line]
    assert line.split()[1:] == ["70.4", "±0.9"] * 8
    assert max(map(len, lines)) < 400
