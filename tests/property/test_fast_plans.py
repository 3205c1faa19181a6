"""The fast plans answer what the complete form answers: alone, together, packed and counted. Data are seeded."""

from __future__ import annotations

import random

import pytest

from pql.api import Environment, Store
from pql.xdm.values import read_event, read_profile
from tests.property.segment_texts import NOW, SCHEMA, Texts, people

ENVIRONMENT = Environment.from_short(SCHEMA)


def stocked(r: random.Random) -> Store:
    schema = ENVIRONMENT.schema
    profiles, events = people(r)
    store = Store.memory(schema)
    store.load(
        [(i, read_profile(p, schema)[0]) for i, p in enumerate(profiles)],
        [(i, read_event(e, schema)[0]) for i, e in events],
    )
    store.index()
    return store


@pytest.mark.parametrize("seed", range(8))
def test_every_form_gives_the_same_members(seed: int) -> None:
    r = random.Random(seed)
    store, texts = stocked(r), Texts(r)
    drawn = [texts.one() for _ in range(40)]
    checked = [ENVIRONMENT.check(t) for t in drawn]
    assert all(c.ok for c in checked), [t for t, c in zip(drawn, checked, strict=True) if not c.ok]
    conditions = [c.ir for c in checked]
    at = {"now": NOW}
    complete = store.query(ENVIRONMENT.sql(conditions).sql(), at)
    expected = [{row[0] for row in complete if row[i + 1]} for i in range(len(conditions))]
    together = store.query(ENVIRONMENT.sql(conditions, layout=store.layout).sql(), at)
    counts = store.query(ENVIRONMENT.sql(conditions, output="counts", layout=store.layout).sql(), at)[0]
    for i, (text, condition) in enumerate(zip(drawn, conditions, strict=True)):
        assert {row[0] for row in together if row[i + 1]} == expected[i], text
        assert counts[i] == len(expected[i]), text
        alone = store.query(ENVIRONMENT.sql([condition], output="members", layout=store.layout).sql(), at)
        assert sorted(row[0] for row in alone) == sorted(expected[i]), text


def test_most_shapes_have_a_fast_plan() -> None:
    """The list form is for what is rare: were it chosen for more than a quarter of these, a leaf has been lost."""
    r = random.Random(1)
    store, texts = stocked(r), Texts(r)
    drawn = [ENVIRONMENT.check(texts.one()).ir for _ in range(200)]
    slow = [c for c in drawn if "LIST(" in ENVIRONMENT.sql([c], output="members", layout=store.layout).sql()]
    assert len(slow) < 50
