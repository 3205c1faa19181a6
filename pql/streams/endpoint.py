"""Messages over HTTP: an endpoint that is served from a thread, and answers after the commit. docs/STREAMING.md. Read `HttpSource`.

Everything that a stranger can send is bounded: the body, messages and bytes that wait, connections, and time.
"""

from __future__ import annotations

import asyncio
import json
import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pql.streams.errors import StreamError
from pql.streams.sources import Message

BODY_MOST = 4_000_000
"""Bytes of a request."""
MESSAGES_MOST = 10_000
"""Messages of a request."""
WAITING_MOST = 64_000_000
"""Bytes that wait to be taken; more are answered with 503."""
CONNECTIONS_MOST = 200
BODY_SECONDS = 30
LINES = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")

Reason = tuple[str, str] | None
TOO_BUSY = ("503", "the stream is too busy or has ended: send it again")


@dataclass(eq=False)
class _Sent:
    """A request whose messages wait. `done` gets their reasons in order."""

    messages: list[bytes]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[list[Reason]]
    reasons: list[Reason] = field(default_factory=list)

    def answer(self, reason: Reason) -> None:
        self.reasons.append(reason)
        if len(self.reasons) == len(self.messages):
            self.loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if not self.done.done():
            self.done.set_result(self.reasons)


class HttpSource:
    """`metrics`: what `GET /metrics` answers. `opened`: called with the port once it is served."""

    name = "http"

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.metrics: Callable[[], dict[str, Any]] = dict
        self.opened: Callable[[int], None] = lambda port: None
        self._inbox: queue.SimpleQueue[tuple[_Sent, bytes]] = queue.SimpleQueue()
        self._given: list[_Sent] = []
        self._waiting = 0
        self._guard = threading.Lock()
        self._closed = False
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    # --- the stream's side ---
    def open(self, position: str | None) -> None:
        try:
            listening = socket.create_server((self.host, self.port))
        except OSError as error:
            said = error.strerror or str(error)
            raise StreamError(
                "PQL0636", f"`http://{self.host}:{self.port}` cannot be served: {said}", "name another port"
            ) from None
        self.port = listening.getsockname()[1]
        routes = [
            Route("/messages", self._messages, methods=["POST"]),
            Route("/metrics", self._metrics),
            Route("/health", self._health),
        ]
        settings = uvicorn.Config(
            Starlette(routes=routes),
            log_level="critical",
            lifespan="off",
            limit_concurrency=CONNECTIONS_MOST,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), daemon=True, name="pql-http")
        self._thread.start()
        until = time.monotonic() + 10
        while not self._server.started and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        self.opened(self.port)

    def take(self, most: int, wait: float) -> list[Message] | None:
        found: list[Message] = []
        self._given = []
        try:
            sent, raw = self._inbox.get(timeout=wait)
            while True:
                found.append(Message(raw, "", f"message {len(found) + 1}"))
                self._given.append(sent)
                with self._guard:
                    self._waiting -= len(raw)
                if len(found) >= most:
                    break
                sent, raw = self._inbox.get_nowait()
        except queue.Empty:
            pass
        return found

    def answer(self, reasons: list[Reason]) -> None:
        for sent, reason in zip(self._given, reasons, strict=False):
            sent.answer(reason)
        self._given = self._given[len(reasons) :]

    def waiting(self) -> int | None:
        return self._waiting

    def close(self) -> None:
        """Whoever still waits is told to send again; then the thread ends."""
        with self._guard:
            self._closed = True
        for sent in self._given:
            sent.answer(TOO_BUSY)
        self._given = []
        while not self._inbox.empty():
            self._inbox.get()[0].answer(TOO_BUSY)
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(15)

    # --- the web's side ---
    def _accept(self, sent: _Sent) -> bool:
        size = sum(map(len, sent.messages))
        with self._guard:
            if self._closed or self._waiting + size > WAITING_MOST:
                return False
            self._waiting += size
            for raw in sent.messages:
                self._inbox.put((sent, raw))
        return True

    async def _messages(self, request: Request) -> Response:
        try:
            body = await asyncio.wait_for(_body(request), BODY_SECONDS)
        except (TimeoutError, ClientDisconnect):
            return _refusal(408, f"the body did not arrive within {BODY_SECONDS} seconds")
        if body is None:
            return _refusal(413, f"a body of more than {BODY_MOST:,} bytes")
        messages = split(body, request.headers.get("content-type", ""))
        if messages is None:
            return _refusal(400, "the body is neither JSON nor JSON Lines")
        if not messages:
            return _refusal(400, "no message in the body")
        if len(messages) > MESSAGES_MOST:
            return _refusal(413, f"more than {MESSAGES_MOST:,} messages")
        loop = asyncio.get_running_loop()
        sent = _Sent(messages, loop, loop.create_future())
        if not self._accept(sent):
            return _refusal(503, TOO_BUSY[1], {"Retry-After": "1"})
        reasons = await sent.done
        if TOO_BUSY in reasons:
            return _refusal(503, TOO_BUSY[1], {"Retry-After": "1"})
        refused = sum(r is not None for r in reasons)
        status = 202 if not refused else 400 if refused == len(reasons) else 207
        return JSONResponse({"messages": [_answer(r) for r in reasons]}, status)

    async def _metrics(self, request: Request) -> Response:
        return JSONResponse(self.metrics())

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "up"})


async def _body(request: Request) -> bytes | None:
    """The body; None when it is too large."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_MOST:
            return None
        parts.append(part)
    return b"".join(parts)


def split(body: bytes, content_type: str) -> list[bytes] | None:
    """The messages of a body: JSON Lines, the elements of an array, or one. None: it cannot be told apart."""
    if content_type.split(";")[0].strip().lower() in LINES:
        return [line for line in body.split(b"\n") if line.strip()]
    try:
        if body.lstrip()[:1] == b"[":
            return [bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
        json.loads(body)
        return [body]
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _answer(reason: Reason) -> dict[str, Any]:
    return {"status": 202} if reason is None else {"status": 400, "code": reason[0], "message": reason[1]}


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"message": message}, status, headers)
