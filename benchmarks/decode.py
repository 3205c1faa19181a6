"""What decoding an event of some 1,500 bytes costs: `python -m benchmarks.decode`. Process CPU time, the best of rounds in turns."""

from __future__ import annotations

import json
import time
from decimal import Decimal

from pql.api import Environment, read_short
from pql.runtime.decode import Decoder
from pql.xdm.values import read_event

SCHEMA = {
    "profile": {},
    "event": {
        "commerce": {"order": {"priceTotal": "number", "currencyCode": "string"}},
        "web": {"webPageDetails": {"URL": "string", "name": "string"}, "device": "string"},
        "productListItems[]": {"SKU": "string", "name": "string", "priceTotal": "number", "quantity": "integer"},
    },
}
TEXTS = (
    'xEvent[eventType = "commerce.purchases" and timestamp occurs < 7 days before now].sum(commerce.order.priceTotal) > 100',
    'xEvent[web.device = "ios" and timestamp occurs < 1 day before now].count() >= 3',
    'xEvent[productListItems[SKU = "S1"]].count() > 0',
)


def event() -> bytes:
    line = {
        "SKU": "S1",
        "name": "a sweatshirt with a name",
        "priceTotal": 19.9,
        "quantity": 2,
        "category": "mens/sweatshirts",
    }
    web = {
        "webPageDetails": {"URL": "https://shop.example/p/12345?campaign=spring", "name": "product"},
        "device": "ios",
    }
    document = {
        "_id": "0f1c7b42-5f0e-4d6e-9f43-2f7f3f6a1c11",
        "timestamp": "2026-03-01T10:00:00.123Z",
        "eventType": "commerce.purchases",
        "commerce": {
            "order": {"priceTotal": 59.7, "currencyCode": "USD", "purchaseID": "P-1"},
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


def main() -> None:
    schema, _ = read_short(SCHEMA)
    environment, data = Environment(schema), event()
    decoder = Decoder(environment.live_plan({f"s{i}": environment.check(t).ir for i, t in enumerate(TEXTS)}))
    ways = {
        "decoder of the plan": lambda: decoder.decode(data),
        "json.loads alone": lambda: json.loads(data),
        "json.loads, then every field typed": lambda: read_event(json.loads(data, parse_float=Decimal), schema, True),
    }
    best = dict.fromkeys(ways, 1e9)
    for _ in range(7):
        for name, way in ways.items():
            started = time.process_time()
            for _ in range(5_000):
                way()
            best[name] = min(best[name], (time.process_time() - started) / 5_000 * 1e6)
    for name, cost in best.items():
        print(f"{cost:6.2f} us  {name} ({len(data):,} bytes)")


if __name__ == "__main__":
    main()
