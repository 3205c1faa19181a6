"""Seeded people for the dialect tests: many nulls, ties, empty lists and awkward text. Read `people`."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import yaml

from pql.api import Environment

HERE = Path(__file__).parent
DOCUMENT = yaml.safe_load((HERE / "shapes.yaml").read_text(encoding="utf-8"))
SHAPES = DOCUMENT["segments"]
ENVIRONMENT = Environment.from_short(DOCUMENT["schema"])
NOW = datetime(2026, 3, 31, 12, 30)
NAMES = [
    "John",
    "jo",
    "ΣΑΣ",
    "İstanbul",
    "a_é",
    " ab ",
    'it\'s \\ "q"',
    "a!b\\c",
    "Émile",
    "100%",
    "line\nend",
    "",
    "jo\nn",
    "Z",
]
PAGES = ["A", "a", "Rome", "é", "Z"]
CITIES = ["Rome", "Köln", "red", ""]
COLORS = ["red", "blue", "green"]


def maybe(random: Random, value, chance: float = 0.2):
    return None if random.random() < chance else value


def instant(random: Random) -> datetime:
    if random.random() < 0.25:
        return NOW - timedelta(
            days=random.choice([0, 1, 2, 3, 7, 28, 30, 31]), microseconds=random.choice([0, 0, 1, -1])
        )
    return NOW - timedelta(seconds=random.randrange(-86400 * 3, 86400 * 70))


def money(random: Random) -> Decimal:
    return Decimal(random.randrange(-200, 2500)) / 100


def listed(random: Random, make, most: int = 3):
    return maybe(random, [make() for _ in range(random.randrange(most + 1))])


def profile(random: Random) -> dict:
    day = date(random.choice([1984, 1990, 2004]), random.choice([1, 2, 3, 4, 12]), random.choice([1, 15, 27]))

    def order():
        return {"id": "o", "storeId": maybe(random, random.choice("ab")), "price": maybe(random, money(random)),
                     "quantity": maybe(random, random.randrange(5)), "placed": maybe(random, instant(random))}  # fmt: skip

    return {
        "person": maybe(random, {"name": maybe(random, random.choice(NAMES)), "gender": None, "active": maybe(random, random.random() < 0.5),
                         "birthDate": maybe(random, random.choice([day, date(1996, 2, 29), date(1990, 3, 31), date(1990, 4, 30)])),
                         "age": maybe(random, random.randrange(10, 80))}, 0.1),
        "homeAddress": maybe(random, {"city": maybe(random, random.choice(CITIES)), "country": maybe(random, random.choice(["US", "DE"]))}, 0.1),
        "loyalty": maybe(random, {"tier": None, "points": maybe(random, random.randrange(-3, 6)), "joined": maybe(random, instant(random)),
                          "balance": maybe(random, random.choice([money(random), Decimal("0.000001"), Decimal("-0.000001")]))}, 0.1),
        "favoriteColors": listed(random, lambda: maybe(random, random.choice(COLORS))),
        "scores": listed(random, lambda: maybe(random, random.randrange(10))),
        "attributes": maybe(random, {k: random.choice(["Rome", "7", None]) for k in random.sample(["city", "age"], random.randrange(3))}),
        "limits": maybe(random, {k: maybe(random, random.randrange(8)) for k in random.sample(["a", "b"], random.randrange(3))}),
        "orders": listed(random, order),
        "segmentMembership": maybe(random, {"ups": {"elsewhere": {"status": random.choice(["realized", "exited", None])}}}, 0.5),
    }  # fmt: skip


def event(random: Random) -> dict:
    def item():
        return {"SKU": maybe(random, random.choice(["PS", "XB"])), "name": maybe(random, random.choice(NAMES)),
                    "priceTotal": maybe(random, money(random)), "quantity": maybe(random, random.randrange(5))}  # fmt: skip

    return {
        "_id": maybe(random, random.choice("abcdefgh")),
        "timestamp": instant(random),
        "eventType": maybe(random, random.choice(["view", "add", "buy"]), 0.1),
        "productListItems": listed(random, item),
        "commerce": maybe(random, {"order": maybe(random, {"priceTotal": maybe(random, money(random)), "currencyCode": None})}),
        "score": maybe(random, random.randrange(10)),
        "page": maybe(random, random.choice(PAGES)),
    }  # fmt: skip


def people(seed: int, count: int) -> tuple[list, list]:
    """Profiles and events, as the store's `load` takes them."""
    random = Random(seed)
    profiles = [(pid, profile(random)) for pid in range(count)]
    events = [(pid, event(random)) for pid in range(count) for _ in range(random.choice([0, 1, 3, 6]))]
    return profiles, events


def refused(id: str, dialect: str) -> bool:
    said = SHAPES[id].get("refused", [])
    return said == "*" or dialect in said
