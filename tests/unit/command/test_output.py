"""Wherever a command prints, and whatever stops it, it ends as it should, without a traceback."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotion_keras import predict
from emotion_keras.command.entry import run_command
from emotion_keras.inference.predictor import Predictor

ROOT = Path(__file__).parents[3]
PRINTS = r"print('joy \U0001f600 \u2014 \u0641'); return 0"
# More than any pipe holds; at its end a file says that nothing stopped it.
PRINTS_MUCH = "[print('x' * 99) for _ in range(20_000)]; open('done', 'w').close(); return 0"
RICH = (
    r"import rich; from rich.table import Table; t = Table('label \U0001f600');"
    r"t.add_row('\u2026'); rich.print(t); return 0"
)
WAITS = "print('ready', flush=True); import time; time.sleep(60); return 0"
TELLS = r"raise UserError('wrong \U0001f600')"


def code_of(body, continues=True):
    return (
        "import sys; from emotion_keras.command.entry import run_command\n"
        "from emotion_keras.errors import UserError\n"
        f"def command():\n    {body}\n"
        f"sys.exit(run_command(command, continues={continues}))"
    )


def shell(line, folder, body, **environment):
    """Runs a command in a shell line, in which it is `$COMMAND`."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    given |= {"PYTHON": sys.executable, "CODE": code_of(body), **environment}
    line = line.replace("$COMMAND", '"$PYTHON" -c "$CODE"')
    done = subprocess.run(["bash", "-c", line], cwd=folder, env=given, capture_output=True)
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr
    return done


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        pytest.param("ascii", r"joy \U0001f600 \u2014 \u0641", id="ASCII"),
        pytest.param("latin-1", r"joy \U0001f600 \u2014 \u0641", id="Latin-1"),
        pytest.param("cp1252", r"joy \U0001f600 " "\u2014" r" \u0641", id="Windows-1252"),
        pytest.param("cp1256", r"joy \U0001f600 " "\u2014 \u0641", id="Arabic of Windows"),
        pytest.param("utf-8", "joy \U0001f600 \u2014 \u0641", id="UTF-8"),
        pytest.param("utf-16", "joy \U0001f600 \u2014 \u0641", id="UTF-16"),
    ],
)
def test_what_an_encoding_lacks_is_escaped(encoding, shown, tmp_path):
    done = shell("$COMMAND", tmp_path, PRINTS, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stdout.decode(encoding).strip()) == (0, shown)


def test_in_the_plainest_locale_all_is_shown_somehow(tmp_path):
    plain = {"PYTHONIOENCODING": "", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell("$COMMAND", tmp_path, PRINTS, **plain)
    assert (done.returncode, done.stdout) == (0, rb"joy \U0001f600 \u2014 \u0641" + b"\n")


def test_tables_have_lines_that_the_encoding_has(tmp_path):
    done = shell("$COMMAND", tmp_path, RICH, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stdout.startswith(b"+-")
    assert rb"label \U0001f600" in done.stdout and rb"\u25" not in done.stdout


def test_a_message_is_escaped_too(tmp_path):
    done = shell("$COMMAND", tmp_path, TELLS, PYTHONIOENCODING="ascii:strict")
    assert (done.returncode, done.stderr.strip()) == (2, rb"error: wrong \U0001f600")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param("$COMMAND | head -1; exit ${PIPESTATUS[0]}", 0, id="head takes a line"),
        pytest.param("$COMMAND | true; exit ${PIPESTATUS[0]}", 0, id="nobody reads"),
        pytest.param("$COMMAND 2>&1 | head -1; exit ${PIPESTATUS[0]}", 0, id="both in a pipe"),
        pytest.param("$COMMAND >&-", 0, id="standard output is closed"),
        pytest.param("$COMMAND >&- 2>&-", 0, id="both are closed"),
        pytest.param("$COMMAND <&- >&- 2>&-", 0, id="all are closed"),
        pytest.param("$COMMAND >/dev/null 2>/dev/full", 0, id="no room for messages"),
    ],
)
def test_work_goes_on_when_nobody_reads(line, code, tmp_path):
    assert shell(line, tmp_path, PRINTS_MUCH).returncode == code
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("body", [PRINTS, PRINTS_MUCH, RICH])
def test_a_full_disk_has_a_message(body, tmp_path):
    done = shell("$COMMAND > /dev/full", tmp_path, body)
    assert done.returncode == 2
    assert b"No space left on device: 'standard output'" in done.stderr


