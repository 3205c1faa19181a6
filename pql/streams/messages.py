"""One message as an input of the live engine. docs/STREAMING.md says the forms. Must not know sources. Read `Reader.read`.

What does not fit raises BadMessage, with the path and the reason; nothing else is ever raised for what a message says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, assert_never

import msgspec

from pql.diagnostics.suggest import did_you_mean
from pql.runtime.inputs import Advance, Deletion, Event, Input, Merge, Record, Split
from pql.streams.errors import BadMessage
from pql.streams.usual import Usual, UsualEvents
from pql.xdm.decoding import exact_number
from pql.xdm.schema import Schema, with_event_identities
from pql.xdm.values import read_event, read_instant, read_profile

MESSAGE_MOST = 1_000_000
"""Bytes."""
NAME_MOST = 1_000
KINDS: dict[str, tuple[str, ...]] = {
    "event": ("profile", "event", "key", "arrival"),
    "profile": ("profile", "record", "arrival"),
    "delete": ("profile", "key", "arrival"),
    "merge": ("profile", "source", "record", "arrival"),
    "split": ("profile", "target", "keys", "record", "targetRecord", "arrival"),
    "advance": ("to",),
}
Owner = Callable[[Mapping[str, Any]], str | None]
"""The profile that an event's document belongs to, as its identities say."""
Naming = Callable[[str, Mapping[str, Any] | None], str]
"""The profile that a name stands for, in a message with that event or another message. Raises BadMessage for a deleted person."""


_DECODER = msgspec.json.Decoder(float_hook=exact_number)
_EXACT = msgspec.json.Decoder(float_hook=Decimal)


def nobody(document: Mapping[str, Any]) -> str | None:
    return None


def as_named(name: str, document: Mapping[str, Any] | None) -> str:
    return name


def untold(name: str) -> None:
    pass


@dataclass(frozen=True)
class Reader:
    """`event_key`: the field of a bare event that names its profile. `owner`: asked when nothing names it. `naming`: asked when
    something does. `parting`: told of names that become profiles of their own. `timed`: events without a timestamp are refused, as a load
    refuses them; the language has an answer for such events, and a state may hold some."""

    schema: Schema
    event_key: str = "profileId"
    owner: Owner = nobody
    naming: Naming = as_named
    parting: Callable[[str], None] = untold
    timed: bool = False

    def read(self, raw: bytes) -> Input:
        """A message as JSON text. Raises BadMessage (PQL0634, PQL0811, PQL0826)."""
        if len(raw) > MESSAGE_MOST:
            raise BadMessage("PQL0634", f"a message of more than {MESSAGE_MOST:,} bytes")
        usual = self._usual.read(raw)
        if usual is not None:
            return self._usual_event(usual)
        try:
            document = _DECODER.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadMessage("PQL0634", f"no JSON: {str(error)[:200]}") from None
        return self.input(document)

    def input(self, document: Any) -> Input:
        """A message that has been decoded."""
        if not isinstance(document, dict):
            raise BadMessage("PQL0634", "a JSON object is wanted")
        kind = document.get("kind")
        if kind is None or "kind" in self.schema.event.fields:
            return self._bare(document)
        if not isinstance(kind, str) or kind not in KINDS:
            help = did_you_mean(str(kind)[:100], KINDS) or "the kinds are " + ", ".join(KINDS)
            raise BadMessage("PQL0634", f"no kind of message `{str(kind)[:100]}`: {help}")
        for name in document:
            if name != "kind" and name not in KINDS[kind]:
                help = did_you_mean(name[:100], KINDS[kind]) or "it has " + ", ".join(KINDS[kind])
                raise BadMessage("PQL0634", f"a message of kind `{kind}` has no `{name[:100]}`: {help}")
        made: Input = getattr(self, "_" + kind)(document)
        return made

    @cached_property
    def _incoming(self) -> Schema:
        return with_event_identities(self.schema)

    @cached_property
    def _usual(self) -> UsualEvents:
        return UsualEvents(self._incoming, self.event_key)

    def _usual_event(self, usual: Usual) -> Event:
        typed, bare, named, key, arrival = usual
        return self._made_bare(typed, named) if bare else self._made(typed, named, key, arrival)

    def _bare(self, document: dict[str, Any]) -> Event:
        key = self.event_key
        body = document if key in self.schema.event.fields else {k: v for k, v in document.items() if k != key}
        return self._made_bare(self._typed_event(body), document.get(key))

    def _made_bare(self, typed: dict[str, Any], named: Any) -> Event:
        self._check_time(typed)
        return Event(self._whose(typed, named, self.event_key), typed)

    def _event(self, document: dict[str, Any]) -> Event:
        typed = self._typed_event(document.get("event"))
        return self._made(typed, document.get("profile"), document.get("key"), document.get("arrival"))

    def _made(self, typed: dict[str, Any], named: Any, key: Any, arrival: Any) -> Event:
        self._check_time(typed)
        owner = self._whose(typed, named, "profile")
        return Event(owner, typed, _read_instant(arrival, "arrival"), None if key is None else _name(key, "key"))

    def _profile(self, document: dict[str, Any]) -> Record:
        if "record" not in document:
            raise BadMessage("PQL0634", "no `record`")
        return Record(self._meant(document), self._record(document, "record"), _instant(document, "arrival"))

    def _delete(self, document: dict[str, Any]) -> Deletion:
        return Deletion(self._meant(document), _named(document, "key"), _instant(document, "arrival"))

    def _merge(self, document: dict[str, Any]) -> Merge:
        record, arrival = self._record(document, "record"), _instant(document, "arrival")
        profile, source = _named(document, "profile"), _named(document, "source")
        self.naming(profile, None)
        self.naming(source, None)
        return Merge(profile, source, record, arrival)

    def _split(self, document: dict[str, Any]) -> Split:
        keys = document.get("keys", [])
        if not isinstance(keys, list):
            raise BadMessage("PQL0634", "`keys`: a list is wanted")
        profile, target = _named(document, "profile"), _named(document, "target")
        if profile == target:
            raise BadMessage("PQL0634", "`target` is the profile itself")
        self.naming(profile, None)
        self.parting(target)
        return Split(
            profile,
            target,
            frozenset(_name(k, "keys") for k in keys),
            self._record(document, "record"),
            self._record(document, "targetRecord"),
            _instant(document, "arrival"),
        )

    def _advance(self, document: dict[str, Any]) -> Advance:
        to = _instant(document, "to")
        if to is None:
            raise BadMessage("PQL0634", "no `to`")
        return Advance(to)

    # --- parts ---
    def _typed_event(self, document: Any) -> dict[str, Any]:
        if not isinstance(document, dict):
            raise BadMessage("PQL0634", "`event`: a JSON object is wanted")
        return _fitting(read_event(document, self._incoming))

    def _record(self, document: dict[str, Any], name: str) -> dict[str, Any] | None:
        record = document.get(name)
        if record is None:
            return None
        if isinstance(record, dict) and "xEvent" in record:
            raise BadMessage("PQL0811", "`profile.xEvent`: events are messages of their own")
        return _fitting(read_profile(record, self.schema))

    def _meant(self, document: dict[str, Any]) -> str:
        return self.naming(_named(document, "profile"), None)

    def _check_time(self, typed: Mapping[str, Any]) -> None:
        if self.timed and typed.get("timestamp") is None:
            raise BadMessage("PQL0826", "`timestamp`: an event needs this field")

    def _whose(self, typed: Mapping[str, Any], named: Any, field: str) -> str:
        return self._owned(typed) if named is None else self.naming(_name(named, field), typed)

    def _owned(self, typed: Mapping[str, Any]) -> str:
        owner = self.owner(typed)
        if owner is None:
            raise BadMessage(
                "PQL0634", f"nothing names its profile: no `{self.event_key}`, and no identity that can be used"
            )
        return owner


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def write_document(document: Mapping[str, Any]) -> bytes:
    """A typed document as JSON, exactly."""
    return _ENCODER.encode(document)


