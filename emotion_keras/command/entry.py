"""How every command ends: its exit code, and the message that says what stopped it."""

import sys
from collections.abc import Callable

from emotion_keras.errors import UserError
from emotion_keras.machine.quiet import silence_tensorflow
from emotion_keras.machine.terminal import lasting_output, stopped_by_signals


def run_command(command: Callable[[], int], continues: bool = True) -> int:
    """Runs a command to its end, and says what stopped it.

    Args:
        command: Function that returns the exit code.
        continues: Whether the same command, given once more, goes on where it was.

    Returns:
        Its exit code, or 2 if the use or the input was wrong, or on Ctrl-C, SIGTERM and SIGHUP.
    """
    silence_tensorflow()
    with lasting_output(), stopped_by_signals():
        try:
            try:
                code = command()
            except SystemExit:  # As `--help` ends.
                sys.stdout.flush()
                raise
            sys.stdout.flush()
            return code
        except UserError as error:
            message = f"error: {error}"
        except OSError as error:
            saved = " What was saved stays: the same command continues." if continues else ""
            message = f"error: {error}.{saved}"
        except KeyboardInterrupt as stop:
            saved = " The same command continues where it was." if continues else ""
            message = str(stop) or f"Stopped.{saved}"
        print(f"\n{message}", file=sys.stderr)
    return 2
