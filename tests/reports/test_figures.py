import re
import xml.etree.ElementTree as xml

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from reports import figures, tables

pytestmark = pytest.mark.one_backend


@pytest.fixture
def runs():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "contender": np.repeat(["a@scratch", "b@minilm"], 6),
            "value": np.tile(np.repeat([1e-4, 1e-3], 3), 2),
            "seed": np.tile(range(3), 4),
            "accuracy": rng.uniform(0.5, 0.9, 12),
            "macro_f1": rng.uniform(0.5, 0.9, 12),
            "auc": rng.uniform(0.5, 0.9, 12),
        }
    )


def texts(axes):
    return [text.get_text() for text in axes.texts]


def labels(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_scores_show_every_run_mean_interval_and_paper(runs):
    summary = tables.summarize(runs, ["contender"])
    paper, kinds = pd.Series([0.8, np.nan]), pd.Series(["from scratch", "pretrained"])
    figure = figures.draw_scores(runs, summary, "accuracy", paper=paper, kinds=kinds)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a@scratch", "b@minilm"]
    for dots, name in zip(axes.collections, summary["contender"], strict=True):
        expected = runs.loc[runs["contender"] == name, "accuracy"]
        assert dots.get_offsets()[:, 0].tolist() == pytest.approx(expected.tolist())
    lines = [line.get_xdata() for line in axes.lines]
    for row in summary.to_dict("records"):
        ends = [row["accuracy_low"], row["accuracy_high"]]
        assert any(len(line) == 2 and np.allclose(line, ends) for line in lines)
        assert any(len(line) == 1 and np.isclose(line[0], row["accuracy_mean"]) for line in lines)
    papers = [line for line in axes.lines if line.get_label() == "the paper"]
    assert [line.get_xdata()[0] for line in papers] == [0.8]
    assert labels(figure) == ["pretrained", "from scratch", "the paper"]
    assert axes.get_xlabel() == "Accuracy on the test split, %"


def test_a_single_run_has_no_interval(runs):
    one = runs.iloc[[0]]
    figure = figures.draw_scores(one, tables.summarize(one, ["contender"]), "auc")
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [1]


def test_a_curve_shows_runs_means_and_bands_on_a_logarithmic_axis(runs):
    summary = tables.summarize(runs, ["contender", "value"])
    figure = figures.draw_curve(runs, summary, "macro_f1", "value", "Learning rate", True)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1e-4", "1e-3"]
    assert axes.get_ylabel() == "Macro F1, %" and axes.get_xlabel() == "Learning rate"
    assert labels(figure) == ["a@scratch", "b@minilm"]
    for line, name in zip(axes.lines, ("a@scratch", "b@minilm"), strict=True):
        own = runs[runs["contender"] == name].groupby("value")["macro_f1"]
        assert line.get_xdata() == pytest.approx([1e-4, 1e-3])
        assert line.get_ydata() == pytest.approx(own.mean().to_numpy())
    bands = [c for c in axes.collections if len(c.get_paths()) == 1 and len(c.get_offsets()) <= 1]
    low = summary.loc[summary["contender"] == "a@scratch", "macro_f1_low"].min()
    assert bands[0].get_paths()[0].vertices[:, 1].min() == pytest.approx(low)
    colours = {to_hex(line.get_color()) for line in axes.lines}
    assert len(colours) == len({line.get_marker() for line in axes.lines}) == 2


def test_axes_end_where_scores_do(runs):
    # Student's interval of two runs that differ much is wider than all that there is.
    two = runs.iloc[:4].assign(seed=[0, 1, 0, 1], value=[1.0, 1.0, 2.0, 2.0])
    two["accuracy"] = [0.1, 0.9, 0.2, 0.8]
    summary = tables.summarize(two, ["contender", "value"])
    low, high = figures.draw_curve(two, summary, "accuracy", "value", "x").axes[0].get_ylim()
    assert (low, high) == (-0.01, 1.01)
    low, high = figures.draw_scores(two, summary, "accuracy").axes[0].get_xlim()
    assert (low, high) == (-0.01, 1.01)


def test_noise_has_a_panel_a_kind(runs):
    frame = pd.concat([runs.assign(kind=kind) for kind in ("typos", "lose_case", "delete_words")])
    frame = frame.rename(columns={"value": "level"})
    summary = tables.summarize(frame, ["contender", "kind", "level"])
    figure = figures.draw_noise(frame, summary, "accuracy")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    titles = [axes.get_title(loc="left") for axes in shown]
    assert titles == ["typos", "lose case", "delete words"]
    mean = runs[runs["contender"] == "a@scratch"].groupby("value")["accuracy"].mean()
    assert shown[2].lines[0].get_ydata() == pytest.approx(mean.to_numpy())


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
    axes = figures.draw_trials(trials).axes[0]
    best, dots = axes.lines
    assert dots.get_xdata().tolist() == [0, 1, 2] and dots.get_ydata().tolist() == [0.5, 0.4, 0.6]
    assert best.get_ydata().tolist() == [0.5, 0.5, 0.6]


def test_parallel_coordinates_are_a_line_a_trial_that_has_a_score(trials):
    axes = figures.draw_parallel(trials).axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_alpha()]
    assert len(lines) == 2
    assert [label.get_text() for label in axes.get_xticklabels()] == ["rate", "gate"]
    assert texts(axes) == ["1", "2", "features", "scalar"]
    assert figures.draw_parallel(trials[trials["trial"] == "defaults"]) is None


