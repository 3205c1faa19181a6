"""Type-directed random expressions of the whole language, and random people: nulls, ties and edges abound.

Read `Expressions.value` (any type) and `person`.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from typing import Any

SCHEMA = {
    "profile": {
        "person.name": "string",
        "person.birthDate": "date",
        "person.active": "boolean",
        "loyalty": {"points": "integer", "balance": "number", "joined": "date-time", "tier": "string"},
        "colors": "string[]",
        "scores": "integer[]",
        "attributes": "map<string>",
        "orders[]": {"id": "string", "price": "number", "quantity": "integer", "day": "date", "tags": "string[]"},
        "identityMap": "map<object[]>",
    },
    "event": {
        "commerce.total": "number",
        "commerce.count": "integer",
        "web.device": "string",
        "productListItems[]": {"SKU": "string", "name": "string", "price": "number", "quantity": "integer"},
    },
}
NOW = datetime.datetime(2026, 3, 1, 0, 0, 0)
EDGES = (
    "2026-03-01T00:00:00Z", "2026-02-28T23:59:59.999999Z", "2026-03-01T00:00:00.000001Z", "2026-02-22T00:00:00Z",
    "2026-02-01T00:00:00Z", "2024-02-29T12:00:00Z", "2026-01-31T00:00:00Z", "2026-02-26T00:00:00Z", "2025-03-01T00:00:00Z",
    "2026-03-02T00:00:00Z", "2026-02-28T00:00:00Z", "2026-12-31T23:59:59Z", "2020-01-01T00:00:00Z",
)  # fmt: skip
DAYS = ("2026-03-01", "2026-02-28", "2024-02-29", "2000-03-01", "1999-12-31", "2026-01-01", "1980-02-29", "2026-03-05")
WORDS = ("a", "b", "A", "ab", "", "Ärger", "a%b", "10", "2026-03-01", "true")
TYPES = ("a", "b", "c")
UNITS = ("day", "days", "hours", "week", "months", "minutes", "year", "milliseconds")


def person(r: random.Random) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A profile document and its events."""

    def some(chance: float, make: Callable[[], Any]) -> Any:
        return make() if r.random() < chance else None

    def drop(document: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in document.items() if v is not None}

    words = lambda: [some(0.85, lambda: r.choice(WORDS)) for _ in range(r.choice([0, 1, 2, 3]))]  # noqa: E731
    order = lambda: some(0.9, lambda: drop({  # noqa: E731
        "id": some(0.8, lambda: r.choice(WORDS)), "price": some(0.8, lambda: r.choice([0, 1, 1.5, -2.25, 1e6])),
        "quantity": some(0.8, lambda: r.choice([0, 1, 2, -3])), "day": some(0.7, lambda: r.choice(DAYS)), "tags": some(0.6, words),
    }))  # fmt: skip
    item = lambda: some(0.9, lambda: drop({  # noqa: E731
        "SKU": some(0.8, lambda: r.choice("pqr")), "name": some(0.7, lambda: r.choice(WORDS)),
        "price": some(0.8, lambda: r.choice([0, 0.5, 3])), "quantity": some(0.8, lambda: r.choice([1, 2])),
    }))  # fmt: skip
    profile = drop({
        "person": some(0.85, lambda: drop({
            "name": some(0.8, lambda: r.choice(WORDS)), "birthDate": some(0.8, lambda: r.choice(DAYS)),
            "active": some(0.7, lambda: r.choice([True, False])),
        })),
        "loyalty": some(0.85, lambda: drop({
            "points": some(0.8, lambda: r.choice([0, 1, 2, -1, 7, 10**12, 2**62])),
            "balance": some(0.8, lambda: r.choice([0, 0.5, 2, -1.25, 999999999999.5])),
            "joined": some(0.8, lambda: r.choice(EDGES)), "tier": some(0.8, lambda: r.choice(["gold", "Gold", "none"])),
        })),
        "colors": some(0.8, words), "scores": some(0.8, lambda: [some(0.8, lambda: r.choice([0, 1, 2, 3])) for _ in range(r.choice([0, 1, 3]))]),
        "attributes": some(0.7, lambda: {k: r.choice(WORDS) for k in r.sample(["a", "b", "x"], r.choice([0, 1, 2]))}),
        "orders": some(0.85, lambda: [order() for _ in range(r.choice([0, 1, 2, 4]))]),
    })  # fmt: skip
    events = [drop({
        "_id": some(0.8, lambda: r.choice(["i1", "i2", "i3"])), "timestamp": some(0.93, lambda: r.choice(EDGES)),
        "eventType": some(0.92, lambda: r.choice(TYPES)),
        "commerce": some(0.7, lambda: drop({"total": some(0.8, lambda: r.choice([0, 1, 2.5, -4])), "count": some(0.7, lambda: r.choice([0, 1, 2]))})),
        "web": some(0.5, lambda: drop({"device": some(0.8, lambda: r.choice(["ios", "web"]))})),
        "productListItems": some(0.6, lambda: [item() for _ in range(r.choice([0, 1, 2, 3]))]),
    }) for _ in range(r.choice([0, 1, 2, 3, 5, 8]))]  # fmt: skip
    return profile, events


