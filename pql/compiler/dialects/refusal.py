"""What a dialect cannot say. Must not know rendering. Read `Refusal`."""

from __future__ import annotations

from pql.source import NOWHERE, Span


class Refusal(Exception):
    """The construct has no form with exactly PQL's meaning in this dialect; `reason` is for the user.

    `segment`: the id of the referenced segment in which it stands, if it is not the one being compiled.
    """

    def __init__(self, construct: str, reason: str, span: Span = NOWHERE, help: str = "") -> None:
        super().__init__(f"{construct}: {reason}")
        self.construct, self.reason, self.span, self.help = construct, reason, span, help
        self.segment: str | None = None

    def located(self, span: Span) -> Refusal:
        """With a place, if it has none yet: the innermost expression that has one."""
        if self.span == NOWHERE:
            self.span = span
        return self
