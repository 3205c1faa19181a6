"""What a store's graph says otherwise than the state knows it, as merges and splits. Read `Restitching.inputs`.

Three steps, each over the profiles as the one before left them: people who are called by a name that is part of another get it back,
and events that are another's leave; profiles that are no more join others; events of the store that nobody brought are given to whom
all this concerned. Said twice, nothing changes the second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pql.identity.settings import split_name
from pql.runtime.inputs import Document, Event, Input, Merge, Split
from pql.store.graph_reading import identities_in, people_called
from pql.store.history import StoredPerson, people_named
from pql.store.store import Store
from pql.streams.messages import read_document
from pql.streams.owners import Identity, Owners, identities
from pql.streams.parts import Parts
from pql.streams.shard import Shard
from pql.streams.sqlite import SqliteState

PEOPLE = 500
"""People of the store at a time."""
Moved = dict[str, dict[Identity, str]]
"""By the profile that has them in the stream: identities that are another's in the graph, and whose."""


class _People:
    """People of the store by their names; asked for many at once, kept for a while."""

    def __init__(self, store: Store) -> None:
        self.store, self._found = store, dict[str, StoredPerson | None]()

    def fetch(self, names: Iterable[str]) -> None:
        wanted = [n for n in names if n not in self._found]
        if wanted:
            if len(self._found) > 4 * PEOPLE:
                self._found = {}
            found = people_named(self.store, wanted)
            self._found.update({n: found.get(n) for n in wanted})

    def __getitem__(self, name: str) -> StoredPerson | None:
        if name not in self._found:
            self.fetch([name])
        return self._found[name]


