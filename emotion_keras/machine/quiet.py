"""Loads Keras for a command, without the lines that its libraries print meanwhile."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

from emotion_keras.machine.terminal import open_streams

BACKENDS = ("tensorflow", "jax", "torch")


def silence_tensorflow() -> None:
    """Lets TensorFlow say nothing of itself, if it is loaded later: not of CUDA, nor of oneDNN.

    What goes wrong comes as an exception, too.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # It warns of how often it compiles, which no user of a command can change.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def load_keras() -> None:
    """Loads Keras and its backend, or ends the command with exit code 2 and a message."""
    open_streams()
    # TensorFlow takes oneDNN by itself on some CPUs alone. On others, such as AMD's with AVX2, it
    # takes half of the time for convolutions, too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        with quiet():
            import keras_hub  # noqa: F401
    except (ImportError, ValueError) as error:
        name = os.environ.get("KERAS_BACKEND")
        print(
            f"error: Keras cannot be loaded: {error}. Accepted: {', '.join(BACKENDS)}, where its "
            f"package is installed. Received: KERAS_BACKEND={name!r}",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print("Stopped before anything began.", file=sys.stderr)
    else:
        return
    sys.exit(2)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps standard error off the terminal; if an error comes, it is shown all the same.

    TensorFlow's libraries write there about themselves while they are loaded, whatever their
    settings, and a message for the user would be lost among it.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        except Exception:
            file.seek(0)
            os.write(terminal, file.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
