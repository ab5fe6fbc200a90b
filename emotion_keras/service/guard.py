"""Keeps clients that are slow, broken or too talkative from harming others."""

import asyncio
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MAX_HEADERS = 64 * 1024
# Bytes of all bodies together that are in memory.
_MAX_HELD = 256 * 2**20


class LimitBody:
    """ASGI middleware that reads a request's body within limits, before anything else sees it.

    Args:
        app: What answers.
        max_body: The most bytes.
        seconds: The most time that the client may take.
    """

    def __init__(self, app: ASGIApp, max_body: int, seconds: float):
        self._app = app
        self._max_body = max_body
        self._seconds = seconds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        body = bytearray()
        try:
            await self._answer(body, scope, receive, send)
        finally:
            self._held -= len(body)

    async def _answer(self, body, scope, receive, send):
        try:
            async with asyncio.timeout(self._seconds):
                has_ended = await self._read(body, receive)
        except TimeoutError:
            message = f"The body did not arrive within {self._seconds:g} seconds."
            return await self._refuse(408, message, scope, receive, send)
        except _TooLarge:
            message = f"At most {self._max_body:,} bytes; the body is larger."
            return await self._refuse(413, message, scope, receive, send)
        except _TooMuch:
            message = "Too much is sent at the same time; try again soon."
            return await self._refuse(503, message, scope, receive, send)
        if not has_ended:
            return  # The client has gone.
        bodies = [{"type": "http.request", "body": bytes(body), "more_body": False}]
        await self._app(scope, lambda: _next(bodies, receive), send)

    async def _read(self, body, receive):
        """Fills the body, and says whether it came to its end."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            part = message.get("body", b"")
            body += part
            self._held += len(part)
            if len(body) > self._max_body:
                raise _TooLarge
            if self._held > _MAX_HELD:
                raise _TooMuch
            if not message.get("more_body", False):
                return True

    async def _refuse(self, status, message, scope, receive, send):
        """Answers, and then throws away what the client still sends.

        A connection that is closed with bytes unread is reset, and the client may never see the
        answer.
        """
        headers = {"connection": "close"} | ({"retry-after": "1"} if status == 503 else {})
        answer = JSONResponse({"detail": message}, status, headers)

        async def send_open(part):
            await send(part | {"more_body": True} if "body" in part else part)

        await answer(scope, receive, send_open)
        try:
            async with asyncio.timeout(min(1, self._seconds)):
                while (await receive()).get("more_body", False):
                    pass
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b""})


class _TooLarge(Exception):
    """The body has more bytes than it may have."""


class _TooMuch(Exception):
    """All bodies together have more bytes than they may have."""


async def _next(bodies, receive):
    return bodies.pop() if bodies else await receive()


_TOO_MANY = JSONResponse(
    {"detail": "Too many connections are open; try again soon."},
    503,
    headers={"retry-after": "1", "connection": "close"},
)


class Protocol(HttpToolsProtocol):
    """HTTP on one connection of a limited number, which is cut where headers do not arrive.

    uvicorn waits without end for a first request, for the rest of headers, and until an answer has
    been taken. Here whoever connects, and whoever was answered, has some time for the next headers.

    Args:
        seconds: That time.
        max_connections: The most connections; what comes by others is refused with status 503.
        **options: See `HttpToolsProtocol`.
    """

    def __init__(self, *, seconds: float, max_connections: int, **options: Any):
        super().__init__(**options)
        self._seconds = seconds
        self._max_connections = max_connections
        self._timer = None
        self._header_bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is not None:
            self._header_bytes += len(data)
            if self._header_bytes > _MAX_HEADERS:
                self.send_400_response("The headers are too large.")

    def on_headers_complete(self) -> None:
        self._stop_timer()
        if len(self.connections) > self._max_connections:
            self.app = _TOO_MANY
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Of requests that came at once, the headers of the next are there already.
        if self.cycle.response_complete:
            self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _await_headers(self):
        self._stop_timer()
        self._header_bytes = 0
        # Not closed but cut: closing waits until the client has taken what was sent.
        self._timer = self.loop.call_later(self._seconds, self.transport.abort)

    def _stop_timer(self):
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