class Restitching:
    """`store` has a `stream_graph`. `kept`: names that stand for themselves though the graph has them no more."""

    def __init__(self, state: SqliteState, shard: Shard, owners: Owners, store: Store, kept: frozenset[str]) -> None:
        self.state, self.shard, self.owners, self.store, self.kept = state, shard, owners, store, kept
        self.people = _People(store)
        self.names: dict[str, set[str]] = defaultdict(set)
        """By a person who is concerned: the profiles that were or are part of it."""
        self._now: dict[Identity, str] = {}
        self._parts = Parts(state, shard)
        self._leaving: dict[str, dict[str, set[str]]] = {}

    def inputs(self, parts: Sequence[int]) -> Iterator[tuple[Input, bool]]:
        """The inputs, one after the other: each has to be applied before the next is asked for. With it: has it come live?"""
        moved = self._moved(parts)
        if not moved:
            return
        self._parts = Parts(self.state, self.shard)
        targets = {before: sorted(set(where.values())) for before, where in moved.items()}
        staying = people_called(self.store, moved) | (self.kept & moved.keys())
        staying |= {before for before in moved.keys() - staying if self._is_unheard_of(before, moved[before])}
        new = {t for found in targets.values() for t in found if self.shard.standing(t) is None}
        for before, found in targets.items():
            if len(found) > 1 or before in staying:
                self._leaving[before] = self._live_keys(before)
            for target in found:
                self.names[target] |= {before, *self._merged(before)}
        yield from self._part({**dict.fromkeys(self.names), **dict.fromkeys(staying)}, targets, staying)
        yield from self._join(moved, targets, staying)
        yield from self._follow(moved)
        yield from self._fill(new)

    # --- what is otherwise ---
    def _moved(self, parts: Sequence[int]) -> Moved:
        found: Moved = defaultdict(dict)
        for chunk in identities_in(self.store, parts):
            for namespace, id, now, before in self._otherwise(chunk):
                self._now[namespace, id] = now
                standing = self.shard.standing(before)
                known = standing if standing is not None else before
                if known != now and (standing is not None or self.shard.standing(now) is not None):
                    found[known][namespace, id] = now
        return dict(sorted(found.items()))

    def _otherwise(self, chunk: list[tuple[str, str, str]]) -> Iterator[tuple[str, str, str, str]]:
        yield from self.state.known_otherwise(chunk)
        for namespace, id, now in chunk:
            for name in {f"{namespace}:{id}", now}:  # what happened at the open instant is in no row yet
                if self.shard.engine.holds(name) and self.shard.real(name) != now:
                    yield namespace, id, now, name

    def _is_unheard_of(self, before: str, where: dict[Identity, str]) -> bool:
        """Is a profile, which the graph does not call by its name, somebody of whom the store knows nothing? Then live events name it, and
        the graph does not have that name as another's."""
        if any(f"{n}:{i}" == before for n, i in where):
            return False
        return any(owning is not None and f"{owning[0]}:{owning[1]}" == before for _, owning, _ in self._live(before))

    def _merged(self, profile: str) -> list[str]:
        return self.state.merged_into(profile)

    def _live_keys(self, before: str) -> dict[str, set[str]]:
        """The keys of live events of a profile that are another person's now, by that person."""
        found: dict[str, set[str]] = defaultdict(set)
        for key, _, owner in self._live(before):
            if key is not None:
                found[owner].add(key)
        return found

    def _live(self, before: str) -> Iterator[tuple[str | None, Identity | None, str]]:
        """The keys of live events, the identity that owns each, and whose it is by that."""
        for key, raw in self.state.events(before):
            found = identities(read_document(raw, self.owners.schema), self.owners.schema, self.owners.settings)
            owners = ((i, self._now.get(i) or self.owners.owner(i)) for i in found)
            identity, owner = next(((i, o) for i, o in owners if o is not None), (None, before))
            yield key, identity, owner

    # --- what to do about it ---
    def _part(
        self, concerned: Iterable[str], targets: dict[str, list[str]], staying: set[str]
    ) -> Iterator[tuple[Input, bool]]:
        """People who are part of others get their names back; of those who stay, what is others' leaves."""
        names = sorted(concerned)
        for number, name in enumerate(names):
            if number % PEOPLE == 0:
                self.people.fetch(names[number : number + PEOPLE])
            now = self.shard.standing(name)
            if now is not None and now != name:
                self.names[now] |= set()
                yield from self._stay(now, name)
                yield self._split(now, name), True
        for before in sorted(staying & targets.keys()):
            for target in targets[before]:
                self.names[before] |= set()
                yield self._split(before, target), True

    def _join(self, moved: Moved, targets: dict[str, list[str]], staying: set[str]) -> Iterator[tuple[Input, bool]]:
        """Who is no more joins the person that has its name's identity, or the first; what is others' leaves from there."""
        for before in sorted(moved.keys() - staying):
            named = (now for (n, i), now in moved[before].items() if f"{n}:{i}" == before)
            first = next(named, targets[before][0])
            person = self.people[first]
            yield Merge(first, before, None if person is None else person.record), True
            for target in targets[before]:
                if target != first:
                    yield self._split(first, target, before), True

    def _follow(self, moved: Moved) -> Iterator[tuple[Input, bool]]:
        """Profiles that are part of somebody whom the graph has apart from them now are merged into the person that they are part of."""
        for before, identities_moved in moved.items():
            for (namespace, id), now in sorted(identities_moved.items()):
                name = f"{namespace}:{id}"
                where, person = self.shard.standing(name), self.shard.standing(now)
                if where is None or person is None or where == person:
                    continue
                if where != name:
                    if where != self.shard.standing(before):
                        continue  # among those of whom it is part
                    yield from self._stay(where, name)
                    yield self._split(where, name, before), True
                yield Merge(now, name, None), True

    def _stay(self, where: str, name: str) -> Iterator[tuple[Input, bool]]:
        """Before a profile leaves: who is part of another by way of it, and is so in the graph, is so directly."""
        for part in self._parts.of(name):
            identity = split_name(part, self.owners.settings) if ":" in part else None
            if identity is not None and (self._now.get(identity) or self.owners.owner(identity)) == where:
                yield Split(where, part, frozenset(), self.shard.record(where), None), True
                yield Merge(where, part, None), True

    def _split(self, before: str, target: str, leaving: str | None = None) -> Split:
        person, rest = self.people[target], self.people[before]
        keys = {d["_id"] for d in (person.events if person is not None else ()) if "_id" in d}
        keys |= self._leaving.get(leaving or before, {}).get(target, set())
        return Split(before, target, frozenset(keys), self._record(before, rest), self._record(target, person))

    def _record(self, name: str, person: StoredPerson | None) -> Document | None:
        """The store's, if it has one; else the profile's own."""
        if person is not None and person.record is not None:
            return person.record
        return self.shard.record(name) if self.shard.standing(name) == name else None

    def _fill(self, new: set[str]) -> Iterator[tuple[Input, bool]]:
        """Events that the store has of those concerned and nobody brought. One without `_id` cannot be told from another; people who are
        new to the stream get those too."""
        clock = self.shard.clock
        arrival = None if clock == datetime.min else clock
        for name in sorted(self.names):
            person = self.people[name]
            if person is None or self.shard.standing(name) is None:
                continue
            theirs = {name, *self.names[name], *self._merged(name)}
            known = self.shard.keys(name)
            for part in theirs:
                known |= {key for key, _ in self.state.events(part) if key is not None}
                known |= {key for key, where in self.state.left(part) if where not in theirs}
            for document in person.events:
                key = document.get("_id")
                if key not in known if key is not None else name in new:
                    yield Event(name, document, arrival), False
