"""What goes wrong for the person who runs a command."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something that whoever runs a command can put right.

    Its message says what was wrong and where, what is accepted, and what to do. Commands print it
    and end with exit code 2, without a traceback.
    """


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question whether a known name was meant, with a blank before it.

    Args:
        name: The name that is not known.
        known: Those that are.

    Returns:
        String, empty where no name is close.

    Example:

    >>> did_you_mean("epoch", ["epochs", "noise"]), did_you_mean("zebra", ["epochs", "noise"])
    (' Did you mean epochs?', '')
    """
    by_lower = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f" Did you mean {by_lower[close[0]]}?" if close else ""
