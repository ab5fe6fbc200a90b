"""What long work is doing, for people: the runs of a study, the rows of a file."""

import collections
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rich
import rich.progress
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Column, Table

from emotion_keras import record
from emotion_keras.command import durations
from emotion_keras.command.live_line import LiveLine
from emotion_keras.command.score_table import main_scores


class Progress:
    """Shows the runs of a study while they are made.

    In a terminal it is one table, a row a group of runs; elsewhere, a line a run.

    Args:
        tasks: List of all `Task` of the study, in their order.
        finished: List of pairs of a task that is finished already and its run's folder.
        workers: Number of runs that are made side by side.
    """

    def __init__(self, tasks: Sequence[Any], finished: Sequence[tuple[Any, Path]], workers: int):
        self._tasks = tasks
        self._workers = workers
        self._tasks_of = collections.Counter(task.group for task in tasks)
        self._running = {}
        self._scores = {task.group: [] for task in tasks}
        self._title = "accuracy"
        # Of a run that was finished before, only how long it trained is known.
        self._trained = {task.group: [] for task in tasks}
        self._seconds = {task.group: [] for task in tasks}
        self._beside = []
        self._failures = {task.group: [] for task in tasks}
        for task, directory in finished:
            run = record.read_run(directory)
            self._note(task, run["metrics"]["test"])
            self._trained[task.group].append(run["cost"]["seconds"])
        self._live = None

    def __enter__(self):
        if rich.get_console().is_terminal:
            self._live = Live(get_renderable=self._table, refresh_per_second=1)
            self._live.__enter__()
        return self

    def __exit__(self, *exception):
        if self._live:
            self._live.__exit__(*exception)

    def start(self, task: Any) -> None:
        """Notes that a run has begun."""
        self._running[str(task)] = task, time.monotonic()

    def end(self, ended: Any) -> None:
        """Notes that a run has ended, and says how."""
        task, start = self._running.pop(str(ended.task))
        if ended.directory is None:
            self._failures[task.group].append(task.name)
            self._say(f"{task} failed: {ended.reason}")
            return
        seconds = time.monotonic() - start
        run = record.read_run(ended.directory)
        # On the test split, unless the run was made to choose by.
        score = self._note(task, list(run["metrics"].values())[-1])
        self._seconds[task.group].append(seconds)
        self._beside.append(seconds - run["cost"]["seconds"])
        if not self._live:
            self._say(
                f"{task}: {100 * score:.1f} % {self._title}, {durations.in_words(seconds)}. "
                f"{self._state()}"
            )

    def _note(self, task, metrics):
        """Keeps the score of a run by which models are ranked, and returns it."""
        name, self._title = next(iter(main_scores(metrics).items()))
        self._scores[task.group].append(metrics[name])
        return metrics[name]

    @staticmethod
    def _say(message):
        rich.get_console().print(message, markup=False, highlight=False, soft_wrap=True)

    def _state(self):
        done = sum(map(len, self._scores.values()))
        left = self.seconds_left()
        # How long a model takes says little of another.
        open_groups = {*self._waiting(), *(task.group for task, _ in self._running.values())}
        is_known = all(map(self._usual_seconds, open_groups))
        about = "about" if is_known else "at least"
        is_over = left is None or not open_groups
        time_left = "" if is_over else f"; {about} {durations.in_words(left)} left"
        return f"{done} of {len(self._tasks)} runs{time_left}."

    def seconds_left(self) -> float | None:
        """An estimate from the runs that ended; `None` before the first has.

        Groups of which no run has ended are taken for as quick as the quickest of the others.
        """
        known = [seconds for group in self._tasks_of if (seconds := self._usual_seconds(group))]
        if not known:
            return None
        begun = [
            max(self._or(task.group, known) - (time.monotonic() - start), 0.0)
            for task, start in self._running.values()
        ]
        left = [
            self._or(group, known)
            for group in self._waiting()
            for _ in range(self._num_waiting(group))
        ]
        # The last run may outlast the others.
        return max(sum(begun + left) / self._workers, *begun, *left, 0.0)

    def _waiting(self):
        """The groups that have runs to come."""
        return [group for group in self._tasks_of if self._num_waiting(group)]

    def _num_waiting(self, group):
        ended = len(self._scores[group]) + len(self._failures[group])
        running = sum(task.group == group for task, _ in self._running.values())
        return self._tasks_of[group] - ended - running

    def _or(self, group, known):
        return self._usual_seconds(group) or min(known)

    def _usual_seconds(self, group):
        """How long a run of a group takes, `None` if no run of it has ended."""
        if self._seconds[group]:
            return statistics.mean(self._seconds[group])
        if self._trained[group]:
            beside = statistics.mean(self._beside) if self._beside else 0.0
            return statistics.mean(self._trained[group]) + beside
        return None

    def _table(self):
        table = Table(caption=self._state(), caption_justify="left")
        table.add_column("model")
        table.add_column("runs", justify="right", no_wrap=True)
        table.add_column(f"{self._title}, %", justify="right", no_wrap=True)
        table.add_column("")
        for group, scores in self._scores.items():
            of_group = self._tasks_of[group]
            mean = f"{100 * statistics.mean(scores):.1f}" if scores else ""
            running = [task.name for task, _ in self._running.values() if task.group == group]
            state = [f"{' and '.join(running)} running"] if running else []
            if self._failures[group]:
                state.append(f"{', '.join(self._failures[group])} failed")
            table.add_row(
                escape(group), f"{len(scores)} of {of_group}", mean, escape("; ".join(state))
            )
        return table


class RowProgress:
    """Shows on standard error how many rows of a file are done, or what else is many.

    In a terminal it is a bar in one line; elsewhere a line a minute.

    Args:
        total: Number of the file's rows.
        done: Number of those that were done before.
        plural: What they are called.
    """

    def __init__(self, total: int, done: int, plural: str = "rows"):
        self._plural = plural
        self._total = total
        self._done = self._before = done
        self._begin = time.monotonic()
        self._bar = None
        self._line = LiveLine(sys.stderr, wait=True)

    def __enter__(self):
        console = Console(file=sys.stderr)
        if console.is_terminal:
            self._bar = rich.progress.Progress(
                # The bar gives way to messages.
                rich.progress.BarColumn(None),
                _column(f"{{task.completed:,}} of {{task.total:,}} {self._plural}"),
                _column("{task.fields[left]}"),
                console=console,
                expand=True,
            )
            self._bar.add_task("", total=self._total, completed=self._done, left="")
            self._bar.__enter__()
        return self

    def __exit__(self, *exception):
        if self._bar:
            self._bar.__exit__(*exception)

    def advance(self, rows: int) -> None:
        """Counts rows that are done."""
        self._done += rows
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=self._done, left=self._left())
            return
        self._line.show(f"{self._done:,} of {self._total:,} {self._plural}; {self._left()}")

    def _left(self):
        seconds = time.monotonic() - self._begin
        left = (self._total - self._done) * seconds / (self._done - self._before)
        return f"about {durations.in_words(left)} left"


def _column(text):
    return rich.progress.TextColumn(text, table_column=Column(no_wrap=True))
