"""What an analysis of a setting is: a set of trials, and what is measured of their runs."""

import abc
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from rich.console import RenderableType

from emotion_keras.command.score_table import (
    ScoreTable,
    main_scores,
    spread_of,
    with_interval,
)
from emotion_keras.data.options import DataOptions
from emotion_keras.errors import UserError
from emotion_keras.inputs import Input, find_modality
from emotion_keras.record.options import Options
from emotion_keras.studies.contenders import ByModel
from emotion_keras.studies.study import Task


class Trial(NamedTuple):
    """A setting of an analysis.

    Args:
        value: Number or string, the value of what is analysed.
        options: Dictionary of the options of `fit` that make it.
        model: Name of the model in place of the contender's, or `None`.
    """

    value: float | str
    options: dict
    model: str | None = None


class Plan(NamedTuple):
    """What the runs of an analysis have in common.

    Args:
        data: `DataOptions`.
        settings: Dictionary of options by model, and for all `networks`, in place of the chosen.
        cache: Dictionary, filled with what of the runs can be made beforehand, as `fit` takes it.
        notify: Called with messages for the user.
    """

    data: DataOptions
    settings: ByModel
    cache: dict[str, Any]
    notify: Callable[[str], Any]

    @property
    def modality(self) -> type[Input]:
        """Class of the `Input` that knows the cells."""
        return find_modality(self.data.reading.modality)


# Folders of finished runs, by the model and the value that they are of.
Made = Mapping[tuple[str, float | str], Sequence[Path]]


class Analysis(Options, abc.ABC):
    """An analysis of a setting, with its options.

    An analysis is one subclass in a file of its own and a line in `ANALYSES`.

    Attributes:
        analysed: Options of the data that it sets itself, and a command has not.
        reads_test: Whether its runs are tested on the test split.
        heading: What tables call its values; its name, where it is empty.
    """

    analysed: ClassVar[tuple[str, ...]] = ()
    reads_test: ClassVar[bool] = True
    heading: ClassVar[str] = ""

    @abc.abstractmethod
    def trials(self) -> list[Trial]:
        """The settings to try.

        Returns:
            List of `Trial`.

        Raises:
            UserError: If an option is wrong.
        """

    def check(self, modality: type[Input]) -> None:
        """Raises `UserError` if something that is asked for is not there for a modality."""

    def possible(self, name: str, trials: Sequence[Trial], plan: Plan) -> list[Trial]:
        """The trials that make a difference to a model, given by its full name."""
        return list(trials)

    def adapt(self, task: Task) -> Task:
        """A run as the analysis makes it."""
        return task

    def measure(self, found: dict[str, Any], made: Made, directory: Path, plan: Plan) -> None:
        """Adds what it measures beyond the scores of runs.

        Args:
            found: What `sensitivity.json` is to say, changed in place.
            made: The runs.
            directory: The study's folder.
            plan: `Plan`.
        """

    @classmethod
    def tables(cls, found: Mapping[str, Any]) -> list[RenderableType]:
        """What it found, as tables for the terminal."""
        name = cls.heading or found["analysis"].replace("_", " ")
        return [_scores(name, points) for points in by_contender(found)]


def by_contender(found: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """The points of an analysis, those of a model together."""
    names = dict.fromkeys(point["contender"] for point in found["points"])
    return [[p for p in found["points"] if p["contender"] == name] for name in names]


def _scores(name, points):
    (main, title), *others = main_scores(points[0]["test"]).items()
    table = ScoreTable(
        f"{points[0]['contender']} by {name}, in per cent, with 95 % intervals over examples and "
        f"seeds (SD: standard deviation of {title} over seeds)",
        (name, "runs", title, "SD", *(other for _, other in others), "val. F1"),
    )
    for point in points:
        value = point["value"]
        mark = " †" if point.get("flaws") else ""
        table.add_row(
            f"{value}{mark}" if isinstance(value, str) else f"{value:g}",
            str(len(point["run_ids"])),
            with_interval(point["test"][main]),
            spread_of(point["test"][main]),
            *(with_interval(point["test"].get(score)) for score, _ in others),
            with_interval(point["val"]["macro_f1"]),
        )
    return table


def numbers(text: str, option: str) -> list[float]:
    """The numbers in a list with commas, or `UserError`."""
    try:
        return [float(name) for name in names(text, option)]
    except ValueError as error:
        raise UserError(
            f"{option} are numbers with commas between them. Received: {option}={text!r}"
        ) from error


def shares_above_0(text: str, option: str) -> list[float]:
    """The numbers above 0 and at most 1 in a list with commas, or `UserError`."""
    values = numbers(text, option)
    if not all(0 < value <= 1 for value in values):
        raise UserError(f"{option} are shares above 0 and at most 1. Received: {option}={text!r}")
    return values


def names(text: str, option: str) -> list[str]:
    """The names in a list with commas, each of which is there once, or `UserError`."""
    found = [name.strip() for name in text.split(",")]
    if len(set(found)) < len(found):
        raise UserError(f"{option} names something twice. Received: {option}={text!r}")
    return found


def choose(text: str, option: str, what: str, known: Collection[str]) -> list[str]:
    """The names in a list with commas, all of which are known, or `UserError`.

    Args:
        text: The list.
        option: Name of the option that it is the value of.
        what: What has such a name, for the message.
        known: The names that are known.
    """
    chosen = names(text, option)
    if unknown := [name for name in chosen if name not in known]:
        raise UserError(
            f"Unknown {what}. Accepted: {', '.join(known)}. Received: {', '.join(unknown)}"
        )
    return chosen
