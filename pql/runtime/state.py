"""What the live engine keeps of one profile, and its bytes. Must not know plans or clocks. Read `Person`, `pack`, `unpack`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from pql.runtime.inputs import Document, Profile

EPOCH = datetime(1970, 1, 1)
_DECIMAL, _INSTANT, _DAY = 1, 2, 3


@dataclass(slots=True)
class Kept:
    """An event that is kept. `arrived`: a number that grows with arrival, and breaks ties of order."""

    key: str | None
    arrived: int
    document: Document

    def order(self) -> tuple[bool, datetime, bool, str, int]:
        """The order of `xEvent`: timestamp, `_id`, arrival; what is missing comes last."""
        stamp, id = self.document.get("timestamp"), self.document.get("_id")
        return (stamp is None, stamp or EPOCH, id is None, id or "", self.arrived)


@dataclass(slots=True)
class Person:
    """`members`: the numbers of the plan's roots that hold. `horizons`: when each may turn by time alone. `into`: the profile that this
    one was merged into; it has nothing of its own then."""

    profile: Profile
    record: Document | None = None
    events: list[Kept] = field(default_factory=list)
    members: set[int] = field(default_factory=set)
    horizons: dict[int, datetime] = field(default_factory=dict)
    sequence: int = 0
    into: Profile | None = None
    judged: bool = False

    def find(self, key: str) -> int | None:
        return next((i for i, kept in enumerate(self.events) if kept.key == key), None)

    def put(self, kept: Kept) -> bool:
        """Keeps an event in its place, instead of an earlier arrival with its key; false when nothing changes."""
        at = None if kept.key is None else self.find(kept.key)
        if at is not None:
            if self.events[at].document == kept.document or self.events[at].arrived > kept.arrived:
                return False
            del self.events[at]
        place, order = len(self.events), kept.order()
        while place and self.events[place - 1].order() > order:
            place -= 1
        self.events.insert(place, kept)
        return True

    def due(self) -> datetime | None:
        return min(self.horizons.values(), default=None)

    def view(self) -> dict[str, Any]:
        """The profile as expressions see it."""
        return {**(self.record or {}), "xEvent": [k.document for k in self.events]}


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
    return value


def _typed(code: int, data: memoryview) -> Any:
    if code == _DECIMAL:
        return Decimal(bytes(data).decode())
    if code == _INSTANT:
        return instant(int.from_bytes(data, "big", signed=True))
    if code == _DAY:
        return date.fromordinal(int.from_bytes(data, "big"))
    raise ValueError("not a state of this form")


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ext_hook=_typed)


def pack(fingerprint: str, person: Person) -> bytes:
    """A profile's state as bytes, for the plan of that fingerprint."""
    events = [(k.key, k.arrived, _plain(dict(k.document))) for k in person.events]
    record = None if person.record is None else _plain(dict(person.record))
    members = sorted(person.members)
    horizons = {i: microseconds(at) for i, at in person.horizons.items()}
    return _encoder.encode(
        (fingerprint, person.profile, record, events, members, horizons, person.sequence, person.into, person.judged)
    )


class StateError(Exception):
    """Bytes that are no state of this plan (PQL0610)."""

    code = "PQL0610"


def unpack(fingerprint: str, data: bytes) -> Person:
    """The profile that `pack` packed. Raises StateError when the bytes are of another plan or no state at all."""
    try:
        found = _decoder.decode(data)
        if found[0] != fingerprint:
            raise StateError(f"the state was kept for plan {found[0]}, this is plan {fingerprint}")
        _, profile, record, events, members, horizons, sequence, into, judged = found
        kept = [Kept(key, arrived, document) for key, arrived, document in events]
        times = {int(i): instant(at) for i, at in horizons.items()}
        return Person(profile, record, kept, set(members), times, sequence, into, judged)
    except (msgspec.DecodeError, ValueError, TypeError, IndexError, KeyError) as error:
        raise StateError(f"not a state: {error}") from None
