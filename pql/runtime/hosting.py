"""The live engine for a host that keeps profiles elsewhere: loads them when needed, writes back what changed, lets others go.

All that a host needs of the engine's insides is here; it must not know where states are kept. Read `HostedEngine`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pql.runtime.engine import START, Engine
from pql.runtime.inputs import Advance, Cause, Document, Event, Input, Profile
from pql.runtime.plan import Plan
from pql.runtime.state import Kept, Person, unpack


class HostedEngine(Engine):
    """`changed`: profiles whose state is another since it was last emptied. A profile that is `opened` is not judged yet."""

    def __init__(self, plan: Plan, clock: datetime = START) -> None:
        super().__init__(plan, clock)
        self.changed: set[Profile] = set()

    def _touch(self, person: Person, cause: Cause) -> None:
        self.changed.add(person.profile)
        super()._touch(person, cause)

    def _judge(self, person: Person, at: datetime, cause: Cause) -> None:
        self.changed.add(person.profile)
        super()._judge(person, at, cause)

    @property
    def opened(self) -> Mapping[Profile, Cause]:
        """What happened at the clock's instant and is judged when the clock leaves it. Kept with the states, it makes
        `dump_profile` complete at any moment."""
        return self._open

    def resume(self, clock: datetime, arrivals: int, opened: Mapping[Profile, Cause]) -> None:
        """Goes on where an engine was, once the opened profiles are loaded."""
        self.clock, self.arrivals = clock, max(arrivals, self.arrivals)
        self._open.update(opened)

    def holds(self, profile: Profile) -> bool:
        return profile in self.people

    def into(self, profile: Profile) -> Profile | None:
        """The profile that a loaded one was merged into."""
        return self.people[profile].into

    def due(self, profile: Profile) -> datetime | None:
        """When a loaded profile has to be looked at again."""
        return self.people[profile].due()

    def discard(self, profile: Profile) -> None:
        """Forgets a profile that is kept elsewhere."""
        del self.people[profile]
        self.timers.set(profile, None)


def instant_of(item: Input) -> datetime | None:
    """The instant that an input moves the clock to, when that is later. None: the clock's own."""
    if isinstance(item, Advance):
        return item.to
    if isinstance(item, Event):
        stamp: datetime | None = item.document.get("timestamp")
        return item.arrival or stamp
    return item.arrival


@dataclass
class Carried:
    """What outlasts a change of plan: documents with their keys, memberships by segment, the number of the last transition."""

    profile: Profile
    record: Document | None = None
    events: list[tuple[str | None, Document]] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    sequence: int = 0
    into: Profile | None = None


def read_state(fingerprint: str, segments: Sequence[str], data: bytes) -> Carried:
    """A profile's state, kept for the plan of that fingerprint with those roots. Raises StateError."""
    person = unpack(fingerprint, data)
    members = {segments[i] for i in person.members}
    return Carried(
        person.profile,
        person.record,
        [(k.key, k.document) for k in person.events],
        members,
        person.sequence,
        person.into,
    )


def carry_over(engine: HostedEngine, carried: Carried, cause: Cause = "definition") -> None:
    """Takes a profile over into another plan: judged when the clock's instant closes, what differs is a transition of that cause."""
    person = engine.people[carried.profile] = Person(carried.profile, carried.record)
    for key, document in carried.events:
        engine.arrivals += 1
        person.put(Kept(key, engine.arrivals, document))
    person.members = {engine.plan.index[s] for s in carried.members if s in engine.plan.index}
    person.sequence, person.into, person.judged = carried.sequence, carried.into, True
    engine._touch(person, cause)
