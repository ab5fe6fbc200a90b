"""Two processes that make the same run."""

import pytest
from filelock import FileLock

from emotion_keras import record
from emotion_keras.training.run import fit


@pytest.fixture
def baseline_options(toy):
    return {"model": "majority", "data": toy["data"], "runs_dir": toy["runs_dir"]}


def test_the_second_process_says_that_it_waits_and_trains_nothing(baseline_options):
    first = fit(**baseline_options, notify=lambda message: None)
    content = (first / record.RUN).read_bytes()
    (first / record.RUN).unlink()  # As if it were under way in another process.
    lock, messages = FileLock(first / "unfinished.lock"), []
    lock.acquire()

    def notify(message):
        messages.append(message)
        if "waits" in message:
            (first / record.RUN).write_bytes(content)
            lock.release()

    assert fit(**baseline_options, notify=notify) == first
    assert [message for message in messages if "Another process makes this run" in message]
    assert (first / record.RUN).read_bytes() == content