def test_help_on_a_full_disk_has_one_too(tmp_path):
    body = (
        "import argparse; p = argparse.ArgumentParser(description='x' * 99_999);"
        "p.parse_args(['--help'])"
    )
    done = shell("$COMMAND > /dev/full", tmp_path, body)
    assert done.returncode == 2 and b"No space left" in done.stderr


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full", ">&- 2>&-"])
def test_what_was_wrong_is_in_the_exit_code_where_it_cannot_be_said(redirected, tmp_path):
    done = shell(f"$COMMAND {redirected}", tmp_path, TELLS)
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_file_that_is_opened_is_not_taken_for_a_closed_stream(tmp_path):
    body = "import os; f = open('file', 'w'); os.write(1, b'x'); os.write(2, b'x'); return 0"
    assert shell("$COMMAND >&- 2>&-", tmp_path, body).returncode == 0
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize(
    ("number", "continues", "message"),
    [
        (signal.SIGTERM, True, b"Stopped. The same command continues where it was."),
        (signal.SIGHUP, True, b"Stopped. The same command continues where it was."),
        (signal.SIGINT, True, b"Stopped. The same command continues where it was."),
        (signal.SIGTERM, False, b"Stopped."),
        (signal.SIGHUP, False, b"Stopped."),
    ],
)
def test_a_signal_stops_with_a_message(number, continues, message, tmp_path):
    code, output, errors = stop(code_of(WAITS, continues), number, tmp_path)
    assert (code, errors.strip()) == (2, message)


def test_in_the_background_where_ctrl_c_is_ignored_sigterm_is_not(tmp_path):
    ignores = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code, _, errors = stop(ignores + code_of(WAITS), signal.SIGTERM, tmp_path)
    assert code == 2 and errors.strip().startswith(b"Stopped.")


def test_nohup_is_heeded(tmp_path):
    ignores = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    body = WAITS.replace("60", "1")
    code, _, errors = stop(ignores + code_of(body), signal.SIGHUP, tmp_path)
    assert (code, errors) == (0, b"")


def stop(code, number, folder):
    # Tests that run in the background, or under nohup, would hand on that a signal is ignored.
    usual = "default_int_handler" if number == signal.SIGINT else "SIG_DFL"
    code = f"import signal; signal.signal({int(number)}, signal.{usual})\n{code}"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    first = process.stdout.readline()
    process.send_signal(number)
    output, errors = process.communicate(timeout=50)
    assert b"Traceback" not in errors
    return process.returncode, first + output, errors


def test_a_handler_of_a_step_stops_after_it(tmp_path):
    def command():
        stopped = []
        before = signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(500):
                if stopped:
                    return 0
                time.sleep(0.01)
            return 3
        finally:
            signal.signal(signal.SIGINT, before)

    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    assert run_command(command) == 0
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before


def test_labelling_ends_when_nobody_reads_the_labels(monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(32, "Broken pipe")

    asked = []

    class Fake:
        name = "fake"

        def __call__(self, texts, **options):
            asked.append(len(texts))
            answer = {"label": "joy", "confidence": 1.0, "probabilities": {"joy": 1.0}, "flag": ""}
            return [answer for _ in texts]

    monkeypatch.setattr(Predictor, "load", classmethod(lambda cls, directory: Fake()))
    monkeypatch.setattr("sys.stdout", Closed())
    monkeypatch.setattr("sys.stdin", io.StringIO("we won\n" * 100_000))
    assert predict.main(["folder"]) == 0
    assert sum(asked) < 1000
