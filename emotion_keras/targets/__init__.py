"""Kinds of label: what a model is to find out, and how well it does.

`TARGETS` lists them by the name that the option `target` and the record have.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emotion_keras.errors import UserError
from emotion_keras.targets.base import Target
from emotion_keras.targets.multi import MultiLabel
from emotion_keras.targets.single import SingleLabel

TARGETS: dict[str, type[Target]] = {"single": SingleLabel, "multi": MultiLabel}


def find_target(name: str) -> type[Target]:
    """The class of a kind of label.

    Raises:
        UserError: If there is no such kind.
    """
    if name not in TARGETS:
        raise UserError(
            f"Unknown kind of label. Accepted: {', '.join(TARGETS)}. Received: target={name!r}"
        )
    return TARGETS[name]


def make_target(
    name: str, labels: Iterable[str], thresholds: Sequence[float] | None = None
) -> Target:
    """The target that a record describes.

    Args:
        name: Name of the kind of label.
        labels: The labels' names.
        thresholds: What `Target.thresholds` is to be, of a kind with several labels.

    Raises:
        UserError: If there is no such kind.
    """
    kind = find_target(name)
    if issubclass(kind, MultiLabel):
        return kind(labels, thresholds)
    return kind(labels)


def target_of(run: Mapping[str, Any]) -> Target:
    """The target of a run, from its record; before there were kinds, all were `single`."""
    name = run["corpus"]["reading"].get("target") or "single"
    return make_target(name, run["corpus"]["labels"], run.get("label_thresholds"))


__all__ = [
    "TARGETS",
    "MultiLabel",
    "SingleLabel",
    "Target",
    "find_target",
    "make_target",
    "target_of",
]
