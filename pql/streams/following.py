"""The store's graph, followed while a stream runs: is there anything new, and what does it mean. Read `Graph.look`, then `Change`.

The store is opened between two batches, for as long as a change takes, and closed again: others write to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Protocol

from pql.runtime.inputs import Input
from pql.store.graph_reading import (
    Tombstones,
    graph_version,
    identities_in,
    named_graph,
    part_digests,
    tombstones,
)
from pql.store.store import Store
from pql.streams.erasing import Erasing
from pql.streams.owners import Owners
from pql.streams.restitching import Restitching
from pql.streams.shard import Shard
from pql.streams.sqlite import SqliteState
from pql.streams.state import GraphKnown

EVERY = 5.0
"""Seconds between two looks at the file."""
AFTER_FAILURE = 60.0


class StoreSource(Protocol):
    """A store that others write to: `pql.store.graph_reading.StoreFile`."""

    def stamp(self) -> object:
        """Another one when it was written to. None: not now."""

    def open(self) -> Store | None:
        """Read-only. None: not now."""


class Change:
    """What a store says otherwise than the state. `stages` first, all of them applied; then `erased` and `known`."""

    def __init__(
        self, state: SqliteState, shard: Shard, owners: Owners, store: Store, version: str, found: Tombstones
    ) -> None:
        self.state, self.store, self.version, self.found = state, store, version, found
        before, after = state.graph_digests(), part_digests(store)
        self.digests: dict[int, int | None] = {p: d for p, d in after.items() if before.get(p) != d}
        self._parts = list(self.digests)
        self.digests.update(dict.fromkeys(before.keys() - after.keys()))
        self._anything = state.knows_identities() or bool(state.names("", 1)) or bool(shard.engine.people)
        self.erasing = Erasing(state, shard, owners, store, found)
        self._restitching = Restitching(state, shard, owners, store, frozenset(self.erasing.names))

    def stages(self) -> Iterator[Iterator[tuple[Input, bool]]]:
        """Inputs, each to be applied before the next is asked for. With it: has it come live? What was applied is to be committed before the
        next stage: who holds what of the deleted is asked of the state."""
        if self._parts and self._anything:
            yield self._restitching.inputs(self._parts)
        if self.erasing.anybody:
            yield self._left_over()

    def _left_over(self) -> Iterator[tuple[Input, bool]]:
        self.erasing.decide()
        yield from self.erasing.inputs()

    def known(self) -> GraphKnown:
        """What the state knows from now on; the identities are staged in it. To be called when all inputs are committed, if
        anybody was deleted."""
        graph = chain.from_iterable(identities_in(self.store, self._parts)) if self._parts else ()
        left = ((namespace, id, profile) for (namespace, id), profile in self.erasing.left.items())
        self.state.stage(chain(left, graph))  # of two that name one identity the graph's comes later
        return GraphKnown(
            self.version,
            self.erasing.identities,
            self.digests,
            self.found.salt,
            self.found.digests,
            self.erasing.silenced(),
        )

    @property
    def erased(self) -> set[str] | None:
        """Profiles of which nothing may stay, once all inputs are applied. None: nobody was deleted since. When somebody was, the open instant
        has to end though no profile goes: its inputs may name them."""
        return self.erasing.profiles if self.erasing.anybody else None


class Graph:
    """`first`: the store, opened for the first look. `once`: there are no others. `monotonic`: seconds."""

    def __init__(
        self,
        source: StoreSource,
        state: SqliteState,
        owners: Owners,
        first: Store | None = None,
        once: bool = False,
        every: float = EVERY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source, self.state, self.owners, self.once, self.every, self.monotonic = (
            source,
            state,
            owners,
            once,
            every,
            monotonic,
        )
        self.behind = False
        self._first, self._next = first, 0.0
        self._taken = source.stamp() if first is not None else None
        self._seen: object = self._taken
        self._done: object = None

    def look(self) -> Store | None:
        """The store, opened, when there may be something new. None: not now."""
        if self._first is not None:
            store, self._first = self._first, None
            return store
        now = self.monotonic()
        if self.once or now < self._next:
            return None
        self._next = now + self.every
        stamp, seen = self.source.stamp(), self._seen
        self._seen = stamp
        if stamp is not None and stamp == self._done:
            self.behind = False
            return None
        self.behind = True
        if stamp is None or stamp != seen:
            return None
        self._taken = stamp
        return self.source.open()

    def change(self, store: Store, shard: Shard) -> Change | None:
        """What an opened store says otherwise. None: nothing."""
        version = graph_version(store)
        if (version is not None and version == self.state.graph_version()) or not named_graph(store):
            return None
        return Change(self.state, shard, self.owners, store, version or "", tombstones(store))

    def done(self) -> None:
        """The store that was opened has been read, and what it said is committed."""
        self._done, self.behind = self._taken, False
        self.owners.forget()

    def failed(self) -> None:
        """It could not be read to the end."""
        self._next, self.behind = self.monotonic() + AFTER_FAILURE, True

    def close(self) -> None:
        if self._first is not None:
            self._first.connection.close()
            self._first = None
