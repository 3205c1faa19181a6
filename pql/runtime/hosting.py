"""The live engine for a host that keeps profiles elsewhere: loads them when needed, writes back what changed, lets others go.

All that a host needs of the engine's insides is here; it must not know where states are kept. Read `HostedEngine`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pql.runtime.engine import Engine
from pql.runtime.inputs import Advance, Document, Event, Input, Profile, Transition
from pql.runtime.loading import START
from pql.runtime.plan import Plan
from pql.runtime.state import Computation, microseconds, pack, unpack


class HostedEngine(Engine):
    """`changed`: profiles that a timer looked at or that were judged since it was last emptied; those of inputs the host knows."""

    def __init__(self, plan: Plan, clock: datetime | None = None) -> None:
        super().__init__(plan, clock)
        self._noted = self.changed = set[Profile]()

    def resume(self, clock: datetime, arrivals: int) -> None:
        """Goes on where an engine was, when no instant is open."""
        self.now = START if clock == datetime.min else microseconds(clock)
        self.arrivals = max(arrivals, self.arrivals)

    def move(self, to: datetime) -> list[Transition]:
        """Closes every instant before `to`, and stands at it: for what happens there."""
        self._run(microseconds(to))
        return self.apply(())

    def take_over(self, data: bytes) -> None:
        """Loads a profile as it was when it was dumped: what has become due since then is due. Raises StateError."""
        now = self.now
        self.now, self._noted = START, None
        try:
            self.load_profile(data)
        finally:
            self.now, self._noted = now, self.changed

    def dump(self, profile: Profile) -> bytes:
        """A profile that is not open. A timer at the clock's instant, which may still be open, is yet to come."""
        person, due = self.people[profile], self.due(profile)
        return pack(self.plan.fingerprint, self.now - (due is not None and due <= self.now), person, self._values.base)

    def holds(self, profile: Profile) -> bool:
        return profile in self.people

    def is_open(self, profile: Profile) -> bool:
        """Has something happened to a loaded profile at the clock's instant that is not judged yet?"""
        return self.people[profile].dirty is not None

    @property
    def any_open(self) -> bool:
        return bool(self._open)

    def into(self, profile: Profile) -> Profile | None:
        """The profile that a loaded one was merged into."""
        return self.people[profile].into

    def due(self, profile: Profile) -> int | None:
        """When a loaded profile has to be looked at again, in microseconds."""
        return min(self.people[profile].armed.values(), default=None)

    def erase(self, profile: Profile) -> list[Transition]:
        """Forgets a loaded profile for good, with what happened to it at the open instant; it leaves what it was in."""
        person = self.people[profile]
        if person in self._open:
            self._open.remove(person)
        person.dirty = person.cause = None
        leaving = [number for number, holds in enumerate(person.members) if holds]
        for number in leaving:
            person.members[number] = 0
        if leaving:
            self._tell(person, leaving, "deletion")
        self._values.end(person, self._instant(), "deletion")
        out, self._out = self._out, []
        self.discard(profile)
        self.changed.discard(profile)
        return out

    def valued(self, profile: Profile) -> dict[str, tuple[Any, datetime | None]]:
        """The attributes of a loaded profile, and since when each is what it is; None: it was never anything but null."""
        return self._values.of(self.people[profile])

    def discard(self, profile: Profile) -> None:
        """Forgets a profile that is kept elsewhere. Its timers find nothing to do when their time comes; until then they hold no
        more of it than its name."""
        gone = self.people.pop(profile)
        gone.armed, gone.cells = {}, {}
        gone.events, gone.keys, gone.record = [], None, None


def instant_of(item: Input) -> datetime | None:
    """The instant that an input moves the clock to, when that is later. None: the clock's own."""
    if isinstance(item, Event):
        stamp: datetime | None = item.document.get("timestamp")
        return item.arrival or stamp
    return item.to if isinstance(item, Advance) else item.arrival


@dataclass
class Carried:
    """What outlasts a change of plan: the record, events with their keys in the order of arrival, memberships by segment, the number
    of the last transition; values of attributes and since when (microseconds), the number of their last change."""

    profile: Profile
    record: Document | None = None
    events: list[tuple[str | None, Document]] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    sequence: int = 0
    into: Profile | None = None
    values: dict[str, tuple[Any, int | None]] = field(default_factory=dict)
    changes: int = 0


def read_state(fingerprint: str, segments: Sequence[str], attributes: Sequence[str], data: bytes) -> Carried:
    """A profile's state, kept for the plan of that fingerprint with those roots and attributes, but for its events. Raises StateError."""
    packed = unpack(fingerprint, data)
    members = {segments[i] for i in packed.members}
    carried = Carried(packed.profile, packed.record, [], members, packed.sequence, packed.into)
    if packed.computed is not None:
        values, since, carried.changes, _ = packed.computed
        carried.values = dict(zip(attributes, zip(values, since, strict=True), strict=True))
    return carried


def carry_over(engine: HostedEngine, carried: Carried) -> None:
    """Takes a profile over into another plan: judged when the clock's instant closes, what differs has the cause `definition`."""
    engine.seed(carried.profile, carried.record, (), carried.members)
    person = engine.people[carried.profile]
    for key, document in carried.events:
        engine._put(person, document, key)
    engine._anew(person, range(len(engine.net.cells)), "definition")
    person.sequence, person.into = carried.sequence, carried.into
    if carried.values or carried.changes:
        pairs = [carried.values.get(a.name, (None, None)) for a in engine.plan.attributes]
        person.computed = Computation([v for v, _ in pairs], [at for _, at in pairs], carried.changes)
