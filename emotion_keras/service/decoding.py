"""Files of strangers, decoded in processes that may die."""

import asyncio
import json
import multiprocessing
import queue
import signal
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

from emotion_keras.service.batching import QueueFull

# A forked process would have the model, and the locks of threads that it has not.
_SPAWN = multiprocessing.get_context("spawn")
_SECONDS_TO_START = 60
# What a process may take beyond what it has when it starts: a header can ask for any amount.
_MAX_BYTES = 2**30
_MAX_ANSWER = 1024
_ANY_SIZE = 1e6


class DecodingFailed(Exception):
    """The process that decoded a file died, took too long, or too much memory."""


class DecodingPool:
    """Processes that decode files, one at a time each; one that dies is replaced.

    Args:
        decode: Function of a module that a new process can import: of the path of a file, the
            path where it writes what it makes of it, and the largest size that is read, to the
            size of the file.
        sample: Path of a file that each process decodes first, which loads libraries.
        num_processes: How many files are decoded at the same time.
        seconds: The most time for a file; then its process is ended.
        max_waiting: The most files that wait or are decoded.
    """

    def __init__(
        self,
        decode: Callable[[str, str, float], float],
        *,
        sample: str,
        num_processes: int,
        seconds: float,
        max_waiting: int,
    ):
        self._seconds = seconds
        self._max_waiting = max_waiting
        self._num_waiting = 0
        self._free: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        for _ in range(num_processes):
            self._free.put(_Process(decode, sample))
        self._threads = ThreadPoolExecutor(num_processes, thread_name_prefix="decoding")

    async def decode(self, path: str, target: str, longest: float) -> float:
        """Calls the function in one of the processes.

        Args:
            path: The file.
            target: Where the function writes.
            longest: The largest size that is read.

        Returns:
            The size of the file.

        Raises:
            DecodingFailed: If it does not return.
            QueueFull: If too many files wait.
        """
        if self._num_waiting >= self._max_waiting:
            raise QueueFull
        self._num_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._decode, path, target, longest)
        finally:
            self._num_waiting -= 1

    def _decode(self, *arguments):
        process = self._free.get()
        try:
            return process.run(arguments, self._seconds)
        finally:
            self._free.put(process)


class _Process:
    """A process that decodes a file when it is asked to."""

    def __init__(self, decode, sample):
        self._arguments = decode, sample
        self._start()

    def _start(self):
        """Starts the process, and does not wait until it is ready."""
        self._connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(
            target=_work, args=(theirs, *self._arguments), name="decoding", daemon=True
        )
        self._process.start()
        theirs.close()
        self._is_ready = False

    def run(self, arguments, seconds):
        # The system may have ended it meanwhile, which is no fault of this file.
        if not self._process.is_alive():
            self._replace()
        try:
            if not self._is_ready:
                self._receive(_SECONDS_TO_START)
                self._is_ready = True
            self._connection.send_bytes(json.dumps(arguments).encode())
            found = self._receive(seconds)
        except (EOFError, OSError, ValueError) as error:
            self._replace()
            raise DecodingFailed from error
        if found is None:
            raise DecodingFailed
        return found

    def _receive(self, seconds):
        if not self._connection.poll(seconds):
            raise TimeoutError
        # No pickle: a file that takes over the process shall not reach the service.
        return json.loads(self._connection.recv_bytes(_MAX_ANSWER))

    def _replace(self):
        self._process.kill()
        self._process.join()
        self._connection.close()
        self._start()


def _work(connection: Connection, decode: Callable[..., float], sample: str) -> None:
    """What the process does, until the service has ended."""
    # Ctrl-C goes to all processes of a terminal; the service first answers what is in flight.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with tempfile.TemporaryDirectory() as folder:
        found: float | None = decode(sample, str(Path(folder, "sample")), _ANY_SIZE)
    _limit_memory()
    while True:
        try:
            connection.send_bytes(json.dumps(found).encode())
            arguments = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        try:
            found = decode(*arguments)
        # Whatever a damaged file makes a library raise.
        except Exception:
            found = None


def _limit_memory():
    """Lets the process have no more than some memory, where the system can say what it has."""
    try:
        num_pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return
    import resource

    most = num_pages * resource.getpagesize() + _MAX_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
