"""What the service counts, in the text format of Prometheus."""

import time
from collections.abc import Callable, Collection
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The metrics of one service.

    Args:
        queue_length: Function without arguments, to the number of examples that wait.
        plural: What several examples are called, such as `texts`.
    """

    def __init__(self, queue_length: Callable[[], float], plural: str):
        # A registry of its own, so that two services in one process do not add up.
        self._registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self._registry}
        self.requests = Counter(
            "emotion_requests", "Requests by path and status.", ["path", "status"], **own
        )
        self.seconds = Histogram(
            "emotion_predict_seconds",
            "Seconds from a request for predictions, its body still to come, to the answer.",
            **own,
        )
        several = plural.capitalize()
        self.examples = Counter(f"emotion_{plural}", f"{several} that were asked about.", **own)
        self.batches = Histogram(
            f"emotion_batch_{plural}", f"{several} predicted together.", buckets=_SIZES, **own
        )
        waiting = Gauge(f"emotion_queue_{plural}", f"{several} that wait.", **own)
        waiting.set_function(queue_length)

    def as_text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)


class CountRequests:
    """ASGI middleware that counts requests and takes their time.

    Args:
        app: What answers.
        metrics: `Metrics`.
        paths: The paths that there are; all others are counted as one.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Collection[str]):
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        # Until there is an answer: a client that has gone gets none, an error is answered outside.
        status = "none"
        start = time.perf_counter()

        async def watch(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            status = "500"
            raise
        finally:
            path = scope["path"] if scope["path"] in self._paths else "other"
            self._metrics.requests.labels(path, status).inc()
            if path == "/predict":
                self._metrics.seconds.observe(time.perf_counter() - start)
