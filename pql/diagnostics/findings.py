"""Where a stage puts what it finds: a list of diagnostics about one source, severities taken from the register."""

from __future__ import annotations

from pql.diagnostics.codes import CODES
from pql.diagnostics.model import Diagnostic, Fix, Label, Severity
from pql.source import Source, Span


class Findings:
    """Collects diagnostics about one source. `MOST` bounds how many are kept, so that no input floods a screen."""

    MOST = 200

    def __init__(self, source: Source) -> None:
        self.source = source
        self.items: list[Diagnostic] = []

    def report(
        self,
        code: str,
        span: Span,
        message: str,
        *,
        label: str = "",
        help: str | tuple[str, ...] = (),
        labels: tuple[Label, ...] = (),
        fixes: tuple[Fix, ...] = (),
        severity: Severity | None = None,
    ) -> None:
        """Add a finding; the same code at the same place is kept once."""
        if len(self.items) >= self.MOST or any(d.code == code and d.span == span for d in self.items):
            return
        helps = (help,) if isinstance(help, str) else help
        level = severity or CODES[code].severity
        self.items.append(
            Diagnostic(code, level, message, self.source, span, label, tuple(h for h in helps if h), labels, fixes)
        )

    @property
    def has_errors(self) -> bool:
        return any(d.is_error for d in self.items)
