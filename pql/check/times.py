"""`occurs`: from phrases to windows. SEMANTICS section 9. Read `Times.window`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pql.check.base import Base
from pql.check.coerce import can_convert, is_day
from pql.check.scope import is_unknown
from pql.clock import CALENDAR, MONTHS
from pql.ir import nodes as ir
from pql.source import Span
from pql.syntax import ast
from pql.types import DATE, TIMESTAMP, ListType, describe

YEARS = {"year": 1, "decade": 10, "century": 100, "millennium": 1000}
MAX_YEARS = 10_000
WHOLE_DAYS = {
    "<=": ("the rest of that day is later", "before ", 1),
    ">": ("the rest of that day is in it", "after ", 0),
    "=": ("only that instant is meant", "", 0),
}
"""What a comparison with a day means, the phrase that takes the day as a whole, and how many days later that is."""
_PER_YEAR = {"month": 12, "week": 53, "day": 366, "hour": 8784, "minute": 527_040, "second": 31_622_400}


@dataclass(frozen=True)
class Reference:
    """A REF: its start, its exclusive end (None: an instant), and the calendar unit that it is, if any."""

    start: ir.Expr
    end: ir.Expr | None
    unit: str = ""


class Times(Base):
    def occurs(self, node: ast.Occurs) -> ir.Expr:
        operand = self.expr(node.operand)
        if is_unknown(operand):
            return operand
        if isinstance(operand.type, ListType):
            return self.some_element(operand, lambda e: self.occurs_test(e, node.phrase, node.operand.span))
        return self.occurs_test(operand, node.phrase, node.operand.span)

    def occurs_test(self, operand: ir.Expr, phrase: ast.Phrase, span: Span) -> ir.Expr:
        stamp = self.instant(operand, span)
        if is_unknown(stamp):
            return ir.FALSE
        if operand.type == TIMESTAMP and not phrase.ignoring_year:
            self._day_as_text(phrase)
        return self.yearless(stamp, phrase) if phrase.ignoring_year else self.window(stamp, phrase)

    def _day_as_text(self, phrase: ast.Phrase) -> None:
        """Say it where a day is written as a text and the window would be another if it were a date."""
        ref: ast.Ref | None = None
        if isinstance(phrase, ast.Between):
            ref, what = phrase.end, "the window ends as that day begins"
        elif isinstance(phrase, ast.On):
            ref, what = phrase.ref, "only that instant is meant"
        elif isinstance(phrase, ast.Towards) and phrase.direction == "after":
            ref, what = phrase.ref, "the day itself comes after it"
        node = ref.expr if isinstance(ref, ast.RefExpr) else None
        text = node.value if isinstance(node, ast.Literal) and node.kind == "string" else None
        if node is None or not isinstance(text, str) or not is_day(text):
            return
        day = ", ".join(str(int(part)) for part in text.split("-"))
        help = f"write `date({day})` for the whole day, or a time with it, such as `{text}T23:59:59Z`"
        self.findings.report("PQL0408", node.span, f'`"{text}"` is its midnight, UTC: {what}', help=help)

    def day_compared(self, op: str, left: ir.Expr, right: ir.Expr) -> None:
        """Say it where an instant is compared with a day that is not taken as a whole."""
        value = right.value if isinstance(right, ir.Const) else None
        text = value.isoformat() if type(value) is date else value
        if left.type != TIMESTAMP or op not in WHOLE_DAYS or not isinstance(text, str) or not is_day(text):
            return
        what, phrase, later = WHOLE_DAYS[op]
        day = date.fromisoformat(text) + timedelta(days=later) if text < "9999" else date.max
        help = f"`occurs` takes whole days: `occurs {phrase}date({day.year}, {day.month}, {day.day})`; or write a time, such as `{text}T00:00:00Z`"
        self.findings.report("PQL0408", right.span, f"`{text}` is its midnight, UTC: {what}", help=help)

    def instant(self, value: ir.Expr, span: Span) -> ir.Expr:
        if is_unknown(value) or value.type == TIMESTAMP:
            return value
        if value.type == DATE:
            return midnight(value)
        if isinstance(value, ir.Const) and can_convert(value.type, TIMESTAMP):
            return self.coerce(value, TIMESTAMP)
        return self.report("PQL0312", span, f"`occurs` needs a date or a date-time, this is {describe(value.type)}")

    def reference(self, node: ast.Ref) -> Reference:
        if isinstance(node, ast.RefWord):
            if node.word == "now":
                return Reference(ir.Clock(span=node.span), None)
            return self._unit(ir.Clock(), {"today": 0, "yesterday": -1, "tomorrow": 1}[node.word], "day")
        if isinstance(node, ast.RefUnit):
            return self._unit(ir.Clock(), {"this": 0, "last": -1, "next": 1}[node.which], node.unit)
        value = self.reference_value(node)
        if value.type == DATE:
            start = midnight(value)
            return Reference(start, ir.Shift(start, 1, "day", local=True), "day")
        return Reference(self.instant(value, node.span), None)

    def reference_value(self, node: ast.RefExpr) -> ir.Expr:
        return self.expr(node.expr)

    def _unit(self, instant: ir.Expr, offset: int, unit: str) -> Reference:
        start: ir.Expr = ir.Truncate(instant, unit)
        local = unit in CALENDAR
        if offset:
            start = ir.Shift(start, offset, unit, local=local)
        return Reference(start, ir.Shift(start, 1, unit, local=local), unit)

    def _after(self, ref: Reference) -> ir.Edge:
        """T at or after the end of a reference."""
        return ir.Edge(ref.start, False) if ref.end is None else ir.Edge(ref.end, True)

    def window(self, stamp: ir.Expr, phrase: ast.Phrase) -> ir.Expr:
        span = phrase.span
        if isinstance(phrase, ast.Distance):
            return self._distance(stamp, phrase)
        if isinstance(phrase, ast.Between):
            first, last = self.reference(phrase.start), self.reference(phrase.end)
            return ir.Within(stamp, ir.Edge(first.start, True), self._upto(last), span=span)
        ref = self.reference(phrase.ref)
        if isinstance(phrase, ast.On):
            return ir.Within(stamp, ir.Edge(ref.start, True), self._upto(ref), span=span)
        if phrase.direction == "before":
            return ir.Within(stamp, None, ir.Edge(ref.start, False), span=span)
        if phrase.direction == "after":
            return ir.Within(stamp, self._after(ref), None, span=span)
        return ir.Within(stamp, ir.Edge(ref.start, True), None, span=span)

    def _upto(self, ref: Reference) -> ir.Edge:
        return ir.Edge(ref.start, True) if ref.end is None else ir.Edge(ref.end, False)

    def distance_ok(self, phrase: ast.Distance) -> bool:
        years = (
            phrase.amount * YEARS[phrase.unit]
            if phrase.unit in YEARS
            else phrase.amount / _PER_YEAR.get(phrase.unit, 1e10)
        )
        if years > MAX_YEARS:
            self.report("PQL0314", phrase.span, f"{phrase.amount} {phrase.unit} is further than {MAX_YEARS:,} years")
        return years <= MAX_YEARS

    def _distance(self, stamp: ir.Expr, phrase: ast.Distance) -> ir.Expr:
        if not self.distance_ok(phrase):
            return ir.FALSE
        start = self.reference(phrase.ref).start
        if is_unknown(start):
            return ir.FALSE
        back, ahead = moved(start, -phrase.amount, phrase.unit), moved(start, phrase.amount, phrase.unit)
        if phrase.direction == "before":
            return self._one_way(stamp, phrase, start, back)
        if phrase.direction == "after":
            return self._one_way(stamp, phrase, start, ahead)
        self.findings.report("PQL0404", phrase.span, "`from` with a distance goes both ways",
                             help="write `before` or `after` if one direction is meant")  # fmt: skip
        return self._both_ways(stamp, phrase, back, ahead)

    def _one_way(self, stamp: ir.Expr, phrase: ast.Distance, start: ir.Expr, far: ir.Expr) -> ir.Expr:
        backwards = phrase.direction == "before"
        near = ir.Edge(start, True)

        def between(edge: ir.Edge | None, near_edge: ir.Edge | None) -> ir.Expr:
            lower, upper = (edge, near_edge) if backwards else (near_edge, edge)
            return ir.Within(stamp, lower, upper, span=phrase.span)

        match phrase.op:
            case "<=" | "<":
                return between(ir.Edge(far, phrase.op == "<="), near)
            case ">=" | ">":
                edge = ir.Edge(far, phrase.op == ">=")
                lower, upper = (None, edge) if backwards else (edge, None)
                return ir.Within(stamp, lower, upper, span=phrase.span)
            case "=":
                return self._in_unit(stamp, far, phrase)
            case _:
                cut = ir.Within(stamp, None, near) if backwards else ir.Within(stamp, near, None)
                unit = self._in_unit(stamp, far, phrase)
                return ir.And((cut, *self._known(unit), ir.Not(unit)), span=phrase.span)

    def _known(self, *windows: ir.Within) -> tuple[ir.Expr, ...]:
        """Tests that no edge lies outside the calendar: needed where a window is negated or one of two."""
        edges = (edge for w in windows for edge in (w.lower, w.upper) if edge is not None)
        return tuple(ir.Not(ir.IsNull(edge.instant)) for edge in edges)

    def _in_unit(self, stamp: ir.Expr, far: ir.Expr, phrase: ast.Distance) -> ir.Within:
        ref = self._unit(far, 0, phrase.unit)
        assert ref.end is not None
        return ir.Within(stamp, ir.Edge(ref.start, True), ir.Edge(ref.end, False), span=phrase.span)

    def _both_ways(self, stamp: ir.Expr, phrase: ast.Distance, back: ir.Expr, ahead: ir.Expr) -> ir.Expr:
        match phrase.op:
            case "<=" | "<":
                inclusive = phrase.op == "<="
                return ir.Within(stamp, ir.Edge(back, inclusive), ir.Edge(ahead, inclusive), span=phrase.span)
            case ">=" | ">":
                inclusive = phrase.op == ">="
                sides = (
                    ir.Within(stamp, None, ir.Edge(back, inclusive)),
                    ir.Within(stamp, ir.Edge(ahead, inclusive), None),
                )
                return ir.And((*self._known(*sides), ir.Or(sides)), span=phrase.span)
            case _:
                units = (self._in_unit(stamp, back, phrase), self._in_unit(stamp, ahead, phrase))
                known = self._known(*units)
                if phrase.op == "=":
                    return ir.And((*known, ir.Or(units)), span=phrase.span)
                return ir.And((ir.Not(ir.IsNull(stamp)), *known, ir.Not(ir.Or(units))), span=phrase.span)

    # --- ignoring year ---
    def yearless(self, stamp: ir.Expr, phrase: ast.Phrase) -> ir.Expr:
        if isinstance(phrase, ast.Distance):
            return self._yearless_distance(stamp, phrase)
        if isinstance(phrase, ast.Between):
            first, last = self.reference(phrase.start), self.reference(phrase.end)
            months = first.unit == last.unit == "month"
            return ir.Yearless(stamp, _day(first.start), self._last_day(last), "ring", months, span=phrase.span)
        ref = self.reference(phrase.ref)
        shape = "ring" if isinstance(phrase, ast.On) else phrase.direction
        return ir.Yearless(stamp, _day(ref.start), self._last_day(ref), shape, ref.unit == "month", span=phrase.span)

    def _last_day(self, ref: Reference) -> ir.Expr:
        return _day(ref.start) if ref.end is None else _day(ir.Shift(ref.end, -1, "microsecond"))

    def _yearless_distance(self, stamp: ir.Expr, phrase: ast.Distance) -> ir.Expr:
        if phrase.op not in ("=", "<", "<="):
            message = f"`{phrase.op}` cannot ignore the year: the ring of the year has no far side"
            self.report("PQL0303", phrase.span, message, "use `=`, `<` or `<=`")
            return ir.FALSE
        if not self.distance_ok(phrase):
            return ir.FALSE
        start = self.reference(phrase.ref).start
        back, ahead = moved(start, -phrase.amount, phrase.unit), moved(start, phrase.amount, phrase.unit)
        sides = {"before": [back], "after": [ahead], "from": [back, ahead]}[phrase.direction]
        if phrase.op == "=":
            tests: list[ir.Expr] = []
            for far in sides:
                ref = self._unit(far, 0, phrase.unit)
                tests.append(
                    ir.Yearless(
                        stamp, _day(ref.start), self._last_day(ref), "ring", phrase.unit == "month", span=phrase.span
                    )
                )
            return tests[0] if len(tests) == 1 else ir.Or(tuple(tests), span=phrase.span)
        first = _day(back if phrase.direction != "after" else start)
        last = _day(ahead if phrase.direction != "before" else start)
        skip = {"before": "first", "after": "last", "from": "both"}[phrase.direction] if phrase.op == "<" else ""
        return ir.Yearless(stamp, first, last, "ring", False, skip, span=phrase.span)


def midnight(day: ir.Expr) -> ir.Expr:
    """The start of a date in the project's zone, as an instant."""
    return ir.Convert(day, TIMESTAMP, local=True, span=day.span)


def moved(instant: ir.Expr, amount: int, unit: str) -> ir.Expr:
    """An instant moved by units: months and longer ones on the wall clock, others by their length."""
    return ir.Shift(instant, amount, unit, local=unit in MONTHS and amount != 0)


def _day(instant: ir.Expr) -> ir.Expr:
    return ir.Convert(instant, DATE)
