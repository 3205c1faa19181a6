"""Random texts of the shapes that segments have, and random people for them: ties, nulls and window edges abound."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from typing import Any

SCHEMA = {
    "profile": {"loyalty": {"tier": "string", "points": "integer"}, "preference": {"category": "string"}},
    "event": {
        "commerce": {"total": "number"},
        "web": {"device": "string"},
        "productListItems[]": {"SKU": "string", "category": "string", "quantity": "integer"},
    },
}
NOW = datetime.datetime(2026, 3, 8)
TYPES = ("a", "b", "c")
SPANS = ("1 day", "2 days", "12 hours", "1 week", "1 month")
OPERATORS = (">=", ">", "=", "<", "<=", "!=")


def people(r: random.Random, count: int = 30) -> tuple[list[dict[str, Any]], list[tuple[int, dict[str, Any]]]]:
    """Profiles, and events with the index of their profile."""
    profiles, events = [], []
    for index in range(count):
        profile: dict[str, Any] = {}
        if r.random() < 0.8:
            profile["loyalty"] = {"tier": r.choice(["gold", "none", None]), "points": r.choice([0, 1, 5, None])}
        if r.random() < 0.7:
            profile["preference"] = {"category": r.choice("xy")}
        profiles.append(profile)
        events += [(index, _event(r, i)) for i in range(r.choice([0, 1, 2, 4, 8, 12]))]
    return profiles, events


def _event(r: random.Random, i: int) -> dict[str, Any]:
    hours = r.choice([0, 0, 1, 12, 24, 24, 36, 48, 72, 100, 167, 168, 169])
    at = datetime.datetime(2026, 3, 1) + datetime.timedelta(hours=hours, microseconds=r.choice([0, 0, 0, 1, -1]))
    event: dict[str, Any] = {"eventType": r.choice([*TYPES, None])}
    if r.random() < 0.94:
        event["timestamp"] = at.isoformat() + "Z"
    if r.random() < 0.8:
        event["_id"] = r.choice(["i1", "i2", "i3", f"z{i}"])
    if r.random() < 0.7:
        event["commerce"] = {"total": r.choice([0, 1, 2.5, 10, None])}
    if r.random() < 0.5:
        event["web"] = {"device": r.choice(["ios", "web"])}
    if r.random() < 0.7:
        event["productListItems"] = [_item(r) for _ in range(r.choice([0, 1, 2, 3]))]
    return {k: v for k, v in event.items() if v is not None}


def _item(r: random.Random) -> dict[str, Any] | None:
    whole = {"SKU": r.choice("pqr"), "quantity": r.choice([1, 2, 3]), "category": r.choice("xyz")}
    return r.choice([None, whole, whole, {"SKU": "p"}, {}])


class Texts:
    """Draws one boolean expression after another."""

    def __init__(self, r: random.Random) -> None:
        self.r = r
        self.atoms: tuple[Callable[[], str], ...] = (
            self.count, self.count, self.total, self.extreme, self.last_time, self.exists, self.every, self.exists_item,
            self.distinct, self.items, self.quantity, self.picked, self.first, self.chain, self.chain, self.linked, self.top,
        )  # fmt: skip

    def one(self, depth: int = 0) -> str:
        k = self.r.random()
        if depth > 2 or k < 0.55:
            return self.r.choice(self.atoms)()
        if k < 0.62:
            return self.r.choice(['loyalty.tier = "gold"', "loyalty.points > 1", 'preference.category != "x"'])
        if k < 0.75:
            return f"not ({self.one(depth + 1)})"
        return f"({self.one(depth + 1)} {self.r.choice(['and', 'and', 'or'])} {self.one(depth + 1)})"

    def window(self, stamp: str) -> str:
        span, op = self.r.choice(SPANS), self.r.choice(["<=", "<", ">=", ">"])
        forms = (
            f"{op} {span} before now",
            "this month",
            "before now",
            "today",
            "between date(2026,3,2) and date(2026,3,5)",
        )
        return f"{stamp} occurs {self.r.choice(forms)}"

    def test(self, v: str = "") -> str:
        r = self.r
        return r.choice([
            f'{v}eventType = "{r.choice(TYPES)}"', f'{v}eventType = "{r.choice(TYPES)}"', f'{v}eventType != "a"',
            self.window(v + "timestamp"), f"{v}commerce.total > {r.choice([0, 1, 5])}", f'{v}web.device = "ios"',
            f"{v}commerce.total.isNull()", f"{v}timestamp.getDayOfMonth() >= {r.randint(1, 7)}",
            f'({v}eventType = "a" or {v}web.device = "web")', f"{v}commerce.total > loyalty.points",
            f'(exists I from {v}productListItems where I.SKU = "p")', f'not {v}productListItems.SKU = "q"',
        ])  # fmt: skip

    def tests(self, v: str = "") -> str:
        return " and ".join(self.test(v) for _ in range(self.r.choice([1, 1, 2, 2, 3])))

    def events(self) -> str:
        forms = (
            "xEvent",
            f"xEvent[{self.tests()}]",
            f"xEvent[{self.tests()}]",
            f"xEvent[{self.test()}][{self.test()}]",
        )
        return self.r.choice(forms)

    def lines(self) -> str:
        filters = ("", '[SKU = "p"]', "[quantity > 1]", "[SKU.isNull()]", "[category != preference.category]")
        return self.events() + ".productListItems" + self.r.choice(filters)

    def compared(self, *numbers: int) -> str:
        return f"{self.r.choice(OPERATORS)} {self.r.choice(numbers or (0, 1, 1, 2, 3))}"

    def count(self) -> str:
        return f"{self.events()}.count() {self.compared()}"

    def total(self) -> str:
        return f"{self.events()}.{self.r.choice(['sum', 'average'])}(commerce.total) {self.compared(0, 1, 5)}"

    def extreme(self) -> str:
        return f"{self.events()}.{self.r.choice(['max', 'min'])}(commerce.total) {self.compared()}"

    def last_time(self) -> str:
        return self.window(f"{self.events()}.{self.r.choice(['max', 'min'])}(timestamp)")

    def exists(self) -> str:
        return f"(exists E from xEvent where {self.tests('E.')})"

    def every(self) -> str:
        return f"(forall E from {self.events()} where {self.tests('E.')})"

    def exists_item(self) -> str:
        tests = (
            'I.SKU = "p"',
            "I.category != preference.category",
            "I.quantity >= 2 and I.SKU = E.web.device",
            "I.SKU.isNull()",
        )
        return (
            f"(exists E from xEvent where {self.tests('E.')}, I from E.productListItems where {self.r.choice(tests)})"
        )

    def distinct(self) -> str:
        return f"{self.lines()}.SKU.distinct().count() {self.compared()}"

    def items(self) -> str:
        return f"{self.lines()}.count() {self.compared()}"

    def quantity(self) -> str:
        return f"{self.lines()}.sum(quantity) {self.compared()}"

    def picked(self) -> str:
        value = self.r.choice(['eventType = "a"', "commerce.total > 1", "web.device.isNull()"])
        return f"{self.events()}.{self.r.choice(['topN', 'bottomN'])}(timestamp, 1).head().{value}"

    def first(self) -> str:
        return f"{self.events()}.head().{self.r.choice(['commerce.total > 1', 'eventType = chr'])}".replace(
            "chr", '"a"'
        )

    def top(self) -> str:
        measure = self.r.choice(["sum(quantity)", "count()", "max(quantity)"])
        groups = f'groupBy({self.r.choice(["category", "SKU"])}).map((K, G) => {{"k": K, "q": G.{measure}}})'
        value = self.r.choice(['k = "p"', "q > 1", 'k != "x"'])
        return f"{self.lines()}.{groups}.{self.r.choice(['topN', 'bottomN'])}(q, 1).head().{value}"

    def linked(self) -> str:
        span = self.r.choice(SPANS)
        near = self.r.choice([
            "P.timestamp > C.timestamp", f"P.timestamp occurs <= {span} after C.timestamp",
            f"P.timestamp occurs < {span} before C.timestamp", "P.timestamp >= C.timestamp", "P.timestamp < C.timestamp",
            f"P.timestamp > C.timestamp and P.timestamp occurs <= {span} after C.timestamp", "P.timestamp = C.timestamp",
            f"P.timestamp occurs <= {span} from C.timestamp",
        ])  # fmt: skip
        inner = f"(exists P from xEvent where {self.tests('P.')} and {near})"
        return f"(exists C from xEvent where {self.tests('C.')} and {self.r.choice(['', 'not '])}{inner})"

    def chain(self) -> str:
        r, steps, previous = self.r, [], ""
        for i in range(r.choice([1, 2, 2, 3, 3])):
            if r.random() < (0.35 if previous else 0.1):
                steps.append(f"X{i}: not WHAT({self.test()})")
            steps.append(f"S{i}: WHAT({self.tests()}){self.gap(previous)}")
            previous = f"S{i}"
        if r.random() < 0.3:
            steps.append(
                f"Z: not WHAT({self.test()})" + r.choice(["", f" WHEN(<= {r.choice(SPANS)} after {previous})"])
            )
        return f"chain(xEvent, timestamp, [{', '.join(steps)}])"

    def gap(self, previous: str) -> str:
        r, span = self.r, self.r.choice(SPANS)
        if previous and r.random() < 0.7:
            more = f"> 1 day after {previous} and <= 1 week after {previous}"
            return f" WHEN({r.choice([f'<= {span} after {previous}', f'< {span} after {previous}', f'>= {span} after {previous}', more])})"
        return f" WHEN(<= {span} before now)" if r.random() < 0.3 else ""
