"""Merges and splits that a store's identity graph says, of profiles that the stream knows otherwise. Read `restitched`.

The state has the graph as it was when it was last read; who is another's since then is an input like any other.
"""

from __future__ import annotations

from collections import defaultdict

from pql.runtime.inputs import Input, Merge, Split
from pql.store.history import identities, people_named
from pql.store.store import Store
from pql.streams.sqlite import SqliteState


def restitched(state: SqliteState, store: Store) -> list[Input]:
    """A profile all of whose identities are another's now is merged into it; one that has some left is split. Applied twice, they
    change nothing the second time."""
    moved: dict[str, set[str]] = defaultdict(set)
    present = set()
    for namespace, id, profile in identities(store):
        present.add(profile)
        before = state.owner(namespace, id)
        if before is not None and before != profile:
            moved[before].add(profile)
    found: list[Input] = []
    for before in sorted(moved):
        targets = sorted(moved[before])
        people = people_named(store, [before, *targets])
        if before not in present:
            target = targets.pop(0)
            found.append(Merge(target, before, people[target].record if target in people else None))
            before = target
        for target in targets:
            person, rest = people.get(target), people.get(before)
            keys = frozenset(d["_id"] for d in (person.events if person else ()) if "_id" in d)
            records = (rest.record if rest is not None else None, person.record if person is not None else None)
            found.append(Split(before, target, keys, *records))
    return found
