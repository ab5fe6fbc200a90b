"""Searching with many processes: KerasTuner's chief, which chooses, and its workers, which try.

They find each other by three variables of the environment, which KerasTuner reads: `ADDRESS`,
`PORT` and `ROLE`. On one machine `run_here` sets them for processes that it starts; on many
machines the user does.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

from emotion_keras.command.entry import run_command
from emotion_keras.errors import UserError
from emotion_keras.studies import study

ROLE = "KERASTUNER_TUNER_ID"
ADDRESS = "KERASTUNER_ORACLE_IP"
PORT = "KERASTUNER_ORACLE_PORT"

CHIEF = "chief"
ALONE = "tuner0"  # What KerasTuner calls one that has no others; so the first worker is called too.

_HERE = "127.0.0.1"
_FIRST_PATIENCE = 600  # Seconds without an answer before a chief counts as never started,
_PATIENCE = 60  # or, after its first one, as dead.


def role() -> str:
    """Which part of a search this process is: `chief`, a worker's name, or `tuner0` if alone.

    Raises:
        UserError: If only some of the three variables are set, or the port is none.
    """
    given = {name: os.environ.get(name) for name in (ROLE, ADDRESS, PORT)}
    if missing := [name for name, value in given.items() if not value]:
        if len(missing) == len(given):
            return ALONE
        raise UserError(
            f"A search on many machines needs {ROLE}, {ADDRESS} and {PORT}, or none of them. "
            f"Not set: {', '.join(missing)}"
        )
    if not (given[PORT].isdecimal() and 0 < int(given[PORT]) < 2**16):
        raise UserError(f"A port is 1 to 65535. Received: {PORT}={given[PORT]!r}")
    return CHIEF if CHIEF in given[ROLE] else given[ROLE]  # As KerasTuner tells them apart.


def is_parallel() -> bool:
    """Whether this process is one of several of a search."""
    return bool(os.environ.get(ADDRESS))


def check_port() -> None:
    """Makes sure that the chief can listen: gRPC would share a port that is in use, unasked.

    Raises:
        UserError: If it cannot.
    """
    place = os.environ[ADDRESS], int(os.environ[PORT])
    try:
        with contextlib.closing(socket.create_server(place)):
            pass
    except OSError as error:
        raise UserError(
            f"The chief cannot listen at {place[0]}, port {place[1]}: {error.strerror}. Choose "
            f"another with {PORT}, for the chief and for its workers."
        ) from error


@contextlib.contextmanager
def with_chief() -> Iterator[None]:
    """Waits for the chief; within it this process ends, with a message, once it no longer answers.

    KerasTuner's workers would wait for it for an hour.

    Raises:
        UserError: If the chief does not start, or fails while it is asked.
    """
    import grpc  # Imported here because it takes a moment; KerasTuner has brought it.

    place = os.environ[ADDRESS], int(os.environ[PORT])
    message = (
        f"The chief at {place[0]}, port {place[1]}, does not answer. Nothing is lost that was "
        "tried: start it and its workers again with the same commands."
    )
    is_over = threading.Event()

    def answers():
        with contextlib.suppress(OSError), socket.create_connection(place, timeout=5):
            return True
        return False

    def watch():
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if is_over.wait(2):
                return
            if answers():
                deadline = time.monotonic() + _PATIENCE
        # Not to what stands in for it while KerasTuner is kept from speaking.
        print(f"\nerror: {message}", file=sys.__stderr__, flush=True)
        os._exit(2)

    # It must have answered before the watch begins: one that dies early would count as starting.
    deadline = time.monotonic() + _FIRST_PATIENCE
    while not answers():
        if time.monotonic() > deadline:
            raise UserError(message)
        time.sleep(0.1)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    except grpc.RpcError as error:
        raise UserError(message) from error
    finally:
        is_over.set()


def run_here(explore: Callable[[list[str]], None], workers: int) -> list[str]:
    """Runs a chief and its workers on this machine, to the end of the search.

    Args:
        explore: Function that a process can be given, which takes part in a search as its `role`
            says; its argument is the list of the names of the workers.
        workers: Number of workers. Each has its share of the cores or, where there are several
            GPUs, its own.

    Returns:
        List of the names of the workers that ended before the search did.
    """
    with contextlib.closing(socket.create_server((_HERE, 0))) as free:
        port = str(free.getsockname()[1])
    names = [f"tuner{number}" for number in range(workers)]

    def start(name, number):
        places = {ROLE: name, ADDRESS: _HERE, PORT: port}
        process = study.PROCESSES.Process(
            name=name, target=_take_part, args=(explore, names, places, number)
        )
        process.start()
        return process

    chief = start(CHIEF, None)
    team = [start(name, number) for number, name in enumerate(names)]
    try:
        for process in team:
            process.join()
    finally:
        for process in (chief, *team):
            process.terminate()
            process.join()
    return [process.name for process in team if process.exitcode]


def _take_part(explore, names, places, number):
    """What a process of a search does."""
    threading.Thread(target=study.end_with_parent, daemon=True).start()
    # So that what it has opened is closed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.environ.update(places)
    if number is not None:
        study.take_share(number, len(names))

    def run():
        # At a terminal Ctrl-C reaches all processes; the one that started them says what it means.
        with contextlib.suppress(KeyboardInterrupt):
            return explore(names)
        return 2

    sys.exit(run_command(run))
