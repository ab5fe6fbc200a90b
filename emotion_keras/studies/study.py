"""Many runs: in processes of their own, each with its share of the machine, started where missing.

Imports no Keras, which takes seconds: where nothing is left to do, nothing of it is needed.
"""

import collections
import contextlib
import gc
import json
import multiprocessing
import os
import shlex
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from emotion_keras import record
from emotion_keras.command.progress import Progress
from emotion_keras.errors import UserError
from emotion_keras.machine import memory
from emotion_keras.machine.cores import available_cores
from emotion_keras.machine.quiet import BACKENDS
from emotion_keras.record.options import COUNT, Options, as_words, option
from emotion_keras.training.options import Precision

# Not forked: what TensorFlow and JAX have started would not survive it.
PROCESSES = multiprocessing.get_context("spawn")

STUDY = "study.json"
LOGS = "logs"

# The arguments of `Study.add_command`.
Command = tuple[str, Sequence[Options], Mapping[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class StudyOptions(Options):
    """What all commands that make a study have."""

    precision: Precision = option("auto", "What to train in; see `fit`.")
    workers: int = option(
        1,
        "Number of processes that make runs side by side, each with its share of the cores or its "
        "own GPU.",
        COUNT,
        is_basic=True,
    )
    runs_dir: str = option("runs", "Folder of all runs.", is_basic=True)


class Task(NamedTuple):
    """A run to make.

    Args:
        group: String, what the run is one of several of, such as `cnn@scratch`.
        name: String, which of them it is, such as `seed 0`.
        options: Dictionary of the arguments of `fit`.
        asked: JSON-able dictionary of all that decides what the run will be. Where the same was
            asked before, the run is not made again.
    """

    group: str
    name: str
    options: dict
    asked: dict

    def __str__(self):
        return f"{self.group}, {self.name}"


class Ended(NamedTuple):
    """How a task ended.

    Args:
        task: `Task`.
        directory: The run's folder, or `None` if it failed.
        reason: Why it failed, or `None`.
    """

    task: Task
    directory: Path | None
    reason: str | None


class Study:
    """Which runs of a study were made for what: its file `study.json`.

    Args:
        directory: `pathlib.Path` of the study's folder, existing or not.

    Raises:
        UserError: If the file is there and cannot be read.
    """

    def __init__(self, directory: Path):
        self.directory = directory
        self._path = directory / STUDY
        self._runs, self._commands = [], []
        self._read()

    def _read(self):
        if self._path.exists():
            shape = {"runs": [{"run_id": str, "asked": dict}]}
            found = record.read_versioned(self._path, shape)
            self._runs, self._commands = found["runs"], found.get("commands", [])

    def find(self, task: Task) -> Path | None:
        """Folder of the finished run that was made for such a task, or `None`."""
        for run in self._runs:
            directory = self.directory / run["run_id"]
            if _given(run["asked"]) == _given(task.asked) and record.is_finished(directory):
                return directory
        return None

    def check_data(self, tasks: Sequence[Task]) -> None:
        """Makes sure that runs use the data that the study began with.

        Args:
            tasks: List of `Task`.

        Raises:
            UserError: If the study has runs on other data, or with an encoder of other content.
        """
        for task in tasks:
            for run in self._runs:
                before = run["asked"]
                if before.get("data") != task.asked.get("data"):
                    what = f"data, whose SHA-256 was {str(before.get('data'))[:12]}..."
                elif before.get("encoder") == task.asked.get("encoder") and (
                    before.get("encoder_sha256") not in (None, task.asked.get("encoder_sha256"))
                ):
                    what = f"files of the encoder {before.get('encoder')}"
                else:
                    continue
                raise UserError(
                    f"The runs of {self.directory} were made with other {what}. Give what they "
                    "were made with, or give these runs a study of their own with `--study`."
                )

    def add(self, task: Task, directory: Path) -> None:
        """Notes the run that was made for a task; other processes may note others meanwhile."""
        with self._changed():
            self._runs = [run for run in self._runs if run["asked"] != task.asked]
            self._runs.append({"run_id": directory.name, "asked": task.asked})

    def add_command(
        self, module: str, options: Sequence[Options], file: Mapping[str, Any] | None = None
    ) -> None:
        """Notes the command that makes runs of the study.

        Args:
            module: The command's module, and the name of an analysis where it has one.
            options: Objects of its options. Where the study is kept, and how many workers
                make it, is no part of the command.
            file: Dictionary of what the file holds that an option names, or `None`.
        """
        values = {}
        for one in options:
            usual = type(one)().to_dict()
            values |= {k: v for k, v in one.to_dict().items() if v != usual[k]}
        for name in ("study", "runs_dir", "workers"):
            values.pop(name, None)
        # A file lies elsewhere when the command is given again.
        values |= {k: f"{k}.json" for k in ("settings", "space") if k in values}
        words = ["python", "-m", *module.split(), *as_words(values)]
        command = {"command": words, "file": file or None}
        with self._changed():
            if command not in self._commands:
                self._commands.append(command)

    @contextlib.contextmanager
    def _changed(self):
        """Within it no other process changes the study's file."""
        with FileLock(self.directory / f".{STUDY}.lock"):
            self._read()
            yield
            record.write_versioned(self._path, {"runs": self._runs, "commands": self._commands})


def _given(asked):
    """What was asked for; options that later versions have more of are `None`."""
    return {name: value for name, value in asked.items() if value is not None}


def make_runs(
    tasks: list[Task],
    directory: Path,
    *,
    workers: int,
    cache: dict[str, Any],
    notify: Callable[[str], Any],
    command: Command | None = None,
    check: Callable[[], Any] = lambda: None,
) -> tuple[dict[str, Path], list[Ended]]:
    """Makes the runs of a study that are not there yet, and shows how far it is.

    Args:
        tasks: List of `Task`.
        directory: `pathlib.Path` of the study's folder, existing or not.
        workers: See `run_tasks`.
        cache: See `run_tasks`.
        notify: Called with messages for the user.
        command: Arguments of `Study.add_command`, or `None` to keep no command.
        check: Called before the first run begins, if any is missing; what it raises stops all.

    Returns:
        Dictionary of the folders of all runs that are there now, by the name of their task and in
        the order of the tasks, and list of `Ended`, the runs that failed.

    Raises:
        UserError: If the study's file cannot be read.
    """
    note_shared_devices(workers, notify)
    study = Study(directory)
    study.check_data(tasks)
    found = {str(task): study.find(task) for task in tasks}
    missing = [
        task._replace(options=task.options | _place(directory))
        for task in tasks
        if not found[str(task)]
    ]
    failed = []
    if missing:
        check()
        record.make_directory(directory / LOGS)
        if command:
            study.add_command(*command)
        notify(f"{len(missing)} of {len(tasks)} runs to make. What they print: {directory / LOGS}")
        finished = [(task, found[str(task)]) for task in tasks if found[str(task)]]
        with Progress(tasks, finished, workers) as progress:
            for ended in run_tasks(
                missing,
                workers=workers,
                log_dir=directory / LOGS,
                cache=cache,
                on_start=progress.start,
            ):
                progress.end(ended)
                if ended.directory:
                    study.add(ended.task, ended.directory)
                    found[str(ended.task)] = ended.directory
                else:
                    failed.append(ended)
    else:
        notify(f"All {len(tasks)} runs are finished, nothing is left to do: {directory}")
    return {name: made for name, made in found.items() if made}, failed


def tell_next(directory: Path, name: str | None = None) -> None:
    """Says where the findings of runs are kept, and what shows them.

    Args:
        directory: A study's folder, or that of all runs.
        name: Name of the file in it that holds the findings, where there is one.
    """
    if name is not None:
        print(f"Kept: {directory / name}")
    print(f"The report: python -m reports.render {shlex.quote(str(directory))}")


def tell_failures(failed: Sequence[Ended]) -> int:
    """Says which runs of a study failed, and why.

    Args:
        failed: List of `Ended`.

    Returns:
        The exit code of a command that made the study: 1 if a run failed, else 0.
    """
    for ended in failed:
        print(f"Failed: {ended.task}: {ended.reason}", file=sys.stderr)
    return 1 if failed else 0


def _place(directory):
    """The options of `fit` that put a run into a study's folder."""
    return {"study": directory.name, "runs_dir": str(directory.parent)}


def run_tasks(
    tasks: list[Task] | collections.deque[Task],
    *,
    workers: int,
    log_dir: Path,
    cache: dict[str, Any] | None = None,
    on_start: Callable[[Task], Any] = lambda task: None,
) -> Iterator[Ended]:
    """Makes runs, several at a time; one that fails does not stop the others.

    Args:
        tasks: List of `Task`, or `collections.deque` that more may be added to between the results.
        workers: Number of processes. Each has its share of the cores or, where there are several
            GPUs, its own.
        log_dir: Folder for what the runs print, a file a process.
        cache: Dictionary of what the runs share, as `fit` takes it; each process has a copy.
        on_start: Called with each `Task` that begins.

    Yields:
        `Ended`, as tasks end.
    """
    waiting = tasks if isinstance(tasks, collections.deque) else collections.deque(tasks)
    log_dir.mkdir(parents=True, exist_ok=True)
    cache = {} if cache is None else cache
    free = [_Worker(i, workers, log_dir, cache) for i in range(min(workers, len(waiting)))]
    busy = {}
    try:
        while waiting or busy:
            while waiting and free:
                worker = free.pop()
                task = waiting.popleft()
                model = task.options.get("model"), task.options.get("encoder")
                if worker.model not in (None, model) or worker.is_worn_out():
                    worker.stop()
                    worker = _Worker(worker.number, workers, log_dir, cache)
                worker.model = model
                on_start(task)
                worker.connection.send(task.options)
                busy[worker.connection] = worker, task
            all_ready: list[Any] = connection.wait(list(busy))
            for ready in all_ready:
                worker, task = busy.pop(ready)
                try:
                    directory, reason, worker.has_grown = ready.recv()
                except (EOFError, OSError):  # The process is gone: killed, or out of memory.
                    directory, reason = None, worker.why_it_died()
                free.append(worker)
                yield Ended(task, directory, reason)
    except KeyboardInterrupt:
        # Ctrl-C reaches them, too, but a signal to this process alone does not.
        for worker, _ in busy.values():
            worker.process.terminate()
        raise
    finally:
        for worker in [*free, *(worker for worker, _ in busy.values())]:
            worker.stop()


class _Worker:
    """A process that makes one run after the other."""

    def __init__(self, number, workers, log_dir, cache):
        self.number = number
        self.model = None
        self.has_grown = False
        self.log = log_dir / f"worker-{number}.log"
        self.connection, other_end = PROCESSES.Pipe()
        place = number, workers
        self.process = PROCESSES.Process(target=_work, args=(other_end, self.log, cache, *place))
        self.process.start()
        other_end.close()

    def is_worn_out(self):
        """Whether the next run needs another process."""
        return self.has_grown or not self.process.is_alive()

    def why_it_died(self):
        self.process.join()
        return f"its process ended with code {self.process.exitcode}; see {self.log}"

    def stop(self):
        """Lets the process end; a run under way stops after its step and can be continued."""
        with contextlib.suppress(OSError):
            self.connection.send(None)
        self.connection.close()
        self.process.join()


def backend() -> str:
    """Name of the Keras backend that runs will have, found out without Keras."""
    name = os.environ.get("KERAS_BACKEND")
    if not name:
        home = Path(os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras")))
        with contextlib.suppress(OSError, ValueError, KeyError):
            name = json.loads((home / "keras.json").read_text())["backend"]
    name = name or "tensorflow"
    if name not in BACKENDS:
        raise UserError(
            f"Keras has no such backend. Accepted: {', '.join(BACKENDS)}. "
            f"Received: KERAS_BACKEND={name!r}"
        )
    return name


def take_share(number: int, workers: int) -> None:
    """Ties this process to its share of the machine: some of the cores and, of several GPUs, one.

    Args:
        number: Integer, which of the processes it is, from 0.
        workers: Integer, how many processes there are.
    """
    gpu = _gpu(number)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    if cores := _cores(number, workers):
        # TensorFlow, JAX and torch all take as many threads as there are cores for them.
        os.sched_setaffinity(0, cores)


def _cores(number, workers):
    """The cores of one of several workers, or `None` where a process cannot be tied to cores."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = available_cores()
    return cores[number % len(cores) :: workers] if workers <= len(cores) else cores


def _gpu(number):
    """Name of the GPU of one of several workers, or `None` where there are less than two."""
    gpus = _gpus()
    return gpus[number % len(gpus)] if len(gpus) > 1 else None


def _gpus():
    """Names of the GPUs that CUDA is to see."""
    try:
        found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout
    except OSError:
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",") if visible else [str(i) for i in range(found.count("GPU "))]


def note_shared_devices(workers: int, notify: Callable[[str], Any]) -> None:
    """Says so if workers have to share what they compute on.

    Args:
        workers: Integer.
        notify: Called with messages for the user.
    """
    gpus, cores = len(_gpus()), len(available_cores())
    number, devices = (gpus, "GPU") if gpus else (cores, "core")
    if workers > number:
        notify(
            f"{workers} workers share {number} {devices}{'s' if number > 1 else ''}: more workers "
            f"than {devices}s are seldom faster."
        )


def _work(tasks, log, cache, number, workers):
    """What a worker's process does until its connection is closed or it is sent `None`."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    take_share(number, workers)
    with open(log, "a", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    # Whatever the parent has made of its own streams.
    sys.stdout, sys.stderr = (
        open(number, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
        for number in (1, 2)
    )
    # Imported here: the processes are there to spare their parent the seconds that Keras takes.
    from emotion_keras.training.run import fit

    gc.freeze()  # What was imported stays: each run would look for garbage in it, for a second.
    after_first = None
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while (options := tasks.recv()) is not None:
            memory.reset_peak_memory()
            directory, reason = _run(fit, options, cache)
            after_first = after_first or memory.memory_bytes()
            has_grown = memory.memory_bytes() > _MOST_GROWTH * after_first
            tasks.send((directory, reason, has_grown))


# A process that holds so many times the memory of its first run's end makes no more runs.
# TensorFlow never lets go of a training step's graph and its variables: run after run that needs
# its own would need more, and its record would say so.
_MOST_GROWTH = 1.5


def end_with_parent() -> None:
    """Ends this process when its parent is gone: two must not work on one run."""
    connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _run(fit, options, cache):
    """Makes a run; returns its folder, or `None` and why it failed."""
    import keras

    try:
        return fit(**options, cache=cache), None
    except UserError as error:
        return None, str(error)
    except Exception as error:  # Whatever it is, the other runs go on.
        traceback.print_exc()
        return None, f"{type(error).__name__}: {error}"
    finally:
        keras.backend.clear_session()
