"""How busy the cores are, by a made-up file of the system and by the system's own."""

import os
import time

from emotion_keras.machine import cores

STAT = """cpu  900 900 900 900 900 900 900 900 900 900
cpu0 100 20 3 5000 700 1 2 4 50 60
cpu1 10 0 0 6000 0 0 0 0 0 0
cpu2 800 800 800 800 800 800 800 800 800 800
intr 1 2 3
"""


def test_busy_are_cores_of_this_process_that_neither_idle_nor_wait(monkeypatch, tmp_path):
    path = tmp_path / "stat"
    path.write_text(STAT)
    monkeypatch.setattr(cores, "_STAT", path)
    monkeypatch.setattr(cores, "available_cores", lambda: [0, 1])
    assert cores.busy_seconds() == (100 + 20 + 3 + 1 + 2 + 4 + 10) / os.sysconf("SC_CLK_TCK")


def test_a_system_that_does_not_count_says_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(cores, "_STAT", tmp_path / "none")
    assert cores.busy_seconds() is None


def test_work_of_this_process_is_counted():
    before, start = cores.busy_seconds(), time.process_time()
    while time.process_time() - start < 0.3:
        sum(range(1000))
    if before is not None:
        assert cores.busy_seconds() - before > 0.2
