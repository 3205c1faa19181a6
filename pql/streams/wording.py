"""What people who stay have that says a deleted person's name: in their records, and in the log of what the graph gave. Read `Wording`.

Events name people by their identities (`pql.streams.owners`); a record may have an address in any of its fields. Must not know the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pql.identity.settings import IdentitySettings
from pql.identity.values import clean_value
from pql.store.graph_reading import Gravestones
from pql.streams.messages import rewritten

DOCUMENTS = ("record", "targetRecord", "event")
"""The fields of a message that say something of people; the others say which profiles and events are meant."""


class Wording:
    """`gone`: the deleted. `namespaces`: whose they may be, besides those of the settings. Devices may be named."""

    def __init__(self, settings: IdentitySettings, gone: Gravestones, namespaces: Iterable[str]) -> None:
        self.settings, self.gone = settings, gone
        codes = {*settings.namespaces, *namespaces}
        self._codes = sorted(code for code in codes if settings.namespace(code).kind.is_person)

    def names(self, value: Any) -> bool:
        """Does a value say a deleted person's login, e-mail or phone?"""
        if isinstance(value, str):
            cleaned = ((code, clean_value(self.settings, code, value)) for code in self._codes)
            return any(f"{code}:{text}" in self.gone for code, text in cleaned if text is not None)
        if isinstance(value, Mapping):
            return any(self.names(v) for v in value.values())
        return isinstance(value, list | tuple) and any(self.names(v) for v in value)

    def silenced(self, raw: bytes) -> bytes | None:
        """A message of the log, with nothing where it said one. None: it does not."""
        found = False

        def told(document: Any) -> Any:
            nonlocal found
            documents = {n: d for n in DOCUMENTS if self.names(d := document.get(n))}
            found = bool(documents)
            return document | {n: self._without(d) for n, d in documents.items()}

        silent = rewritten(raw, told)
        return silent if found else None

    def _without(self, value: Any) -> Any:
        if isinstance(value, str):
            return "" if self.names(value) else value
        if isinstance(value, Mapping):
            return {k: v if k == "_id" else self._without(v) for k, v in value.items()}
        return [self._without(v) for v in value] if isinstance(value, list | tuple) else value
