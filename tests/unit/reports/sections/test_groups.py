"""Accuracy and calibration by group, as the report and the model card show them."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emotion_keras.evaluation.predictions import write_groups
from reports.records import read_records
from reports.render import render
from reports.sections.groups import draw_groups, find_groups, groups_frame, groups_table
from reports.sections.model import model_card

NAME = "cnn@scratch"
IDS = [str(number) for number in range(30, 120)]  # Of the test split of made runs.
SEX = ["f" if number % 3 else "m" for number in range(90)]


@pytest.fixture
def known(tmp_path, make_run):
    """Folder of two runs, the second of which knows who wrote the texts."""
    directories = [make_run(tmp_path / "runs" / "fit", NAME, seed) for seed in range(2)]
    ages = [str(number % 40) if number else "" for number in range(90)]
    write_groups(directories[1], IDS, None, {"sex": SEX, "<i>age</i>": ages})
    return tmp_path / "runs"


@pytest.fixture
def runs(known):
    return read_records(known).parts[0].runs


@pytest.fixture
def frame(runs):
    return groups_frame(find_groups(runs, runs))


def right_of(run):
    rows = run.predictions[run.predictions["split"] == "test"].set_index("id").loc[IDS]
    return (rows["label"] == rows["predicted"]).to_numpy(float)


def test_one_run_says_for_all_which_attributes_examples_have(runs, frame):
    right = np.mean([right_of(run) for run in runs], axis=0)
    rows = frame[frame["attribute"] == "sex"].set_index("group")
    for sex in "fm":
        own = right[np.array(SEX) == sex]
        assert rows["accuracy_mean"][sex] == pytest.approx(own.mean())
        assert rows["examples"][sex] == len(own) == {"f": 60, "m": 30}[sex]
    # Thirty examples are shown, and not compared.
    assert rows["accuracy_beyond_p_holm"].isna().all()


def test_a_table_says_what_was_compared_and_what_is_resolved(tmp_path, make_run, change):
    directory = make_run(tmp_path / "fit", NAME)
    path = directory / "predictions.csv"
    rows = pd.read_csv(path, dtype={"id": str})
    test = rows[rows["split"] == "test"].iloc[np.repeat(np.arange(90), 2)].copy()
    test["id"] = [str(number) for number in range(1000, 1180)]
    is_right = (test["label"] == test["predicted"]).to_numpy()
    pd.concat([rows[rows["split"] == "val"], test]).to_csv(path, index=False)
    metrics = json.loads((directory / "run.json").read_text())["metrics"]
    metrics["test"]["num_examples"] = 180
    change(directory, metrics=metrics)
    side = np.where(np.arange(180) < 90, "left", "right")
    write_groups(directory, test["id"], None, {"hand": side.tolist(), "sex": ["f"] * 180})
    (run,) = read_records(tmp_path).parts[0].runs
    frame = groups_frame(find_groups([run], [run]))
    table = groups_table(frame, NAME, "texts")
    assert table.shown["Group"].tolist()[2:] == ["f"]
    by_group = frame.set_index("group")
    expected = stats.ttest_ind(is_right[:90], is_right[90:], equal_var=False)
    assert by_group["accuracy_beyond_p_value"]["left"] == pytest.approx(expected.pvalue)
    resolved = {(row, "Against the rest") for row in np.flatnonzero(frame["accuracy_resolved"])}
    resolved |= {
        (row, "Overconfidence") for row in np.flatnonzero(frame["overconfidence_resolved"])
    }
    assert table.bold == resolved
    assert table.shown["p (Holm)"].tolist()[2] == "–" == table.shown["Against the rest"].tolist()[2]
    assert "People" not in table.shown


def test_a_figure_has_a_panel_an_attribute_and_a_dot_a_group(frame):
    axes = draw_groups(frame).axes
    assert [one.get_title(loc="left") or one.get_title() for one in axes[::2]] == [
        "sex",
        "<i>age</i>",
    ]
    rows = frame[frame["attribute"] == "sex"]
    dots = [line for line in axes[0].lines if line.get_marker() == "o"]
    assert [dot.get_xdata()[0] for dot in dots] == rows["accuracy_mean"].tolist()
    labels = [label.get_text() for label in axes[0].get_yticklabels()]
    assert labels == [f"{row.group}  {row.examples}" for row in rows.itertuples()]
    beside = [line for line in axes[1].lines if line.get_marker() == "o"]
    assert [dot.get_xdata()[0] for dot in beside] == rows["overconfidence_mean"].tolist()


def test_what_is_resolved_is_blue_with_its_points_beside_it(frame):
    frame = frame.assign(accuracy_beyond_p_holm=0.5)
    frame.loc[0, ["accuracy_resolved", "accuracy_beyond_difference"]] = [True, 0.123]
    axes = draw_groups(frame).axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert dots[0].get_color() == "#0072B2" != dots[1].get_color()
    assert [text.get_text() for text in axes.texts] == ["+12.3"]
    faces = [dot.get_markerfacecolor() for dot in dots]
    assert faces == [dot.get_color() for dot in dots]  # Both were compared.


def test_the_page_and_the_card_show_groups(known, tmp_path, quick, read_page):
    render(known, out=str(tmp_path / "report"), notify=lambda message: None)
    page = read_page(tmp_path / "report")
    rows = page.table("groups")
    assert [row["Group"] for row in rows[:2]] == ["f", "m"] and rows[2]["Attribute"] == "<i>age</i>"
    assert "Accuracy by sex, <i>age</i>: the groups are too small to be compared." in page.text
    card = (tmp_path / "report" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "## Groups" in card and "by sex, <i>age</i> this was measured" in card
    assert "| sex | f | 60 |" in card and r"| \<i\>age\</i\> |" in card
    assert "by sex, <i>age</i> this was measured, by nothing else" in page.text


def test_a_card_has_intervals_within_what_shares_can_be(runs):
    card = model_card(runs, find_groups(runs, runs))
    lines = [line for line in card.splitlines() if line.startswith(("| sex", r"| \<i\>age"))]
    assert len(lines) == 42
    for line in lines:
        accuracy = line.split(" | ")[3]
        low, high = accuracy.partition("(")[2].rstrip(")").split(" to ")
        assert 0 <= float(low) <= float(accuracy.split()[0]) <= float(high) <= 100


def test_without_attributes_there_is_no_section(tmp_path, make_run, quick, read_page):
    make_run(tmp_path / "runs" / "fit", NAME)
    render(tmp_path / "runs", out=str(tmp_path / "report"), notify=lambda message: None)
    page = read_page(tmp_path / "report")
    assert "groups" not in {attrs.get("id") for tag, attrs in page.tags if tag == "section"}
    card = (tmp_path / "report" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "## Groups" not in card and "this was not measured" in card


def test_a_broken_file_of_groups_is_named_once_and_skipped(known, tmp_path, quick):
    (path,) = known.rglob("groups.csv")
    with gzip.open(f"{path}.gz", "wb") as file:
        file.write(path.read_bytes()[:-400])
    path.unlink()
    damaged = path.with_name("groups.csv.gz")
    damaged.write_bytes(damaged.read_bytes()[:-30])
    said = []
    assert render(known, out=str(tmp_path / "report"), notify=said.append) == 1
    assert len([line for line in said if str(damaged) in line]) == 1
