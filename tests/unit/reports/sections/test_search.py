import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from reports.records import read_records
from reports.results_page import Collected
from reports.sections.search import (
    draw_importance,
    draw_parallel,
    draw_trials,
    importance_table,
    search_table,
    show,
    with_defaults,
)


def search(scores, option="rate"):
    return {
        "contender": "cnn@scratch",
        "trials": [
            {"trial": str(n), "options": {option: value}, "score": score, "reason": None}
            for n, (value, score) in enumerate(scores, start=1)
        ],
    }


def test_importance_is_epsilon_squared():
    scores = [(1, 0.5), (1, 0.52), (2, 0.6), (2, 0.64), (4, 0.55), (4, 0.51)]
    (row,) = importance_table(search(scores)).frame.to_dict("records")
    by_value = {value: [s for v, s in scores if v == value] for value, _ in scores}
    every = [score for _, score in scores]
    total = sum((score - np.mean(every)) ** 2 for score in every)
    within = sum((s - np.mean(group)) ** 2 for group in by_value.values() for s in group)
    expected = (total - within - (3 - 1) * within / (6 - 3)) / total
    assert row["importance"] == pytest.approx(expected)
    assert (row["values"], row["trials"]) == (3, 6)
    # Sums of ranks 4, 11 and 6: H is 12 / 42 * (16 + 121 + 36) / 2 - 21 = 26 / 7, and of chi
    # squared with two degrees of freedom the tail is exp(-H / 2).
    assert row["p_holm"] == pytest.approx(np.exp(-13 / 7))


@pytest.mark.parametrize("apart, said", [(0.3, "Resolved: rate."), (0.0, "No option is resolved")])
def test_importance_says_whether_it_is_more_than_chance(apart, said):
    # A collapsed trial on either side has most of the variance, and not most of the ranks.
    scores = [(1, 0.5 + n / 100) for n in range(6)] + [(1, 0.03)]
    scores += [(2, 0.505 + apart + n / 100) for n in range(6)] + [(2, 0.035 + apart)]
    assert said in importance_table(search(scores)).caption


@pytest.mark.parametrize(
    "scores",
    [
        [(1, 0.5), (2, 0.6)],
        [(1, 0.5), (1, 0.6)],
        [(1, 0.5), (1, 0.51), (2, 0.6), (2, 0.61)],
        [(1, 0.5), (1, 0.51), (1, 0.52), (2, 0.6), (3, 0.7), (4, 0.8), (5, 0.9)],
        [(1, 0.5), (1, 0.5), (1, 0.5), (2, 0.5), (2, 0.5), (2, 0.5)],
    ],
)
def test_few_trials_show_no_importance(scores):
    assert importance_table(search(scores)) is None


def test_trials_without_a_score_come_last_with_their_reason():
    found = search([(1, 0.5), (2, 0.6)])
    for name, reason in (("3", "no memory"), ("4", None)):
        trial = {"trial": name, "options": {"rate": 9}, "score": None, "reason": reason}
        found["trials"].append(trial)
    table = search_table(found)
    assert table.shown["Trial"].tolist() == ["2", "1", "3", "4"]
    assert table.shown["Why it has no score"].tolist() == ["", "", "no memory", "under way"]
    assert table.shown["Macro F1 (val)"].tolist() == ["60.0", "50.0", "–", "–"]


@pytest.fixture
def study(tmp_path, make_run):
    """The study of a search whose best trial is the defaults; rates differ as far as is asked."""

    def make(apart=0.0):
        run = make_run(tmp_path / "search", "cnn@scratch", trial="defaults", learning_rate=1e-3)
        defaults = {"trial": "defaults", "options": {}, "score": 0.7, "run_ids": [run.name]}
        tried = [
            {
                "trial": str(n),
                "options": {"learning_rate": (1e-4, 4e-3)[n % 2], "num_filters": 64},
                "score": 0.5 + n / 100 + apart * (n % 2),
                "run_ids": [],
            }
            for n in range(1, 13)
        ]
        space = {"learning_rate": [1e-4, 1e-3, 4e-3], "num_filters": [64], "unknown": [1, 2]}
        found = {"contender": "cnn@scratch", "oracle": "random", "seed": 0, "runs": [{}]}
        found |= {"schema_version": 2, "space": space, "trials": [defaults, *tried]}
        (tmp_path / "search" / "search.json").write_text(json.dumps(found))
        return read_records(tmp_path).parts[0].studies[0]

    return make


def test_the_defaults_show_the_values_of_their_run(study):
    made = study()
    found = with_defaults(made.files["search.json"], made.runs)
    table = search_table(found)
    first = table.shown.iloc[0].to_dict()
    assert first == {
        "Trial": "defaults",
        "Macro F1 (val)": "70.0",
        "learning_rate": "1e-3",
        "num_filters": "64",
    }
    # What no run's record says stays open.
    assert search_table(made.files["search.json"]).shown["learning_rate"][0] == "default"
    dashed = [line for line in draw_parallel(table.frame).axes[0].lines if line.is_dashed()]
    (line,) = dashed
    assert line.get_ydata().tolist() == [0.5, 0.5]


@pytest.mark.parametrize("apart, is_drawn", [(0.0, False), (0.3, True)])
def test_importance_is_drawn_where_an_option_is_resolved(study, apart, is_drawn):
    page = Collected()
    page.add_figure = lambda name, *_: name
    part = SimpleNamespace(studies=[study(apart)])
    (found,) = show(page, SimpleNamespace(part=part))["searches"]
    assert ("No option is resolved" not in found["importance"].caption) is is_drawn
    assert found["importance_picture"] == ("search_importance" if is_drawn else None)
    assert found["parallel_picture"] == "search_parallel"


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.fixture
def trials():
    return pd.DataFrame(
        {
            "trial": ["2", "defaults", "1", "3"],
            "score": [0.6, 0.5, 0.4, np.nan],
            "option_rate": [2.0, np.nan, 1.0, 4.0],
            "option_gate": ["scalar", np.nan, "features", "scalar"],
        }
    )


def test_trials_are_in_their_order_with_the_best_so_far(trials):
    axes = draw_trials(trials).axes[0]
    best, dots = axes.lines
    assert dots.get_xdata().tolist() == [0, 1, 2] and dots.get_ydata().tolist() == [0.5, 0.4, 0.6]
    assert best.get_ydata().tolist() == [0.5, 0.5, 0.6]


def test_parallel_coordinates_are_a_line_a_trial_that_has_a_score(trials):
    axes = draw_parallel(trials).axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_alpha()]
    assert len(lines) == 2
    assert [label.get_text() for label in axes.get_xticklabels()] == ["rate", "gate"]
    assert texts(axes) == ["1", "2", "features", "scalar"]
    assert draw_parallel(trials[trials["trial"] == "defaults"]) is None


def test_parallel_coordinates_are_of_the_options_that_matter_most(trials, monkeypatch):
    monkeypatch.setattr("reports.sections.search.MOST_AXES", 1)
    axes = draw_parallel(trials, ["gate", "rate"]).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["gate"]


def test_importance_is_a_bar_an_option_and_never_below_nothing():
    frame = pd.DataFrame({"option": ["rate", "gate"], "importance": [0.4, -0.1]})
    axes = draw_importance(frame).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.4, 0]