def test_parallel_coordinates_are_of_the_options_that_matter_most(trials, monkeypatch):
    monkeypatch.setattr(figures, "MOST_AXES", 1)
    axes = figures.draw_parallel(trials, ["gate", "rate"]).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["gate"]


def test_importance_is_a_bar_an_option_and_never_below_nothing():
    frame = pd.DataFrame({"option": ["rate", "gate"], "importance": [0.4, -0.1]})
    axes = figures.draw_importance(frame).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.4, 0]


def test_history_is_a_line_a_run_and_their_mean():
    frame = pd.DataFrame(
        {
            "run": ["a", "a", "b"],
            "epoch": [1, 2, 1],
            "loss": [1.0, 0.5, 2.0],
            "val_loss": [1.1, 0.6, 2.1],
            "accuracy": [0.4, 0.6, 0.5],
            "val_accuracy": [0.3, 0.5, 0.4],
        }
    )
    loss, accuracy = figures.draw_history(frame).axes
    named = {line.get_label(): line for line in loss.lines if line.get_label()[0] != "_"}
    assert named["training"].get_ydata().tolist() == [1.5, 0.5]
    assert named["validation"].get_ydata().tolist() == pytest.approx([1.6, 0.6])
    assert len(loss.lines) == len(accuracy.lines) == 2 * 3


@pytest.mark.parametrize(
    "shares, expected", [(False, ["8", "2", "1", "3"]), (True, ["80", "20", "25", "75"])]
)
def test_confusion_has_true_labels_in_rows(shares, expected):
    frame = pd.DataFrame([[8, 2], [1, 3]], index=["joy", "fear"], columns=["joy", "fear"])
    axes = figures.draw_confusion(frame, shares).axes[0]
    assert texts(axes) == expected
    assert [label.get_text() for label in axes.get_yticklabels()] == ["joy", "fear"]
    assert axes.get_ylabel() == "true label" and axes.yaxis_inverted()


def test_labels_have_a_mark_a_contender():
    frame = pd.DataFrame(
        {
            "contender": ["a", "a", "b", "b", "c"],
            "label": ["joy", "fear", "joy", "fear", "joy"],
            "f1_mean": [0.8, 0.7, 0.6, 0.5, 0.1],
            "f1_low": [0.7, 0.6, np.nan, np.nan, 0.1],
            "f1_high": [0.9, 0.8, np.nan, np.nan, 0.1],
        }
    )
    figure = figures.draw_labels(frame, ["a", "b"])
    marks = [line.get_xdata().tolist() for line in figure.axes[0].lines]
    assert marks == [[0.8, 0.7], [0.6, 0.5]]
    assert labels(figure) == ["a", "b"]


def test_reliability_is_before_and_after_beside_the_diagonal():
    curves = pd.DataFrame(
        {
            "contender": ["a", "a", "a"],
            "scaled": [False, True, True],
            "confidence": [0.9, 0.7, 0.2],
            "accuracy": [0.6, 0.65, 1.0],
            "num_texts": [50, 50, 9],
        }
    )
    before, after = figures.draw_reliability(curves, ["a"]).axes
    assert list(before.lines[0].get_xdata()) == list(before.lines[0].get_ydata()) == [0, 1]
    assert before.lines[1].get_xdata().tolist() == [0.9]
    assert after.lines[1].get_ydata().tolist() == [0.65]


def test_the_histogram_counts_right_and_wrong():
    frame = pd.DataFrame({"confidence": [0.52, 0.53, 0.97], "correct": [True, False, True]})
    axes = figures.draw_confidences(frame).axes[0]
    heights = np.array([patch.get_height() for patch in axes.patches]).reshape(2, 20)
    assert heights.sum(axis=1).tolist() == [2, 1]
    assert heights[0, 10] == heights[1, 10] == heights[0, 19] == 1
    assert {patch.get_hatch() for patch in axes.patches} == {None, "////"}


