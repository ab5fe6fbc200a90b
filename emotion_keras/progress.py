"""What a study is doing, for people: a table that fills as its runs end."""

import statistics
import time

import rich
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from emotion_keras import durations, record


class Progress:
    """Shows the runs of a study while they are made.

    In a terminal it is one table, a row a group of runs; elsewhere, a line a run.

    Args:
        tasks: List of all `Task` of the study, in their order.
        finished: List of pairs of a task that is finished already and its run's folder.
        workers: Number of runs that are made side by side.
    """

    def __init__(self, tasks, finished, workers):
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

    def start(self, task):
        """Notes that a run has begun."""
        self._running[str(task)] = task, time.monotonic()

    def end(self, ended):
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

    def seconds_left(self):
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
        table.add_column("runs", justify="right")
        table.add_column("accuracy, %", justify="right")
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
