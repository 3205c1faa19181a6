"""Events as they usually come: as the schema says, bare or with `kind`. They are read in one step; all other messages are for
`pql.streams.messages`, which would read these the same. Read `UsualEvents.read`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pql.types import STRING
from pql.xdm.decoding import REFUSALS, make_mend, make_struct, make_struct_reader, struct_shape
from pql.xdm.schema import Schema

ENVELOPE = ("profile", "key", "arrival")
_SIGN = b'"kind"'


Usual = tuple[dict[str, Any], bool, Any, Any, Any]
"""The typed event; is it bare; and what else the message says, as JSON has it: profile (of a bare one the event key's value), key, arrival."""
Read = Callable[[bytes], Usual]


class UsualEvents:
    """`event_key`: the field of a bare event that names its profile."""

    def __init__(self, schema: Schema, event_key: str) -> None:
        self._bare: Read = _refuse
        self._enveloped: Read = _refuse
        fields = schema.event.fields
        if not fields:
            return
        try:
            if event_key != "kind" and (event_key not in fields or fields[event_key].type == STRING):
                self._bare = _bare(schema, event_key)
            if "kind" not in fields:
                self._enveloped = _enveloped(schema)
        except ValueError:
            # names that msgspec cannot have
            self._bare = self._enveloped = _refuse

    def read(self, raw: bytes) -> Usual | None:
        """None: this message is for the other reader."""
        first, second = self._bare, self._enveloped
        if _SIGN in raw[:10]:
            first, second = second, first
        try:
            return first(raw)
        except REFUSALS:
            pass
        try:
            return second(raw)
        except REFUSALS:
            return None


def _refuse(raw: bytes) -> Usual:
    raise ValueError


def _bare(schema: Schema, event_key: str) -> Read:
    mend = make_mend(schema.event)
    if event_key in schema.event.fields:

        def finish(document: dict[str, Any]) -> Usual:
            return mend(document), True, document.get(event_key), None, None

        return make_struct_reader(struct_shape(schema.event, closed=True), finish)

    def take_out(document: dict[str, Any]) -> Usual:
        profile = document.pop(event_key, None)
        return mend(document), True, profile, None, None

    return make_struct_reader(struct_shape(schema.event, True, {event_key: Any}), take_out)


def _enveloped(schema: Schema) -> Read:
    mend = make_mend(schema.event)

    def finish(message: dict[str, Any]) -> Usual:
        if "kind" not in message or "event" not in message:
            raise ValueError
        document = mend(message["event"])
        return document, False, message.get("profile"), message.get("key"), message.get("arrival")

    event = struct_shape(schema.event, closed=True) | None
    fields = {"kind": Literal["event"] | None, "event": event, **dict.fromkeys(ENVELOPE, Any)}
    return make_struct_reader(make_struct(fields, closed=True), finish)