def test_words_stand_as_they_are():
    frame = pd.DataFrame(
        {"word": ["$x$", "<b>"], "gate": [0.9, 0.1], "side": ["opened most", "closed most"]}
    )
    figure = figures.draw_gate_words(frame)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["$x$", "<b>"]
    assert labels(figure) == ["opened most", "closed most"]


def layer(name, kind, inputs=(), shape=(None, None, 8), parameters=50):
    return {
        "name": name,
        "type": kind,
        "inputs": list(inputs),
        "output_shape": list(shape),
        "parameters": parameters,
    }


def test_blocks_that_repeat_are_one():
    found = figures.collapse_layers(
        [
            layer("tokens", "InputLayer", parameters=0),
            layer("block", "TransformerEncoder", ["tokens"]),
            layer("block_1", "TransformerEncoder", ["block"]),
            layer("block_2", "TransformerEncoder", ["block_1"]),
            layer("larger", "TransformerEncoder", ["block_2"], parameters=60),
            layer("gate", "GatingLayer", ["larger"]),
        ]
    )
    assert [(one["name"], one["times"]) for one in found] == [
        ("tokens", 1),
        ("block", 3),
        ("larger", 1),
        ("gate", 1),
    ]
    assert found[2]["inputs"] == ["block"]


def test_the_architecture_shows_layers_shapes_and_parameters():
    layers = [
        layer("tokens", "InputLayer", shape=(None, None), parameters=0),
        layer("block", "TransformerEncoder", ["tokens"]),
        layer("block_1", "TransformerEncoder", ["block"]),
        layer("gate", "GatingLayer", ["block_1"], parameters=72),
        layer("pool", "GlobalAveragePooling1D", ["gate", "tokens"], (None, 8), 0),
    ]
    axes = figures.draw_architecture(layers).axes[0]
    assert [text for text in texts(axes) if text] == [
        "tokens",
        "(batch, length)",
        "TransformerEncoder × 2",
        "(batch, length, 8) · 100 parameters",
        "GatingLayer",
        "(batch, length, 8) · 72 parameters",
        "GlobalAveragePooling1D",
        "(batch, 8)",
    ]
    heights = [patch.get_y() for patch in axes.patches if hasattr(patch, "get_boxstyle")]
    assert heights == sorted(heights, reverse=True)


def test_layers_of_several_outputs_are_drawn():
    outputs = layer("two", "Split", shape=([None, 8], [None, 3]), parameters=0)
    axes = figures.draw_architecture([outputs]).axes[0]
    assert texts(axes)[1] == "(batch, 8), (batch, 3)"


def test_a_figure_is_a_picture_of_300_dots_and_a_text(tmp_path, runs):
    figure = figures.draw_scores(runs, tables.summarize(runs, ["contender"]), "auc")
    svg = figures.write_figure(figure, tmp_path / "scores")
    head = (tmp_path / "scores.png").read_bytes()[:24]
    width = int.from_bytes(head[16:20], "big")
    assert width == pytest.approx(6.4 * 300, abs=1)
    assert (tmp_path / "scores.svg").read_text() == svg
    xml.fromstring(svg)
    again = figures.draw_scores(runs, tables.summarize(runs, ["contender"]), "auc")
    assert figures.write_figure(again, tmp_path / "again") == svg


def test_an_inline_figure_has_its_own_names_colours_and_text(tmp_path, runs):
    runs["contender"] = "<b>&$x$"
    figure = figures.draw_scores(runs, tables.summarize(runs, ["contender"]), "auc")
    svg = figures.write_figure(figure, tmp_path / "scores")
    inline = figures.inline_svg(svg, "scores", "What &lt;it&gt; shows")
    assert inline.startswith('<svg role="img" aria-label="What &lt;it&gt; shows"')
    assert "<b>" not in inline and "&lt;b&gt;&amp;$x$" in inline
    names = re.findall(r'\bid="([^"]+)"', inline)
    assert len(names) == len(set(names)) and all(name.startswith("scores-") for name in names)
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', inline))
    for pair in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', inline):
        assert next(filter(None, pair)) in names
    for colour in (figures.INK, figures.GRID, figures.PAPER):
        assert colour not in inline
    assert "var(--ink)" in inline
    xml.fromstring(inline.replace("xlink:href", "href"))
