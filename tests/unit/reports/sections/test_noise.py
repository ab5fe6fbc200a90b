import pandas as pd
import pytest

from reports.scores import summarize_noise
from reports.sections.noise import draw_noise


def test_noise_has_a_panel_a_kind(scored):
    frame = pd.concat([scored.assign(kind=kind) for kind in ("typos", "lose_case", "delete_words")])
    frame = frame.rename(columns={"value": "level"})
    summary = summarize_noise(frame)
    figure = draw_noise(frame, summary, "accuracy")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    titles = [axes.get_title(loc="left") for axes in shown]
    assert titles == ["typos", "lose case", "delete words"]
    mean = scored[scored["contender"] == "a@scratch"].groupby("value")["accuracy"].mean()
    assert shown[2].lines[0].get_ydata() == pytest.approx(mean.to_numpy())
    # Dots of both models and no band: the interval over texts is not known.
    assert [len(axes.collections) for axes in shown] == [2, 2, 2]
