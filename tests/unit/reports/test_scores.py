import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from reports.findings import points
from reports.records import read_records
from reports.scores import draw_curve, draw_scores, runs_of_noise, summarize, summarize_noise
from tests.fixtures.records import summary_of


def test_a_summary_has_means_intervals_and_spreads(tmp_path, make_run):
    for seed in range(3):
        make_run(tmp_path / "fit", "cnn@scratch", seed)
    make_run(tmp_path / "fit", "lstm@scratch")
    make_run(tmp_path / "fit", "tfidf_svm", predictions=False)
    groups = {}
    for run in read_records(tmp_path).parts[0].runs:
        groups.setdefault((run.contender, 1), []).append(run)
    summary = summarize(groups, ["contender", "value"]).set_index("contender")
    assert summary["runs"].to_dict() == {"cnn@scratch": 3, "lstm@scratch": 1, "tfidf_svm": 1}
    assert set(summary["value"]) == {1}
    cnn, lstm, svm = (summary.loc[name] for name in summary.index)
    for metric in ("accuracy", "macro_f1", "auc"):
        values = [run.test[metric] for run in groups["cnn@scratch", 1]]
        assert cnn[f"{metric}_mean"] == pytest.approx(np.mean(values))
        assert cnn[f"{metric}_spread"] == pytest.approx(np.std(values, ddof=1))
        assert cnn[f"{metric}_low"] < min(values) <= max(values) < cnn[f"{metric}_high"]
        # A single run has an interval over its texts, and without predictions there is none.
        assert lstm[f"{metric}_low"] < lstm[f"{metric}_mean"] < lstm[f"{metric}_high"]
        assert np.isnan(lstm[f"{metric}_spread"]) and np.isnan(svm[f"{metric}_low"])


def test_noise_has_means_and_spreads_over_seeds():
    rows = [
        {"contender": "a", "kind": "typos", "level": level, "seed": seed, "accuracy": accuracy}
        for level, accuracies in ((0.1, [0.5, 0.7, 0.4, 0.6]), (0.2, [0.3, 0.3, 0.2, 0.2]))
        for seed, accuracy in zip([0, 0, 1, 1], accuracies, strict=True)
    ]
    frame = pd.DataFrame(rows).assign(macro_f1=0.5, auc=[np.nan] + [0.9] * 7)
    first, second = summarize_noise(frame).to_dict("records")
    assert (first["level"], second["level"], first["runs"]) == (0.1, 0.2, 4)
    # Two folds a seed: means 0.6 and 0.5, and 0.3 and 0.2.
    assert first["accuracy_mean"] == pytest.approx(0.55)
    for row in (first, second):
        assert row["accuracy_spread"] == pytest.approx(0.1 / np.sqrt(2))
        assert np.isnan(row["accuracy_low"]) and row["macro_f1_mean"] == 0.5
    assert np.isnan(first["auc_mean"]) and second["auc_mean"] == pytest.approx(0.9)


def test_noise_starts_from_the_texts_as_they_are(runs_dir):
    records = read_records(runs_dir)
    part = records.parts[0]
    frame = runs_of_noise(records, points(part, "noise"))
    assert len(frame) == 3 * 2 * 3
    for run in points(part, "noise")["gated_transformer@minilm", 0.0]:
        own = frame[(frame["run"] == run.name) & (frame["level"] == 0)]
        assert own["kind"].tolist() == ["typos", "lose_case"]
        assert own["accuracy"].tolist() == [run.test["accuracy"]] * 2
    assert (
        frame["level"].tolist()
        == [0.0] * 3 + [0.1] * 3 + [0.4] * 3 + [0.0] * 3 + [0.1] * 3 + [0.4] * 3
    )


def test_scores_show_every_run_mean_interval_and_paper(scored):
    summary = summary_of(scored, ["contender"])
    paper = pd.Series([0.8, np.nan])
    figure = draw_scores(scored, summary, "accuracy", paper=paper)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "a (from scratch)",
        "b (MiniLM)",
    ]
    for dots, name in zip(axes.collections, summary["contender"], strict=True):
        expected = scored.loc[scored["contender"] == name, "accuracy"]
        assert dots.get_offsets()[:, 0].tolist() == pytest.approx(expected.tolist())
    lines = [line.get_xdata() for line in axes.lines]
    for row in summary.to_dict("records"):
        ends = [row["accuracy_low"], row["accuracy_high"]]
        assert any(len(line) == 2 and np.allclose(line, ends) for line in lines)
        assert any(len(line) == 1 and np.isclose(line[0], row["accuracy_mean"]) for line in lines)
    papers = [line for line in axes.lines if line.get_label() == "the paper"]
    assert [line.get_xdata()[0] for line in papers] == [0.8]
    assert [text.get_text() for text in axes.texts] == ["the paper"] and not figure.legends
    assert axes.get_xlabel() == "Accuracy on the test split, %"


def test_what_has_no_interval_is_a_mark(scored):
    one = scored.iloc[[0]]
    summary = summary_of(one, ["contender"]).assign(auc_low=np.nan, auc_high=np.nan)
    figure = draw_scores(one, summary, "auc")
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [1]


def test_a_curve_shows_runs_means_and_bands_on_a_logarithmic_axis(scored):
    summary = summary_of(scored, ["contender", "value"])
    figure = draw_curve(scored, summary, "macro_f1", "value", "Learning rate", True)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1e-4", "1e-3"]
    assert axes.get_ylabel() == "Macro F1, %" and axes.get_xlabel() == "Learning rate"
    assert [text.get_text() for text in axes.texts] == ["a\n(from scratch)", "b\n(MiniLM)"]
    for line, name in zip(axes.lines, ("a@scratch", "b@minilm"), strict=True):
        own = scored[scored["contender"] == name].groupby("value")["macro_f1"]
        assert line.get_xdata() == pytest.approx([1e-4, 1e-3])
        assert line.get_ydata() == pytest.approx(own.mean().to_numpy())
    bands = [c for c in axes.collections if len(c.get_paths()) == 1 and len(c.get_offsets()) <= 1]
    low = summary.loc[summary["contender"] == "a@scratch", "macro_f1_low"].min()
    assert bands[0].get_paths()[0].vertices[:, 1].min() == pytest.approx(low)
    for text, line in zip(axes.texts, axes.lines, strict=True):
        assert to_hex(text.get_color()) == to_hex(line.get_color())
    assert len({line.get_marker() for line in axes.lines}) == 2


def test_axes_end_where_scores_do(scored):
    two = scored.iloc[:4].assign(seed=[0, 1, 0, 1], value=[1.0, 1.0, 2.0, 2.0])
    two["accuracy"] = [0.1, 0.9, 0.2, 0.8]
    # An interval of few runs that differ much is wider than all that there is.
    wide = {"accuracy_low": -1.0, "accuracy_high": 2.0}
    summary = summary_of(two, ["contender", "value"]).assign(**wide)
    low, high = draw_curve(two, summary, "accuracy", "value", "x").axes[0].get_ylim()
    assert (low, high) == (-0.01, 1.01)
    low, high = draw_scores(two, summary, "accuracy").axes[0].get_xlim()
    assert (low, high) == (-0.01, 1.01)
