"""Texts of many requests, predicted together."""

import asyncio
import collections
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol


class QueueFull(Exception):
    """More texts are waiting than may wait; later there is room again."""


class Predict(Protocol):
    """What predicts several texts at once."""

    def __call__(self, texts: list[str], *, explain: bool) -> list[dict[str, Any]]:
        """Predicts texts, and says with `explain` what each word does."""


class _Waiting(NamedTuple):
    """A text in the queue, and where its prediction goes."""

    text: str
    explain: bool
    answer: asyncio.Future


class Batcher:
    """Predicts what is waiting, in batches, in threads of its own.

    It never waits for a batch to fill: what comes while a thread is free is predicted at once, and
    what comes while none is becomes the next batch. Threads that are free share what waits.

    Args:
        predictor: Function of a list of texts and `explain`, to a list of predictions.
        max_batch: The most texts that are predicted together.
        max_queue: The most texts that wait.
        num_threads: How many batches are predicted at the same time.
        on_batch: Called with the number of texts of each batch.
    """

    def __init__(
        self,
        predictor: Predict,
        *,
        max_batch: int,
        max_queue: int,
        num_threads: int,
        on_batch: Callable[[int], Any],
    ):
        self._predictor = predictor
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._on_batch = on_batch
        self._queue = collections.deque()
        self._num_free = num_threads
        self._threads = ThreadPoolExecutor(num_threads, thread_name_prefix="predictor")
        self._work = set()

    def __len__(self):
        """The number of texts that wait."""
        return len(self._queue)

    async def predict(self, texts: list[str], explain: bool) -> list[dict[str, Any]]:
        """Predicts texts, in batches with those of other requests.

        Args:
            texts: List of strings.
            explain: Whether to say what each word does.

        Returns:
            List of predictions.

        Raises:
            QueueFull: If there is no room for them in the queue.
        """
        if len(self._queue) + len(texts) > self._max_queue:
            raise QueueFull
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(text, explain, loop.create_future()) for text in texts]
        self._queue.extend(waiting)
        self._start()
        return await asyncio.gather(*(one.answer for one in waiting))

    def _start(self):
        """Gives what waits to the threads that are free."""
        while self._queue and self._num_free:
            count = min(math.ceil(len(self._queue) / self._num_free), self._max_batch)
            batch = [self._queue.popleft() for _ in range(count)]
            self._num_free -= 1
            work = asyncio.create_task(self._predict_batch(batch))
            # Nothing else holds on to a task.
            self._work.add(work)
            work.add_done_callback(self._work.discard)

    async def _predict_batch(self, batch):
        for explain in (False, True):
            if part := [one for one in batch if one.explain == explain]:
                await self._predict(part, explain)
        self._num_free += 1
        self._start()

    async def _predict(self, batch, explain):
        self._on_batch(len(batch))
        texts = [one.text for one in batch]
        loop = asyncio.get_running_loop()
        try:
            predictions = await loop.run_in_executor(
                self._threads, lambda: self._predictor(texts, explain=explain)
            )
            pairs = list(zip(batch, predictions, strict=True))
        except Exception as error:
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
            return
        for one, prediction in pairs:
            # Of a request that was given up, the answers are cancelled.
            if not one.answer.done():
                one.answer.set_result(prediction)
