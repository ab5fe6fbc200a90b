"""The words most telling of each label, as the report shows them."""

import pandas as pd
import pytest

from reports.records import read_records
from reports.render import render
from reports.sections.words import NUM_WORDS, draw_words, find_words, words_table

LABELS = ("joy", "fear", "<b>")


@pytest.fixture
def known(tmp_path, make_run):
    """Folder of a run that keeps its words, of a label more words than are shown."""
    directory = make_run(tmp_path / "runs" / "fit", "cnn@scratch", labels=LABELS)
    rows = [
        {"label": label, "word": f"{label} {n}", "z": 9.0 - n, "count": 1000 + n, "count_rest": n}
        for label, number in zip(LABELS, (12, 2, 1), strict=True)
        for n in range(number)
    ]
    rows[-1]["word"] = "null"
    pd.DataFrame(rows).to_csv(directory / "words.csv", index=False)
    return tmp_path / "runs"


@pytest.fixture
def frame(known):
    records = read_records(known)
    return find_words(records, records.parts[0].runs)


def test_a_label_has_its_first_words_in_the_labels_order(frame):
    assert frame["label"].tolist() == ["joy"] * NUM_WORDS + ["fear"] * 2 + ["<b>"]
    assert frame["word"].tolist()[-1] == "null"
    shown = words_table(frame).shown
    assert shown.iloc[0].tolist() == ["joy", "joy 0", "9.0", "1,000", "0"]


def test_a_panel_has_a_dot_a_word(frame):
    axes = draw_words(frame).axes
    (dots,) = axes[0].lines
    assert dots.get_xdata().tolist() == frame["z"][:NUM_WORDS].tolist()
    assert [label.get_text() for label in axes[1].get_yticklabels()] == ["fear 0", "fear 1"]
    # All are on one scale, on which the largest is seen.
    assert {one.get_xlim() for one in axes[:3]} == {axes[0].get_xlim()}
    assert axes[0].get_xlim()[1] > 9


def test_the_page_shows_them_only_where_a_run_keeps_them(known, tmp_path, quick, read_page):
    render(known, out=str(tmp_path / "report"), notify=lambda message: None)
    page = read_page(tmp_path / "report")
    assert [row["Word"] for row in page.table("words")][-1] == "null"
    (path,) = known.rglob("words.csv")
    path.unlink()
    render(known, out=str(tmp_path / "report"), notify=lambda message: None)
    assert "words" not in read_page(tmp_path / "report").tables


def test_a_broken_file_of_words_is_named(known, tmp_path, quick):
    (path,) = known.rglob("words.csv")
    path.write_text("label,word\njoy,gift\n")
    said = []
    assert render(known, out=str(tmp_path / "report"), notify=said.append) == 1
    assert any(str(path) in line and "lacks the columns z" in line for line in said)
