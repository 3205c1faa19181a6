"""Loading, stitching and merging together, over Luma's real files: what each room promises the next one."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pql.api import Environment, load_schema
from pql.identity.policy import DEFAULT
from pql.identity.settings import read_identity
from pql.ingest.project import SourceProject
from pql.source import Source
from pql.store.lookup import read_person
from pql.store.store import Store
from pql.store.unify import unify
from pql.types import STRING, Field

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "examples" / "luma"


SETTINGS, _ = read_identity(PROJECT / "identity.yaml")


def loaded() -> Store:
    schema, _ = load_schema(ROOT / "profiles" / "luma" / "schema.yaml")
    made = Store.memory(schema)
    SourceProject.read(PROJECT, schema).load(made)
    unify(made, SETTINGS, DEFAULT)
    return made


@pytest.fixture(scope="module")
def store() -> Store:
    return loaded()


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = store.connection.execute(sql).fetchall()
    return found


def test_a_row_number_is_of_one_dataset_only(store: Store) -> None:
    tables = [t for (t,) in rows(store, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'data'")]
    assert len(tables) > 4
    union = " UNION ALL ".join(f'SELECT _row FROM data."{t}"' for t in tables)
    assert rows(store, f"SELECT count(*) - count(DISTINCT _row) FROM ({union})") == [(0,)]


def present(value: Any) -> Any:
    """A value without what is null or empty in it, as the merge in Python gives it."""
    if isinstance(value, dict):
        inner = {k: p for k, v in value.items() if (p := present(v)) is not None}
        return inner or None
    return value


def test_the_merged_table_is_what_the_plain_merge_says(store: Store) -> None:
    fields = [n for n in store.schema.profile.fields if n not in ("xEvent", "identityMap", "segmentMembership")]
    columns = ", ".join(f'"{n}"' for n in fields)
    table = {
        r[0]: {n: p for n, v in zip(fields, r[1:], strict=True) if (p := present(v)) is not None}
        for r in rows(store, f"SELECT _pid, {columns} FROM profile")
    }
    several = rows(store, "SELECT pid FROM graph.fragment GROUP BY pid HAVING count(*) > 2 ORDER BY pid")
    some = [pid for (pid,) in several] + sorted(table)[::20]
    assert len(several) > 1
    for pid in some:
        merged = read_person(store, pid, DEFAULT[0], 0).merged.values
        plain = {n: p for n, v in merged.items() if n in fields and (p := present(v)) is not None}
        assert table[pid] == plain, pid


QUESTIONS = {  # worked out from the files alone, as of the end of November 2022
    "testProfile = true": 3,
    "loyalty.tier.isNotNull() and personalEmail.address.isNull()": 391,
    "loyalty.tier.isNotNull() and _luma.systemIdentifier.crmId.isNull()": 309,
    'person.gender != "male" and loyalty.tier = "silver"': 139,
    "xEvent[commerce.order.purchaseID.isNotNull()].count() >= 2": 2,
    "xEvent[commerce.order.purchaseID.isNotNull()].sum(commerce.order.priceTotal) > 250.35"
    " and xEvent[commerce.order.purchaseID.isNotNull()].count() > 1": 1,
}


@pytest.mark.parametrize("text", QUESTIONS)
def test_counts_that_need_stitching(store: Store, text: str) -> None:
    environment = Environment(store.schema)
    project = environment.project([Source("asked.pql", f"segment asked {{ where {text} }}")])
    assert project.ok, project.diagnostics
    sql = environment.sql([project.segments["asked"].condition], project.conditions, "counts", store.layout).sql()
    assert store.query(sql, {"now": datetime(2022, 11, 30)})[0] == (QUESTIONS[text],)


def test_another_field_of_events_in_the_schema_is_news() -> None:
    made = loaded()
    assert not unify(made, SETTINGS, DEFAULT).changed
    events = made.schema.event
    made.schema = replace(made.schema, event=replace(events, fields={**events.fields, "mood": Field("mood", STRING)}))
    assert unify(made, SETTINGS, DEFAULT).changed
    made.check_tables()
    assert "mood" in {row[0] for row in rows(made, "DESCRIBE event")}
