"""JSON bytes of an event to the typed document that the engine takes: only the paths that the plan reads, validated on the way.

A reader is made for the schema once a plan (`pql.xdm.decoding`). What it refuses is read again the slow way (`pql.xdm.values`), which
accepts a little more and names the path and the reason of what does not fit: a reject is a value, not an exception. Must not know files or
sockets. Read `Decoder.decode`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from pql.ir import nodes as ir
from pql.ir.walk import walk
from pql.runtime.plan import Plan
from pql.types import ListType, MapType, ObjectType, Type, make_object
from pql.xdm.decoding import REFUSALS, exact_number, make_mend, make_reader, make_struct_reader, struct_shape
from pql.xdm.values import read_value

LARGEST = 1_000_000
"""Bytes of an event."""
ALWAYS = ("_id", "timestamp", "eventType")
_SLOW = msgspec.json.Decoder(float_hook=exact_number)


@dataclass(frozen=True, slots=True)
class Reject:
    """An event that cannot be taken. `path`: where (`event` for all of it), `code`: PQL0811."""

    path: str
    reason: str
    code: str = "PQL0811"


class Decoder:
    """For the events of a plan's schema. Safe to share between threads. `decode`: a typed document, or why there is none."""

    def __init__(self, plan: Plan) -> None:
        used = _used(plan.conditions.values())
        self.type = _pruned(plan.schema.event, used, ALWAYS)
        self.decode: Callable[[bytes], dict[str, Any] | Reject] = make_reader(self.type, LARGEST, self._otherwise)
        try:
            self._with_nulls = make_struct_reader(struct_shape(self.type, closed=False), make_mend(self.type))
        except ValueError:
            self._with_nulls = self._slowly

    def _otherwise(self, data: bytes) -> dict[str, Any] | Reject:
        """What is not as it usually is: with nulls, or to be read the slow way."""
        if len(data) > LARGEST:
            return Reject("event", f"{len(data):,} bytes are too many: at most {LARGEST:,}")
        try:
            return dict(self._with_nulls(data))
        except REFUSALS:
            return self._slowly(data)

    def _slowly(self, data: bytes) -> dict[str, Any] | Reject:
        try:
            found = _SLOW.decode(data)
        except (ValueError, ArithmeticError) as error:
            return Reject("event", f"not JSON: {error}")
        except RecursionError:
            return Reject("event", "nested too deeply")
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
