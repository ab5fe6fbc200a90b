"""Pages about other data than the paper's, and about runs that a comparison leaves out."""

import pytest

from reports.render import render
from tests.fixtures.records import ISEAR

OURS = "gated_transformer@minilm"
NAME = "Gated Transformer (MiniLM)"


@pytest.fixture
def shown(tmp_path, make_run, quick, read_page):
    """Renders the page of runs by study and model; returns it and its folder."""

    def show(studies, **data):
        for study, models in studies.items():
            for name, (num_runs, skill) in models.items():
                for seed in range(num_runs):
                    make_run(tmp_path / "runs" / study, name, seed, skill, **data)
        out = tmp_path / "report"
        assert render(tmp_path / "runs", out=str(out), notify=lambda message: None) == 0
        return read_page(out), out

    return show


@pytest.mark.parametrize(
    "data, is_papers",
    [
        pytest.param(ISEAR, True, id="ISEAR"),
        pytest.param({**ISEAR, "corpus": "situations"}, False, id="the built-in corpus"),
        pytest.param({**ISEAR, "corpus": "isear_file"}, False, id="a file of that name"),
        pytest.param({**ISEAR, "labels": ISEAR["labels"][:4]}, False, id="four labels of ISEAR"),
    ],
)
def test_the_paper_is_shown_beside_the_data_that_it_is_about(shown, data, is_papers):
    page, out = shown({"comparison": {OURS: (2, 0.9), "bert@minilm": (2, 0.7)}}, **data)
    (row, _) = page.table("table_1")
    assert ("The paper" in row) is is_papers
    assert ("89.1" in page.text) is is_papers
    assert ("What the paper claims" in page.text) is is_papers
    assert ("Table 1" in page.text) is is_papers
    assert ("not set beside these data" in page.text) is not is_papers
    assert (out / "tables" / "claims.csv").exists() is is_papers
    header = (out / "tables" / "table_1.csv").read_text().splitlines()[0]
    assert ("paper" in header) is is_papers
    # The open diamonds have a name.
    drawn = (out / "index.html").read_text(encoding="utf-8")
    assert (">the paper<" in drawn) is is_papers
    assert ("paper’s value" in page.text) is is_papers


def test_the_best_is_of_all_studies(shown):
    page, _ = shown(
        {
            "comparison": {"tfidf_svm": (2, 0.5), "cnn@scratch": (2, 0.6)},
            "fit": {OURS: (2, 0.9)},
        }
    )
    assert f"{NAME} labels" in page.text
    assert [row["Model"] for row in page.table("table_1")][0] == NAME
    assert "other_runs" not in page.tables


def test_studies_that_share_a_run_do_not_count_it_twice(shown):
    page, _ = shown(
        {
            "comparison": {"tfidf_svm": (2, 0.5), "cnn@scratch": (2, 0.6)},
            "fit": {OURS: (2, 0.9)},
            "again": {OURS: (1, 0.9)},
        }
    )
    runs = {row["Model"]: row["Runs"] for row in page.table("table_1")}
    assert runs == {NAME: "2", "CNN (from scratch)": "2", "TF-IDF + SVM": "2"}


def test_a_better_run_with_other_settings_is_named_in_the_head(tmp_path, make_run, shown):
    study = tmp_path / "runs" / "comparison"
    make_run(study, OURS, 7, 0.99, learning_rate=0.5, name="longer")
    page, _ = shown({"comparison": {OURS: (2, 0.7), "cnn@scratch": (2, 0.6)}})
    head = page.text[: page.text.index("This page was made")]
    assert "One run with other settings is better on validation, longer" in head


def test_the_gate_is_found_in_runs_that_are_not_compared(tmp_path, make_run, shown):
    # An analysis of a gated model, which the comparison does not know.
    for seed in range(2):
        make_run(tmp_path / "runs" / "gate", OURS, seed, trial="gate features")
    page, _ = shown({"comparison": {"tfidf_svm": (2, 0.5), "cnn@scratch": (2, 0.6)}})
    assert "No model here has a gate" not in page.text
    assert "These records hold no explanations of single texts" in page.text
