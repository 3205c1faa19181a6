"""Any IR expression over one person: a plain tree walk, complete and exact, with the clock passed in.

Speed is a non-goal here: operators of the live engine take over what they know, this answers the rest, and both engines are
tested against it. Values are those of `pql.xdm.values`. A test gives True or False, never None. Read `Evaluator.value`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from pql.clock import CALENDAR, Zone, calendar_start, month_day, shift, truncate
from pql.functions import FUNCTIONS
from pql.ir import nodes as ir
from pql.runtime.chains import chain_holds
from pql.runtime.scalars import SCALARS, arithmetic, convert, fit
from pql.types import DOUBLE, NUMBER, TIMESTAMP, ListType

Slots = dict[int, Any]
NOW = -1
FAR = datetime.max


class OutOfRange(Exception):
    """A sum outside the range of its type (PQL0601)."""


def event_order(event: Mapping[str, Any]) -> tuple[datetime, int, str]:
    """The order of `xEvent`: instant, then `_id`; what is missing comes last. Arrival breaks ties (a stable sort)."""
    stamp, id = event.get("timestamp"), event.get("_id")
    return (stamp or FAR, int(id is None) + 2 * int(stamp is None), id or "")


def ordered_events(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def key(event: dict[str, Any]) -> tuple[int, datetime, int, str]:
        stamp, id = event.get("timestamp"), event.get("_id")
        return (int(stamp is None), stamp or FAR, int(id is None), id or "")

    return sorted(events, key=key)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class Evaluator:
    """Evaluates expressions. `segments`: the conditions of segments that may be referred to."""

    def __init__(self, segments: Mapping[str, ir.Expr] | None = None, zone: Zone | None = None) -> None:
        self.segments, self.zone = dict(segments or {}), zone or Zone()

    def evaluate(self, e: ir.Expr, profile: Mapping[str, Any], events: list[dict[str, Any]], now: datetime) -> Any:
        """The value for a profile (without `xEvent`) and its events, in any order, as of an instant."""
        return self.value(e, {ir.PROFILE: {**profile, "xEvent": ordered_events(events)}, NOW: now})

    def value(self, e: ir.Expr, v: Slots) -> Any:
        method: Callable[[Any, Slots], Any] = getattr(self, "on_" + type(e).__name__.lower())
        return method(e, v)

    def test(self, e: ir.Expr, v: Slots) -> bool:
        return self.value(e, v) is True

    def items(self, e: ir.Expr, v: Slots) -> list[Any]:
        return self.value(e, v) or []

    # --- leaves and plain values ---
    def on_const(self, e: ir.Const, v: Slots) -> Any:
        return e.value

    def on_var(self, e: ir.Var, v: Slots) -> Any:
        return v.get(e.id)

    def on_field(self, e: ir.Field, v: Slots) -> Any:
        owner = self.value(e.object, v)
        return None if owner is None else owner.get(e.name)

    def on_clock(self, e: ir.Clock, v: Slots) -> Any:
        return v[NOW]

    def on_convert(self, e: ir.Convert, v: Slots) -> Any:
        if e.local:
            return self._utc(self._wall(e, v))
        value = self.value(e.operand, v)
        if value is not None and isinstance(e.type, ListType) and isinstance(e.operand.type, ListType):
            source, target = e.operand.type.element, e.type.element
            return [convert(x, source, target) for x in value]
        return convert(value, e.operand.type, e.type)

    def on_if(self, e: ir.If, v: Slots) -> Any:
        return self.value(e.then if self.test(e.condition, v) else e.otherwise, v)

    def on_let(self, e: ir.Let, v: Slots) -> Any:
        return self.value(e.body, {**v, e.var: self.value(e.value, v)})

    def on_makelist(self, e: ir.MakeList, v: Slots) -> Any:
        return [self.value(i, v) for i in e.items]

    def on_makeobject(self, e: ir.MakeObject, v: Slots) -> Any:
        return {k: self.value(x, v) for k, x in e.entries}

    def on_makeentry(self, e: ir.MakeEntry, v: Slots) -> Any:
        return (self.value(e.key, v), self.value(e.value, v))

    # --- tests ---
    def on_compare(self, e: ir.Compare, v: Slots) -> bool:
        a, b = self.value(e.left, v), self.value(e.right, v)
        return a is not None and b is not None and _COMPARE[e.op](a, b)

    def on_and(self, e: ir.And, v: Slots) -> bool:
        return all(self.test(o, v) for o in e.operands)

    def on_or(self, e: ir.Or, v: Slots) -> bool:
        return any(self.test(o, v) for o in e.operands)

    def on_not(self, e: ir.Not, v: Slots) -> bool:
        return not self.test(e.operand, v)

    def on_isnull(self, e: ir.IsNull, v: Slots) -> bool:
        return self.value(e.operand, v) is None

    def on_truth(self, e: ir.Truth, v: Slots) -> bool:
        return self.value(e.operand, v) is True

    def on_insegment(self, e: ir.InSegment, v: Slots) -> bool:
        return self.test(self.segments[e.segment], {ir.PROFILE: v[ir.PROFILE], NOW: v[NOW]})

    # --- lists ---
    def on_filter(self, e: ir.Filter, v: Slots) -> Any:
        items = self.items(e.list, v)
        return [x for x in items if self.test(e.condition, {**v, e.var: x})]

    def on_exists(self, e: ir.Exists, v: Slots) -> bool:
        return any(self.test(e.condition, {**v, e.var: x}) for x in self.items(e.list, v))

    def on_forall(self, e: ir.ForAll, v: Slots) -> bool:
        return all(self.test(e.condition, {**v, e.var: x}) for x in self.items(e.list, v))

    def on_transform(self, e: ir.Transform, v: Slots) -> Any:
        items = self.items(e.list, v)
        made = [self.value(e.body, {**v, e.var: x}) for x in items]
        if e.flatten:
            made = [x for inner in made if inner is not None for x in inner]
        return [x for x in made if x is not None] if e.drop_nulls else made

    def on_topn(self, e: ir.TopN, v: Slots) -> Any:
        items, count = self.items(e.list, v), self.value(e.count, v)
        keyed = [(self.value(e.key, {**v, e.var: x}), x) for x in items]
        present = sorted((p for p in keyed if p[0] is not None), key=lambda p: p[0], reverse=e.descending)
        ranked = [*present, *(p for p in keyed if p[0] is None)]
        return [x for _, x in ranked[: max(count or 0, 0)]]

    def on_groupby(self, e: ir.GroupBy, v: Slots) -> Any:
        groups: dict[Any, list[Any]] = {}
        for x in self.items(e.list, v):
            key = self.value(e.key, {**v, e.var: x})
            if key is not None:
                groups.setdefault(key, []).append(x)
        return list(groups.items())

    def on_transformgroups(self, e: ir.TransformGroups, v: Slots) -> Any:
        groups = self.items(e.groups, v)
        return [self.value(e.body, {**v, e.key_var: k, e.group_var: g}) for k, g in groups]

    def on_tomap(self, e: ir.ToMap, v: Slots) -> Any:
        made: dict[str, Any] = {}
        for entry in self.items(e.entries, v):
            if entry is not None and entry[0] is not None:
                made.setdefault(entry[0], entry[1])
        return made

    def on_aggregate(self, e: ir.Aggregate, v: Slots) -> Any:
        values = [x for x in self.items(e.list, v) if x is not None]
        if e.function == "count":
            return len(values)
        if e.function == "sum":
            return self._sum(values, e)
        if not values:
            return None
        if e.function == "average":
            exact = e.list.type.element != DOUBLE if isinstance(e.list.type, ListType) else True
            total = sum(values, Decimal(0) if isinstance(values[0], Decimal) else 0) if exact else sum(values)
            if isinstance(total, Decimal):
                return int(total * 1_000_000) / (len(values) * 1_000_000)
            return total / len(values)
        return min(values) if e.function == "min" else max(values)

    def _sum(self, values: list[Any], e: ir.Aggregate) -> Any:
        if e.type == DOUBLE:
            total = 0.0
            for x in values:
                total += x
            return total
        whole = sum(values, Decimal(0) if e.type == NUMBER else 0)
        fitting = fit(whole, e.type)
        if fitting is None:
            raise OutOfRange("the sum is outside the range of its type")
        return fitting

    # --- time ---
    def on_truncate(self, e: ir.Truncate, v: Slots) -> Any:
        if e.unit in CALENDAR:
            return self._utc(self._wall(e, v))
        value = self.value(e.operand, v)
        return None if value is None else truncate(value, e.unit, self.zone)

    def on_shift(self, e: ir.Shift, v: Slots) -> Any:
        if e.local:
            return self._utc(self._wall(e, v))
        value = self.value(e.operand, v)
        return None if value is None else shift(value, e.amount, e.unit)

    def _wall(self, e: ir.Expr, v: Slots) -> datetime | None:
        """An instant, the start of a calendar unit or of a date on the zone's wall clock."""
        if isinstance(e, ir.Shift) and e.local:
            wall = self._wall(e.operand, v)
            return None if wall is None else shift(wall, e.amount, e.unit)
        if isinstance(e, ir.Convert) and e.local:
            day = self.value(e.operand, v)
            return None if day is None else datetime.combine(day, time())
        if not isinstance(e, ir.Truncate):
            instant = self.value(e, v)
            return None if instant is None else self._local(instant)
        value = self.value(e.operand, v)
        return None if value is None else calendar_start(value, e.unit, self.zone)

    def _local(self, instant: datetime) -> datetime | None:
        try:
            return self.zone.local(instant)
        except OverflowError:
            return None

    def _utc(self, wall: datetime | None) -> datetime | None:
        try:
            return None if wall is None else self.zone.utc(wall)
        except OverflowError:
            return None

    def on_within(self, e: ir.Within, v: Slots) -> bool:
        at = self.value(e.operand, v)
        if at is None:
            return False
        for edge, inside, strict in ((e.lower, ">=", ">"), (e.upper, "<=", "<")):
            if edge is not None:
                end = self.edge(edge, v)
                if end is None or not _COMPARE[inside if edge.inclusive else strict](at, end):
                    return False
        return True

    def edge(self, e: ir.Edge, v: Slots) -> Any:
        """An end of a window."""
        return self.value(e.instant, v)

    def _day(self, e: ir.Expr, v: Slots) -> date | None:
        if isinstance(e, ir.Convert) and e.operand.type == TIMESTAMP:
            instant = self.value(e.operand, v)
            return None if instant is None else self.local_day(instant)
        day: date | None = self.value(e, v)
        return day

    def local_day(self, instant: datetime) -> date | None:
        """The zone's day; None when it lies outside the calendar."""
        try:
            return self.zone.local(instant).date()
        except OverflowError:
            return None

    def on_yearless(self, e: ir.Yearless, v: Slots) -> bool:
        at = self.value(e.operand, v)
        own = None if at is None else self.local_day(at)
        if own is None:
            return False
        return on_ring(e, month_day(own), self._day(e.first, v), self._day(e.last, v))

    def on_chain(self, e: ir.Chain, v: Slots) -> bool:
        return chain_holds(self, e, v)

    # --- functions ---
    def on_call(self, e: ir.Call, v: Slots) -> Any:
        if e.function in ("+", "-", "*", "/", "%"):
            a, b = (self.value(x, v) for x in e.args)
            return None if a is None or b is None else arithmetic(e.function, a, b, e.type)
        return self.call(e, [self.value(a, v) for a in e.args])

    def call(self, e: ir.Call, args: list[Any]) -> Any:
        """A function of the table, its arguments evaluated."""
        own = _STRUCTURAL.get(e.function)
        if own is not None:
            return own(*args)
        if any(a is None for a in args):
            return None
        if (
            e.args
            and e.args[0].type in (TIMESTAMP,)
            and e.function in ("getYear", "getMonth", "getDayOfMonth", "dayOfWeek")
        ):
            args[0] = self.local_day(args[0])
            if args[0] is None:
                return None
        known = SCALARS.get(e.function) or FUNCTIONS[e.function].python
        assert known is not None
        return known(*args)


