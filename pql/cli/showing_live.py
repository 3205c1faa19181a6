"""A person with what a stream's state has of them, for `pql profile --state`. Read `with_state`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pql.api import streams as api
from pql.cli.inputs import fail
from pql.identity.merging import Merged, Origin, flat
from pql.store.lookup import ComputedValue, Person

STREAM = "stream"
"""The dataset that a screen names for what came through a stream."""


def held_of(folder: Path, names: list[str], settings: Any) -> Any:
    """What a state holds of the first of some names that it knows; None when it knows none. Exit 2 when there is no state."""
    if not (folder / api.STATE_FILE).is_file():
        raise fail(f"there is no state in `{folder}`", "`pql stream --state` makes one")
    try:
        state = api.SqliteState(folder, exclusive=False)
        try:
            return next((found for name in names if (found := api.held(state, name, settings)) is not None), None)
        finally:
            state.close()
    except api.StreamError as error:
        raise fail(f"{error.code}: {error}", error.help) from None


def with_state(person: Person, held: Any) -> Person:
    """The computed attributes are those of the state."""
    person.computed = {n: ComputedValue(v.value, v.labels, v.reads, v.since) for n, v in held.values.items()}
    person.computed_at, person.computed_from = held.clock, "state"
    return person


def person_of(held: Any, env: Any) -> Person:
    """A person whom only the state knows: the record, the memberships and the computed attributes."""
    record = dict(held.record or {})
    origins = {path: Origin(STREAM, None, "") for path, _ in flat(record, env.schema.profile)}
    person = Person(0, held.profile, Merged(record, origins))
    person.memberships = [
        {"segment": s, "status": "realized", "lastQualificationTime": None} for s in sorted(held.members)
    ]
    return with_state(person, held)
