"""The command that compares ways of explaining."""

import shutil

import pytest

from emotion_keras import record
from emotion_keras.evaluation.faithfulness import read_faithfulness
from emotion_keras.faithfulness import main
from emotion_keras.training import run as training_run


@pytest.fixture
def run(gated_run, tmp_path):
    return shutil.copytree(gated_run, tmp_path / "runs" / "fit" / gated_run.name)


def test_every_way_is_measured_kept_and_shown(run, capsys):
    assert main([str(run)]) == 0
    shown = capsys.readouterr().out
    for said in ("integrated gradients", "occlusion", "Comprehensiveness beyond random words"):
        assert said in shown
    assert f"Next: python -m reports.render {run.parent}" in shown
    rows = read_faithfulness(run)
    ways = ["contribution", "gate", "occlusion", "integrated_gradients", "random"]
    assert list(dict.fromkeys(row["order"] for row in rows)) == ways
    assert len(rows) == 5 * 6


def test_a_baseline_is_measured_by_occlusion(corpus_path, tmp_path, quick_measures):
    run = training_run.fit(
        model="tfidf_logistic",
        data=str(corpus_path),
        runs_dir=str(tmp_path),
        notify=lambda message: None,
    )
    assert main([str(run)]) == 0
    assert [row["order"] for row in read_faithfulness(run)[::6]] == ["occlusion", "random"]


def test_a_run_without_texts_says_how_to_make_them(run, capsys):
    (run / record.TEXTS).unlink()
    assert main([str(run)]) == 2
    assert "no texts.csv" in " ".join(capsys.readouterr().err.split())
