"""What goes wrong, and how it is told."""

import sys


class UserError(Exception):
    """Something that whoever runs a command can put right.

    Its message says what was wrong and where, what is accepted, and what to do. Commands print it
    and end with exit code 2, without a traceback.
    """


def run_command(command):
    """Runs a command to its end, and says what stopped it.

    Args:
        command: Function that returns the exit code.

    Returns:
        Its exit code, or 2 if the use or the input was wrong, or on Ctrl-C.
    """
    try:
        return command()
    except UserError as error:
        message = f"error: {error}"
    except OSError as error:
        message = f"error: {error}. What was saved stays: the same command continues."
    except KeyboardInterrupt as stop:
        message = str(stop) or "Stopped. The same command continues where it was."
    print(f"\n{message}", file=sys.stderr)
    return 2
