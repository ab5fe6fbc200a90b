"""Kinds of label: what a model is to find out, and how well it does.

`TARGETS` lists them by the name that the option `target` and the record have.
"""

from emotion_keras.errors import UserError
from emotion_keras.targets.base import Target
from emotion_keras.targets.single import SingleLabel

TARGETS: dict[str, type[Target]] = {"single": SingleLabel}


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


def target_of(run: dict) -> Target:
    """The target of a run, from its record; before there were kinds, all were `single`."""
    name = run["corpus"]["reading"].get("target") or "single"
    return find_target(name)(run["corpus"]["labels"])


__all__ = ["TARGETS", "SingleLabel", "Target", "find_target", "target_of"]
