"""Deleted people, when a store says so: whose state has to go, and what else tells of them. Read `Erasing`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pql.runtime.inputs import Deletion, Event, Input, Merge, Record, Split
from pql.store.graph_reading import Gravestones, Tombstones, people_called
from pql.store.history import people_named
from pql.store.store import Store
from pql.streams.messages import read_document
from pql.streams.owners import Identity, Owners, identities
from pql.streams.parts import Parts
from pql.streams.shard import Shard
from pql.streams.sqlite import SqliteState
from pql.streams.wording import Wording

NAMES = 10_000


class Erasing:
    """`identities`: deleted ones that the state knows. `profiles`: those that go. What they hold follows from what the store deleted since
    it was last read. `left`: identities that were theirs in the state alone, and whose they are from now on."""

    def __init__(self, state: SqliteState, shard: Shard, owners: Owners, store: Store, found: Tombstones) -> None:
        self.state, self.shard, self.owners, self.store, self.found = state, shard, owners, store, found
        same = state.salt() == found.salt
        fresh = {d for d in found.digests if not (same and state.is_deleted(d))}
        self.fresh, self._every = Gravestones(found.salt, fresh), Gravestones(found.salt, found.digests)
        self._others = Gravestones(found.salt, {id for id, deleted in found.others if deleted in fresh})
        self.identities: list[Identity] = []
        self.names: list[str] = []
        self.profiles: set[str] = set()
        self.left: dict[Identity, str] = {}
        self._in_others: set[str] = set()
        self._concerned: set[str] = set()
        self._losing: set[str] = set()
        self.anybody = len(fresh)
        if fresh:
            self._find()
        self._wording = Wording(owners.settings, self.fresh, {n for n, _ in self.identities})

    def _find(self) -> None:
        """The identities and the profiles of the state that were deleted, and whom rows named that went with them."""
        concerned, fresh = set(), self.fresh
        for namespace, id, profile in self.state.known_identities():
            if f"{namespace}:{id}" in fresh:
                self.identities.append((namespace, id))
                concerned.add(profile)
            elif f"{namespace}:{id}" in self._others:
                self._losing.add(profile)
        name = ""
        while names := self.state.names(name, NAMES):
            name = names[-1]
            self.names += (n for n in names if n in fresh)
        self.names += [str(p) for p in self.shard.engine.people if str(p) in fresh]
        concerned |= set(self.names)
        self._concerned = {self.shard.standing(p) or p for p in concerned}

    def decide(self) -> None:
        """Who goes as a whole. To be called when merges and splits have been applied."""
        standing = {self.shard.standing(p) or p for p in (*self._concerned, *self.names)}
        alive = people_called(self.store, standing)
        parts = Parts(self.state, self.shard)
        for profile in standing:
            if profile in self.fresh or not (profile in alive or self._is_unheard_of(profile)):
                self.profiles |= {profile, *parts.of(profile)}
            else:
                self._in_others.add(profile)
        self.profiles |= set(self.names)
        losing = {where for p in self._losing if (where := self.shard.standing(p)) is not None}
        self._in_others |= losing - self.profiles

    def _is_unheard_of(self, profile: str) -> bool:
        """Has a profile, which the graph does not call by its name, live events that name it? Then it is somebody of whom the store knows
        nothing, whose device, say, was deleted."""
        for _, raw in self.state.events(profile):
            named = [i for i in self._identities(raw) if f"{i[0]}:{i[1]}" not in self._every]
            owning = next((i for i in named if self.owners.owner(i) is not None), None)
            if owning is not None and f"{owning[0]}:{owning[1]}" == profile and not self._tells(raw):
                return True
        return False

    def inputs(self) -> Iterator[tuple[Input, bool]]:
        """What people who stay hold of those who go: live events that tell of them, and events that the store no longer has; a record that
        says their names makes way for the store's. Whoever became part of them by way of somebody who goes is theirs directly."""
        parts = Parts(self.state, self.shard)
        for name in sorted(self.names):
            where = self.shard.standing(name)
            if where is None or where in self.profiles:
                continue
            record = self.shard.record(where)
            for part in parts.of(name):
                if part in self.profiles:
                    continue
                yield Split(where, part, frozenset(), record, None), True
                yield Merge(where, part, record), True
        for profile in sorted(self._in_others):
            live = self.state.events(profile)
            told = {key for key, raw in live if key is not None and self._tells(raw)}
            lost = set[str]()
            if self.shard.standing(profile) == profile:
                lost = self.shard.keys(profile) - {key for key, _ in live} - self._stored(profile, parts)
                if self._wording.names(self.shard.record(profile)):
                    person = people_named(self.store, [profile]).get(profile)
                    yield Record(profile, None if person is None else person.record), True
            for key in sorted(told | lost):
                yield Deletion(profile, key), True
        for profile, key in self._telling():
            yield Deletion(profile, key), True
        yield from self._leave()

    def _stored(self, profile: str, parts: Parts) -> set[str]:
        """The keys of events that the store has of a profile: of those who are part of it too, and those that a message gave to it."""
        names = {profile, *parts.of(profile)}
        moved = [pair for name in sorted(names) for pair in self.state.moved_to(name)]
        keys = {
            name: {key for d in person.events if (key := d.get("_id")) is not None}
            for name, person in people_named(self.store, names | {source for source, _ in moved}).items()
        }
        given = {key for source, key in moved if key in keys.get(source, ())}
        return given.union(*(keys[name] for name in names & keys.keys()))

    def _leave(self) -> Iterator[tuple[Input, bool]]:
        """Live events of those who go that tell of nobody deleted: an event that goes made the stream take their identity for one of those.
        They are given to it, as if they came now."""
        arrival = None if self.shard.clock == datetime.min else self.shard.clock
        for profile in sorted(self.profiles):
            for key, raw in self.state.events(profile):
                if key is None or self._tells(raw):
                    continue  # one without a key would be given twice when a kill comes between
                target = self._left_to([i for i in self._identities(raw) if f"{i[0]}:{i[1]}" not in self._every])
                if target is not None:
                    yield Event(target, read_document(raw, self.owners.schema), arrival, key), True

    def _left_to(self, named: list[Identity]) -> str | None:
        """Whose an event with those identities is when those who go are not there. None: theirs, for a message said so and no identity."""
        before = [self.owners.owner(i) for i in named]
        if all(owner is None for owner in before):
            return None
        owners = [
            self.left.get(i) or (o if o is not None and not self._goes(o) else None)
            for i, o in zip(named, before, strict=True)
        ]
        found = next((o for o in owners if o is not None), f"{named[0][0]}:{named[0][1]}")
        if self._goes(found):
            return None
        self.left.update({i: found for i, owner in zip(named, owners, strict=True) if owner is None})
        return found

    def _goes(self, profile: str) -> bool:
        return profile in self.profiles or self.shard.standing(profile) in self.profiles

    def _telling(self) -> list[tuple[str, str]]:
        """(profile, key) of live events of all others that name somebody who was deleted."""
        but = self.profiles | self._in_others
        return [(p, key) for p, key, raw in self.state.events_with(self._words()) if p not in but and self._tells(raw)]

    def _words(self) -> list[str] | None:
        """The deleted in so many words. None: there are some whom the state does not know."""
        names = {*(f"{n}:{i}" for n, i in self.identities), *self.names}
        return [name.split(":", 1)[1] for name in names] if len(names) == self.anybody else None

    def silenced(self) -> dict[int, bytes]:
        """What the log of the graph's inputs says of those who go where it is about others. To be called when all inputs are committed."""
        logged = self.state.log_with(self._words()) if self.anybody else []
        return {n: silent for n, raw in logged if (silent := self._wording.silenced(raw)) is not None}

    def _tells(self, raw: bytes) -> bool:
        found = self._identities(raw)
        gone = [(n, f"{n}:{i}" in self._every) for n, i in found]
        return bool(gone) and (
            all(g for _, g in gone) or any(g and self.owners.settings.namespace(n).kind.is_person for n, g in gone)
        )

    def _identities(self, raw: bytes) -> list[Identity]:
        return identities(read_document(raw, self.owners.schema), self.owners.schema, self.owners.settings)
