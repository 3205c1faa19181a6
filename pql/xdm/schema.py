"""A schema: the types of a profile and of its experience events. Must not know file formats. Read `make_schema`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pql.types import BOOLEAN, NUMBER, STRING, TIMESTAMP, Field, ListType, MapType, ObjectType, Type, make_object


@dataclass(frozen=True, eq=False)
class Schema:
    """`profile` includes `xEvent`, the list of events. `entities`: context entities by name. `identities`: fields that hold
    an identity (`descriptors.IdentityField`), of the profile and of an event."""

    profile: ObjectType
    event: ObjectType
    entities: Mapping[str, ObjectType] = field(default_factory=dict)
    identities: tuple[Any, ...] = ()
    event_identities: tuple[Any, ...] = ()


def _object(name: str, types: Mapping[str, Type]) -> ObjectType:
    return make_object(name, {k: Field(k, t) for k, t in types.items()})


IDENTITY = _object("identityMap", {"id": STRING, "authenticatedState": STRING, "primary": BOOLEAN})
PAYLOAD = _object(
    "segmentMembership.payload",
    {
        "payloadBooleanValue": BOOLEAN,
        "payloadNumberValue": NUMBER,
        "payloadPropensityValue": NUMBER,
        "payloadStringValue": STRING,
        "payloadType": STRING,
    },
)
MEMBERSHIP = _object(
    "segmentMembership",
    {
        "status": STRING,
        "lastQualificationTime": TIMESTAMP,
        "validUntil": TIMESTAMP,
        "version": STRING,
        "payload": PAYLOAD,
        "timerSpec": STRING,
    },
)
IDENTITY_MAP = MapType(ListType(IDENTITY))
SEGMENT_MEMBERSHIP = MapType(MapType(MEMBERSHIP))


def make_schema(
    profile: Mapping[str, Field], event: Mapping[str, Field], entities: Mapping[str, ObjectType] | None = None
) -> Schema:
    """A schema from declared fields; what every profile and event has is added."""
    events = {f.name: f for f in (Field("_id", STRING), Field("timestamp", TIMESTAMP), Field("eventType", STRING))}
    event_type = make_object("event", {**events, **event})
    fields = dict(profile)
    for name, kind in (("identityMap", IDENTITY_MAP), ("segmentMembership", SEGMENT_MEMBERSHIP)):
        if not isinstance(getattr(fields.get(name), "type", None), MapType):
            fields[name] = Field(name, kind)
    fields["xEvent"] = Field("xEvent", ListType(event_type))
    return Schema(make_object("profile", fields), event_type, entities or {})


def with_event_identities(schema: Schema) -> Schema:
    """The schema as events come: they may have an `identityMap`, whether it says so or not. No expression sees it where it does not."""
    if "identityMap" in schema.event.fields:
        return schema
    fields = {**schema.event.fields, "identityMap": Field("identityMap", IDENTITY_MAP)}
    return replace(schema, event=make_object(schema.event.name, fields))
