"""What commands print, wherever it goes: closed pipes, full disks, any encoding; and signals."""

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

# How a stream says that whoever read it is gone: a pipe, a terminal.
_GONE = (errno.EPIPE, errno.EIO)


class _Output:
    """A text stream that ends no work: characters that its encoding lacks are escaped.

    What nobody reads any more is dropped.

    Args:
        stream: Text stream, such as `sys.stdout`.
        name: What messages call it, or `None` where a full disk is no reason to stop.

    Attributes:
        is_read: Whether anybody reads it still, as far as is known.
    """

    def __init__(self, stream, name=None):
        self._stream = stream
        self._name = name
        self.is_read = True
        self._failure = None

    def write(self, text):
        with self._lasting():
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                encoding = self._stream.encoding
                escaped = text.encode(encoding, "backslashreplace")
                self._stream.write(escaped.decode(encoding))
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        if self._failure:  # Some who write take no notice, as argparse.
            raise self._failure
        with self._lasting():
            self._stream.flush()

    def __getattr__(self, name):
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _lasting(self):
        try:
            yield
        except OSError as error:
            self._drop()
            if self._name and error.errno not in _GONE:
                self._failure = OSError(error.errno, error.strerror, self._name)
                raise self._failure from error

    def _drop(self):
        """Sends all that is to come, and what the stream still holds, to nowhere."""
        self.is_read = False
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def is_read(stream: Any) -> bool:
    """Whether anybody reads a stream still, as far as is known."""
    return getattr(stream, "is_read", True)


def open_streams() -> None:
    """Opens the standard streams that whoever started the process has closed.

    Else the next file to be opened would be taken for one of them.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))


@contextlib.contextmanager
def lasting_output() -> Iterator[None]:
    """Makes standard output and standard error an `_Output` for a while."""
    open_streams()
    before = sys.stdout, sys.stderr
    outputs = _Output(sys.stdout, "standard output"), _Output(sys.stderr)
    sys.stdout, sys.stderr = outputs
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for output in outputs:
            with contextlib.suppress(OSError):
                output.flush()


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP stop a command as Ctrl-C does, but where others handle them."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows lacks the second.
            if number and signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number, frame):
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):  # Training, for one, ends its step first.
        handler(number, frame)
    else:  # Started in the background, the process ignores Ctrl-C.
        raise KeyboardInterrupt
