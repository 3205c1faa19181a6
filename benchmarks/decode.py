"""What decoding an event of some 1,500 bytes costs: `python -m benchmarks.decode`. Process CPU time, the best of rounds in turns.

The events differ in their ids, instants and prices. Numbers are remembered by their texts, so two figures are given: with prices as a
catalog has them, seen before, and with none ever seen before. Then the reader of `pql stream`, which reads every field, against its
way for messages that are not as usual.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from pql.api import Environment, read_short, streams
from pql.runtime.decode import Decoder
from pql.xdm.decoding import NUMBERS, exact_number
from pql.xdm.values import read_event

SCHEMA: dict[str, Any] = {
    "profile": {},
    "event": {
        "commerce": {"order": {"priceTotal": "number", "currencyCode": "string"}},
        "web": {"webPageDetails": {"URL": "string", "name": "string"}, "device": "string"},
        "productListItems[]": {"SKU": "string", "name": "string", "priceTotal": "number", "quantity": "integer"},
    },
}
WHOLE = {
    "profile": {},
    "event": {
        "commerce": {
            "order": {"priceTotal": "number", "currencyCode": "string", "purchaseID": "string"},
            "purchases": {"value": "number"},
        },
        "web": SCHEMA["event"]["web"],
        "productListItems[]": {**SCHEMA["event"]["productListItems[]"], "category": "string"},
        "environment": {"browserDetails": {"userAgent": "string", "viewportWidth": "integer"}},
        "placeContext": {"geo": {"countryCode": "string", "city": "string", "postalCode": "string"}},
        "implementationDetails": {"name": "string", "version": "string", "environment": "string", "note": "string"},
    },
}
TEXTS = (
    'xEvent[eventType = "commerce.purchases" and timestamp occurs < 7 days before now].sum(commerce.order.priceTotal) > 100',
    'xEvent[web.device = "ios" and timestamp occurs < 1 day before now].count() >= 3',
    'xEvent[productListItems[SKU = "S1"]].count() > 0',
)


_EXACT = msgspec.json.Decoder(float_hook=exact_number)
EVENTS = 200
"""So few that they stay in the processor's cache, as one does that has just arrived."""


def event(seed: int) -> bytes:
    chance = random.Random(seed)
    line = {
        "SKU": "S1",
        "name": "a sweatshirt with a name",
        "priceTotal": chance.randrange(100_000) / 100,
        "quantity": 2,
        "category": "mens/sweatshirts",
    }
    web = {
        "webPageDetails": {"URL": "https://shop.example/p/12345?campaign=spring", "name": "product"},
        "device": "ios",
    }
    at = datetime(2026, 3, 1) + timedelta(milliseconds=chance.randrange(10**9))
    document = {
        "_id": f"{chance.randrange(16**8):08x}-5f0e-4d6e-9f43-{chance.randrange(16**12):012x}",
        "timestamp": f"{at.isoformat(timespec='milliseconds')}Z",
        "eventType": "commerce.purchases",
        "commerce": {
            "order": {"priceTotal": seed + chance.randrange(100) / 100, "currencyCode": "USD", "purchaseID": "P-1"},
            "purchases": {"value": 1},
        },
        "web": web,
        "productListItems": [line, line, line],
        "identityMap": {"ECID": [{"id": "8" * 38, "authenticatedState": "ambiguous", "primary": True}]},
        "environment": {"browserDetails": {"userAgent": "Mozilla/5.0 " + "x" * 240, "viewportWidth": 1200}},
        "placeContext": {"geo": {"countryCode": "DE", "city": "Berlin", "postalCode": "10115"}},
        "implementationDetails": {"name": "web sdk", "version": "2.1", "environment": "browser", "note": "y" * 120},
    }
    return json.dumps(document).encode()


def message(data: bytes) -> bytes:
    """A bare event of a profile, with fields of WHOLE alone."""
    document = {"profileId": "sarah", **json.loads(data)}
    del document["identityMap"]
    return json.dumps(document).encode()


def cost(way: Callable[[bytes], Any], events: list[bytes]) -> float:
    """Microseconds of an event."""
    started = time.process_time()
    for data in events:
        way(data)
    return (time.process_time() - started) / len(events) * 1e6


def main() -> None:
    schema, _ = read_short(SCHEMA)
    environment, events = Environment(schema), [event(seed) for seed in range(EVENTS)]
    decoder = Decoder(environment.live_plan({f"s{i}": environment.check(t).ir for i, t in enumerate(TEXTS)}))
    ways: dict[str, Callable[[bytes], Any]] = {
        "decoder of the plan": decoder.decode,
        "the same, no number seen before": decoder.decode,
        "json.loads alone": json.loads,
        "json.loads, then every field typed": lambda data: read_event(
            json.loads(data, parse_float=Decimal), schema, True
        ),
    }
    show(ways, events)
    reader = streams.Reader(Environment.from_short(WHOLE).schema)
    show(
        {"reader of a stream": reader.read, "the same, not as usual": lambda data: reader.input(_EXACT.decode(data))},
        [message(data) for data in events],
    )


def show(ways: dict[str, Callable[[bytes], Any]], events: list[bytes]) -> None:
    best = dict.fromkeys(ways, 1e9)
    for name, way in [*ways.items()] * 10:
        for _ in range(10):
            if name.endswith("before"):
                NUMBERS.clear()
            best[name] = min(best[name], cost(way, events))
    size = sum(map(len, events)) / EVENTS
    for name, found in best.items():
        print(f"{found:6.2f} us  {name} ({size:,.0f} bytes)")


if __name__ == "__main__":
    main()
