"""What a search says at its end."""

import re

import pytest

from emotion_keras.command.score_table import print_tables
from tuning.search import summarize
from tuning.trials import Trials


@pytest.mark.parametrize("tried, said", [(2, "the best 3 of 3"), (12, "the best 10 of 13")])
def test_it_counts_the_trials_that_it_shows(tmp_path, capsys, tried, said):
    trials = Trials(tmp_path, {"contender": "cnn@scratch"})
    for number in range(tried + 1):
        trials.trials.append(
            {"trial": str(number), "options": {}, "score": number / 20, "reason": None}
        )
    print_tables(summarize(trials))
    shown = capsys.readouterr().out
    assert f"{said} trials" in " ".join(shown.split())
    assert len(re.findall(r"^ \d+ ", shown, re.MULTILINE)) == min(10, tried + 1)
