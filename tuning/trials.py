"""The trials of a search, on disk: processes that make them together write to the same files."""

import contextlib
from pathlib import Path
from typing import Any

from filelock import FileLock

from emotion_keras import record
from emotion_keras.errors import UserError

SEARCH = "search.json"
BEST = "best.json"
DEFAULTS = "defaults"  # Name of the trial that comes first.
FAILURES = 3  # So many in a row stop a search.


class Trials:
    """The trials of a search, kept in `search.json`, and the best of them in `best.json`.

    A trial is a dictionary of `trial`, its name, `options`, `score`, `run_ids` and `reason`, why it
    failed. One without score and reason has begun and not ended.

    Args:
        directory: `pathlib.Path` of the study's folder, existing or not.
        question: JSON-able dictionary of what is searched for, and how.

    Raises:
        UserError: If the folder holds another search.
    """

    def __init__(self, directory: Path, question: dict[str, Any]):
        self.directory = directory
        self.question = question
        self.trials = []
        self.reload()

    def reload(self) -> None:
        """Reads what other processes have written."""
        path = self.directory / SEARCH
        if not path.exists():
            return
        found = record.read_versioned(path)
        if changed := _changes(found, self.question):
            raise UserError(
                f"{self.directory} holds another search: {', '.join(changed)} were others. Give "
                "this one a name of its own with `--study`, or delete that folder."
            )
        self.trials = found["trials"]

    def begin(self, options: dict[str, Any], name: str | None = None) -> str:
        """Notes that a setting is tried.

        Args:
            options: Dictionary of the options that the trial is about.
            name: String, or `None` for the next number.

        Returns:
            The trial's name; that of before, where the setting was tried before.
        """
        with self._changed():
            for trial in self.trials:
                if trial["options"] == options:
                    return trial["trial"]
            name = name or str(1 + len(self._of_oracle()))
            begun = {"trial": name, "options": options}
            self.trials.append({**begun, "score": None, "run_ids": [], "reason": None})
            return name

    def end(
        self, options: dict[str, Any], score: float | None, run_ids: list[str], reason: str | None
    ) -> dict[str, Any]:
        """Notes how a trial that has begun ended.

        Args:
            options: Dictionary of the options that the trial is about.
            score: Float, or `None` if it failed.
            run_ids: List of the names of its runs.
            reason: Why it failed, or `None`.

        Returns:
            The trial.
        """
        with self._changed():
            trial = next(trial for trial in self.trials if trial["options"] == options)
            trial.update({"score": score, "run_ids": run_ids, "reason": reason})
            self.trials.remove(trial)
            self.trials.append(trial)  # In the order in which they ended.
        if best := self.best():
            contender = self.question["contender"]
            found = {"study": self.directory.name, "contender": contender, **best}
            record.write_versioned(self.directory / BEST, found)
        return trial

    @contextlib.contextmanager
    def _changed(self):
        """Within it no other process changes the trials."""
        with FileLock(self.directory / f".{SEARCH}.lock"):
            self.reload()
            yield
            record.write_versioned(
                self.directory / SEARCH, {**self.question, "trials": self.trials}
            )

    def score_of(self, options: dict[str, Any]) -> float | None:
        """The score of a setting that was tried, or `None`."""
        return next((t["score"] for t in self.trials if t["options"] == options), None)

    def ended(self) -> list[dict[str, Any]]:
        """The trials that the oracle chose and that have ended, in that order."""
        return [trial for trial in self._of_oracle() if has_ended(trial)]

    def have_failed(self) -> bool:
        """Whether so many trials in a row have failed that the search stops."""
        last = self.ended()[-FAILURES:]
        return len(last) == FAILURES and all(trial["reason"] for trial in last)

    def ranked(self) -> list[dict[str, Any]]:
        """The trials that have a score, the best first."""
        scored = [trial for trial in self.trials if trial["score"] is not None]
        return sorted(scored, key=lambda trial: -trial["score"])

    def best(self) -> dict[str, Any] | None:
        """The best trial, or `None` where none has a score."""
        return next(iter(self.ranked()), None)

    def _of_oracle(self):
        return [trial for trial in self.trials if trial["trial"] != DEFAULTS]


def _changes(before, now):
    """Names of what two searches differ in; of their runs the options, such as `data`."""
    changed = [key for key in now if now[key] != before.get(key)]
    if "runs" in changed and before.get("runs") and len(before["runs"]) == len(now["runs"]):
        options = {
            option
            for old, new in zip(before["runs"], now["runs"], strict=True)
            for option in {**old, **new}
            if old.get(option) != new.get(option)
        }
        changed = [key for key in changed if key != "runs"] + sorted(options)
    return changed


def has_ended(trial: dict[str, Any]) -> bool:
    """Whether a trial has a score, or a reason for having none."""
    return trial["score"] is not None or trial["reason"] is not None
