"""Many segments in one statement are planned together: none of them sends the others to the complete form."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlglot import exp

from pql.api import Environment, Store, load_schema
from pql.source import Source

ROOT = Path(__file__).parent.parent.parent
SHOP = ROOT / "examples" / "online-retail" / "segments.pql"


def test_the_examples_are_planned_together() -> None:
    """Enough of them for bits, with counts and sums beside tests on attributes; alone and together they are plans of leaves."""
    schema, _ = load_schema(ROOT / "profiles" / "online-retail" / "schema.yaml")
    environment = Environment(schema)
    project = environment.project([Source("shop.pql", SHOP.read_text(encoding="utf-8"))])
    store = Store.memory(schema)
    people = [(n, {"homeAddress": {"country": c}}) for n, c in enumerate(("France", "Norway", "United Kingdom"))]
    bought = [(n % 2, {"timestamp": datetime(2011, 1, 1 + n), "eventType": "commerce.purchases"}) for n in range(9)]
    store.load(people, bought)
    store.index()
    conditions = [s.condition for s in project.segments.values()]
    assert len(conditions) >= 12
    together = environment.sql(conditions, project.conditions, "counts", store.layout)
    assert not list(together.tree.find_all(exp.Lambda))
    now = {"now": datetime(2011, 1, 15)}
    alone = [
        len(store.query(environment.sql([c], project.conditions, "members", store.layout).sql(), now))
        for c in conditions
    ]
    assert store.query(together.sql(), now) == [tuple(alone)] and sum(alone) > 5
