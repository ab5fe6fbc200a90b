import shutil

import numpy as np
import pandas as pd
import pytest

from reports.records import read_records
from reports.sections.explanation import (
    NUM_EXPLAINED,
    draw_faithfulness,
    draw_gate_words,
    explained_texts,
    faithfulness_table,
    gate_words_table,
    read_faithfulness,
)


@pytest.fixture(scope="module")
def records(runs_dir):
    return read_records(runs_dir / "comparison")


@pytest.fixture
def ours(records):
    runs = records.parts[0].runs
    return [run for run in runs if run.contender == "gated_transformer@minilm"]


def test_explained_texts_are_right_and_wrong_ones(records, ours):
    texts = explained_texts(records, ours[0])
    kept = pd.read_csv(ours[0].directory / "gates.csv", dtype={"id": str}, keep_default_na=False)
    assert [text["right"] for text in texts].count(True) == NUM_EXPLAINED
    for text in texts:
        own = kept[kept["id"] == text["id"]].sort_values("position")
        words = text["words"]
        assert [word["word"] for word in words] == own["word"].tolist()
        assert [word["gate"] for word in words] == own["gate"].tolist()
        added = [float(value) if value != "" else None for value in own["contribution"]]
        assert [word["contribution"] for word in words] == added
        assert (text["label"] == text["predicted"]) is text["right"]
        assert text["score"] == own["score"].iloc[0]
        assert text["score"] == pytest.approx(text["rest"] + sum(value or 0 for value in added))


def test_a_record_without_scores_is_shown_without_sums(runs_dir, tmp_path):
    # As versions wrote it that kept what special tokens and punctuation marks add.
    study = tmp_path / "comparison"
    shutil.copytree(runs_dir / "comparison" / "gated_transformer-minilm-seed0", study / "run")
    path = study / "run" / "gates.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.drop(columns="score").assign(contribution="0.25").to_csv(path, index=False)
    records = read_records(tmp_path)
    (run,) = records.parts[0].runs
    for text in explained_texts(records, run):
        assert text["score"] is text["rest"] is None
        assert {word["contribution"] for word in text["words"]} == {0.25}


def test_words_are_those_opened_and_closed_most(records, ours):
    frame = gate_words_table(records, ours[0]).frame
    assert frame["word"].tolist() == ["gift", "<b>bold</b>", "null", "=sum", "$x$", "the"]
    assert frame["side"].tolist() == ["opened most"] * 3 + ["closed most"] * 3


def test_faithfulness_is_that_of_the_file(records, ours):
    measured = {"ours": read_faithfulness(records, ours[0])}
    file = pd.read_csv(ours[0].directory / "faithfulness.csv")
    pd.testing.assert_frame_equal(
        measured["ours"].drop(columns="milliseconds"),
        file.drop(columns="milliseconds", errors="ignore"),
        check_dtype=False,
    )
    table = faithfulness_table(measured, "words", "texts")
    assert table.shown["Way"].tolist() == ["gate", "contribution"]
    # Gains of -0.4 and 5.2 points, three points to either side; what is kept counts reversed.
    for share in (10, 20, 50):
        assert table.shown[f"Without {share} %"].tolist() == ["−0.4 ±3.0", "+5.2 ±3.0"]
        assert table.shown[f"Alone {share} %"].tolist() == ["+0.4 ±3.0", "−5.2 ±3.0"]
        assert table.frame[f"comprehensiveness_{share}"].tolist() == pytest.approx([-0.004, 0.0521])
        assert table.frame[f"sufficiency_{share}_high"].tolist() == pytest.approx([0.034, -0.0221])
    headings = {f"{which} {share} %" for which in ("Without", "Alone") for share in (10, 20, 50)}
    assert table.bold == {(1, heading) for heading in headings}
    assert "at most 90 test texts" in table.caption


def test_older_records_of_faithfulness_have_no_cost(records, ours):
    frame = read_faithfulness(records, ours[0])
    assert "Where no milliseconds stand" in faithfulness_table({"a": frame}, "", "").caption
    newer = frame.assign(milliseconds=np.where(frame["order"] == "random", np.nan, 12.34))
    table = faithfulness_table({"old": frame, "new": newer}, "words", "texts")
    assert table.shown["ms"].tolist() == ["–", "–", "12.3", "12.3"]
    assert "Where no milliseconds stand" not in faithfulness_table({"a": newer}, "", "").caption


def test_a_drawing_has_a_panel_a_model_and_a_place_a_way(records, ours):
    frame = read_faithfulness(records, ours[0])
    table = faithfulness_table({"first": frame, "second": frame}, "words", "texts")
    figure = draw_faithfulness(table.frame)
    assert [axes.get_title("left") for axes in figure.axes] == ["first", "second"]
    for axes in figure.axes:
        assert [label.get_text() for label in axes.get_yticklabels()] == ["gate", "contribution"]
        drawn = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2]
        assert [0, 0] in [list(line) for line in drawn]
        points = [line for line in axes.lines if line.get_linestyle() == "None"]
        assert [list(line.get_xdata()) for line in points] == [pytest.approx([-0.004, 0.0521])] * 3
    names = [text.get_text() for text in figure.axes[0].texts]
    assert names == ["without 10 %", "without 20 %", "without 50 %"] and not figure.axes[1].texts


def test_what_is_not_there_is_none(records):
    (run,) = [r for r in records.parts[0].runs if r.name == "transformer-minilm-seed0"]
    assert explained_texts(records, run) == []
    assert gate_words_table(records, run) is None
    assert read_faithfulness(records, run) is None
    assert records.broken == []


def test_words_stand_as_they_are():
    frame = pd.DataFrame(
        {"word": ["$x$", "<b>"], "gate": [0.9, 0.1], "side": ["opened most", "closed most"]}
    )
    figure = draw_gate_words(frame)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["$x$", "<b>"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["opened most", "closed most"]
