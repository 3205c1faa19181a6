"""Any expression in plain English, for people who read segments rather than write them. Read `sentence`.

Every IR node has words here. Paths stand in back quotes, texts in quotation marks. Must not know engines.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from pql.ir import nodes as ir
from pql.types import BOOLEAN, ListType, ObjectType

COMPARED = {
    "=": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
TESTED = {
    "startsWith": "starts with", "doesNotStartWith": "does not start with", "endsWith": "ends with",
    "doesNotEndWith": "does not end with", "contains": "contains", "doesNotContain": "does not contain", "equals": "is",
    "notEqualTo": "is not", "like": "looks like", "matches": "matches the regular expression", "in": "is one of",
    "notIn": "is none of", "listEqual": "equals", "intersects": "shares an element with", "subsetOf": "is contained in",
    "supersetOf": "contains all of", "isEmpty": "is empty", "isNotEmpty": "is not empty",
}  # fmt: skip
AGGREGATES = {
    "count": "the number of",
    "sum": "the sum of",
    "average": "the average of",
    "min": "the least of",
    "max": "the greatest of",
}


def sentence(e: ir.Expr) -> str:
    """One sentence or a short list: who is in the segment, or what the value is."""
    words = Words({ir.PROFILE: ""})
    if not isinstance(e, ir.TESTS):
        return f"The value: {words.value(e)}."
    parts = words.clauses(e)
    if len(parts) == 1:
        return f"People for whom {parts[0]}."
    return "People for whom all of these hold:\n" + "\n".join(f"- {p}" for p in parts)


class Words:
    """Words for expressions; `names` says how each variable is called (empty: its fields are named bare)."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names

    def under(self, var: int, name: str) -> Words:
        return Words({**self.names, var: name})

    def element(self, var: int, items: ir.Expr) -> Words:
        """Inside a list: the element's fields are bare, those of the profile and outer elements say whose they are."""
        outer = {k: (v or ("the profile" if k == ir.PROFILE else self.noun(items))) for k, v in self.names.items()}
        return Words({**outer, var: ""})

    # --- tests ---
    def clauses(self, e: ir.Expr) -> list[str]:
        return [self.test(o) for o in e.operands] if isinstance(e, ir.And) else [self.test(e)]

    def test(self, e: ir.Expr, negated: bool = False) -> str:
        match e:
            case ir.Not():
                return self.test(e.operand, not negated)
            case ir.And() | ir.Or():
                both = isinstance(e, ir.And) != negated
                joined = (" and " if both else " or ").join(self._inner(o, negated) for o in e.operands)
                return joined
            case ir.Compare():
                return self._compare(e, negated)
            case ir.IsNull():
                return f"{self.value(e.operand)} {'is present' if negated else 'is missing'}"
            case ir.Truth():
                return self._truth(e.operand, negated)
            case ir.Exists():
                return self._exists(e, negated)
            case ir.ForAll():
                return self._every(e, negated)
            case ir.Within():
                return f"{self.value(e.operand)} {'is not' if negated else 'is'} {self.window(e)}"
            case ir.Yearless():
                return f"{self.value(e.operand)}, without its year, {'is not' if negated else 'is'} {self._yearless(e)}"
            case ir.Chain():
                return self._chain(e, negated)
            case ir.InSegment():
                return f"the person {'is not' if negated else 'is'} in the segment `{e.segment}`"
            case ir.Const():
                return "this always holds" if bool(e.value) != negated else "this never holds"
            case _:
                return f"{self.value(e)} is {'not ' if negated else ''}true"

    def _inner(self, e: ir.Expr, negated: bool) -> str:
        text = self.test(e, negated)
        return f"({text})" if isinstance(e, ir.And | ir.Or) else text

    def _compare(self, e: ir.Compare, negated: bool) -> str:
        op = COMPARED[e.op]
        if negated:
            op = {"=": "is not", "!=": "is not different from"}.get(e.op, "is not " + op.removeprefix("is "))
        if negated and e.op == "=" and isinstance(e.left, ir.Aggregate) and e.left.function == "count":
            op = "is not"
        return f"{self.value(e.left)} {op} {self.value(e.right)}"

    def _truth(self, e: ir.Expr, negated: bool) -> str:
        if isinstance(e, ir.Call) and e.function in TESTED:
            verb = TESTED[e.function]
            subject = self.value(e.args[0])
            rest = [self.value(a) for a in e.args[1:] if a != ir.Const(True, BOOLEAN) and a != ir.Const(False, BOOLEAN)]
            loose = ", in any letter case" if any(a == ir.Const(False, BOOLEAN) for a in e.args[2:]) else ""
            said = f"{subject} {verb} {' '.join(rest)}".rstrip() + loose
            return f"it is not so that {said}" if negated else said
        return f"{self.value(e)} is {'not ' if negated else ''}true"

    def _exists(self, e: ir.Exists, negated: bool) -> str:
        start = "there is no" if negated else "there is"
        one = self.one(e.list, e.var, e.condition)
        return f"{start} {one.removeprefix('an ').removeprefix('a ') if negated else one}"

    def _every(self, e: ir.ForAll, negated: bool) -> str:
        inner = self.element(e.var, e.list)
        some, verb = ("not every", "has") if negated else ("every", "has")
        tests = " and ".join(inner.test(t) for t in ir.conjuncts(e.condition))
        return (
            f"{some} {self.noun(e.list, singular=True)} {verb} the property that {tests}"
            if tests
            else "this always holds"
        )

    def one(self, items: ir.Expr, var: int, condition: ir.Expr) -> str:
        """`an event of type … in … with …`"""
        noun = self.filtered(items, var, condition, singular=True)
        return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"

    # --- lists as nouns ---
    def noun(self, items: ir.Expr, singular: bool = False) -> str:
        match items:
            case ir.Field(name="xEvent"):
                return "event" if singular else "events"
            case ir.Filter():
                return self.filtered(items.list, items.var, items.condition, singular)
            case ir.Transform():
                return self._transformed(items, singular)
            case ir.TopN():
                best = ("highest" if items.descending else "lowest", "latest" if items.descending else "earliest")
                key = self.element(items.var, items.list).value(items.key)
                rank = best[1] if key == "`timestamp`" else f"{best[0]} by {key}"
                return f"{self.value(items.count)} {rank} of the {self.noun(items.list)}"
            case ir.Call(function="distinct"):
                return f"different {self.noun(items.args[0], singular)}"
            case ir.Field() | ir.Var():
                return f"{'element' if singular else 'elements'} of {self.value(items)}"
            case _:
                return f"{'element' if singular else 'elements'} of {self.value(items)}"

    def _transformed(self, items: ir.Transform, singular: bool) -> str:
        inner = self.element(items.var, items.list)
        body = inner.value(items.body)
        return f"{'value' if singular else 'values'} of {body} over the {self.noun(items.list)}"

    def filtered(self, items: ir.Expr, var: int, condition: ir.Expr, singular: bool = False) -> str:
        inner = self.element(var, items)
        kind, windows, others = "", [], []
        for t in ir.conjuncts(condition):
            if kind == "" and isinstance(t, ir.Compare) and t.op == "=" and inner.value(t.left) == "`eventType`":
                kind = f" of type {inner.value(t.right)}"
            elif isinstance(t, ir.Within) and inner.value(t.operand) == "`timestamp`":
                windows.append(" " + inner.window(t))
            else:
                others.append(inner.test(t))
        base = self.noun(items, singular)
        said = f"{base}{kind}{''.join(windows)}"
        return f"{said} for which {' and '.join(others)}" if others else said

    # --- values ---
    def value(self, e: ir.Expr) -> str:
        method: Callable[[ir.Expr], str] | None = getattr(self, "value_" + type(e).__name__.lower(), None)
        if method is not None:
            return method(e)
        return f"whether {self.test(e)}"

    def value_const(self, e: ir.Const) -> str:
        v = e.value
        if v is None:
            return "nothing"
        if isinstance(v, bool):
            return "true" if v else "false"
        if isinstance(v, str):
            return f"“{v}”"
        if isinstance(v, datetime):
            return v.isoformat() + "Z"
        if isinstance(v, date):
            return v.isoformat()
        text = format(v, "f") if hasattr(v, "quantize") else str(v)
        return text.rstrip("0").rstrip(".") if "." in text else text

    def value_var(self, e: ir.Var) -> str:
        name = self.names.get(e.id, "")
        return name or ("the profile" if e.id == ir.PROFILE else "it")

    def value_field(self, e: ir.Field) -> str:
        names, inner = [e.name], e.object
        while isinstance(inner, ir.Field):
            names.append(inner.name)
            inner = inner.object
        path = f"`{'.'.join(reversed(names))}`"
        if isinstance(inner, ir.Var):
            owner = self.names.get(inner.id, "")
            return f"{path} of {owner}" if owner else path
        return f"{path} of {self.value(inner)}"

    def value_call(self, e: ir.Call) -> str:
        args = [self.value(a) for a in e.args]
        if e.function in ("+", "-", "*", "/", "%"):
            return f"({args[0]} {e.function} {args[1]})"
        if e.function == "head":
            items = e.args[0]
            if (
                isinstance(items, ir.TopN)
                and items.count.__class__ is ir.Const
                and getattr(items.count, "value", 0) == 1
            ):
                return f"the {self.noun(items).removeprefix('1 ')}"
            return f"the first of the {self.noun(items)}"
        if e.function == "size":
            return f"the number of {self.noun(e.args[0])}"
        if e.function == "get":
            return f"{args[0]}, key {args[1]}"
        parts = {
            "getYear": "year",
            "getMonth": "month",
            "getDayOfMonth": "day of the month",
            "dayOfWeek": "day of the week (Monday is 1)",
        }
        if e.function in parts:
            return f"the {parts[e.function]} of {args[0]}"
        if e.function in TESTED:
            return f"whether {self._truth(e, False)}"
        if isinstance(e.type, ListType) and e.function == "distinct":
            return f"the {self.noun(e)}"
        return f"{e.function} of {' and '.join(args)}"

    def value_convert(self, e: ir.Convert) -> str:
        return self.value(e.operand)

    def value_if(self, e: ir.If) -> str:
        return f"({self.value(e.then)} if {self.test(e.condition)}, otherwise {self.value(e.otherwise)})"

    def value_let(self, e: ir.Let) -> str:
        return self.under(e.var, self.value(e.value)).value(e.body)

    def value_makelist(self, e: ir.MakeList) -> str:
        items = [self.value(i) for i in e.items]
        return " or ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0] if items else "nothing"

    def value_makeobject(self, e: ir.MakeObject) -> str:
        return "an object of " + ", ".join(f"`{k}`: {self.value(v)}" for k, v in e.entries)

    def value_makeentry(self, e: ir.MakeEntry) -> str:
        return f"an entry {self.value(e.key)}: {self.value(e.value)}"

    def value_filter(self, e: ir.Filter) -> str:
        return f"the {self.noun(e)}"

    value_transform = value_topn = value_filter

    def value_aggregate(self, e: ir.Aggregate) -> str:
        items = e.list
        if isinstance(items, ir.Transform) and not items.flatten and e.function != "count":
            inner = self.element(items.var, items.list)
            return f"{AGGREGATES[e.function]} {inner.value(items.body)} over the {self.noun(items.list)}"
        if (
            isinstance(items, ir.Field | ir.Var)
            and e.function == "count"
            and not isinstance(getattr(items.type, "element", None), ObjectType)
        ):
            return f"the number of values of {self.value(items)}"
        return (
            f"{AGGREGATES[e.function]} {self.noun(items)}"
            if e.function == "count"
            else f"{AGGREGATES[e.function]} the {self.noun(items)}"
        )

    def value_groupby(self, e: ir.GroupBy) -> str:
        return f"the {self.noun(e.list)} grouped by {self.element(e.var, e.list).value(e.key)}"

    def value_transformgroups(self, e: ir.TransformGroups) -> str:
        inner = self.under(e.key_var, "the group's key").under(e.group_var, "the group")
        return f"for each group of {self.value(e.groups)}: {inner.value(e.body)}"

    def value_tomap(self, e: ir.ToMap) -> str:
        return f"a map made of {self.value(e.entries)}"

    def value_clock(self, e: ir.Clock) -> str:
        return "now"

    def value_truncate(self, e: ir.Truncate) -> str:
        if isinstance(e.operand, ir.Clock):
            return "the start of today" if e.unit == "day" else f"the start of this {e.unit}"
        return f"the start of the {e.unit} of {self.value(e.operand)}"

    def value_shift(self, e: ir.Shift) -> str:
        n, side = abs(e.amount), "after" if e.amount > 0 else "before"
        if (
            isinstance(e.operand, ir.Truncate)
            and isinstance(e.operand.operand, ir.Clock)
            and n == 1
            and e.unit == e.operand.unit
        ):
            day = {1: "the start of tomorrow", -1: "the start of yesterday"}[e.amount]
            return day if e.unit == "day" else f"the start of {'next' if e.amount > 0 else 'last'} {e.unit}"
        return f"{n} {e.unit}{'s' if n != 1 else ''} {side} {self.value(e.operand)}"

    # --- time ---
    def window(self, e: ir.Within) -> str:
        """`in the 30 days before now`, `this month`, `after …`"""
        low, high = e.lower, e.upper
        if low is not None and high is not None:
            return self._between(low, high)
        edge = low or high
        assert edge is not None
        if low is not None:
            return f"{'at or after' if edge.inclusive else 'after'} {self.value(edge.instant)}"
        return f"{'at or before' if edge.inclusive else 'before'} {self.value(edge.instant)}"

    def _between(self, low: ir.Edge, high: ir.Edge) -> str:
        a, b = low.instant, high.instant
        if isinstance(a, ir.Shift) and a.operand == b and a.amount <= 0:
            return f"in the {_span(a)} before {self.value(b)}"
        if isinstance(b, ir.Shift) and b.operand == a and b.amount >= 0:
            unit = isinstance(a, ir.Truncate) and a.unit == b.unit and b.amount == 1 and isinstance(a.operand, ir.Clock)
            if unit and isinstance(a, ir.Truncate):
                return "today" if a.unit == "day" else f"in this {a.unit}"
            return f"in the {_span(b)} after {self.value(a)}"
        return f"from {self.value(a)} {'up to' if high.inclusive else 'until before'} {self.value(b)}"

    def _yearless(self, e: ir.Yearless) -> str:
        if e.shape != "ring":
            return f"{ {'before': 'before', 'after': 'after', 'from': 'on or after'}[e.shape] } {self.value(e.first)}"
        if e.first == e.last:
            return f"the day of {self.value(e.first)}"
        return f"from the day of {self.value(e.first)} to the day of {self.value(e.last)}" + (
            " (without the far day)" if e.skip else ""
        )

    # --- sequences ---
    def _chain(self, e: ir.Chain, negated: bool) -> str:
        names = {s.var: f"“{s.name}”" for s in e.steps}
        said = [self._step(e, s, Words({**self.names, **names})) for s in e.steps]
        start = "it is not so that these happened in order: " if negated else "these happened in order: "
        return start + "; then ".join(said)

    def _step(self, e: ir.Chain, step: ir.Step, words: Words) -> str:
        inner = Words({**words.names, step.var: ""})
        noun = inner.filtered(e.list, step.var, ir.conjunction(list(ir.conjuncts(step.match))), singular=True)
        windows = " ".join(
            inner.window(t) if isinstance(t, ir.Within) else f"when {inner.test(t)}" for t in ir.conjuncts(step.window)
        )
        many = _count(step)
        text = f"{'no ' if step.excluded else many}{noun}{' ' + windows if windows else ''}"
        return text if step.excluded else f"{text} (“{step.name}”)"


def _count(step: ir.Step) -> str:
    if step.op == ">=":
        return ("an " if step.low == 1 else "") if step.low == 1 else f"at least {step.low} times an "
    words = {"=": f"exactly {step.low} times an ", "!=": f"not {step.low} times an ", "<": f"fewer than {step.low} times an ",
             "<=": f"at most {step.low} times an ", "between": f"{step.low} to {step.high} times an ", "all": "only "}  # fmt: skip
    return words[step.op]


def _span(e: ir.Shift) -> str:
    n = abs(e.amount)
    return f"{n} {e.unit}s" if n != 1 else e.unit
