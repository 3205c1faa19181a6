"""Where messages come from: the port, and the sources of lines (a file, standard input). Read `Source`, then `Lines`.

A source gives messages with positions and continues after a position; it must not know what messages mean.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pql.streams.errors import StreamError

LINE_MOST = 1_000_000
"""Bytes of a line that are kept; what is longer goes to quarantine, cut."""
READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """`position`: where the source continues after this one. `place`: for people."""

    raw: bytes
    position: str
    place: str


class Source(Protocol):
    """A stream of messages. Failures raise StreamError PQL0635 (the source is another one), PQL0636 (it cannot be read)."""

    name: str

    def open(self, position: str | None) -> None:
        """Continue after a position; None: from the start."""

    def take(self, most: int, wait: float) -> list[Message] | None:
        """What there is, at most so many, after waiting at most so many seconds for the first. None: it has ended."""

    def answer(self, reasons: list[tuple[str, str] | None]) -> None:
        """All messages of the last `take` are committed: taken (None), or in quarantine for (code, reason)."""

    def waiting(self) -> int | None:
        """Bytes or messages not yet taken, where that is known."""

    def close(self) -> None: ...


class Lines:
    """The lines of a file of bytes that may grow. `unfinished`: it has ended, and its last line waits for its end. Read `take`."""

    unit = "line"

    def __init__(self, name: str) -> None:
        self.name = name
        self.offset = self.line = 0
        self._rest = b""
        self._long, self._beginning = False, b""
        self._ready: list[Message] = []
        self._ended = False
        self.unfinished = False

    def chunk(self, wait: float) -> bytes | None:
        """More bytes; none yet: empty; None: the end."""
        raise NotImplementedError

    def mark(self) -> str:
        return json.dumps({"offset": self.offset, "line": self.line})

    def open(self, position: str | None) -> None:
        raise NotImplementedError

    def take(self, most: int, wait: float) -> list[Message] | None:
        until = time.monotonic() + wait
        while not self._ready and not self._ended:
            more = self.chunk(max(0.0, until - time.monotonic()))
            if more is None:
                self._ended = True
                self.unfinished = self._is_half_written()
                if not self.unfinished:
                    self._split(b"\n" if self._rest or self._long else b"", real=False)
            elif more:
                self._split(more)
            elif time.monotonic() >= until:
                return []
        if not self._ready:
            return None
        given, self._ready = self._ready[:most], self._ready[most:]
        return given

    def _split(self, more: bytes, real: bool = True) -> None:
        """Cuts bytes into lines; empty ones are passed over."""
        lines = (self._rest + more).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self.line += 1
            self.offset += len(line) + real
            self._add(line)
        if len(self._rest) > LINE_MOST:
            if not self._long:
                self._beginning = self._rest[: LINE_MOST + 1]
            self.offset += len(self._rest)
            self._rest, self._long = b"", True

    def _is_half_written(self) -> bool:
        """Is what stands after the last newline the beginning of a line that somebody may still be writing? It is not taken then,
        so that the position stays before it."""
        return False

    def _add(self, line: bytes) -> None:
        if self._long:
            line, self._long = self._beginning, False
        if line.strip():
            self._ready.append(Message(line, self.mark(), f"{self.unit} {self.line}"))

    def answer(self, reasons: list[tuple[str, str] | None]) -> None:
        pass

    def waiting(self) -> int | None:
        return None

    def close(self) -> None:
        pass


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class FileSource(Lines):
    """JSON Lines in a file. `follow`: wait for more at its end, and go on with the next file of that name when it is replaced."""

    def __init__(self, path: Path, follow: bool = False) -> None:
        super().__init__(str(path))
        self.path, self.follow = path, follow
        self._file: BinaryIO | None = None
        self._head = ""

    def open(self, position: str | None) -> None:
        self._reopen()
        if position is None:
            return
        found = json.loads(position)
        self.offset, self.line = found["offset"], found["line"]
        assert self._file is not None
        size = os.fstat(self._file.fileno()).st_size
        if size < self.offset or self._begins() != found["head"]:
            said = (
                "is shorter than what was read of it" if size < self.offset else "begins otherwise than what was read"
            )
            raise StreamError(
                "PQL0635", f"`{self.path}` {said}", "name another file, or read it anew with `--from-start`"
            )
        self._file.seek(self.offset)

    def _reopen(self) -> None:
        if self._file is not None:
            self._file.close()
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise StreamError("PQL0636", f"`{self.path}` cannot be read: {error.strerror}") from None
        self.offset = self.line = 0
        self._head = ""

    def _begins(self) -> str:
        """What tells a file from another that took its name: its first bytes, once enough of them were read."""
        if not self._head and self._file is not None:
            length = min(self.offset, 256)
            start = os.pread(self._file.fileno(), length, 0)
            head = f"{length}:{hashlib.sha256(start).hexdigest()[:16]}"
            if length < 256:
                return head
            self._head = head
        return self._head

    def mark(self) -> str:
        return f'{{"offset": {self.offset}, "line": {self.line}, "head": "{self._head or self._begins()}"}}'

    def chunk(self, wait: float) -> bytes | None:
        assert self._file is not None
        more = self._file.read(READ)
        if more or not self.follow:
            return more or None
        if self._replaced():
            if self._rest:
                return b"\n"
            self._reopen()
            return b""
        time.sleep(min(wait, 0.1))
        return b""

    def _is_half_written(self) -> bool:
        # A line that is too long to be kept cannot be judged: it waits as well, and is set aside once, whole, when its end is there.
        return self._long or (bool(self._rest.strip()) and not _is_json(self._rest))

    def _replaced(self) -> bool:
        assert self._file is not None
        try:
            now, mine = os.stat(self.path), os.fstat(self._file.fileno())
        except OSError:
            return False
        if now.st_ino == mine.st_ino and now.st_dev == mine.st_dev:
            if now.st_size < self.offset:
                raise StreamError(
                    "PQL0635", f"`{self.path}` became shorter while it was read", "rename it to rotate it"
                )
            return False
        return True

    def waiting(self) -> int | None:
        return None if self._file is None else max(0, os.fstat(self._file.fileno()).st_size - self.offset)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class InputSource(Lines):
    """JSON Lines from a pipe or terminal. `resume`: it brings the same lines from the start; those that were taken are skipped."""

    def __init__(self, descriptor: int = 0, resume: bool = False) -> None:
        super().__init__("-")
        self.descriptor, self.resume = descriptor, resume
        self._skip = 0

    def open(self, position: str | None) -> None:
        if position is not None and self.resume:
            self._skip = json.loads(position)["line"]

    def chunk(self, wait: float) -> bytes | None:
        ready, _, _ = select.select([self.descriptor], [], [], wait)
        if not ready:
            return b""
        try:
            return os.read(self.descriptor, READ) or None
        except OSError as error:
            raise StreamError("PQL0636", f"standard input cannot be read: {error.strerror}") from None

    def _add(self, line: bytes) -> None:
        if self.line > self._skip:
            super()._add(line)
        else:
            self._long = False


class NoSource:
    """Nothing arrives."""

    name = ""

    def open(self, position: str | None) -> None:
        pass

    def take(self, most: int, wait: float) -> list[Message] | None:
        return None

    def answer(self, reasons: list[tuple[str, str] | None]) -> None:
        pass

    def waiting(self) -> int | None:
        return None

    def close(self) -> None:
        pass
