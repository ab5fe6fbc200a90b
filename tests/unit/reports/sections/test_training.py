import pandas as pd
import pytest

from reports.sections.training import draw_history


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
    loss, accuracy = draw_history(frame).axes
    named = {line.get_label(): line for line in loss.lines if line.get_label()[0] != "_"}
    assert named["training"].get_ydata().tolist() == [1.5, 0.5]
    assert named["validation"].get_ydata().tolist() == pytest.approx([1.6, 0.6])
    assert len(loss.lines) == len(accuracy.lines) == 2 * 3
