"""Messages from a NATS JetStream stream: read in its own order from the committed sequence on, acknowledged after the commit.

The client is asynchronous; it lives on an event loop in a thread of its own. Read `NatsSource.take`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit

import nats
import nats.errors
from nats.js import api as js
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from pql.streams.errors import StreamError
from pql.streams.sources import Message

Result = TypeVar("Result")
CONNECT_SECONDS = 5
FETCH_MOST = 1_000


def parse_address(address: str) -> tuple[str, str, str]:
    """(server, stream, subject) of `nats://HOST:PORT/STREAM/SUBJECT`; the subject is `>` when left out."""
    parts = urlsplit(address)
    words = [w for w in parts.path.split("/") if w]
    if not parts.hostname or not 1 <= len(words) <= 2:
        raise StreamError("PQL0636", f"`{address}` names no stream", "write nats://HOST:PORT/STREAM/SUBJECT")
    return f"nats://{parts.netloc}", words[0], words[1] if len(words) > 1 else ">"


class NatsSource:
    """A pull consumer, durable on our side: the position is the stream's sequence number, kept with the state."""

    def __init__(self, address: str) -> None:
        self.server, self.stream, self.subject = parse_address(address)
        self.name = f"nats:{self.stream}:{self.subject}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="pql-nats")
        self._thread.start()
        self._client: Any = None
        self._pull: Any = None
        self._given: list[Any] = []
        self._pending: int | None = None
        self._last = 0
        self._taken: list[int] = []

    def _do(self, work: Coroutine[Any, Any, Result], seconds: float) -> Result:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)
        except (nats.errors.Error, JetStreamError, OSError, TimeoutError) as error:
            said = str(error) or type(error).__name__
            raise StreamError(
                "PQL0636",
                f"`{self.server}`, stream `{self.stream}`: {said}",
                "is the broker up, and is that its stream?",
            ) from None

    def open(self, position: str | None) -> None:
        self._last = int(position) if position else 0
        self._do(self._connect(self._last + 1), CONNECT_SECONDS * 3)

    async def _connect(self, start: int) -> None:
        async def quiet(error: Exception) -> None:
            pass

        parts = urlsplit(self.server)
        _, probe = await asyncio.wait_for(asyncio.open_connection(parts.hostname, parts.port or 4222), CONNECT_SECONDS)
        probe.close()
        self._client = await nats.connect(
            self.server,
            connect_timeout=CONNECT_SECONDS,
            max_reconnect_attempts=60,
            error_cb=quiet,
        )
        context = self._client.jetstream()
        try:
            await context.stream_info(self.stream)
        except NotFoundError:
            raise nats.errors.Error(f"there is no stream `{self.stream}`") from None
        settings = js.ConsumerConfig(
            deliver_policy=js.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=js.AckPolicy.EXPLICIT,
            max_ack_pending=FETCH_MOST * 20,
            inactive_threshold=300.0,
        )
        subject = "" if self.subject == ">" else self.subject
        self._pull = await context.pull_subscribe(subject or ">", stream=self.stream, config=settings)

    def take(self, most: int, wait: float) -> list[Message] | None:
        """What is delivered a second time, because its acknowledgement was late, was taken before and is passed over."""
        self._given = self._do(self._fetch(min(most, FETCH_MOST), wait), wait + 30)
        found = []
        for message in self._given:
            meta = message.metadata
            self._pending = meta.num_pending
            if meta.sequence.stream <= self._last:
                continue
            self._last = meta.sequence.stream
            found.append(Message(message.data, str(meta.sequence.stream), f"sequence {meta.sequence.stream}"))
        self._taken = [int(m.position) for m in found]
        if not self._given:
            self._pending = 0
        return found

    async def _fetch(self, most: int, wait: float) -> list[Any]:
        try:
            first: list[Any] = await self._pull.fetch(1, timeout=max(wait, 0.05))
        except (nats.errors.TimeoutError, TimeoutError):
            return []
        waiting = first[0].metadata.num_pending
        if not waiting or most == 1:
            return first
        try:
            return first + list(await self._pull.fetch(min(most - 1, waiting), timeout=1.0))
        except (nats.errors.TimeoutError, TimeoutError):
            return first

    def answer(self, reasons: list[tuple[str, str] | None]) -> None:
        last = self._taken[len(reasons) - 1] if reasons else 0
        done = [m for m in self._given if m.metadata.sequence.stream <= last]
        self._given = []

        async def acknowledge() -> None:
            for message in done:
                await message.ack()
            await self._client.flush()

        self._do(acknowledge(), 30)

    def waiting(self) -> int | None:
        return self._pending

    def close(self) -> None:
        async def end() -> None:
            if self._pull is not None:
                await self._pull.unsubscribe()
            if self._client is not None:
                await self._client.close()

        try:
            self._do(end(), 10)
        except StreamError:
            pass
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()