def write_exactly(value: Any) -> str:
    """A typed value as JSON for others: instants in Z, decimals as they are, without trailing zeros."""
    return msgspec.json.format(_ENCODER.encode(_told(value)), indent=0).decode()


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else value.normalize()
    if isinstance(value, Mapping):
        return {k: _told(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_told(v) for v in value]
    return value


def read_document(raw: bytes, schema: Schema) -> dict[str, Any]:
    """What `write_document` wrote; what the schema no longer has is left out."""
    return read_event(_EXACT.decode(raw), schema, ignore_unknown=True)[0]


def rewritten(raw: bytes, change: Callable[[Any], Any]) -> bytes:
    """A message that `write_message` wrote, changed as JSON, exactly."""
    return _ENCODER.encode(change(_EXACT.decode(raw)))


def write_message(item: Input) -> bytes:
    """An input as the message that any reader reads as that input."""
    document: dict[str, Any]
    match item:
        case Advance():
            return _ENCODER.encode({"kind": "advance", "to": item.to})
        case Event():
            document = {"kind": "event", "event": item.document, "key": item.key}
        case Deletion():
            document = {"kind": "delete", "key": item.key}
        case Record():
            document = {"kind": "profile", "record": item.document}
        case Merge():
            document = {"kind": "merge", "source": item.source, "record": item.record}
        case Split():
            records = {"record": item.record, "targetRecord": item.target_record}
            document = {"kind": "split", "target": item.target, "keys": sorted(item.keys), **records}
        case _:
            assert_never(item)
    return _ENCODER.encode({**document, "profile": item.profile, "arrival": item.arrival})


def _fitting(read: tuple[dict[str, Any], list[tuple[str, str]]]) -> dict[str, Any]:
    value, problems = read
    if problems:
        raise BadMessage("PQL0811", "; ".join(f"`{path}`: {message}" for path, message in problems[:3]))
    return value


def _named(document: Mapping[str, Any], field: str) -> str:
    return _name(document.get(field), field)


def _name(value: Any, field: str) -> str:
    """A name: text, or a whole number as its digits."""
    if value is None or value == "":
        raise BadMessage("PQL0634", f"no `{field}`")
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadMessage("PQL0634", f"`{field}`: a name is wanted")
    text = str(value)
    if len(text) > NAME_MOST:
        raise BadMessage("PQL0634", f"`{field}`: a name of more than {NAME_MOST:,} characters")
    return text


def _instant(document: Mapping[str, Any], field: str) -> datetime | None:
    return _read_instant(document.get(field), field)


def _read_instant(text: Any, field: str) -> datetime | None:
    if text is None:
        return None
    found = read_instant(text) if isinstance(text, str) else None
    if found is None:
        raise BadMessage("PQL0634", f"`{field}`: a date-time such as 2026-03-01T10:00:00Z is wanted")
    return found
