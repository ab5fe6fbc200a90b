"""The line that says how far work is: in a terminal in place, elsewhere a line a minute."""

import io

import pytest
from rich.cells import cell_len

from emotion_keras.command.live_line import LiveLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock():
    return [0.0]


def make(stream, clock, **options):
    return LiveLine(stream, clock=lambda: clock[0], **options)


@pytest.mark.parametrize("columns", [20, 80, 120])
@pytest.mark.parametrize("text", ["short", "x" * 300, "\u559c\u60a6" * 60])
def test_in_a_terminal_it_never_is_wider(columns, text, clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    make(stream, clock).show(text)
    shown = stream.getvalue().removeprefix("\r").removesuffix("\x1b[K")
    assert cell_len(shown) < columns and "\n" not in shown
    assert shown == text or shown.endswith("\u2026")


def test_in_a_terminal_it_changes_in_place_and_goes(clock):
    stream = Terminal()
    line = make(stream, clock)
    for second, text in ((0.0, "one"), (0.05, "too soon"), (1.0, "two")):
        clock[0] = second
        line.show(text)
    line.end()
    line.end()
    assert stream.getvalue() == "\rone\x1b[K\rtwo\x1b[K\r\x1b[K"


def test_in_a_log_it_is_a_line_a_minute(clock):
    stream = io.StringIO()
    line = make(stream, clock)
    for second in range(0, 150, 10):
        clock[0] = float(second)
        line.show(f"at {second}")
    line.end()
    assert stream.getvalue() == "at 0\nat 60\nat 120\n"


def test_the_first_line_may_wait_too(clock):
    stream = io.StringIO()
    line = make(stream, clock, wait=True)
    for second in (1.0, 59.0, 61.0):
        clock[0] = second
        line.show(f"at {second:.0f}")
    assert stream.getvalue() == "at 61\n"
