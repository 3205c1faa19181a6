"""Careful reading of a governance file: every key known, every value of its kind, every complaint with its place. Read `Part`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean, nearest
from pql.policies.model import Place
from pql.source import Span
from pql.xdm.documents import INVALID, Document, Key

NAME_MOST = 200


@dataclass(frozen=True)
class Part:
    """A value in a file with its path. `findings` is shared by all parts of a project."""

    document: Document
    key: Key
    data: Any
    findings: list[Diagnostic]

    # --- places and complaints ---
    @property
    def span(self) -> Span:
        return self.document.at(*self.key)

    @property
    def place(self) -> Place:
        return Place(self.document.source, self.span)

    def say(self, message: str, help: str = "", code: str = INVALID, span: Span | None = None) -> None:
        own = Findings(self.document.source)
        own.report(code, span if span is not None else self.span, message, help=help)
        self.findings.extend(own.items)

    def place_of(self, name: str) -> Place:
        return Place(self.document.source, self.document.at(*self.key, name))

    def key_place(self, name: str) -> Place:
        return Place(self.document.source, self.document.key(*self.key, name))

    # --- structure ---
    def part(self, name: str | int) -> Part:
        return Part(self.document, (*self.key, name), self.data[name], self.findings)

    def has(self, name: str) -> bool:
        return isinstance(self.data, dict) and self.data.get(name) is not None

    def is_object(self, what: str) -> bool:
        if isinstance(self.data, dict):
            return True
        self.say(f"{what} is an object of keys and values")
        return False

    def known(self, keys: Iterable[str], what: str) -> None:
        """Complain of keys that are not known."""
        known = tuple(keys)
        for name in self.data:
            if name not in known:
                help = did_you_mean(name, known) or "the keys are " + ", ".join(f"`{k}`" for k in known[:14])
                self.say(f"{what} has no key `{name[:60]}`", help, span=self.document.key(*self.key, name))

    def not_misspelt(self, keys: Iterable[str], others: Iterable[str], what: str) -> None:
        """Complain of keys that look like one of `keys`; `others`, and what looks like none, belong to somebody else."""
        known, spared = tuple(keys), set(others)
        for name in self.data:
            if name not in known and name not in spared and nearest(name, known, 1):
                help = did_you_mean(name, known)
                self.say(f"{what} has no key `{name[:60]}`", help, span=self.document.key(*self.key, name))

    def text(self, name: str, default: str | None = None, what: str = "") -> str:
        """A text; complaint and empty text when it is missing (without a default) or something else."""
        value = self.data.get(name)
        if value is None:
            if default is None:
                self.say(f"{what or 'this'} needs `{name}`")
            return default or ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.part(name).say(f"`{name}` is a text")
            return default or ""
        if len(str(value)) > 20 * NAME_MOST:
            self.part(name).say(f"`{name}` has more than {20 * NAME_MOST} characters")
        return str(value)[: 20 * NAME_MOST]

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.data.get(name, default)
        if not isinstance(value, bool):
            self.part(name).say(f"`{name}` is true or false")
            return default
        return value

    def whole(self, name: str, default: int | None) -> int | None:
        value = self.data.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.part(name).say(f"`{name}` is a whole number from 1", code="PQL0524" if "ersion" in name else INVALID)
            return default
        return value

    def day(self, name: str, what: str) -> date | None:
        text = self.text(name, what=what)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.part(name).say(f"`{text[:40]}` is not a day", "write it like 2026-09-30")
            return None

    def words(self, name: str) -> Iterator[Part]:
        """The texts of a list, or a single one."""
        if not self.has(name):
            return
        value = self.part(name)
        if isinstance(value.data, str):
            yield value
        elif isinstance(value.data, list):
            for i, item in enumerate(value.data):
                inner = value.part(i)
                if isinstance(item, str) and item and len(item) <= NAME_MOST:
                    yield inner
                else:
                    inner.say(f"`{name}` holds names")
        else:
            value.say(f"`{name}` is a list of names")

    def items(self, name: str) -> Iterator[Part]:
        """The parts of a list."""
        if not self.has(name):
            return
        value = self.part(name)
        if isinstance(value.data, list):
            yield from (value.part(i) for i in range(len(value.data)))
        else:
            value.say(f"`{name}` is a list")


def listed(part: Part, name: str) -> Iterator[Part]:
    """What a file holds: one thing, a list of them, or a list under `name`."""
    if isinstance(part.data, list):
        yield from (part.part(i) for i in range(len(part.data)))
    elif isinstance(part.data, dict) and name in part.data:
        part.known((name,), "this file")
        yield from part.items(name)
    elif part.data is not None:
        yield part
