"""How much memory long work takes."""

import subprocess
import sys
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

ROOT = Path(__file__).parents[2]

_WORK = """
import sys
from emotion_keras.inference.labelling import label_file
label_file(lambda texts: {"mood": texts}, *sys.argv[1:], columns=["mood"], settings={})
assert "keras" not in sys.modules
"""
# A process begins with the peak of the one that started it, and a test's has been high: one that is
# small stands between.
_MEASURE = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))
"""


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    megabytes = []
    for num_rows in (6_000, 24_000):
        texts = [f"{number} and many words more " * 100 for number in range(num_rows)]
        source = tmp_path / f"{num_rows}{name}"
        if name == "a.parquet":
            parquet.write_table(pyarrow.table({"text": texts}), source, row_group_size=num_rows)
        else:
            line = "{}\n" if name == "a.csv" else '{{"text": "{}"}}\n'
            with open(source, "w") as file:
                file.write("text\n" if name == "a.csv" else "")
                file.writelines(map(line.format, texts))
        del texts
        # What joins Parquet has a bound as well, but one that larger files alone would show.
        output = source.with_name(f"{source.name}.csv")
        done = subprocess.run(
            [sys.executable, "-c", _MEASURE, _WORK, source, output],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        megabytes.append(float(done.stdout))
    print(megabytes)
    # The texts of the large file alone take 66 MB.
    assert megabytes[1] - megabytes[0] < 30
    assert megabytes[1] < 350  # With what is imported.
