"""What importing the modules of a run does not do."""

import subprocess
import sys

# Processes of a study are forked from one that has these modules. A variable starts the threads of
# a backend, which a forked process would wait for without end.
_SCRIPT = """
import keras
made, begin = [], keras.Variable.__init__
def watch(self, *arguments, **options):
    made.append(options.get("name"))
    begin(self, *arguments, **options)
keras.Variable.__init__ = watch
import emotion_keras.training.run, emotion_keras.compare, tuning.search, tuning.sensitivity
assert not made, made
"""


def test_no_variable_is_made_by_importing_modules():
    found = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr[-500:]
