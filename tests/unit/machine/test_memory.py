from pathlib import Path

import pytest

from emotion_keras.machine.memory import peak_memory_bytes

STATUS = Path("/proc/self/status")


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell a process's peak memory")
def test_peak_memory_is_what_the_system_counts():
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:")]
    counted = int(line.split()[1]) * 1024
    assert peak_memory_bytes() == pytest.approx(counted, rel=0.02)
