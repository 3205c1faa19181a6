"""Segments, people and events for `benchmarks/live.py`: seeded, with the mix of shapes that live segments have.

`broad`: 40 % of the event tests name a type alone, windows from an hour. `selective`: 12 %, windows from a day. A node's class name says what
it is; `text` writes it as PQL. The same writer takes the nodes of another generator that uses these names. Read `text`.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

SCHEMA = {
    "profile": {"homeAddress.country": "string", "loyalty.tier": "string", "person.age": "integer"},
    "event": {"commerce": {"category": "string", "price": "number"}, "web": {"channel": "string"}},
}
PROFILE_PATHS = {"country": "homeAddress.country", "tier": "loyalty.tier", "age": "person.age"}
EVENT_PATHS = {"category": "commerce.category", "price": "commerce.price", "channel": "web.channel"}
KINDS = ("pageView", "productView", "addToCart", "removeFromCart", "checkout", "purchase", "emailOpen", "emailClick")
SHARE = (46, 22, 8, 2, 4, 3, 10, 5)
HOUR, DAY = 3600, 86400
START = datetime(2023, 11, 14, 22, 13, 20)


class Pred(NamedTuple):
    etype: str
    field: str = ""
    op: str = ""
    value: Any = None


class Attr(NamedTuple):
    field: str
    op: str
    value: Any


class Count(NamedTuple):
    pred: Pred
    w: int
    n: int


class Sum(NamedTuple):
    pred: Pred
    w: int
    x: float


class Seq(NamedTuple):
    a: Pred
    b: Pred
    gap: int
    w: int


class Absent(NamedTuple):
    a: Pred
    b: Pred
    d: int
    w: int


class All(NamedTuple):
    kids: tuple[Any, ...]


class Any_(NamedTuple):
    kids: tuple[Any, ...]


class None_(NamedTuple):
    kid: Any


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else format(Decimal(str(value)), "f")


def _span(seconds: int) -> str:
    return f"{seconds // HOUR} hours" if seconds % HOUR == 0 else f"{seconds} seconds"


def _test(pred: Any) -> str:
    kind = f'eventType = "{pred.etype}"'
    if not pred.field:
        return kind
    return f"{kind} and {EVENT_PATHS[pred.field]} {pred.op.replace('==', '=')} {_quoted(pred.value)}"


def text(node: Any) -> str:
    """A node as PQL. Windows leave out their far edge."""
    match type(node).__name__:
        case "Attr":
            return f"{PROFILE_PATHS[node.field]} {node.op.replace('==', '=')} {_quoted(node.value)}"
        case "Count":
            return f"xEvent[{_test(node.pred)} and timestamp occurs < {_span(node.w)} before now].count() >= {node.n}"
        case "Sum":
            window = f"timestamp occurs < {_span(node.w)} before now"
            return f"xEvent[{_test(node.pred)} and {window}].sum(commerce.price) >= {_quoted(node.x)}"
        case "Seq":
            when = f"<= {_span(node.gap)} after A and < {_span(node.w)} before now"
            return f"chain(xEvent, timestamp, [A: WHAT({_test(node.a)}), B: WHAT({_test(node.b)}) WHEN({when})])"
        case "Absent":
            when = f">= {_span(node.d)} before now and < {_span(node.w)} before now"
            return f"chain(xEvent, timestamp, [A: WHAT({_test(node.a)}) WHEN({when}), B: not WHAT({_test(node.b)})])"
        case "Not" | "None_":
            return f"not ({text(node.kid)})"
        case "And" | "All":
            return "(" + " and ".join(map(text, node.kids)) + ")"
        case _:
            return "(" + " or ".join(map(text, node.kids)) + ")"


def _pred(r: random.Random, mix: str, kinds: tuple[str, ...] = KINDS) -> Pred:
    kind, k = r.choice(kinds), r.random()
    shares, categories = ((0.4, 0.8, 0.9), 30) if mix == "broad" else ((0.12, 0.92, 0.96), 300)
    if k < shares[0]:
        return Pred(kind)
    if k < shares[1]:
        return Pred(kind, "category", "==", f"c{r.randrange(categories)}")
    if k < shares[2]:
        return Pred(kind, "channel", "==", r.choice(("web", "ios", "android", "email", "store")))
    return Pred(kind, "price", ">", r.choice((50, 100, 200)))


def _leaf(r: random.Random, mix: str) -> Any:
    k, long = r.random(), (7 * DAY, 30 * DAY)
    if k < 0.22:
        return r.choice(
            (
                Attr("country", "==", r.choice(("CH", "DE", "FR", "US"))),
                Attr("tier", "==", r.choice(("silver", "gold"))),
                Attr("age", ">", r.choice((18, 35, 65))),
            )
        )
    if k < 0.72:
        windows = (HOUR, DAY, 3 * DAY, *long) if mix == "broad" else (DAY, *long, 90 * DAY)
        return Count(_pred(r, mix), r.choice(windows), r.choice((1, 1, 1, 2, 3, 5, 10)))
    if k < 0.82:
        pred = _pred(r, mix, ("purchase", "checkout", "addToCart"))
        return Sum(pred, r.choice(long), r.choice((100, 250, 500, 1000)))
    gap = r.choice((HOUR, DAY, 3 * DAY))
    if k < 0.91:
        a, b = r.choice((("productView", "addToCart"), ("addToCart", "purchase"), ("emailOpen", "productView")))
        return Seq(Pred(a), _pred(r, mix, (b,)), gap, r.choice(long))
    a, b = r.choice((("addToCart", "purchase"), ("productView", "addToCart"), ("checkout", "purchase")))
    return Absent(_pred(r, mix, (a,)), Pred(b), gap, r.choice(long))


def segments(count: int, mix: str, seed: int = 7) -> list[Any]:
    r, found = random.Random(seed), []
    for _ in range(count):
        size = r.choice((1, 2, 2, 3, 3, 4))
        kids = tuple(None_(x) if r.random() < 0.12 else x for x in (_leaf(r, mix) for _ in range(size)))
        if size == 1:
            found.append(kids[0])
        elif size == 2 or r.random() < 0.6:
            found.append(All(kids) if r.random() < 0.75 else Any_(kids))
        else:
            found.append(All((kids[0], Any_(kids[1:]))))
    return found


def people(count: int, seed: int = 3) -> list[dict[str, Any]]:
    r = random.Random(seed)
    return [
        {
            "country": r.choice(("CH", "DE", "FR", "US", "GB", "IT", "ES", "AT")),
            "tier": r.choices(("none", "bronze", "silver", "gold"), (6, 2, 1, 1))[0],
            "age": r.randint(16, 85),
        }
        for _ in range(count)
    ]


class Happening(NamedTuple):
    pid: int
    type: str
    ts: int
    category: str
    channel: str
    price: float


def happenings(count: int, mix: str, profiles: int, seed: int = 5) -> list[Happening]:
    """Events in time order; who is busy is skewed."""
    r, days = random.Random(seed), 14 if mix == "broad" else 60
    base = int((START - datetime(1970, 1, 1)).total_seconds())
    stamps = sorted(r.randrange(1, days * DAY) for _ in range(count))
    kinds = r.choices(KINDS, SHARE, k=count)
    channels = r.choices(("web", "ios", "android", "email", "store"), (50, 20, 15, 10, 5), k=count)
    found = []
    for at, kind, channel in zip(stamps, kinds, channels, strict=True):
        pid = int(profiles * r.random() ** 5) % profiles
        skew = int(r.paretovariate(0.9 if mix == "broad" else 0.5)) - 1
        category = f"c{min(skew, 29) if mix == 'broad' else skew % 300}"
        found.append(Happening(pid, kind, base + at, category, channel, round(r.lognormvariate(3.6, 0.9), 2)))
    return found


def document(e: Any, number: int) -> dict[str, Any]:
    """An event as the engine takes it."""
    return {
        "_id": f"e{number}",
        "timestamp": datetime(1970, 1, 1) + timedelta(seconds=int(e.ts)),
        "eventType": e.type,
        "commerce": {"category": e.category, "price": Decimal(str(e.price)).quantize(Decimal("0.000001"))},
        "web": {"channel": e.channel},
    }


def record(person: dict[str, Any]) -> dict[str, Any]:
    return {
        "homeAddress": {"country": person["country"]},
        "loyalty": {"tier": person["tier"]},
        "person": {"age": person["age"]},
    }
