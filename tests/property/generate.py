"""Seeded generator of expressions over the people of `worlds`. Type-directed: a few are refused by the checker, most are not.

Read `Texts.segment` (ordinary segment shapes) and `Texts.value` (deep random ones).
"""

from __future__ import annotations

import random
from typing import Any

from pql.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    STRING,
    TIMESTAMP,
    ListType,
    ObjectType,
    Type,
)
from pql.xdm.schema import Schema
from tests.property.generate_times import TimeTexts
from tests.property.worlds import (
    KEYS,
    ORDERED,
    PATTERNS,
    SCALARS,
    STRINGS,
    TYPES,
    list_paths,
    paths,
)


class Texts(TimeTexts):
    """Expression texts. `levels`: the element scopes, outermost (the profile) first; `names`: the variables."""

    def __init__(self, r: random.Random, schema: Schema) -> None:
        self.r, self.schema = r, schema
        self.levels: list[Type] = [schema.profile]
        self.names: dict[str, Type] = {}
        self.steps: list[str] = []
        self.fresh = 0

    def pick(self, *options: Any) -> Any:
        choice = self.r.choice(options)
        return choice() if callable(choice) else choice

    def whole(self) -> str:
        k = self.r.random()
        if k < 0.45:
            return self.segment()
        if k < 0.75:
            return self.test(self.r.choice((1, 2, 2, 3)))
        if k < 0.82:
            return self.items(self.r.choice((*SCALARS, self.schema.event)), 2)
        if k < 0.9:
            return self.structured(2)
        return self.value(self.r.choice(SCALARS), self.r.choice((1, 2, 3)))

    def structured(self, d: int) -> str:
        """Objects, maps, groups, nested lists, lambdas, maps of lists."""
        r = self.r
        element, text = self.objects(d - 1)
        key = self.inside(element, lambda: self.value(r.choice((STRING, INTEGER, BOOLEAN, DATE, NUMBER)), d - 1))
        amount = self.inside(element, lambda: self.value(r.choice(SCALARS), d - 1))
        name, test = self.name(), self.test(d - 1)
        scalar = r.choice(SCALARS)
        part = self.bound(name, element, lambda: self.value(scalar, d - 1))
        identities = r.choice(("identityMap.a", 'identityMap.get("b")', "identityMap.values().head()", "identityMap.c"))
        maps = f"{text}.map(mapEntry({key}, {amount}))"
        grouped = f"{text}.groupBy({key}).map((K, G) => mapEntry(K, {r.choice(('G.count()', 'K', 'G.head()', 'G'))}))"
        return str(
            r.choice(
                (
                    f'{{"n": {self.value(INTEGER, d - 1)}, "t": {test}, "l": {self.items(STRING, d - 1)}}}',
                    f'({{"n": {self.value(INTEGER, d - 1)}}}).n = {self.value(INTEGER, d - 1)}',
                    maps,
                    f"{maps}.keys()",
                    f"{maps}.count()",
                    f'{maps}.get("a").isNull()',
                    grouped,
                    f"{text}.groupBy({key}).count()",
                    f'{text}.groupBy({key}).map((K, G) => {{"k": K, "n": G.count()}})',
                    f"{text}.groupBy({key}).map((K, G) => G.map({amount}))",
                    f"{text}.map({name} => {part})",
                    f"{text}.map({name} => [{part}, null]).head()",
                    f"{text}.head()",
                    "orders.map(tags)",
                    f"orders.map(tags)[this.count() > {r.choice((0, 1))}].count()",
                    "orders.tags.distinct()",
                    f"{identities}.count()",
                    f"{identities}.id.includes({self.value(STRING, d - 1)})",
                    f"{identities}[authenticatedState.isNotNull()].id",
                    f"{r.choice(('homeAddress', 'person', 'loyalty', 'commerce'))}.isNull()",
                    f"{r.choice(('homeAddress', 'person', 'loyalty', 'attributes', 'limits'))}",
                    f"homeAddress[{self.inside(self.schema.profile.fields['homeAddress'].type, lambda: self.test(0))}]",
                    f"person.exists({self.inside(self.schema.profile.fields['person'].type, lambda: self.test(0))})",
                    f"(let L = ({self.items(scalar, d - 1)}) in (L.count() > 1 or L.isNull()))",
                    f"(let L = ({text}) in L.head())",
                    f"limits.values().{r.choice(('sum', 'max', 'count', 'average', 'distinct'))}()",
                    f"attributes.keys().{r.choice(('count()', 'distinct()', 'head()', f'includes({self.literal(STRING)})'))}",
                    f"if({test}, {text}, {text})",
                    f"if({test}, [1, 2.5], [3])",
                    f"[{self.items(INTEGER, d - 1)}, {self.items(INTEGER, d - 1)}]",
                    f"({self.items(INTEGER, d - 1)}).orElse([1.5])",
                    self.order_chain(),
                )
            )
        )

    def order_chain(self) -> str:
        r = self.r
        what = [self.inside(self.schema.profile.fields["orders"].type.element, lambda: self.test(0)) for _ in "AB"]  # type: ignore[union-attr]
        return (
            f"chain(orders, placed, [A: WHAT({what[0]}) {r.choice(('', f'COUNT({r.choice((1, 2))})'))}, "
            f"B: {r.choice(('', 'not '))}WHAT({what[1]}) {r.choice(('', f'WHEN({self.gap(chr(65))})'))}])"
        )

    # --- ordinary segments ---
    def segment(self) -> str:
        k = self.r.random()
        if k < 0.6:
            return self.shape()
        if k < 0.75:
            return f"({self.segment()} and {self.segment()})"
        if k < 0.88:
            return f"({self.segment()} or {self.segment()})"
        return f"not ({self.segment()})"

    def shape(self) -> str:
        r, w = self.r, self.window
        kind, other, n = r.choice(TYPES), r.choice(TYPES), r.choice((0, 1, 1, 2, 3))
        cmp = r.choice(("=", "!=", "<", "<=", ">", ">="))
        amount = r.choice(("0", "1", "2.5", "10", "20.000001", "0.3"))
        events = f'xEvent[eventType = "{kind}" and timestamp occurs {w()}]'
        field = r.choice(("commerce.order.priceTotal", "productListItems.priceTotal", "score", "web.views"))
        sku = r.choice(STRINGS[:5])
        return r.choice(
            (
                f"{events}.count() {cmp} {n}",
                f"{events}.sum({field}) {cmp} {amount}",
                f"{events}.{r.choice(('average', 'min', 'max'))}({field}) {cmp} {amount}",
                f'(exists E from xEvent where E.eventType = "{kind}" and E.timestamp occurs {w()})',
                f'not (exists E from xEvent where E.eventType = "{kind}" and E.timestamp occurs {w()})',
                f'xEvent[eventType = "{kind}"].topN(timestamp, 1).head().{r.choice(("web.page", "score", "eventType"))} {cmp} {r.choice((chr(34) + "1" + chr(34), "null"))}',
                f'xEvent[eventType = "{kind}"].bottomN(timestamp, 1).head().timestamp occurs {w()}',
                f'xEvent[productListItems[SKU = "{sku}" and priceTotal {cmp} {amount}]].count() {cmp} {n}',
                f'xEvent[eventType = "{kind}"].productListItems.SKU.distinct().count() {cmp} {n}',
                f"xEvent[timestamp occurs {w()}].{r.choice(('eventType', 'web.page'))}.distinct().count() {cmp} {n}",
                f"xEvent.groupBy(eventType).map((K, G) => G.count()).max() {cmp} {n}",
                f"xEvent[timestamp occurs {w()}].groupBy(eventType).map((K, G) => mapEntry(K, G.sum(score)))",
                f"orders.sum(price) {cmp} {amount}",
                f"orders[placed occurs {w()}].sum(price * quantity) {cmp} {amount}",
                f"orders.topN(price, {n}).map(id)",
                f'homeAddress.country {r.choice(("=", "!="))} "{sku}"',
                f'homeAddress.country {r.choice(("in", "notIn"))} ["US", "CA", "{sku}"]',
                f"loyalty.points {cmp} {n} and person.active",
                f"loyalty.joined occurs {w()}",
                f"person.birthDate occurs {w(yearless=True)}",
                f'(select E from xEvent where E.eventType = "{kind}", I from E.productListItems where I.priceTotal {cmp} {amount}).count() {cmp} {n}',
                f"(forall I from xEvent.productListItems where I.priceTotal {cmp} {amount})",
                f'chain(xEvent, timestamp, [A: WHAT(eventType = "{kind}") WHEN({w()}) COUNT({n})])',
                f'chain(xEvent, timestamp, [A: WHAT(eventType = "{kind}"), B: WHAT(eventType = "{other}") WHEN({self.gap("A")})])',
                f'chain(xEvent, timestamp, [A: WHAT(eventType = "{kind}") WHEN({w()}), B: not WHAT(eventType = "{other}") WHEN({self.gap("A")})])',
                f'chain(xEvent, timestamp, [A: WHAT(eventType = "{kind}"), X: not WHAT(eventType = "{r.choice(TYPES)}"), B: WHAT(eventType = "{other}")])',
                f'inSegment("{r.choice(("s1", "s2", "s3"))}")',
                'segmentMembership.get("UPS").get("s1").status in (["realized", "existing"])',
                self.chain(1),
                self.chain(2),
            )
        )

    # --- time ---
    def roots(self) -> list[tuple[str, Type]]:
        """Texts that stand for objects or elements in scope."""
        found: list[tuple[str, Type]] = [(n, t) for n, t in self.names.items()]
        for up, level in enumerate(reversed(self.levels)):
            found.append(("this" if up == 0 else "^" * up, level))
        found.append((self.r.choice(("$1", "profile")), self.schema.profile))
        return found

    def paths(self, wanted: Type) -> list[str]:
        found: list[str] = []
        for text, kind in self.roots():
            prefix = "" if text == "this" or (text == "^" and len(self.levels) == 2) else text + "."
            if isinstance(kind, ObjectType):
                found += paths(kind, wanted, prefix)
            elif kind == wanted:
                found.append(text)
        return found

    def leaf(self, kind: Type) -> str:
        found = self.paths(kind)
        if found and self.r.random() < 0.85:
            return self.r.choice(found)
        if kind == TIMESTAMP:
            return "now"
        return self.literal(kind)

    def literal(self, kind: Type) -> str:
        r = self.r
        if kind == STRING:
            return '"' + r.choice((*STRINGS, *TYPES)) + '"'
        if kind == BOOLEAN:
            return r.choice(("true", "false"))
        if kind == INTEGER:
            return r.choice(("0", "1", "2", "3", "10", "-1", "9223372036854775807" if r.random() < 0.1 else "4"))
        if kind == NUMBER:
            return r.choice(("0.1", "0.2", "2.5", "10.0", "-1.5", "0.0000005", "20.000001"))
        if kind == DATE:
            return r.choice(("date(2026, 3, 1)", "date(2024, 2, 29)", "today", "yesterday"))
        return "now"

    # --- values ---
    def value(self, kind: Type, depth: int) -> str:
        if depth <= 0:
            return self.leaf(kind)
        r, d = self.r, depth - 1
        k = r.random()
        if k < 0.25:
            return self.leaf(kind)
        if k < 0.32:
            return f"if({self.test(d)}, {self.value(kind, d)}, {self.value(kind, d)})"
        if k < 0.37:
            return f"{self.operand(kind, d)}.orElse({self.value(kind, d)})"
        if k < 0.43:
            return self.let(kind, d)
        if k < 0.55 and not isinstance(kind, ObjectType):
            return f"{self.items(kind, d)}.head()"
        if k < 0.65 and kind in ORDERED:
            return f"{self.items(kind, d)}.{r.choice(('min', 'max'))}()"
        return self.special(kind, d)

    def operand(self, kind: Type, depth: int) -> str:
        return f"({self.value(kind, depth)})"

    def let(self, kind: Type, depth: int) -> str:
        inner = self.r.choice(SCALARS)
        value, name = self.value(inner, depth), self.name()
        return f"(let {name} = ({value}) in {self.bound(name, inner, lambda: self.value(kind, depth))})"

    def name(self) -> str:
        self.fresh += 1
        return self.r.choice("XYZ") + str(self.fresh)

    def bound(self, name: str, kind: Type, make: Any) -> str:
        old = dict(self.names)
        self.names[name] = kind
        try:
            return str(make())
        finally:
            self.names = old

    def inside(self, element: Type, make: Any) -> str:
        self.levels.append(element)
        try:
            return str(make())
        finally:
            self.levels.pop()

    def special(self, kind: Type, d: int) -> str:
        r = self.r
        if kind == BOOLEAN:
            return self.test(d)
        if kind in (INTEGER, NUMBER):
            return self.numeric(kind, d)
        if kind == STRING:
            s = self.operand(STRING, d)
            return r.choice(
                (
                    f"{s}.lowerCase()",
                    f"{s}.concat({self.value(STRING, d)})",
                    f"{s}.substring({r.choice((-1, 0, 1, 2))}, {r.choice((0, 1, 2, 9))})",
                    f'{s}.regexGroup("{r.choice(("(a*)", "(a)|(b)", "([A-Z]+)", "^(.)(.*)$"))}", {r.choice((0, 1))})',
                    f"attributes.get({self.value(STRING, d) if r.random() < 0.3 else chr(34) + r.choice(KEYS) + chr(34)})",
                    f"{s}.trim()",
                )
            )
        if kind == DATE:
            return f"date({r.choice((2024, 2025, 2026))}, {self.value(INTEGER, d)}, {r.choice((1, 28, 29, 31))})"
        return self.leaf(kind)

    def numeric(self, kind: Type, d: int) -> str:
        r = self.r
        if kind == NUMBER:
            a, b = self.operand(r.choice((INTEGER, NUMBER)), d), self.operand(NUMBER, d)
            return r.choice(
                (
                    f"({a} {r.choice('+-*%')} {b})",
                    f"({self.operand(INTEGER, d)} / {b})",
                    f"{self.items(NUMBER, d)}.{r.choice(('sum', 'average'))}()",
                    f"-{b}",
                    self.comprehension(NUMBER, d),
                )
            )
        a, b = self.operand(INTEGER, d), self.operand(INTEGER, d)
        stamp = self.operand(r.choice((DATE, TIMESTAMP)), d)
        return r.choice(
            (
                f"({a} {r.choice('+-*%')} {b})",
                f"{self.items(r.choice((*SCALARS, self.schema.event)), d)}.count()",
                f"{stamp}.{r.choice(('getYear', 'getMonth', 'getDayOfMonth', 'dayOfWeek'))}()",
                f"{self.operand(STRING, d)}.length()",
                f"limits.{r.choice(('a', 'b'))}",
                f"{self.items(INTEGER, d)}.distinct().count()",
                self.counted(d),
                self.comprehension(INTEGER, d),
                f"absolute({a})",
                r.choice(("currentMonth()", "currentYear()", "currentDayOfMonth()")),
            )
        )

    def counted(self, d: int) -> str:
        kind, text = self.objects(d)
        return f"{text}.count({self.inside(kind, lambda: self.test(d))})"

    def comprehension(self, kind: Type, d: int) -> str:
        element, text = self.objects(d)
        name = self.name()
        function = self.r.choice(("sum", "sum", "min", "max", "count"))

        def body() -> str:
            condition = f" where {self.test(d)}" if self.r.random() < 0.6 else ""
            return f"{self.value(kind, d)} over {name} from {text}{condition}"

        return (
            f"({function} {self.bound(name, element, body)})"
            if self.r.random() < 0.0
            else self._over(function, name, element, text, kind, d)
        )

    def _over(self, function: str, name: str, element: Type, text: str, kind: Type, d: int) -> str:
        fields = paths(element, kind, name + ".") if isinstance(element, ObjectType) else []
        if not fields:
            return f"{self.items(kind, d)}.{'count' if function == 'count' else 'max'}()"
        condition = self.bound(name, element, lambda: self.test(d))
        return f"({function} {self.r.choice(fields)} over {name} from {text} where {condition})"

    # --- lists ---
    def objects(self, d: int) -> tuple[Type, str]:
        """A list of objects: its element type and text."""
        r = self.r
        found: list[tuple[Type, str]] = []
        for text, kind in self.roots():
            prefix = "" if text == "this" else text + "."
            if isinstance(kind, ObjectType):
                found += list_paths(kind, prefix)
        element, text = r.choice(found or list_paths(self.schema.profile, "profile."))
        if d <= 0 or r.random() < 0.5:
            return element, text
        k = r.random()
        if k < 0.5:
            return element, f"{text}[{self.inside(element, lambda: self.test(d - 1))}]"
        if k < 0.7:
            name = self.name()
            more = ""
            condition = self.bound(name, element, lambda: self.test(d - 1))
            if r.random() < 0.4:
                second, other = self.objects(0)
                inner = self.name()
                test = self.bound(name, element, lambda: self.bound(inner, second, lambda: self.test(d - 1)))
                more = f", {inner} from {other} where {test}"
            return element, f"(select {name} from {text} where {condition}{more})"
        key = self.inside(element, lambda: self.value(r.choice(ORDERED), d - 1))
        return element, f"{text}.{r.choice(('topN', 'bottomN'))}({key}, {r.choice((0, 1, 2, 5))})"

    def items(self, kind: Type, d: int) -> str:
        r = self.r
        if isinstance(kind, ObjectType):
            return self.objects(d)[1]
        direct = self.paths(ListType(kind))
        if direct and (d <= 0 or r.random() < 0.3):
            return r.choice(direct)
        k = r.random()
        if k < 0.2 or d <= 0:
            return f"[{', '.join(self.value(kind, d - 1) if r.random() < 0.9 else 'null' for _ in range(r.choice((1, 2, 3))))}]"
        if k < 0.6:
            element, text = self.objects(d - 1)
            fields = paths(element, kind, "") if isinstance(element, ObjectType) else []
            if fields and r.random() < 0.6:
                return f"{text}.{r.choice(fields)}"
            return f"{text}.map({self.inside(element, lambda: self.value(kind, d - 1))})"
        inner = self.items(kind, d - 1)
        if k < 0.75:
            return f"{inner}[{self.inside(kind, lambda: self.test(d - 1))}]"
        if k < 0.83:
            return f"{inner}.distinct()"
        if k < 0.9:
            return f"{inner}.intersection({self.items(kind, d - 1)})"
        if k < 0.95 and kind in ORDERED:
            return f"{inner}.{r.choice(('topN', 'bottomN'))}(this, {r.choice((0, 1, 2))})"
        if kind in (INTEGER, STRING):
            element, text = self.objects(d - 1)
            key = self.inside(element, lambda: self.value(r.choice((STRING, INTEGER)), 0))
            result = "G.count()" if kind == INTEGER else 'if(G.count() > 1, "a", "b")'
            return f"{text}.groupBy({key}).map((K, G) => {result})"
        return f"if({self.test(d - 1)}, {inner}, {self.items(kind, d - 1)})"

    # --- tests ---
    def test(self, depth: int) -> str:
        r, d = self.r, depth - 1
        if depth <= 0:
            kind = r.choice(ORDERED)
            return self.pick(
                lambda: f"{self.leaf(kind)} {self.cmp()} {self.other(kind, 0)}",
                lambda: f"{self.leaf(r.choice(SCALARS))}.{r.choice(('isNull', 'isNotNull'))}()",
                lambda: f"{self.leaf(STRING)} {r.choice(('=', '!='))} {self.literal(STRING)}",
                lambda: f"{self.leaf(r.choice((DATE, TIMESTAMP)))} occurs {self.window()}",
                lambda: self.leaf(BOOLEAN),
            )
        kind = r.choice(ORDERED)
        return self.pick(
            lambda: f"({self.test(d)} {r.choice(('and', 'or'))} {self.test(d)})",
            lambda: f"not ({self.test(d)})",
            lambda: f"{self.operand(kind, d)} {self.cmp()} {self.operand_of(kind, d)}",
            lambda: f"{self.operand(BOOLEAN, d)} {r.choice(('=', '!='))} {self.operand(BOOLEAN, d)}",
            lambda: f"{self.operand(kind, d)} {r.choice(('in', 'notIn'))} {self.items(kind, d)}",
            lambda: f"{self.items(kind, d)} {self.cmp()} {self.operand_of(kind, d)}",
            lambda: f"{self.items(kind, d)} {r.choice(('=', '!='))} {self.items(kind, d)}",
            lambda: (
                f"{self.items(kind, d)}.{r.choice(('intersects', 'subsetOf', 'supersetOf'))}({self.items(kind, d)})"
            ),
            lambda: f"{self.items(kind, d)}.includes({self.value(kind, d)})",
            lambda: self.quantifier(d),
            lambda: self.quantifier(d),
            lambda: self.text_test(d),
            lambda: f"{self.operand(r.choice((DATE, TIMESTAMP)), d)} occurs {self.window(depth=d)}",
            lambda: f"{self.operand(DATE, d)} occurs {self.window(True, d)}",
            lambda: f"{self.items(r.choice((DATE, TIMESTAMP)), d)} occurs {self.window(depth=d)}",
            lambda: self.chain(r.choice((1, 2, 3))),
            lambda: f"{self.operand(r.choice(SCALARS), d)}.{r.choice(('isNull', 'isNotNull'))}()",
            lambda: f"{self.items(r.choice(SCALARS), d)}.{r.choice(('isNull', 'isNotNull'))}()",
            lambda: self.items(r.choice((*SCALARS, self.schema.event)), d),
            lambda: self.method(d),
            self.shape_here,
        )

    def shape_here(self) -> str:
        return self.shape() if len(self.levels) == 1 and not self.steps else self.test(0)

    def cmp(self) -> str:
        return str(self.r.choice(("=", "=", "!=", "<", "<=", ">", ">=")))

    def other(self, kind: Type, d: int) -> str:
        """A right side: mostly of the same type, sometimes one that must be coerced."""
        others = {
            INTEGER: (NUMBER, STRING),
            NUMBER: (INTEGER, STRING),
            STRING: (INTEGER, NUMBER, BOOLEAN, DATE),
            DATE: (TIMESTAMP, STRING),
            TIMESTAMP: (DATE, STRING),
        }
        wanted = self.r.choice(others[kind]) if self.r.random() < 0.2 else kind
        return self.value(wanted, d)

    def operand_of(self, kind: Type, d: int) -> str:
        return f"({self.other(kind, d)})"

    def quantifier(self, d: int) -> str:
        word = self.r.choice(("exists", "exists", "forall", "some", "all", "none", "one"))
        element, text = self.objects(d)
        name = self.name()
        condition = self.bound(name, element, lambda: self.test(d))
        more = ""
        if self.r.random() < 0.4:
            inner = self.name()

            def second() -> str:
                kind, other = self.objects(d - 1)
                test = self.bound(inner, kind, lambda: self.test(d - 1))
                return f", {inner} from {other} where {test}"

            more = self.bound(name, element, second)
        where = f" where {condition}" if self.r.random() < 0.9 else ""
        return f"({word} {name} from {text}{where}{more})"

    def method(self, d: int) -> str:
        element, text = self.objects(d)
        word = self.r.choice(("exists", "forall", "some", "all", "none", "one"))
        return f"{text}.{word}({self.inside(element, lambda: self.test(d))})"

    def text_test(self, d: int) -> str:
        r = self.r
        receiver = self.items(STRING, d) if r.random() < 0.3 else self.operand(STRING, d)
        word = r.choice(
            [
                "startsWith",
                "doesNotStartWith",
                "endsWith",
                "doesNotEndWith",
                "contains",
                "doesNotContain",
                "equals",
                "notEqualTo",
            ]
        )
        flag = r.choice(("", "", ", false", ", true"))
        return self.pick(
            lambda: f"{receiver}.{word}({self.value(STRING, d)}{flag})",
            lambda: f'{receiver} like "{r.choice(PATTERNS)}"',
            lambda: f"{receiver} like {self.operand(STRING, d)}",
            lambda: f'{receiver}.matches("{r.choice(("a", "^a$", "(?i)^A", "[0-9]+", "^$", "b|c"))}")',
            lambda: f"{receiver}.{r.choice(('isEmpty', 'isNotEmpty'))}()",
        )

    # --- chains ---
    def chain(self, steps: int) -> str:
        r = self.r
        if self.steps or len(self.levels) > 1:
            return self.test(0)
        parts, count = [], r.choice((1, steps, steps))
        try:
            for i in range(count):
                parts.append(self.step("ABCD"[i], i, count))
        finally:
            for name in self.steps:
                self.names.pop(name, None)
            self.steps = []
        return f"chain(xEvent, timestamp, [{', '.join(parts)}])"

    def step(self, name: str, at: int, of: int) -> str:
        r, event = self.r, self.schema.event
        excluded = r.random() < 0.3
        what = self.inside(event, lambda: self.what())
        when = ""
        if r.random() < 0.5:
            if self.steps and r.random() < 0.7:
                when = f" WHEN({self.gap(r.choice(self.steps))})"
            else:
                when = f" WHEN({self.inside(event, self.window)})"
        counts = ("COUNT(2)", "COUNT(>= 1)", "COUNT(> 1)", "COUNT(0)", "COUNT(3)")
        bounded = (
            "COUNT(= 1)",
            "COUNT(<= 1)",
            "COUNT(< 2)",
            "COUNT(!= 1)",
            "COUNT(between 1 and 2)",
            "COUNT(all)",
            "COUNT(= 0)",
        )
        count = ""
        if not excluded and r.random() < 0.5:
            count = " " + r.choice((*counts, *bounded) if when or of == 1 else counts)
        where = f" WHERE({self.inside(event, lambda: self.test(0))})" if r.random() < 0.1 else ""
        if not excluded:
            self.steps.append(name)
            self.names[name] = event
        return f"{name}: {'not ' if excluded else ''}WHAT({what}){when}{count}{where}"

    def what(self) -> str:
        r = self.r
        basic = f'eventType = "{r.choice(TYPES)}"'
        if r.random() < 0.6:
            return basic
        if self.steps and r.random() < 0.5:
            field = r.choice(("web.page", "score", "commerce.order.priceTotal", "eventType"))
            return f"{field} {r.choice(('=', '!=', '=', '='))} {r.choice(self.steps)}.{field}"
        return r.choice((f"{basic} or {self.test(0)}", self.test(0), self.test(1)))
