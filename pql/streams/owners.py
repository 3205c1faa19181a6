"""Whose event is it, when no field names the profile: by its identities, as the store's graph knows them. Read `Owners`.

The graph is copied into the state when a stream starts. An identity that it does not know makes a profile of its own, and the
identities that came with it are that profile's from then on. Who two known profiles belong together is for stitching to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pql.identity.settings import IdentitySettings
from pql.identity.values import clean_value
from pql.streams.sqlite import SqliteState
from pql.xdm.schema import Schema

KNOWN_MOST = 100_000


def identities(document: Mapping[str, Any], schema: Schema, settings: IdentitySettings) -> list[tuple[str, str]]:
    """The usable identities of a typed event: (namespace, id) as the graph has them, primary ones first, then by the priority of
    namespaces. From the schema's identity descriptors and from `identityMap`."""
    found = []
    for field in schema.event_identities:
        found += [(not field.primary, field.namespace, value) for value in _values(document, field.path)]
    for namespace, items in (document.get("identityMap") or {}).items():
        found += [(item.get("primary") is not True, namespace, item.get("id")) for item in items or () if item]
    usable = []
    for secondary, namespace, value in found:
        code = settings.aliases.get(namespace, namespace)
        cleaned = clean_value(settings, code, value)
        if cleaned is not None:
            usable.append((secondary, settings.order(code), code, cleaned))
    return list(dict.fromkeys((code, id) for _, _, code, id in sorted(usable, key=lambda i: i[:3])))


def _values(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            yield str(value)
    elif isinstance(value, Mapping) and value.get(path[0]) is not None:
        yield from _values(value[path[0]], path[1:])


class Owners:
    """Asked by a `Reader`. `fresh`: identities that became known since it was last emptied, to be committed."""

    def __init__(self, state: SqliteState, schema: Schema, settings: IdentitySettings | None = None) -> None:
        self.state, self.schema, self.settings = state, schema, settings or IdentitySettings()
        self.fresh: list[tuple[str, str, str]] = []
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, document: Mapping[str, Any]) -> str | None:
        """The profile of an event; None when it has no identity."""
        found = identities(document, self.schema, self.settings)
        if not found:
            return None
        owners = [self._owner(i) for i in found]
        profile = next((o for o in owners if o is not None), f"{found[0][0]}:{found[0][1]}")
        for identity, owner in zip(found, owners, strict=True):
            if owner is None:
                self._known[identity] = profile
                self.fresh.append((*identity, profile))
        return profile

    def _owner(self, identity: tuple[str, str]) -> str | None:
        found = self._known.get(identity)
        if found is None:
            found = self.state.owner(*identity)
            if found is not None:
                if len(self._known) > KNOWN_MOST:
                    self._known = {(n, i): p for n, i, p in self.fresh}
                self._known[identity] = found
        return found
