"""What goes into the live engine and what comes out: frozen values, nothing else.

Every input names its profile and may carry `arrival`, the instant at which the system got it: the engine's clock moves there first.
Without it an event moves the clock to its own timestamp when that is later, anything else happens at the engine's clock. Instants
are naive UTC. Documents are typed values as `pql.xdm.values` reads them. Read `Input` and `Transition`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

Profile = int | str
Document = Mapping[str, Any]
Cause = Literal["event", "timer", "profile", "merge", "split", "deletion", "definition"]


@dataclass(frozen=True, slots=True)
class Event:
    """An experience event. One that has the key of an event that the profile has takes its place: the same again changes
    nothing, another content is a correction. `key`: the event's `_id` when left out; without either it is an event of its own."""

    profile: Profile
    document: Document
    arrival: datetime | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """The event of that key never happened. A key that the profile does not have: nothing."""

    profile: Profile
    key: str
    arrival: datetime | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The merged profile record, whole, without `xEvent`. None: the profile has no attributes any more."""

    profile: Profile
    document: Document | None
    arrival: datetime | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """`source` becomes part of `profile`: its events join, its memberships end, later inputs for it go to `profile`. `record`:
    the merged record; None keeps the target's, or the source's when the target has none."""

    profile: Profile
    source: Profile
    record: Document | None = None
    arrival: datetime | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """The events of those keys leave `profile` and are `target`'s. The records are those of the two after the split; a
    `target` that had been merged away is a profile again."""

    profile: Profile
    target: Profile
    keys: frozenset[str] = frozenset()
    record: Document | None = None
    target_record: Document | None = None
    arrival: datetime | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """The clock moves on: everything up to and including `to` is judged."""

    to: datetime


Input = Event | Deletion | Record | Merge | Split | Advance


class Transition(msgspec.Struct, frozen=True, gc=False):
    """A profile came into a segment (`realized`) or left it (`exited`).

    `sequence` counts the profile's transitions from 1 and, with the profile, names this one for good. `at`: the instant from which
    the answer is another. For a timer that is exact, however late the clock was moved; for an input it is the engine's clock when
    it was judged, an event's own timestamp when events come in order. `version`: the fingerprint of the segment's definition.
    """

    profile: Profile
    sequence: int
    segment: str
    status: Literal["realized", "exited"]
    at: datetime
    cause: Cause
    version: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A segment that could not be judged for a profile: it counts as not a member. `code`: PQL0601."""

    profile: Profile
    segment: str
    at: datetime
    code: str
    message: str = field(compare=False, default="")