def on_ring(e: ir.Yearless, day: int, first: date | None, last: date | None) -> bool:
    """Does a day of the year (month * 100 + day) lie in the window from `first` to `last`?"""
    if first is None or last is None:
        return False
    start, end = first.toordinal(), last.toordinal()
    start += e.skip in ("first", "both")
    end -= e.skip in ("last", "both")
    if e.skip and end < start:
        return False
    if not (1 <= start <= date.max.toordinal() and 1 <= end <= date.max.toordinal()):
        return False
    low, high = month_day(date.fromordinal(start)), month_day(date.fromordinal(end))
    if e.shape != "ring":
        return {"before": day < low, "after": day > high, "from": day >= low}[e.shape]
    if end - start >= 365:
        return True
    if e.whole_months and end < date.max.toordinal() and month_day(date.fromordinal(end + 1)) == 301:
        high = 229
    return low <= day <= high if low <= high else day >= low or day <= high


def _distinct(items: list[Any] | None) -> list[Any]:
    return list(dict.fromkeys(x for x in items or [] if x is not None))


def _in(x: Any, items: list[Any] | None) -> bool | None:
    return None if x is None or items is None else x in [y for y in items if y is not None]


def _not_in(x: Any, items: list[Any] | None) -> bool | None:
    found = _in(x, items)
    return None if found is None else not found


