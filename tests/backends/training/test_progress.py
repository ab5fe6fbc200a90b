"""How long training still takes, by what the steps took that were made."""

import io

import numpy as np
import pytest

from emotion_keras.command.live_line import LiveLine
from emotion_keras.inputs.batches import TrainingBatches
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.training.progress import TrainingProgress

# Ten batches of eight sequences of eight tokens, or of sixteen.
LENGTHS = [8] * 40 + [16] * 40


@pytest.fixture
def batches():
    values = np.ones(sum(LENGTHS), "int32")
    sequences = Sequences(values, np.cumsum([0, *LENGTHS]), "token_ids")
    truth = np.zeros((len(LENGTHS), 2), "float32")
    return TrainingBatches(sequences, truth, batch_size=8, sequence_length=16, seed=0)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def run_epoch(progress, clock, batches, epoch, seconds_per_token, compiling=0.0):
    """An epoch, whose first step of each length takes longer."""
    progress.on_epoch_begin(epoch)
    seen = set()
    for i in range(len(batches)):
        tokens = batches.num_tokens_of(i)
        clock.now += seconds_per_token * tokens + compiling * (tokens not in seen)
        seen.add(tokens)
        progress.on_train_batch_end(i, {"loss": 1.5})


def make(batches, clock, history, stream=None, **options):
    line = LiveLine(stream or io.StringIO(), clock=clock)
    return TrainingProgress(
        batches, history, epochs=3, num_validated=20, line=line, clock=clock, **options
    )


def test_what_is_left_follows_from_what_was_done(batches):
    clock, history = Clock(), []
    progress = make(batches, clock, history, num_answers=100)
    run_epoch(progress, clock, batches, 0, seconds_per_token=0.01, compiling=100.0)
    of_epoch = batches.num_tokens()
    assert of_epoch == 8 * 5 * 8 + 8 * 5 * 16
    # Two epochs more, 40 examples to validate and 100 afterwards, of twelve tokens each at half.
    expected = 2 * of_epoch * 0.01 + 140 * 12 * 0.01 / 2
    assert progress.seconds_left() == pytest.approx(expected)
    # The validation is timed, too, once there was one; answers are quicker afterwards.
    history.append({"val_seconds": 10.0, "val_macro_f1": 0.5})
    assert progress.seconds_left() == pytest.approx(2 * of_epoch * 0.01 + (40 + 75) * 0.5)


def test_it_is_corrected_as_training_goes_on(batches):
    clock, history = Clock(), []
    progress = make(batches, clock, history)
    run_epoch(progress, clock, batches, 0, seconds_per_token=0.01)
    first = progress.seconds_left()
    history.append({"val_seconds": 1.0, "val_macro_f1": 0.5})
    run_epoch(progress, clock, batches, 1, seconds_per_token=0.03)
    # All steps are counted: of the first epoch all but the first of each length.
    tokens = batches.num_tokens()
    timed = tokens - 8 * 8 - 8 * 16
    pace = (0.01 * timed + 0.03 * tokens) / (timed + tokens)
    assert progress.seconds_left() == pytest.approx(pace * tokens + 1 * 20 / 20)
    assert first < 2 * 0.03 * tokens


def test_one_step_that_was_held_up_says_nothing(batches):
    clock, history = Clock(), [{"val_seconds": 0.0, "val_macro_f1": 0.5}]
    progress = make(batches, clock, history)
    run_epoch(progress, clock, batches, 0, seconds_per_token=0.01)
    clock.now += 1000.0
    before = progress.seconds_left()
    progress.on_train_batch_end(len(batches) - 1)
    progress._left_of_epoch = 0
    assert progress.seconds_left() == pytest.approx(before)


def test_nothing_is_said_before_enough_is_known(batches):
    clock, stream = Clock(), io.StringIO()
    progress = make(batches, clock, [], stream)
    progress.on_epoch_begin(0)
    for i in range(3):
        clock.now += 1.0
        progress.on_train_batch_end(i, {"loss": 1.5})
    assert progress.seconds_left() is None
    assert stream.getvalue() == ""


def test_a_log_has_a_line_a_minute_and_what_comes_after(batches, capsys):
    clock, stream, history = Clock(), io.StringIO(), []
    progress = make(batches, clock, history, stream, num_answers=400)
    for epoch in range(3):
        run_epoch(progress, clock, batches, epoch, seconds_per_token=0.05)
        history.append({"val_seconds": 2.0, "val_macro_f1": 0.5})
        progress.on_epoch_end(epoch, {"loss": 1.25})
    progress.on_train_end()
    lines = stream.getvalue().splitlines()
    assert 2 <= len(lines) <= 1 + clock.now // 60
    assert all(line.startswith("Epoch ") and " left; loss 1." in line for line in lines)
    assert lines[-1].endswith("validation F1 50.0 %")
    assert "takes about 30 seconds more" in capsys.readouterr().out
