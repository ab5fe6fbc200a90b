"""How far training is, and how long it will still take."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from emotion_keras.command import durations
from emotion_keras.command.live_line import LiveLine
from emotion_keras.inputs.batches import TrainingBatches

# From so many steps on, and seconds of them, it is estimated how long the others take.
_STEPS_TO_KNOW, _SECONDS_TO_KNOW = 5, 2.0
# A step that took so many times as long as is usual has compiled something, or was held up.
_TOO_LONG = 5
# Measured from scratch and over MiniLM on a CPU: what an answer takes of a training step, until
# answers are timed, and what one of the finished model takes of one while training, which compiles.
_SHARE_OF_STEP, _SHARE_OF_VALIDATION = 0.5, 0.75
# What comes after training is said beforehand where it takes longer than this.
_LONG = 5.0


class TrainingProgress(keras.callbacks.Callback):
    """Shows in one line how far training is, and how long it and what comes after will take.

    Nothing is known of a machine beforehand: the steps that were made say how long the others take,
    by the tokens of each. The first step of a length that is compiled says nothing, since compiling
    takes most of it, and others that take far longer than is usual say nothing either.

    Args:
        batches: `TrainingBatches`.
        history: List of the epochs that ended, rows with `val_seconds`, which grows meanwhile.
        epochs: Integer, how many there will be in all.
        num_validated: Integer, examples of the validation split.
        num_answers: Integer, examples that are predicted once training has ended.
        line: `LiveLine`.
        clock: Function that gives the time in seconds.
    """

    def __init__(
        self,
        batches: TrainingBatches,
        history: Sequence[Mapping[str, Any]],
        *,
        epochs: int,
        num_validated: int,
        num_answers: int = 0,
        line: LiveLine | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self._batches = batches
        self._history = history
        self._epochs = epochs
        self._num_validated = num_validated
        self._num_answers = num_answers
        self._line = line or LiveLine()
        self._clock = clock
        self._lengths = set()
        self._timed = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch
        self._left_of_epoch = self._of_epoch = self._batches.num_tokens()
        self._last = self._clock()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = self._clock()
        tokens = self._batches.num_tokens_of(batch)
        self._left_of_epoch -= tokens
        if tokens in self._lengths or not self._batches.compiled:
            self._timed.append((tokens, now - self._last))
        self._lengths.add(tokens)
        self._last = now
        self._show(logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._left_of_epoch = 0
        self._show(logs or {})

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._line.end()
        seconds = self._seconds_afterwards()
        if seconds > _LONG:
            print(
                "Training has ended. What the run keeps of its answers takes about "
                f"{durations.in_words(seconds)} more."
            )

    def seconds_left(self) -> float | None:
        """An estimate, of what comes after training, too; `None` where too little was timed."""
        pace = self._seconds_per_token()
        if pace is None:
            return None
        epochs = self._epochs - self._epoch - 1
        tokens = self._left_of_epoch + epochs * self._of_epoch
        # Of an epoch that is not over the validation is to come, too.
        validations = epochs + (self._left_of_epoch > 0)
        validated = validations * self._num_validated * self._seconds_per_answer()
        return tokens * pace + validated + self._seconds_afterwards()

    def _seconds_afterwards(self):
        share = _SHARE_OF_VALIDATION if self._history else 1.0
        return share * self._num_answers * self._seconds_per_answer()

    def _seconds_per_token(self):
        seconds = sum(seconds for _, seconds in self._timed)
        is_enough = len(self._timed) >= _STEPS_TO_KNOW and seconds >= _SECONDS_TO_KNOW
        if not (self._timed and (is_enough or self._history)):
            return None
        usual = statistics.median(seconds / tokens for tokens, seconds in self._timed)
        kept = [(n, seconds) for n, seconds in self._timed if seconds <= _TOO_LONG * usual * n]
        return sum(seconds for _, seconds in kept) / sum(tokens for tokens, _ in kept)

    def _seconds_per_answer(self):
        if self._history:  # The first has compiled what the others use.
            return min(row["val_seconds"] for row in self._history) / self._num_validated
        tokens = self._of_epoch / (len(self._batches) * self._batches.batch_size)
        return _SHARE_OF_STEP * tokens * self._seconds_per_token()

    def _show(self, logs):
        seconds = self.seconds_left()
        if seconds is None and not self._line.is_in_place:
            return
        share = 1 - self._left_of_epoch / self._of_epoch
        said = [f"Epoch {self._epoch + 1} of {self._epochs}, {100 * share:.0f} %"]
        if seconds is not None:
            said.append(f"about {durations.in_words(seconds)} left")
        if "loss" in logs:
            said.append(f"loss {float(logs['loss']):.3f}")
        if self._history:
            said.append(f"validation F1 {100 * self._history[-1]['val_macro_f1']:.1f} %")
        self._line.show("; ".join(said))
