"""Date parts. `local` in a builder turns an instant into the project's zone; the compiler passes it. SEMANTICS 9."""

from __future__ import annotations

from pql.functions.record import Example, Function, call, cast, number, overload
from pql.functions.trees import exp
from pql.types import DATE, INTEGER, TIMESTAMP

_RECEIVER = (overload((("t", DATE),), INTEGER), overload((("t", TIMESTAMP),), INTEGER))
_NONE = (overload((), INTEGER),)


def _part(name: str):  # type: ignore[no-untyped-def]
    def build(value: exp.Expression) -> exp.Expression:
        return cast(call(name, value), "BIGINT")

    return build


def _date(year: exp.Expression, month: exp.Expression, day: exp.Expression) -> exp.Expression:
    whole = call("printf", exp.Literal.string("%04d-%02d-%02d"), year, month, day)
    bounds = zip((year, month, day), (9999, 12, 31), strict=True)
    inside = [exp.Between(this=p.copy(), low=number(1), high=number(most)) for p, most in bounds]
    return exp.Case(ifs=[exp.If(this=exp.and_(*inside), true=cast(whole, "DATE", safe=True))])


TIME = (
    Function("getYear", "The year of a date or instant.", "date", _RECEIVER, _part("year"), examples=(Example("date(2026, 3, 1).getYear()", 2026),)),
    Function("getMonth", "The month, 1 to 12.", "date", _RECEIVER, _part("month"), examples=(Example("date(2026, 3, 1).getMonth()", 3),)),
    Function("getDayOfMonth", "The day of the month, 1 to 31.", "date", _RECEIVER, _part("day"), examples=(Example("date(2026, 3, 1).getDayOfMonth()", 1),)),
    Function("dayOfWeek", "The day of the week: Monday 1 to Sunday 7.", "date", _RECEIVER, _part("isodow"), documented=False,
             examples=(Example("date(2026, 3, 1).dayOfWeek()", 7),)),
    Function("currentYear", "The year now.", "date", _NONE, clock=True, structural=True),
    Function("currentMonth", "The month now.", "date", _NONE, clock=True, structural=True),
    Function("currentDayOfMonth", "The day of the month now.", "date", _NONE, clock=True, structural=True),
    Function("date", "A date from year, month and day.", "date", (overload((("year", INTEGER), ("month", INTEGER), ("day", INTEGER)), DATE),), _date,
             examples=(Example("date(2026, 3, 1)", "2026-03-01"),)),
)  # fmt: skip