def _list_equal(a: list[Any] | None, b: list[Any] | None) -> bool:
    if a is None or b is None or len(a) != len(b):
        return False
    return all(_same(x, y) for x, y in zip(a, b, strict=True))


def _same(x: Any, y: Any) -> bool:
    if isinstance(x, list) and isinstance(y, list):
        return _list_equal(x, y)
    return x is not None and y is not None and x == y


def _subset(a: list[Any] | None, b: list[Any] | None) -> bool:
    return all(x in (b or []) for x in a or [] if x is not None)


_STRUCTURAL: dict[str, Callable[..., Any]] = {
    "get": lambda m, k: None if m is None or k is None else m.get(k),
    "keys": lambda m: None if m is None else list(m),
    "values": lambda m: None if m is None else list(m.values()),
    "size": lambda items: len(items or []),
    "head": lambda items: items[0] if items else None,
    "least": lambda *xs: min((x for x in xs if x is not None), default=None),
    "distinct": _distinct,
    "intersection": lambda a, b: [x for x in _distinct(a) if x in (b or [])],
    "intersects": lambda a, b: any(x in (b or []) for x in a or [] if x is not None),
    "subsetOf": _subset,
    "supersetOf": lambda a, b: _subset(b, a),
    "in": _in,
    "notIn": _not_in,
    "listEqual": _list_equal,
}
