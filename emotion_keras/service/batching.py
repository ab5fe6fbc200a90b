"""Texts of many requests, predicted together."""

import asyncio
import collections
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple


class QueueFull(Exception):
    """More texts are waiting than may wait; later there is room again."""


class _Waiting(NamedTuple):
    """A text in the queue, and where its prediction goes."""

    text: str
    explain: bool
    answer: asyncio.Future


class Batcher:
    """Predicts what is waiting, as one batch, in a thread of its own.

    It never waits for a batch to fill: a text that comes alone is predicted at once, and what comes
    meanwhile is the next batch.

    Args:
        predictor: Function of a list of texts and `explain`, to a list of predictions.
        max_batch: The most texts that are predicted together.
        max_queue: The most texts that wait.
        on_batch: Called with the number of texts of each batch.
    """

    def __init__(self, predictor, *, max_batch, max_queue, on_batch):
        self._predictor = predictor
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._on_batch = on_batch
        self._queue = collections.deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predictor")
        self._work = None

    def __len__(self):
        """The number of texts that wait."""
        return len(self._queue)

    async def predict(self, texts, explain):
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
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._predict_all())
        return await asyncio.gather(*(one.answer for one in waiting))

    async def _predict_all(self):
        while self._queue:
            count = min(len(self._queue), self._max_batch)
            batch = [self._queue.popleft() for _ in range(count)]
            for explain in (False, True):
                if part := [one for one in batch if one.explain == explain]:
                    await self._predict(part, explain)

    async def _predict(self, batch, explain):
        self._on_batch(len(batch))
        texts = [one.text for one in batch]
        loop = asyncio.get_running_loop()
        try:
            predictions = await loop.run_in_executor(
                self._thread, lambda: self._predictor(texts, explain=explain)
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
