"""Does a state agree with the store's graph that it has followed? Asked by tests after each look at the graph. Read `differences`.

The rule: whoever the graph names has the profile that the graph says, and that profile is a person, part of nobody; and each event that came
live is the profile's whose identity owns it. People and events of whom the graph says nothing are the stream's own. Only reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pql.identity.settings import IdentitySettings
from pql.runtime.plan import Plan
from pql.store.graph_reading import named_graph
from pql.store.store import Store
from pql.streams.messages import read_document
from pql.streams.owners import Owners, identities
from pql.streams.shard import Shard
from pql.streams.sqlite import SqliteState
from pql.xdm.schema import Schema


def differences(state: SqliteState, plan: Plan, store: Store, settings: IdentitySettings) -> Iterator[str]:
    """What is otherwise in a state that nobody writes to now."""
    shard = Shard(plan, state)
    rows = (
        store.connection.execute("SELECT namespace, id, name FROM stream_graph").fetchall()
        if named_graph(store)
        else []
    )
    for namespace, id, name in rows:
        own = f"{namespace}:{id}"
        if (known := state.owner(namespace, id)) != name:
            yield f"{own}: the graph says {name}, the state knows {known}"
        for profile in {own, name}:
            if (standing := shard.standing(profile)) not in (None, name):
                yield f"{profile}: the graph says {name}, the state has it in {standing}"
    yield from _events(state, shard, store.schema, settings)


def _events(state: SqliteState, shard: Shard, schema: Schema, settings: IdentitySettings) -> Iterator[str]:
    """Of live events with a key, which alone can be moved."""
    owners = Owners(state, schema, settings)
    for profile, key, raw in state.events_with(None):
        document: Any = read_document(raw, schema)
        found = identities(document, schema, settings)
        if found and owners.tells_of_deleted(found):
            yield f"{key} tells of a deleted person, and {profile} has it"
        owner = next((o for i in found if (o := owners.owner(i)) is not None), None)
        if owner is not None and shard.standing(profile) != (shard.standing(owner) or owner):
            yield f"{key} is {owner}'s, and {profile} has it"
