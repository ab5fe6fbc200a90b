"""Completion of command lines by a shell, which runs the command to ask what may come next.

argcomplete does it, for commands whose file begins with its mark.
"""

import argparse
import os
import typing
from collections.abc import Callable, Sequence
from typing import Any

# Set where a shell asks: which of the words that are typed is the command, counted from 1.
_ASKS = "_ARGCOMPLETE"


def answer_shell(parser: argparse.ArgumentParser) -> None:
    """Answers a shell and ends the process, if a shell asks.

    Args:
        parser: The command line that is to be completed.
    """
    if _ASKS in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)


def typed_words(arguments: Sequence[str]) -> list[str]:
    """The words of a command line: where a shell asks, those that are typed before the cursor.

    Args:
        arguments: The arguments of the command, of which there are none where a shell asks.
    """
    if _ASKS not in os.environ:
        return list(arguments)
    from argcomplete.lexers import split_line

    line, end = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
    _, _, _, words, _ = split_line(line, end)
    typed = list(words[int(os.environ[_ASKS]) :])
    # The value of the last one is what the shell asks for.
    return typed[:-1] if typed and typed[-1].startswith("--") else typed


def completer_of(annotation: Any) -> Callable[..., list[str]] | None:
    """What lists the values of an option of a type, if there are few; see `argcomplete`.

    Example:

    >>> completer_of(bool | None)()
    ['true', 'false']
    """
    values = []
    for kind in (annotation, *typing.get_args(annotation)):
        if kind is bool:
            values += ["true", "false"]
        elif typing.get_origin(kind) is typing.Literal:
            values += [str(value) for value in typing.get_args(kind)]
    return (lambda **_: values) if values else None
