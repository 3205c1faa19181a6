"""Where lines go after their commit: a file, exactly once, or standard output, again after a restart. Read `Outlet`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, TextIO

from pql.streams.errors import StreamError
from pql.streams.state import Written


class Outlet(Protocol):
    """Takes lines in order. Failures raise StreamError PQL0637. `target`: what tells its file from another."""

    target: str

    def open(self, written: Written) -> None:
        """Continue after what was certainly written."""

    def write(self, lines: list[str]) -> None:
        """All of them, for good."""

    @property
    def length(self) -> int:
        """Bytes after the last line; -1 where that means nothing."""

    def close(self) -> None: ...


class FileOutlet:
    """Lines appended to a file. What stands after the committed length is of a commit that will be written again: it is cut off."""

    def __init__(self, path: Path) -> None:
        self.path, self.length, self.target = path, 0, str(path.resolve())
        self._descriptor: int | None = None

    def open(self, written: Written) -> None:
        known = written.length if written.target == self.target else -1
        try:
            size = self.path.stat().st_size if self.path.exists() else 0
            if 0 < size < known:
                raise StreamError(
                    "PQL0637",
                    f"`{self.path}` is shorter than what was written to it",
                    "put it back, or move it away: a new one is begun then",
                )
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
            self.length = size if known < 0 or size == 0 else known
            os.ftruncate(self._descriptor, self.length)
            os.lseek(self._descriptor, self.length, os.SEEK_SET)
        except OSError as error:
            raise self._refused(error) from None

    def _refused(self, error: OSError) -> StreamError:
        return StreamError("PQL0637", f"`{self.path}` cannot be written: {error.strerror}")

    def write(self, lines: list[str]) -> None:
        if not lines:
            return
        assert self._descriptor is not None
        data = memoryview("".join(f"{line}\n" for line in lines).encode())
        try:
            self.length += len(data)
            while data:
                data = data[os.write(self._descriptor, data) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._refused(error) from None

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class TextOutlet:
    """Lines to a text stream, such as standard output."""

    length, target = -1, "-"

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def open(self, written: Written) -> None:
        pass

    def write(self, lines: list[str]) -> None:
        if lines:
            try:
                self.stream.write("".join(f"{line}\n" for line in lines))
                self.stream.flush()
            except (OSError, ValueError) as error:
                said = getattr(error, "strerror", None) or str(error)
                raise StreamError("PQL0637", f"standard output cannot be written: {said}") from None

    def close(self) -> None:
        pass


class Collected:
    """Lines kept in a list."""

    length, target = -1, ""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def open(self, written: Written) -> None:
        del self.lines[written.line :]

    def write(self, lines: list[str]) -> None:
        self.lines += lines

    def close(self) -> None:
        pass
