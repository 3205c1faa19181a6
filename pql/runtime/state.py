"""What the live engine keeps of one profile, and its bytes. Must not know plans or clocks. Read `Person`, `pack`, `unpack`."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from pql.runtime.inputs import Cause, Document, Profile
from pql.runtime.routing import Route

EPOCH = datetime(1970, 1, 1)
TIMELESS = 1 << 62
"""The stamp of an event without a timestamp: after all others."""
KEEP = 3
"""One less than the events of a profile after each of which it is asked whether some can go; a power of two less one."""
MARKS = 63
"""One less than the bytes behind a profile's truth: a byte is 1 where an event's key may have that hash."""
FEW = 16
"""So many events are searched one by one for a key."""
_DECIMAL, _INSTANT, _DAY, _FAILED = 1, 2, 3, 4


class OutOfRangeValue:
    """The value of an attribute that could not be evaluated (PQL0601): null to whoever asks, but known to have failed."""


OUT_OF_RANGE = OutOfRangeValue()


class Computation:
    """The attributes of a profile: `values` in the plan's order, the instant `since` which each is what it is (microseconds; None: it was
    never anything but null), and the number of the last change."""

    __slots__ = ("sequence", "since", "values")

    def __init__(self, values: list[Any], since: list[int | None], sequence: int = 0) -> None:
        self.values, self.since, self.sequence = values, since, sequence


class Kept(msgspec.Struct, gc=False, order=True):
    """An event that is kept, in the order of `xEvent`: timestamp, `_id`, arrival; what is missing comes last.

    `stamp`: microseconds. `arrived`: grows with arrival, unique. `weights`: what it adds to its route's weighed streams.
    `document`: None where no leaf needs it."""

    stamp: int
    nameless: bool
    id: str
    arrived: int
    key: str | None
    route: Route
    weights: tuple[int, ...]
    document: Document | None


class Person:
    """`truth`: of the plan's leaves (0, 1, 2: a sum out of range), then the marks of the events' keys (`MARKS`). `keys`: those themselves, where
    there are many and somebody asked; the marks are not kept up then. `members`: the roots that hold. `armed`: the instant of each leaf's
    timer. `dirty`: leaves that turned at the open instant, None when the profile has no part in it. `into`: the profile that this
    one was merged into; it has nothing of its own then. `stale`: bits. `computed`: its attributes, None as long as all are null."""

    __slots__ = ("armed", "base", "cause", "cells", "computed", "dirty", "events", "into", "judged", "keys", "last", "members", "profile", "record",
                 "sequence", "stale", "truth")  # fmt: skip

    def __init__(self, profile: Profile, truth: bytearray, members: bytearray, base: Any) -> None:
        self.profile, self.truth, self.members, self.base = profile, truth, members, base
        self.record: Document | None = None
        self.events: list[Kept] = []
        self.keys: set[str] | None = None
        self.cells: dict[int, Any] = {}
        self.armed: dict[int, int] = {}
        self.dirty: list[int] | None = None
        self.cause: Cause | None = None
        self.last = -TIMELESS
        self.sequence = 0
        self.into: Profile | None = None
        self.judged = False
        self.stale = 0
        self.computed: Computation | None = None

    def knew(self, key: str) -> bool:
        """Has it an event of that key? Asked where the key may be known; most never are. From now on it is."""
        if self.keys is None and self.has(key):
            return True
        keys = self.keys
        if keys is None:
            return False
        count = len(keys)
        keys.add(key)
        return len(keys) == count

    def has(self, key: str) -> bool:
        """Has it an event of that key?"""
        if self.keys is None:
            if not self.truth[-1 - (hash(key) & MARKS)]:
                return False
            if len(self.events) <= FEW:
                return any(k.key == key for k in self.events)
            self.keys = {k.key for k in self.events if k.key is not None}
        return key in self.keys

    def find(self, key: str) -> Kept | None:
        """The event of that key."""
        return next(k for k in self.events if k.key == key) if self.has(key) else None

    def _mark(self, key: str) -> None:
        if self.keys is None:
            self.truth[-1 - (hash(key) & MARKS)] = 1
        else:
            self.keys.add(key)

    def insert(self, kept: Kept) -> None:
        insort(self.events, kept)
        self.last = self.events[-1].stamp
        if kept.key is not None:
            self._mark(kept.key)

    def remove(self, kept: Kept) -> None:
        del self.events[bisect_left(self.events, kept)]
        self.last = self.events[-1].stamp if self.events else -TIMELESS
        if self.keys is not None and kept.key is not None:
            self.keys.discard(kept.key)

    def forget(self, before: int) -> None:
        """Drops the events before an instant."""
        cut = 0
        for kept in self.events:
            if kept.stamp >= before:
                break
            cut += 1
        del self.events[:cut]
        self.keys = None
        self.truth[-1 - MARKS :] = bytes(MARKS + 1)
        for kept in self.events:
            if kept.key is not None:
                self._mark(kept.key)

    def view(self) -> dict[str, Any]:
        """The profile as expressions see it."""
        return {**(self.record or {}), "xEvent": [k.document for k in self.events if k.document is not None]}


def microseconds(at: datetime) -> int:
    span = at - EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def _plain(value: Any) -> Any:
    """A typed value as what MessagePack can say; decimals, instants and days marked."""
    if isinstance(value, Decimal):
        return msgspec.msgpack.Ext(_DECIMAL, str(value).encode())
    if isinstance(value, datetime):
        return msgspec.msgpack.Ext(_INSTANT, microseconds(value).to_bytes(8, "big", signed=True))
    if isinstance(value, date):
        return msgspec.msgpack.Ext(_DAY, value.toordinal().to_bytes(4, "big"))
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if value is OUT_OF_RANGE:
        return msgspec.msgpack.Ext(_FAILED, b"")
    return value


def _typed(code: int, data: memoryview) -> Any:
    if code == _DECIMAL:
        return Decimal(bytes(data).decode())
    if code == _INSTANT:
        return instant(int.from_bytes(data, "big", signed=True))
    if code == _DAY:
        return date.fromordinal(int.from_bytes(data, "big"))
    if code == _FAILED:
        return OUT_OF_RANGE
    raise ValueError("not a state of this form")


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ext_hook=_typed)


@dataclass(frozen=True)
class Packed:
    """What the bytes of a profile say. `events`: (stamp, nameless, id, arrived, key, streams, weights, document). `computed`: of the attributes
    the values, since when, the number of the last change, and the timers as (attribute, instant)."""

    fingerprint: str
    as_of: int
    profile: Profile
    record: Document | None
    events: list[tuple[int, bool, str, int, str | None, list[int], list[int], Document | None]]
    members: list[int]
    sequence: int
    into: Profile | None
    judged: bool
    computed: tuple[list[Any], list[int | None], int, list[tuple[int, int]]] | None


def pack(fingerprint: str, as_of: int, person: Person, leaves: int) -> bytes:
    """A profile's state as bytes, for the plan of that fingerprint with so many leaves, as of an instant in microseconds. Leaves, cells and
    their timers follow from it; timers of attributes are in it."""
    events = [
        (k.stamp, k.nameless, k.id, k.arrived, k.key, k.route.streams, [str(w) if abs(w) >> 63 else w for w in k.weights],
         None if k.document is None else _plain(dict(k.document)))
        for k in person.events
    ]  # fmt: skip
    record = None if person.record is None else _plain(dict(person.record))
    members = [i for i, holds in enumerate(person.members) if holds]
    computed = None
    if (own := person.computed) is not None:
        timers = [(n - leaves, at) for n, at in person.armed.items() if n >= leaves]
        computed = (_plain(own.values), own.since, own.sequence, timers)
    return _encoder.encode(
        (
            fingerprint,
            as_of,
            person.profile,
            record,
            events,
            members,
            person.sequence,
            person.into,
            person.judged,
            computed,
        )
    )


class StateError(Exception):
    """Bytes that are no state of this plan (PQL0610)."""

    code = "PQL0610"


def unpack(fingerprint: str, data: bytes) -> Packed:
    """What `pack` packed. Raises StateError when the bytes are of another plan or no state at all."""
    try:
        found = Packed(*_decoder.decode(data))
        if found.fingerprint != fingerprint:
            raise StateError(f"the state was kept for plan {found.fingerprint}, this is plan {fingerprint}")
        if not all(len(e) == 8 for e in found.events):
            raise StateError("not a state: an event has another form")
        return found
    except (msgspec.DecodeError, ValueError, TypeError, IndexError, KeyError) as error:
        raise StateError(f"not a state: {error}") from None
