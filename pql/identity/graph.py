"""The identity graph as a pure structure: links in, people out. The same for any order of the links. Read `stitch`.

What a link says comes from times of events and records and from identities' values, never from the order of arrival. A
component that breaks no limit with all its links is final, because limits are monotone; only one that does is
replayed (`replay`), newest link first. The store finds components set-based and calls `replay` for the broken ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from pql.identity.settings import IdentitySettings

LONG_AGO = datetime.min
MICROSECOND = timedelta(microseconds=1)


class Identity(NamedTuple):
    namespace: str
    id: str

    def __str__(self) -> str:
        return f"{self.namespace}:{self.id}"


Pair = tuple[Identity, Identity]


def pair(a: Identity, b: Identity) -> Pair:
    return (a, b) if a <= b else (b, a)


@dataclass(frozen=True)
class Link:
    """Two identities that stood in one record or event, `a` < `b`. Times are naive UTC; None where the data has none.

    `last_authenticated`: when one of them was last seen with the state `authenticated`.
    """

    a: Identity
    b: Identity
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    last_authenticated: datetime | None = None
    seen: int = 1

    @property
    def pair(self) -> Pair:
        return self.a, self.b


@dataclass(frozen=True)
class Refused:
    """A link that a guard did not keep. `reason`: `unique`, `limit`, `unlinked`, `evicted` or `too many links`."""

    link: Link
    reason: str
    words: str


@dataclass
class Stitched:
    """`people`: identities of each component, all links kept; an identity without links is not in it unless it was given."""

    people: list[frozenset[Identity]] = field(default_factory=list)
    kept: list[Link] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


class Components:
    """Union-find over hashable things, by size, with path halving."""

    def __init__(self) -> None:
        self.parent: dict[Identity, Identity] = {}
        self.size: dict[Identity, int] = {}

    def add(self, node: Identity) -> None:
        if node not in self.parent:
            self.parent[node] = node
            self.size[node] = 1

    def find(self, node: Identity) -> Identity:
        parent = self.parent
        while parent[node] is not node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, a: Identity, b: Identity) -> tuple[Identity, Identity]:
        """Join the components of two roots; (the root that stays, the one that went)."""
        if self.size[a] < self.size[b]:
            a, b = b, a
        self.parent[b] = a
        self.size[a] += self.size[b]
        return a, b

    def groups(self) -> list[frozenset[Identity]]:
        found: dict[Identity, list[Identity]] = defaultdict(list)
        for node in self.parent:
            found[self.find(node)].append(node)
        return sorted((frozenset(g) for g in found.values()), key=min)


def stitch(
    links: Iterable[Link],
    settings: IdentitySettings,
    unlinked: Iterable[Pair] = (),
    nodes: Mapping[Identity, datetime | None] | None = None,
) -> Stitched:
    """The people that some links make. `nodes`: identities, also unlinked ones, with when each was last seen.

    `unlinked`: pairs that must stay apart. Identities are taken as usable; namespaces that never link are left out.
    """
    merged = merge_links(links)
    linking = [k for k in merged if all(settings.namespace(i.namespace).kind.links for i in k.pair)]
    apart = {pair(*p) for p in unlinked}
    result = Stitched()
    every = Components()
    for identity in nodes or ():
        every.add(identity)
    for k in linking:
        every.add(k.a)
        every.add(k.b)
        a, b = every.find(k.a), every.find(k.b)
        if a is not b:
            every.join(a, b)
    inside: dict[Identity, list[Link]] = defaultdict(list)
    for k in linking:
        inside[every.find(k.a)].append(k)
    for group in every.groups():
        own = inside.get(every.find(next(iter(group))), [])
        if fits(group, settings) and not any(p[0] in group and p[1] in group for p in apart):
            result.people.append(group)
            result.kept += own
            continue
        part = replay(own, settings, apart, nodes or {})
        result.people += part.people
        result.kept += part.kept
        result.refused += part.refused
    result.people.sort(key=min)
    result.kept.sort(key=lambda k: k.pair)
    result.refused.sort(key=lambda r: r.link.pair)
    return result


def merge_links(links: Iterable[Link]) -> list[Link]:
    """One link a pair: the evidence of all."""
    found: dict[Pair, Link] = {}
    for k in links:
        if k.a == k.b:
            continue
        key = pair(k.a, k.b)
        old = found.get(key)
        if old is None:
            found[key] = Link(*key, k.first_seen, k.last_seen, k.last_authenticated, k.seen)
        else:
            found[key] = Link(
                *key,
                min((t for t in (old.first_seen, k.first_seen) if t), default=None),
                max((t for t in (old.last_seen, k.last_seen) if t), default=None),
                max((t for t in (old.last_authenticated, k.last_authenticated) if t), default=None),
                old.seen + k.seen,
            )
    return list(found.values())


def fits(group: Iterable[Identity], settings: IdentitySettings) -> bool:
    """Does a component break no limit?"""
    counts = Counter(i.namespace for i in group)
    if counts.total() > settings.graph_most:
        return False
    return all((limit := settings.namespace(n).limit) is None or c <= limit for n, c in counts.items())


def strength(link: Link, settings: IdentitySettings) -> tuple[object, ...]:
    """The sort key of a replay: the strongest link first.

    A device belongs to whoever last logged in on it: its links go by their last login, and those without one come last.
    Other links go by when they were last seen. Equal times go by the sum of the namespaces' ranks, the lower first, as
    published; then by ranks and identities.
    """
    weak, at = False, link.last_seen
    if any(settings.namespace(i.namespace).kind.is_device for i in link.pair):
        weak, at = link.last_authenticated is None, link.last_authenticated or link.last_seen
    age = -((at - LONG_AGO) // MICROSECOND) if at else 1
    ranks = sorted(settings.rank(i.namespace) for i in link.pair)
    return weak, age, sum(ranks), ranks[0], link.a, link.b


def replay(
    links: Iterable[Link],
    settings: IdentitySettings,
    apart: Iterable[Pair] = (),
    nodes: Mapping[Identity, datetime | None] | None = None,
) -> Stitched:
    """Rebuild a component link by link, the strongest first; a link that would break a limit is refused.

    Then, where more identities hang together than a graph may hold, the weakest identities are evicted with their links.
    """
    apart_of: dict[Identity, set[Identity]] = defaultdict(set)
    for a, b in apart:
        apart_of[a].add(b)
        apart_of[b].add(a)
    work = _Replay(settings, apart_of)
    for k in sorted(links, key=lambda k: strength(k, settings)):
        work.take(k)
    return _evict(work, settings, nodes or {})


class _Replay:
    """Components under construction. `limited` counts, for each root, its identities of the namespaces that have a limit."""

    def __init__(self, settings: IdentitySettings, apart: Mapping[Identity, set[Identity]]) -> None:
        self.settings, self.apart = settings, apart
        self.parts = Components()
        self.limited: dict[Identity, Counter[str]] = {}
        self.split: dict[Identity, list[Identity]] = {}
        self.kept: list[Link] = []
        self.refused: list[Refused] = []

    def add(self, node: Identity) -> Identity:
        if node not in self.parts.parent:
            self.parts.add(node)
            if self.settings.namespace(node.namespace).limit is not None:
                self.limited[node] = Counter([node.namespace])
            if node in self.apart:
                self.split[node] = [node]
        return self.parts.find(node)

    def take(self, link: Link) -> None:
        a, b = self.add(link.a), self.add(link.b)
        if a is not b:
            no = self.forbidden(a, b) or self.too_many(a, b)
            if no:
                self.refused.append(Refused(link, *no))
                return
            stays, went = self.parts.join(a, b)
            for table in (self.limited, self.split):
                if went in table:
                    table[stays] = table[stays] + table.pop(went) if stays in table else table.pop(went)  # type: ignore[operator, assignment]
        elif link.b in self.apart.get(link.a, ()):
            self.refused.append(Refused(link, "unlinked", f"`{link.a}` and `{link.b}` were unlinked"))
            return
        self.kept.append(link)

    def forbidden(self, a: Identity, b: Identity) -> tuple[str, str] | None:
        """Would the join bring two unlinked identities together?"""
        for node in self.split.get(a, ()):
            for other in sorted(self.apart[node]):
                if other in self.parts.parent and self.parts.find(other) is b:
                    return "unlinked", f"it would bring `{node}` and `{other}` together, which were unlinked"
        return None

    def too_many(self, a: Identity, b: Identity) -> tuple[str, str] | None:
        one, two = self.limited.get(a), self.limited.get(b)
        if one is None or two is None:
            return None
        for namespace in sorted(one.keys() & two.keys(), key=self.settings.order):
            limit = self.settings.namespace(namespace).limit
            if limit is not None and one[namespace] + two[namespace] > limit:
                if limit == 1:
                    return "unique", f"a graph holds one `{namespace}`"
                return "limit", f"a graph holds at most {limit} of `{namespace}`"
        return None


EVICTION = {"COOKIE": 0, "DEVICE": 1}


def _evict(work: _Replay, settings: IdentitySettings, nodes: Mapping[Identity, datetime | None]) -> Stitched:
    """Keep graphs within the limit: while one is too large, its first identity in the order of eviction leaves.

    Cookies leave first, then devices, then others; the longest unseen first. Adding the identities back in the reverse
    order gives the same answer in one pass: one is evicted exactly if, with all that would leave after it, it hangs in
    a graph that is too large.
    """
    evicted: set[Identity] = set()
    most = settings.graph_most
    if any(work.parts.size[work.parts.find(n)] > most for n in work.parts.parent):
        seen = _last_seen(work.kept, nodes)

        def order(n: Identity) -> tuple[object, ...]:
            rank = EVICTION.get(settings.namespace(n.namespace).kind.value, 2)
            return rank, seen.get(n) or LONG_AGO, n

        near: dict[Identity, list[Identity]] = defaultdict(list)
        for k in work.kept:
            near[k.a].append(k.b)
            near[k.b].append(k.a)
        later = Components()
        for node in sorted(work.parts.parent, key=order, reverse=True):
            later.add(node)
            for other in near[node]:
                if other in later.parent:
                    a, b = later.find(node), later.find(other)
                    if a is not b:
                        later.join(a, b)
            if later.size[later.find(node)] > most:
                evicted.add(node)
    return _result(work, evicted, most)


def _last_seen(links: Iterable[Link], nodes: Mapping[Identity, datetime | None]) -> dict[Identity, datetime]:
    seen = {n: t for n, t in nodes.items() if t}
    for k in links:
        for n in k.pair:
            if k.last_seen and (n not in seen or seen[n] < k.last_seen):
                seen[n] = k.last_seen
    return seen


def _result(work: _Replay, evicted: set[Identity], most: int) -> Stitched:
    result = Stitched(refused=work.refused)
    final = Components()
    for node in work.parts.parent:
        final.add(node)
    for k in work.kept:
        gone = next((n for n in k.pair if n in evicted), None)
        if gone is not None:
            result.refused.append(Refused(k, "evicted", f"a graph holds at most {most} identities; `{gone}` left it"))
            continue
        result.kept.append(k)
        a, b = final.find(k.a), final.find(k.b)
        if a is not b:
            final.join(a, b)
    result.people = final.groups()
    return result
