"""A profile's state into an engine: what its bytes say, and the leaves, cells and timers that follow. Read `load`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pql.runtime.cells import FAILED
from pql.runtime.inputs import Profile
from pql.runtime.routing import FAILING
from pql.runtime.state import TIMELESS, Kept, Packed

if TYPE_CHECKING:
    from pql.runtime.engine import Engine

START = -TIMELESS
"""The clock of an engine that has seen no instant yet: what comes without one waits for the first."""


def load(engine: Engine, packed: Packed) -> Profile:
    """Takes a profile over as it was when it was dumped."""
    if engine.now == START:
        engine.now, engine._at = packed.as_of, None
    old = engine.people.get(packed.profile)
    if old is not None:
        old.armed = {}
    person = engine._fresh(packed.profile)
    router = engine.net.router
    for stamp, nameless, id, arrived, key, streams, weights, document in packed.events:
        whole = tuple(int(w) for w in weights)
        person.insert(Kept(stamp, nameless, id, arrived, key, router.made(tuple(streams)), whole, document))
        engine.arrivals = max(engine.arrivals, arrived)
    for number in packed.members:
        person.members[number] = 1
    person.sequence, person.into = packed.sequence, packed.into
    person.record = packed.record
    engine._values.load(person, packed)
    if person.into is None and packed.judged:
        person.base = engine.net.answers(person.record)
        person.truth[: len(person.base.truth)] = person.base.truth
        engine._anew(person, range(len(engine.net.cells)), "timer")
        for number in engine.net.plain:
            engine._look(person, number, "timer")
    person.judged = packed.judged
    if FAILED in person.truth:
        person.stale |= FAILING
    if person.dirty is not None:
        person.dirty = person.cause = None
        engine._open.remove(person)
    return person.profile
