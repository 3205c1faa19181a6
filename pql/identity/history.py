"""How a graph came together: the merges of profiles, told by the times of its links. Read `merges`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pql.identity.graph import LONG_AGO, Components, Identity, Link


@dataclass(frozen=True)
class Merge:
    """At `at`, `link` made one graph of `one` and `other`."""

    at: datetime | None
    link: Link
    one: frozenset[Identity]
    other: frozenset[Identity]


def merges(links: Iterable[Link]) -> list[Merge]:
    """The links that joined two graphs, in the order of when they were first seen; the same for any order of `links`."""
    parts = Components()
    groups: dict[Identity, frozenset[Identity]] = {}
    found = []
    for k in sorted(links, key=lambda k: (k.first_seen or LONG_AGO, k.a, k.b)):
        for node in k.pair:
            parts.add(node)
            groups.setdefault(node, frozenset((node,)))
        a, b = parts.find(k.a), parts.find(k.b)
        if a != b:
            found.append(Merge(k.first_seen, k, groups[a], groups[b]))
            whole = groups[a] | groups[b]
            stays, went = parts.join(a, b)
            groups[stays] = whole
            groups.pop(went, None)
    return found
