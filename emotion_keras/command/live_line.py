"""One line that says how far long work is."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

from rich.cells import cell_len, set_cell_size

# Seconds between two lines in a log, and between two changes of the line in a terminal.
_SECONDS_IN_A_LOG = 60.0
_SECONDS_IN_A_TERMINAL = 0.1


class LiveLine:
    """A line that changes in place in a terminal, and is a line a minute elsewhere.

    In a terminal it never is wider than that, and is gone when the work is done.

    Args:
        stream: Text stream; standard output, as it is when the line is made, unless given.
        wait: Whether the first line waits as long as those after it.
        clock: Function that gives the time in seconds.
    """

    def __init__(
        self,
        stream: Any = None,
        *,
        wait: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._stream = sys.stdout if stream is None else stream
        self._clock = clock
        self._shown_at = clock() if wait else None
        self.is_in_place = bool(self._stream.isatty())
        self._seconds = _SECONDS_IN_A_TERMINAL if self.is_in_place else _SECONDS_IN_A_LOG

    def show(self, text: str) -> None:
        """Shows how far the work is, unless it was shown a moment ago."""
        now = self._clock()
        if self._shown_at is not None and now - self._shown_at < self._seconds:
            return
        self._shown_at = now
        if not self.is_in_place:
            print(text, file=self._stream, flush=True)
            return
        # A character in the last column would make some terminals begin another line.
        width = max(shutil.get_terminal_size().columns - 1, 1)
        if cell_len(text) > width:
            text = f"{set_cell_size(text, width - 1)}…"
        self._write(f"\r{text}\x1b[K")

    def end(self) -> None:
        """Takes the line away from a terminal."""
        if self.is_in_place and self._shown_at is not None:
            self._write("\r\x1b[K")
        self._shown_at = None

    def _write(self, text):
        self._stream.write(text)
        self._stream.flush()
