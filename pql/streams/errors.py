"""Failures of a stream that the user must hear of. Read `StreamError`."""

from __future__ import annotations


class StreamError(Exception):
    """The stream cannot go on, or not begin. `code` is in the register, `help` says what to do."""

    def __init__(self, code: str, message: str, help: str = "") -> None:
        super().__init__(message)
        self.code, self.help = code, help


class BadMessage(Exception):
    """One message that cannot be taken: it goes to quarantine, the stream goes on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
