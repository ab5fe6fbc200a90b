"""What long work is doing, for people: the runs of a study, the rows of a file."""

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
from rich.table import Table

from emotion_keras import record
from emotion_keras.command import durations


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
        self._running = {}
        self._accuracies = {task.group: [] for task in tasks}
        self._seconds = {task.group: [] for task in tasks}
        self._failures = {task.group: [] for task in tasks}
        for task, directory in finished:
            run = record.read_run(directory)
            self._accuracies[task.group].append(run["metrics"]["test"]["accuracy"])
            self._seconds[task.group].append(run["cost"]["seconds"])
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
        accuracy = record.read_run(ended.directory)["metrics"]["test"]["accuracy"]
        self._accuracies[task.group].append(accuracy)
        self._seconds[task.group].append(seconds)
        if not self._live:
            self._say(
                f"{task}: {100 * accuracy:.1f} % accuracy, {durations.in_words(seconds)}. "
                f"{self._state()}"
            )

    @staticmethod
    def _say(message):
        rich.get_console().print(message, markup=False, highlight=False, soft_wrap=True)

    def _state(self):
        done = sum(map(len, self._accuracies.values()))
        left = self.seconds_left()
        time_left = "" if left is None else f"; about {durations.in_words(left)} left"
        return f"{done} of {len(self._tasks)} runs{time_left}."

    def seconds_left(self) -> float | None:
        """An estimate from the runs that ended; `None` before the first has."""
        known = {group: statistics.mean(s) for group, s in self._seconds.items() if s}
        if not known:
            return None
        usual = statistics.mean(known.values())
        left = 0
        for group, accuracies in self._accuracies.items():
            of_group = sum(task.group == group for task in self._tasks)
            missing = of_group - len(accuracies) - len(self._failures[group])
            left += missing * known.get(group, usual)
        for task, start in self._running.values():
            left -= min(time.monotonic() - start, known.get(task.group, usual))
        return left / self._workers

    def _table(self):
        table = Table(caption=self._state(), caption_justify="left")
        table.add_column("model")
        table.add_column("runs", justify="right", no_wrap=True)
        table.add_column("accuracy, %", justify="right", no_wrap=True)
        table.add_column("")
        for group, accuracies in self._accuracies.items():
            of_group = sum(task.group == group for task in self._tasks)
            mean = f"{100 * statistics.mean(accuracies):.1f}" if accuracies else ""
            running = [task.name for task, _ in self._running.values() if task.group == group]
            state = [f"{' and '.join(running)} running"] if running else []
            if self._failures[group]:
                state.append(f"{', '.join(self._failures[group])} failed")
            table.add_row(
                escape(group), f"{len(accuracies)} of {of_group}", mean, escape("; ".join(state))
            )
        return table


class RowProgress:
    """Shows on standard error how many rows of a file are done, or what else is many.

    In a terminal it is a bar; elsewhere a line now and then, of all rows at most twenty.

    Args:
        total: Number of the file's rows.
        done: Number of those that were done before.
        plural: What they are called.
    """

    _SHARES = 20
    _SECONDS = 60

    def __init__(self, total: int, done: int, plural: str = "rows"):
        self._plural = plural
        self._total = total
        self._done = self._before = self._said = done
        self._begin = self._said_at = time.monotonic()
        self._bar = None

    def __enter__(self):
        console = Console(file=sys.stderr)
        if console.is_terminal:
            self._bar = rich.progress.Progress(
                rich.progress.BarColumn(),
                rich.progress.TextColumn(
                    f"{{task.completed:,}} of {{task.total:,}} {self._plural}"
                ),
                rich.progress.TextColumn("{task.fields[left]}"),
                console=console,
            )
            self._bar.add_task("", total=self._total, completed=self._done, left="")
            self._bar.__enter__()
        return self

    def __exit__(self, *exception):
        if self._bar:
            self._bar.__exit__(*exception)

    def advance(self, rows: int) -> None:
        """Notes that so many more rows are done."""
        self._done += rows
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=self._done, left=self._left())
            return
        now = time.monotonic()
        is_due = (self._done - self._said) * self._SHARES >= self._total
        if is_due and now - self._said_at >= self._SECONDS:
            self._said, self._said_at = self._done, now
            state = f"{self._done:,} of {self._total:,} {self._plural}; {self._left()}"
            print(state, file=sys.stderr, flush=True)

    def _left(self):
        seconds = time.monotonic() - self._begin
        left = (self._total - self._done) * seconds / (self._done - self._before)
        return f"about {durations.in_words(left)} left"