class Expressions:
    """Draws texts of a wanted type; `scope` maps a type to the texts that name a value of it right here."""

    def __init__(self, r: random.Random) -> None:
        self.r, self.fresh = r, 0

    def name(self) -> str:
        self.fresh += 1
        return f"V{self.fresh}"

    def pick(self, *makers: Callable[[], str]) -> str:
        return self.r.choice(makers)()

    def boolean(self, n: int, v: str = "") -> str:
        """`v`: the prefix of an event or order in scope (empty: the profile)."""
        r = self.r
        if n <= 0:
            return self.pick(
                lambda: f"{self.number(0, v)} {self.op()} {self.number(0, v)}",
                lambda: f"{self.string(0, v)} {r.choice(['=', '!=', '<', '>='])} {self.string(0, v)}",
                lambda: f"{self.stamp(0, v)} occurs {self.phrase(0)}",
                lambda: r.choice(["person.active", "true", "colors", "person.name.isNull()", "loyalty.isNull()"]),
            )
        return self.pick(
            lambda: f"({self.boolean(n - 1, v)} and {self.boolean(n - 1, v)})",
            lambda: f"({self.boolean(n - 1, v)} or {self.boolean(n - 1, v)})",
            lambda: f"not ({self.boolean(n - 1, v)})",
            lambda: f"({self.number(n, v)} {self.op()} {self.number(n, v)})",
            lambda: f"({self.string(n, v)} {self.op()} {self.string(n, v)})",
            lambda: (
                f"({self.string(n, v)}.{r.choice(['startsWith', 'contains', 'endsWith', 'doesNotContain', 'doesNotStartWith', 'equals', 'notEqualTo'])}({self.string(0, v)}, {r.choice(['true', 'false'])}))"
            ),
            lambda: f'({self.string(n, v)} like "{r.choice(["a%", "%b", "_", "%", "a_", ""])}")',
            lambda: f'({self.string(n, v)}.matches("{r.choice(["^a", "b$", "[A-Z]", "(?i)AB", "^$"])}"))',
            lambda: f"({self.stamp(n, v)} occurs {self.phrase(n)})",
            lambda: f"({self.stamp(n, v)} occurs {self.phrase(n)})",
            lambda: f"({self.number(n, v)} {r.choice(['in', 'notIn'])} {self.numbers(n, v)})",
            lambda: f"({self.string(n, v)} {r.choice(['in', 'notIn'])} {self.strings(n, v)})",
            lambda: (
                f"({self.strings(n, v)} {r.choice(['=', '!='])} {self.r.choice([self.string(0, v), self.strings(0, v)])})"
            ),
            lambda: f"({self.numbers(n, v)} {self.op()} {self.number(0, v)})",
            lambda: (
                f"{self.strings(n, v)}.{r.choice(['intersects', 'subsetOf', 'supersetOf'])}({self.strings(n - 1, v)})"
            ),
            lambda: f"{self.strings(n, v)}.includes({self.string(0, v)})",
            lambda: self.quantifier(n),
            lambda: self.quantifier(n),
            lambda: (
                f"{self.events(n)}.{r.choice(['exists', 'forall', 'none', 'one', 'some', 'all'])}({self.event_test(n - 1)})"
            ),
            lambda: (
                f"{r.choice([self.number, self.string, self.strings, self.stamp])(n, v)}.{r.choice(['isNull', 'isNotNull'])}()"
            ),
            lambda: f"if({self.boolean(n - 1, v)}, {self.boolean(n - 1, v)}, {self.boolean(n - 1, v)})",
            lambda: self.chain(n),
            lambda: self.let(n, v),
            lambda: self.groups(n),
        )

    def op(self) -> str:
        return self.r.choice(["=", "!=", "<", "<=", ">", ">="])

    def let(self, n: int, v: str) -> str:
        name = self.name()
        return f"(let {name} = {self.number(n - 1, v)} in {name} {self.op()} {self.number(0, v)})"

    def quantifier(self, n: int) -> str:
        r, a, b = self.r, self.name(), self.name()
        kind = r.choice(["exists", "forall", "none", "one"])
        first = f"{a} from {self.events(n - 1)} where {self.event_test(n - 1, a + '.')}"
        if r.random() < 0.5:
            return f"({kind} {first})"
        if r.random() < 0.5:
            return f"({kind} {first}, {b} from {a}.productListItems where {self.item_test(b + '.')})"
        near = r.choice(
            [
                f"{b}.timestamp > {a}.timestamp",
                f"{b}.timestamp occurs <= 2 days after {a}.timestamp",
                f"{b}.web.device = {a}.web.device",
            ]
        )
        return f"({kind} {first}, {b} from xEvent where {self.event_test(0, b + '.')} and {near})"

    def event_test(self, n: int, v: str = "") -> str:
        r = self.r
        return self.pick(
            lambda: f'{v}eventType = "{r.choice(TYPES)}"',
            lambda: f'{v}eventType = "{r.choice(TYPES)}" and {v}timestamp occurs {self.phrase(0)}',
            lambda: f"{v}commerce.total {self.op()} {r.choice([0, 1, 2.5])}",
            lambda: f"{v}commerce.count {self.op()} {self.number(0)}",
            lambda: f'not ({v}web.device = "ios")',
            lambda: f"{v}timestamp occurs {self.phrase(n)}",
            lambda: f"{v}productListItems.quantity.sum() {self.op()} 2",
            lambda: f'{v}productListItems.SKU = "p"',
            lambda: f"{v}productListItems[{self.item_test('')}].count() >= 1",
            lambda: f"{v}commerce.isNull()",
            lambda: f"{v}timestamp.{r.choice(['getMonth', 'getDayOfMonth'])}() {self.op()} {r.choice([1, 2, 3, 28])}",
        )

    def item_test(self, v: str) -> str:
        r = self.r
        return r.choice([
            f'{v}SKU = "{r.choice("pqr")}"', f"{v}price > {r.choice([0, 1])}", f"{v}quantity * {v}price >= 1",
            f"{v}name.contains({self.string(0)}, false)", f"{v}SKU.isNull()", f"{v}quantity {self.op()} 1",
        ])  # fmt: skip

    def events(self, n: int) -> str:
        r = self.r
        return self.pick(
            lambda: "xEvent",
            lambda: f"xEvent[{self.event_test(n - 1)}]",
            lambda: f"xEvent[{self.event_test(n - 1)} and {self.event_test(0)}]",
            lambda: (
                f"xEvent.{r.choice(['topN', 'bottomN'])}({r.choice(['timestamp', 'commerce.total', 'eventType'])}, {r.choice([0, 1, 2, 3])})"
            ),
            lambda: f"(select E from xEvent where {self.event_test(n - 1, 'E.')})",
        )

    def number(self, n: int, v: str = "") -> str:
        r = self.r
        if n <= 0:
            return r.choice(["loyalty.points", "loyalty.balance", "0", "1", "2", "2.5", "-1", "scores.head()", "7"])
        return self.pick(
            lambda: f"({self.number(n - 1, v)} {r.choice(['+', '-', '*', '/', '%'])} {self.number(n - 1, v)})",
            lambda: f"{self.events(n)}.count()",
            lambda: (
                f"{self.events(n)}.{r.choice(['sum', 'average', 'min', 'max'])}({r.choice(['commerce.total', 'commerce.count', 'commerce.total + 1'])})"
            ),
            lambda: f"{self.numbers(n, v)}.{r.choice(['sum', 'average', 'min', 'max', 'count', 'head'])}()",
            lambda: f"{self.strings(n, v)}.{r.choice(['count', 'distinct().count'])}()",
            lambda: f"{self.stamp(0, v)}.{r.choice(['getYear', 'getMonth', 'getDayOfMonth'])}()",
            lambda: f"if({self.boolean(n - 1, v)}, {self.number(n - 1, v)}, {self.number(n - 1, v)})",
            lambda: f"{self.events(n)}.head().commerce.{r.choice(['total', 'count'])}",
            lambda: (
                f"(sum I.quantity * I.price over E from {self.events(n - 1)}, I from E.productListItems where {self.item_test('I.')})"
            ),
            lambda: (
                f"orders[price {self.op()} {self.number(0)}].{r.choice(['sum(quantity)', 'max(price)', 'count()', 'average(price)', 'count(quantity > 0)'])}"
            ),
            lambda: f"{self.strings(n, v)}.{r.choice(['count()', 'distinct().count()'])}",
        )

    def numbers(self, n: int, v: str = "") -> str:
        r = self.r
        return self.pick(
            lambda: "scores", lambda: "orders.quantity", lambda: "orders.price", lambda: "[1, 2, null]", lambda: "[0.5, 2]",
            lambda: f"{self.events(n - 1)}.commerce.total", lambda: f"{self.events(n - 1)}.productListItems.price",
            lambda: f"orders.map(price * {r.choice([1, 2])})", lambda: f"scores[this {self.op()} {r.choice([0, 1, 2])}]",
            lambda: "scores.distinct()", lambda: "orders[quantity > 0].price",
        )  # fmt: skip

    def string(self, n: int, v: str = "") -> str:
        r = self.r
        if n <= 0:
            return r.choice(
                ["person.name", "loyalty.tier", f'"{r.choice(WORDS)}"', "colors.head()", 'attributes.get("a")']
            )
        return self.pick(
            lambda: f"{self.events(n)}.head().{r.choice(['eventType', 'web.device'])}",
            lambda: f"orders.head().{r.choice(['id'])}",
            lambda: f"{self.strings(n, v)}.{r.choice(['head', 'min', 'max'])}()",
            lambda: f'{self.string(n - 1, v)}.regexGroup("{r.choice(["(a)", "([a-z]+)b", "^(.)"])}", 1)',
            lambda: f"if({self.boolean(n - 1, v)}, {self.string(n - 1, v)}, {self.string(n - 1, v)})",
            lambda: f"{self.events(n)}.{r.choice(['topN', 'bottomN'])}(timestamp, 1).head().eventType",
            lambda: f"orders.{r.choice(['topN', 'bottomN'])}(price, 1).head().id",
        )

    def strings(self, n: int, v: str = "") -> str:
        r = self.r
        return self.pick(
            lambda: "colors", lambda: "orders.id", lambda: "orders.tags", lambda: '["a", "b"]', lambda: '["a", null]',
            lambda: f"{self.events(n - 1)}.eventType", lambda: f"{self.events(n - 1)}.productListItems.{r.choice(['SKU', 'name'])}",
            lambda: "colors.distinct()", lambda: 'colors.intersection(["b", "a", "b"])', lambda: "attributes.values()",
            lambda: f"orders[price > {self.number(0)}].id", lambda: f"colors[this != {self.string(0)}]", lambda: "orders.map(id)",
        )  # fmt: skip

    def stamp(self, n: int, v: str = "") -> str:
        r = self.r
        if n <= 0:
            return r.choice(["loyalty.joined", "person.birthDate", "loyalty.joined", "now"])
        return self.pick(
            lambda: f"{self.events(n)}.{r.choice(['max', 'min'])}(timestamp)",
            lambda: f"{self.events(n)}.head().timestamp",
            lambda: "orders.head().day",
            lambda: "orders.day.max()",
            lambda: f"if({self.boolean(n - 1, v)}, loyalty.joined, {self.events(n)}.max(timestamp))",
        )

    def phrase(self, n: int) -> str:
        r = self.r
        amount, unit = r.choice([0, 1, 1, 2, 3, 7, 28]), r.choice(UNITS)
        ref = r.choice(
            [
                "now",
                "now",
                "today",
                "yesterday",
                "tomorrow",
                "this month",
                "last week",
                "next year",
                "date(2026, 2, 28)",
                "loyalty.joined",
                "person.birthDate",
                "this decade",
            ]
        )
        day = r.choice(
            ["today", "tomorrow", "this month", "date(2024, 2, 29)", "person.birthDate", "now", "last month"]
        )
        return r.choice([
            f"{r.choice(['<=', '<', '>=', '>', '=', '!='])} {amount} {unit} {r.choice(['before', 'after', 'from'])} {ref}",
            f"{r.choice(['<=', '<', '>='])} {amount} {unit} before now",
            f"{r.choice(['before', 'after', 'from', 'on'])} {ref}", ref if ref[0] not in "lpd" or ref == "last week" else "today",
            f"between {ref} and now", f"between date(2026, 2, 1) and {ref}",
            f"{r.choice(['<=', '<', '='])} {amount} {r.choice(['days', 'months', 'weeks'])} {r.choice(['before', 'after', 'from'])} {day} ignoring year",
            f"{r.choice(['on', 'before', 'after', 'from'])} {day} ignoring year", f"between {day} and date(2026, 3, 3) ignoring year",
        ])  # fmt: skip

    def groups(self, n: int) -> str:
        r = self.r
        measure = r.choice(["count()", "sum(commerce.total)", "max(commerce.count)"])
        key = r.choice(["eventType", "web.device", "commerce.count"])
        body = f'{self.events(n - 1)}.groupBy({key}).map((K, G) => {{"k": K, "q": G.{measure}}})'
        return self.pick(
            lambda: f"{body}.{r.choice(['topN', 'bottomN'])}(q, 1).head().q {self.op()} {r.choice([0, 1, 2])}",
            lambda: (
                f'{self.events(n - 1)}.groupBy({key}).map((K, G) => mapEntry(K, G.count())).get("{r.choice(["a", "ios", "1"])}") {self.op()} 1'
            ),
            lambda: f"{self.events(n - 1)}.groupBy({key}).count() {self.op()} 2",
        )

    def chain(self, n: int) -> str:
        r, steps, before = self.r, [], ""
        for i in range(r.choice([1, 2, 2, 3])):
            if r.random() < 0.25:
                steps.append(
                    f"X{i}: not WHAT({self.event_test(0)})"
                    + (f" WHEN(<= 3 days after {before})" if before and r.random() < 0.3 else "")
                )
            name = f"S{i}"
            when = ""
            if before and r.random() < 0.6:
                when = f" WHEN({r.choice(['<=', '<', '>=', '>'])} {r.choice([1, 2, 7])} {r.choice(['day', 'hours', 'week', 'month'])} after {before})"
            elif r.random() < 0.3:
                when = f" WHEN({r.choice(['<=', '>='])} {r.choice([1, 7])} days before now)"
            count = r.choice(["", "", "", " COUNT(2)", " COUNT(>= 2)", " COUNT(0)"])
            if when:
                count = r.choice(
                    [count, " COUNT(= 1)", " COUNT(< 2)", " COUNT(all)", " COUNT(between 1 and 2)", " COUNT(!= 1)"]
                )
            where = r.choice(["", "", f" WHERE({before}.web.device = web.device)" if before else ""])
            steps.append(f"{name}: WHAT({self.event_test(0)}){when}{count}{where}")
            before = name
        if r.random() < 0.3:
            steps.append(f"Z: not WHAT({self.event_test(0)})" + r.choice(["", f" WHEN(<= 2 days after {before})"]))
        return f"chain({r.choice(['xEvent', self.events(0)])}, timestamp, [{', '.join(steps)}])"

    def value(self, n: int) -> str:
        return self.pick(
            *(
                lambda m=m: m(n)
                for m in (
                    self.boolean,
                    self.boolean,
                    self.boolean,
                    self.number,
                    self.string,
                    self.strings,
                    self.numbers,
                    self.stamp,
                )
            )
        )  # type: ignore[misc]
