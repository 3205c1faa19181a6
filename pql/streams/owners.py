"""Whose event is it: by its identities, or by the name that it gives, as the store's graph knows them. Read `Owners`.

The graph is copied into the state. An identity that it does not know makes a profile of its own, and the identities that came with
it are that profile's from then on. Who two known profiles belong together is for stitching to say. Deleted people are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pql.identity.settings import IdentitySettings, split_name
from pql.identity.values import clean_value
from pql.store.graph_reading import tombstone_of
from pql.streams.errors import BadMessage
from pql.streams.sqlite import SqliteState
from pql.xdm.schema import Schema, with_event_identities

KNOWN_MOST = 100_000
DELETED = "PQL0847"
Identity = tuple[str, str]
"""Namespace and id, as the graph has them."""


def identities(document: Mapping[str, Any], schema: Schema, settings: IdentitySettings) -> list[Identity]:
    """The usable identities of a typed event that may own it, the one that stitching would choose first: those that link before those
    that never do, then by the priority of namespaces, then the smallest. From the schema's identity descriptors and from `identityMap`."""
    found = [(f.namespace, value) for f in schema.event_identities for value in _values(document, f.path)]
    for namespace, items in (document.get("identityMap") or {}).items():
        found += [(namespace, item.get("id")) for item in items or () if item]
    usable = []
    for namespace, value in found:
        code = settings.aliases.get(namespace, namespace)
        kind = settings.namespace(code).kind
        cleaned = clean_value(settings, code, value) if kind.owns else None
        if cleaned is not None:
            usable.append((not kind.links, settings.order(code), code, cleaned))
    return list(dict.fromkeys((code, id) for _, _, code, id in sorted(usable)))


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
        self.state, self.settings = state, settings or IdentitySettings()
        self.schema = with_event_identities(schema)
        self.fresh: list[tuple[str, str, str]] = []
        self._known: dict[Identity, str] = {}
        self._named: dict[str, str] = {}
        self._gone: dict[str, bool] = {}
        self._salt = state.salt()

    def forget(self) -> None:
        """The state knows the graph otherwise than it did. To be called after a commit."""
        self._known, self._named, self._gone = {}, {}, {}
        self._salt = self.state.salt()

    def __call__(self, document: Mapping[str, Any]) -> str | None:
        """The profile of an event; None when it has no identity. Raises BadMessage PQL0847 for a deleted person's."""
        found = identities(document, self.schema, self.settings)
        if not found:
            return None
        if self.tells_of_deleted(found):
            raise BadMessage(DELETED, "it tells of a deleted person")
        return self._owned(found)

    def _owned(self, found: list[Identity]) -> str:
        """Whose an event with those identities is, some of which are left."""
        found = [(n, i) for n, i in found if not self._is_gone(f"{n}:{i}")]
        owners = [self.owner(i) for i in found]
        profile = next((o for o in owners if o is not None), f"{found[0][0]}:{found[0][1]}")
        for identity, owner in zip(found, owners, strict=True):
            if owner is None:
                self._known[identity] = profile
                self.fresh.append((*identity, profile))
        return profile

    def named(self, name: str, document: Mapping[str, Any] | None = None) -> str:
        """The profile that a message means. Raises BadMessage PQL0847 for a deleted person's. An event that is given to a deleted device, and
        names somebody who is left, is theirs, as if nobody had given it."""
        if self._salt is not None and document is not None:
            found = identities(document, self.schema, self.settings)
            if self.tells_of_deleted(found):
                raise BadMessage(DELETED, "it tells of a deleted person")
            if found and self._is_gone(name) and not self._is_person(name):
                return self._owned(found)
        profile = self._named.get(name)
        if profile is None:
            profile = self._meant(name)
            if len(self._named) > KNOWN_MOST:
                self._named = {}
            self._named[name] = profile
        return profile

    def parted(self, name: str) -> None:
        """A message makes the name a profile of its own. Raises BadMessage PQL0847 for a deleted person's."""
        self.named(name)
        self._named[name] = name

    def _meant(self, name: str) -> str:
        if self._is_gone(name):
            raise BadMessage(DELETED, "it tells of a deleted person")
        identity = split_name(name, self.settings) if ":" in name else None
        if identity is None or self.state.stands_alone(name):
            return name
        found = self.owner(identity)
        if found is None:  # until the instant closes no row says that there is such a profile
            found = self._known[identity] = name
            self.fresh.append((*identity, name))
        return found

    def owner(self, identity: Identity) -> str | None:
        """The profile of an identity, as far as it is known. A deleted one has none: stitching leaves it out, whoever names it."""
        if self._is_gone(f"{identity[0]}:{identity[1]}"):
            return None
        found = self._known.get(identity)
        if found is None:
            name = f"{identity[0]}:{identity[1]}"
            found = self.state.owner(*identity)
            if found is None and self.state.stands_alone(name):
                found = name
            if found is not None:
                if len(self._known) > KNOWN_MOST:
                    self._known = {(n, i): p for n, i, p in self.fresh}
                self._known[identity] = found
        return found

    def tells_of_deleted(self, found: list[Identity]) -> bool:
        """As ingestion asks: is a deleted login, e-mail or phone named, or are all identities deleted?"""
        if self._salt is None or not found:
            return False
        gone = [(n, self._is_gone(f"{n}:{i}")) for n, i in found]
        return all(g for _, g in gone) or any(g and self.settings.namespace(n).kind.is_person for n, g in gone)

    def _is_person(self, name: str) -> bool:
        """Is a name a login, an e-mail or a phone, and no device?"""
        identity = split_name(name, self.settings) if ":" in name else None
        return identity is None or self.settings.namespace(identity[0]).kind.is_person

    def _is_gone(self, name: str) -> bool:
        if self._salt is None:
            return False
        found = self._gone.get(name)
        if found is None:
            found = self.state.is_deleted(tombstone_of(self._salt, name))
            if len(self._gone) > KNOWN_MOST:
                self._gone = {}
            self._gone[name] = found
        return found
