"""The live engine for a host that keeps profiles elsewhere: loads them when needed, writes back what changed, lets others go.

All that a host needs of the engine's insides is here; it must not know where states are kept. Read `HostedEngine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pql.runtime.engine import START, Engine
from pql.runtime.inputs import Advance, Cause, Event, Input, Profile
from pql.runtime.plan import Plan
from pql.runtime.state import Person


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
