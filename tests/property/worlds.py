"""The schema, values and people that random expressions are asked of: null-heavy, tie-heavy, full of window edges, month ends and
leap days. Read `World`."""

from __future__ import annotations

import random
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pql.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    STRING,
    TIMESTAMP,
    ListType,
    MapType,
    ObjectType,
    Type,
)
from pql.xdm.schema import Schema

SCHEMA = {
    "profile": {
        "person": {"name": "string", "gender": "string", "birthDate": "date", "active": "boolean", "age": "integer"},
        "homeAddress": {"city": "string", "country": "string", "stateProvince": "string"},
        "workAddress": {"city": "string", "country": "string"},
        "loyalty": {"tier": "string", "points": "integer", "balance": "number", "joined": "date-time"},
        "favoriteColors": "string[]",
        "ownedColors": "string[]",
        "scores": "integer[]",
        "prices": "number[]",
        "holidays": "date[]",
        "visits": "date-time[]",
        "attributes": "map<string>",
        "limits": "map<integer>",
        "orders[]": {
            "id": "string",
            "storeId": "string",
            "price": "number",
            "quantity": "integer",
            "placed": "date-time",
            "tags": "string[]",
        },
    },
    "event": {
        "web": {"page": "string", "views": "integer"},
        "commerce": {"order": {"priceTotal": "number", "currencyCode": "string"}, "purchases": {"value": "number"}},
        "score": "integer",
        "valid": "boolean",
        "productListItems[]": {"SKU": "string", "name": "string", "priceTotal": "number", "quantity": "integer"},
    },
}
TYPES = ("view", "view", "buy", "cart", "add")
STRINGS = (
    "a",
    "b",
    "US",
    "CA",
    "\U0001f600",
    "\uffff",
    "red",
    "blue",
    "A",
    "é",
    "",
    "10",
    "2.5",
    "true",
    "2026-03-01",
    "İx",
    "ab%",
    "a_b",
)
NUMERALS = (
    "1",
    "+2",
    "-1",
    "2.50",
    "1e1",
    "1.5e-3",
    ".5",
    "5.",
    " 1",
    "",
    "x",
    "9223372036854775808",
    "0.0000005",
    "00018",
)
STAMPS = (
    "2026-03-15T12:00:00Z",
    "2026-03-15T12:00Z",
    "2026-03-15 12:00",
    "2026-03-15t10:00:00z",
    "2026-03-15T24:00:00Z",
    "2026-03-15T23:59:60Z",
    "2026-02-30",
    "2024-02-29",
    "0000-01-01",
    "0001-01-01T00:00:00+05:00",
    "9999-12-31T23:59:59-05:00",
    "2026-03-15T10:00:00.1234567+0530",
    "2026-03-15",
    "true",
    "TRUE",
    "False",
)
PATTERNS = ("a%", "%b", "a_b", "%", "_", "ab\\\\%", "%é%", "A%")
KEYS = ("a", "b", "c")
UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "year", "decade", "century", "millennium")
SHORT = ("hour", "hour", "day", "day", "day", "week", "month", "month", "year")
SCALARS = (BOOLEAN, INTEGER, NUMBER, STRING, DATE, TIMESTAMP)
ORDERED = (INTEGER, NUMBER, STRING, DATE, TIMESTAMP)
NOWS = (
    datetime(2026, 3, 15, 12),
    datetime(2026, 3, 31, 12),
    datetime(2024, 2, 29, 23, 59, 59, 999999),
    datetime(2024, 3, 1),
    datetime(2025, 12, 31, 23, 59, 59, 999999),
    datetime(2026, 1, 1),
    datetime(2026, 3, 30, 1, 30, 0, 1),
    datetime(2025, 10, 26, 0, 30),
    datetime(2026, 3, 16),
    datetime(2020, 2, 29, 6),
)
MICRO = timedelta(microseconds=1)
FIXED = {"millisecond": 1e-3, "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
MONTHS = {"month": 1, "year": 12, "decade": 120, "century": 1200, "millennium": 12000}


def moved(stamp: datetime, amount: int, unit: str) -> datetime:
    if unit in FIXED:
        return stamp + amount * timedelta(seconds=FIXED[unit])
    months = stamp.year * 12 + stamp.month - 1 + amount * MONTHS[unit]
    year, month = max(1, min(months // 12, 9999)), months % 12 + 1
    return stamp.replace(year=year, month=month, day=min(stamp.day, monthrange(year, month)[1]))


def iso(stamp: datetime) -> str:
    return stamp.isoformat() + "Z"


@dataclass
class World:
    """Documents for one instant. Their times are drawn to hit the edges of the windows that the texts use."""

    r: random.Random
    schema: Schema
    now: datetime
    nulls: float = 0.3

    def instant(self) -> datetime:
        r, base = self.r, self.now
        kind = r.random()
        if kind < 0.25:
            base = base.replace(hour=0, minute=0, second=0, microsecond=0)
            if r.random() < 0.4:
                base = base.replace(day=1)
            if r.random() < 0.3:
                base -= timedelta(days=base.weekday())
        stamp = moved(base, r.choice((0, -1, -1, -2, -3, -3, 1, 2)), r.choice(SHORT))
        if r.random() < 0.05:
            stamp = r.choice((datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(1970, 1, 1)))
            return stamp
        return stamp + r.choice((0, 0, 0, 1, -1)) * MICRO

    def value(self, kind: Type, name: str = "") -> Any:
        r = self.r
        if r.random() < self.nulls:
            return None
        if isinstance(kind, ListType):
            return [self.value(kind.element, name) for _ in range(r.choice((0, 1, 1, 2, 3)))]
        if isinstance(kind, MapType):
            return {k: self.value(kind.value, name) for k in KEYS if r.random() < 0.6}
        if isinstance(kind, ObjectType):
            return self.object(kind)
        return self.scalar(kind, name)

    def object(self, kind: ObjectType) -> dict[str, Any]:
        found = {n: self.value(f.type, n) for n, f in kind.fields.items()}
        return {k: v for k, v in found.items() if v is not None or self.r.random() < 0.3}

    def scalar(self, kind: Type, name: str) -> Any:
        r = self.r
        if kind == STRING:
            if name in ("tier", "stateProvince", "tags", "authenticatedState"):
                return r.choice((*NUMERALS, *STAMPS))
            return r.choice(TYPES) if name == "eventType" else r.choice(STRINGS)
        if kind == BOOLEAN:
            return r.random() < 0.5
        if kind == INTEGER:
            return r.choice((0, 1, 2, 3, 5, 10, -1, 10, 2, 3, 18, 9223372036854775807 if r.random() < 0.2 else 4))
        if kind == NUMBER:
            return r.choice(
                (0, 1, 2.5, 10, 0.1, 0.2, 0.3, -1.5, 20.000001, 2000000, 999999999999.5 if r.random() < 0.1 else 5)
            )
        if kind == DATE:
            return self.instant().date().isoformat()
        return iso(self.instant())

    def profile(self) -> dict[str, Any]:
        kind = self.schema.profile
        fields = {n: f.type for n, f in kind.fields.items() if n not in ("xEvent", "segmentMembership")}
        found = {n: self.value(t, n) for n, t in fields.items()}
        if self.r.random() < 0.5:
            members = {s: {"status": self.r.choice(("realized", "existing", "exited"))} for s in ("s1", "s2")}
            found["segmentMembership"] = {self.r.choice(("ups", "UPS", "other")): members}
        return {k: v for k, v in found.items() if v is not None}

    def events(self) -> list[dict[str, Any]]:
        r, stamps = self.r, [self.instant() for _ in range(3)]
        found = []
        for _ in range(r.choice((0, 1, 2, 3, 4, 5, 6, 8))):
            event = self.object(self.schema.event)
            event.pop("_id", None)
            if r.random() < 0.6:
                event["_id"] = r.choice(("e1", "e2", "e3", "e4"))
            event["timestamp"] = iso(r.choice(stamps) if r.random() < 0.5 else self.instant())
            if r.random() < 0.03:
                event["timestamp"] = None
            if r.random() < 0.85:
                event["eventType"] = r.choice(TYPES)
            found.append(event)
        return found


def paths(kind: ObjectType, wanted: Type, prefix: str) -> list[str]:
    """Paths through objects to fields of a type."""
    found = []
    for name, field in kind.fields.items():
        if name in ("segmentMembership", "identityMap"):
            continue
        if field.type == wanted:
            found.append(prefix + name)
        if isinstance(field.type, ObjectType):
            found += paths(field.type, wanted, f"{prefix}{name}.")
    return found


def list_paths(kind: ObjectType, prefix: str) -> list[tuple[Type, str]]:
    """Lists of objects below an object, through lists too."""
    found: list[tuple[Type, str]] = []
    for name, field in kind.fields.items():
        if isinstance(field.type, ListType) and isinstance(field.type.element, ObjectType):
            found.append((field.type.element, prefix + name))
            found += list_paths(field.type.element, f"{prefix}{name}.")
        elif isinstance(field.type, ObjectType):
            found += list_paths(field.type, f"{prefix}{name}.")
    return found


def random_now(r: random.Random) -> datetime:
    return r.choice(NOWS) + r.choice((0, 0, 0, 1, -1)) * MICRO
