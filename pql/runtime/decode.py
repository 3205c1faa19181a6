"""JSON bytes of an event to the typed document that the engine takes: only the paths that the plan reads, validated on the way.

Types for msgspec are made from the schema once a plan. What they refuse is read again the slow way (`pql.xdm.values`), which
accepts a little more and names the path and the reason of what does not fit: a reject is a value, not an exception. Must not know files or
sockets. Read `Decoder.decode`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, TypedDict

import msgspec

from pql.ir import nodes as ir
from pql.ir.walk import walk
from pql.runtime.plan import Plan
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
    make_object,
)
from pql.xdm.values import read_instant, read_value

LARGEST = 1_000_000
"""Bytes of an event."""
ALWAYS = ("_id", "timestamp", "eventType")
MICRO = Decimal("0.000001")
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Mend = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """An event that cannot be taken. `path`: where (`event` for all of it), `code`: PQL0811."""

    path: str
    reason: str
    code: str = "PQL0811"


class _Misfit(Exception):
    pass


class Decoder:
    """For the events of a plan's schema. Safe to share between threads."""

    def __init__(self, plan: Plan) -> None:
        used = _used(plan.conditions.values())
        self.type = _pruned(plan.schema.event, used, ALWAYS)
        self._decode = msgspec.json.Decoder(_shape(self.type), float_hook=_float).decode
        self._mend = _mend(self.type) or (lambda document: document)

    def decode(self, data: bytes) -> dict[str, Any] | Reject:
        """A typed document, or why there is none."""
        if len(data) > LARGEST:
            return Reject("event", f"{len(data):,} bytes are too many: at most {LARGEST:,}")
        try:
            document: dict[str, Any] = self._mend(self._decode(data))
            return document
        except (msgspec.ValidationError, _Misfit):
            return self._slowly(data)
        except (msgspec.DecodeError, RecursionError) as error:
            return Reject("event", f"not JSON: {error}" if str(error) else "nested too deeply")

    def _slowly(self, data: bytes) -> dict[str, Any] | Reject:
        try:
            found = json.loads(data, parse_float=Decimal)
        except (ValueError, RecursionError, ArithmeticError) as error:
            return Reject("event", f"not JSON: {error}")
        document, problems = read_value(found, self.type, "event", ignore_unknown=True)
        if problems or document is None:
            return Reject(*(problems[0] if problems else ("event", "an object is wanted")))
        return dict(document)


def _used(conditions: Iterable[ir.Expr]) -> dict[int, set[str]]:
    """The names of fields that are read, by the object type that has them."""
    found: dict[int, set[str]] = {}
    for condition in conditions:
        for node in walk(condition):
            if isinstance(node, ir.Field):
                found.setdefault(id(node.object.type), set()).add(node.name)
    return found


def _pruned(kind: ObjectType, used: dict[int, set[str]], always: tuple[str, ...] = ()) -> ObjectType:
    names = used.get(id(kind), set()).union(always)
    fields = {n: type(f)(n, _pruned_type(f.type, used)) for n, f in kind.fields.items() if n in names}
    return make_object(kind.name, fields)


def _pruned_type(kind: Type, used: dict[int, set[str]]) -> Type:
    match kind:
        case ObjectType():
            return _pruned(kind, used)
        case ListType():
            return ListType(_pruned_type(kind.element, used))
        case MapType():
            return MapType(_pruned_type(kind.value, used))
        case _:
            return kind


_SHAPES: dict[Type, Any] = {STRING: str, BOOLEAN: bool, INTEGER: Whole, NUMBER: Any, DATE: date, TIMESTAMP: str}


def _maybe(kind: Type) -> Any:
    shape = _shape(kind)
    return shape if shape is Any else shape | None


def _shape(kind: Type) -> Any:
    """The msgspec type of a type: objects become dicts, fields that are not named are passed over."""
    match kind:
        case ObjectType():
            fields = {n: _maybe(f.type) for n, f in kind.fields.items()}
            return TypedDict(kind.name or "object", fields, total=False)  # type: ignore[operator]
        case ListType():
            return list[_maybe(kind.element)]  # type: ignore[misc]
        case MapType():
            return dict[str, _maybe(kind.value)]  # type: ignore[misc]
        case _:
            return _SHAPES.get(kind, Any)


LIMIT = Decimal(10) ** 12


def _float(text: str) -> Decimal:
    """A number with a point or an exponent, as msgspec hands it over."""
    value = Decimal(text)
    if not -LIMIT < value < LIMIT:
        raise ValueError("out of range")
    return value.quantize(MICRO, ROUND_HALF_UP)


def _number(value: Any) -> Decimal:
    if type(value) is Decimal:
        return value
    if type(value) is int and -(10**12) < value < 10**12:
        return Decimal(value).quantize(MICRO)
    raise _Misfit


def _instant(text: str) -> datetime:
    try:
        if len(text) <= 26 and text[-1] == "Z":
            return datetime.fromisoformat(text[:-1])
        if len(text) <= 26:
            stamp = datetime.fromisoformat(text)
            return stamp if stamp.tzinfo is None else stamp.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        pass
    found = read_instant(text)
    if found is None:
        raise _Misfit
    return found


def _mend(kind: Type) -> Mend | None:
    """What decoding leaves to do for a value: decimals to six digits, instants to UTC. None: nothing."""
    match kind:
        case ObjectType():
            parts = [(n, part) for n, f in kind.fields.items() if (part := _mend(f.type)) is not None]
            return _mend_object(parts) if parts else None
        case ListType():
            each = _mend(kind.element)
            return None if each is None else _mend_list(each)
        case MapType():
            each = _mend(kind.value)
            return None if each is None else _mend_map(each)
        case _:
            return _number if kind == NUMBER else _instant if kind == TIMESTAMP else None


def _mend_list(each: Mend) -> Mend:
    return lambda items: [None if x is None else each(x) for x in items]


def _mend_map(each: Mend) -> Mend:
    return lambda entries: {k: None if x is None else each(x) for k, x in entries.items()}


def _mend_object(parts: list[tuple[str, Mend]]) -> Mend:
    def mend(value: dict[str, Any]) -> dict[str, Any]:
        for name, part in parts:
            found = value.get(name)
            if found is not None:
                value[name] = part(found)
        return value

    return mend
