"""Decoding: what the engine is given is what the slow reader gives, for the paths that the plan reads."""

import json
from decimal import Decimal

import pytest

from pql.api import Environment
from pql.runtime.decode import Decoder, Reject
from pql.xdm.values import read_event
from tests.property.segment_texts import SCHEMA

ENVIRONMENT = Environment.from_short(
    {**SCHEMA, "event": {**SCHEMA["event"], "score": "integer", "day": "date", "ok": "boolean"}}
)
TEXTS = (
    "xEvent[commerce.total > 1].count() > 0",
    'xEvent.productListItems[SKU = "p"].sum(quantity) > 1',
    "xEvent[score > 1 and day > date(2026, 1, 1) and ok].count() > 1",
)
DECODER = Decoder(ENVIRONMENT.live_plan({f"s{i}": ENVIRONMENT.check(t).ir for i, t in enumerate(TEXTS)}))


@pytest.mark.parametrize(
    "document",
    [
        {"_id": "a", "timestamp": "2026-03-01T10:00:00Z", "eventType": "x", "commerce": {"total": 1.2345678}},
        {"timestamp": "2026-03-01T10:00:00.1234567+02:00", "commerce": {"total": 3}, "score": 4.0},
        {"timestamp": "2026-03-01", "commerce": None, "productListItems": [None, {"SKU": "p", "quantity": 2}, {}]},
        {"timestamp": None, "day": "2026-02-28", "ok": True, "score": -(2**63)},
        {},
    ],
)
def test_as_the_slow_reader(document):
    slow, problems = read_event(json.loads(json.dumps(document), parse_float=Decimal), ENVIRONMENT.schema)
    assert not problems
    got = DECODER.decode(json.dumps({**document, "web": {"device": 7}, "unknown": [1]}).encode())
    assert isinstance(got, dict)
    assert {k: v for k, v in got.items() if v is not None} == slow


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b'{"score": "x"}', "event.score"),
        (b'{"score": 9223372036854775808}', "event.score"),
        (b'{"commerce": {"total": 1e13}}', "event.commerce.total"),
        (b'{"commerce": {"total": "1"}}', "event.commerce.total"),
        (b'{"commerce": {"total": 1000000000000}}', "event.commerce.total"),
        (b'{"timestamp": "yesterday"}', "event.timestamp"),
        (b'{"productListItems": [{"SKU": 1}]}', "event.productListItems[0].SKU"),
        (b"[]", "event"),
        (b"null", "event"),
        (b"{", "event"),
        (b"\xff", "event"),
        (b"[" * 100_000, "event"),
        (b" " * 2_000_000, "event"),
    ],
)
def test_a_misfit_is_a_value(data, path):
    got = DECODER.decode(data)
    assert isinstance(got, Reject)
    assert (got.path, got.code) == (path, "PQL0811")
    assert got.reason
