"""Two processes that make the same run."""

import multiprocessing

import pytest
from filelock import FileLock

from emotion_keras import record
from emotion_keras.training.run import fit


def lock_of(directory):
    return directory / "unfinished.lock"


def hold(path, held):
    with FileLock(path):
        held.set()
        multiprocessing.Event().wait()


@pytest.fixture
def baseline_options(toy):
    return {"model": "majority", "data": toy["data"], "runs_dir": toy["runs_dir"]}


def test_the_second_process_says_that_it_waits_and_trains_nothing(baseline_options):
    first = fit(**baseline_options, notify=lambda message: None)
    content = (first / record.RUN).read_bytes()
    (first / record.RUN).unlink()  # As if it were under way in another process.
    lock, messages = FileLock(lock_of(first)), []
    lock.acquire()

    def notify(message):
        messages.append(message)
        if "waits" in message:
            (first / record.RUN).write_bytes(content)
            lock.release()

    assert fit(**baseline_options, notify=notify) == first
    assert [message for message in messages if "Another process makes this run" in message]
    assert (first / record.RUN).read_bytes() == content


def test_a_killed_process_holds_nobody_up(baseline_options):
    directory = fit(**baseline_options, notify=lambda message: None)
    (directory / record.RUN).unlink()
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=hold, args=(lock_of(directory), held))
    process.start()
    held.wait()
    process.kill()
    process.join()
    messages = []
    assert fit(**baseline_options, notify=messages.append) == directory
    assert record.is_finished(directory)
    assert not [message for message in messages if "Another process" in message]
