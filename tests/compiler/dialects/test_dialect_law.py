"""A law: the portable form, run on DuckDB, names the same members as the complete form."""

import pytest
from dialect_people import ENVIRONMENT, NOW, SHAPES, people, refused

from pql.api import Environment, Settings, Store
from pql.compiler.dialects import Refusal, compile_dialect


@pytest.fixture(scope="module")
def store():
    made = Store.memory(ENVIRONMENT.schema)
    made.load(*people(7, 160))
    return made


def members(store, sql):
    return sorted(row[0] for row in store.query(sql, {"now": NOW}))


def complete(store, condition):
    rows = store.query(ENVIRONMENT.sql([condition]).sql(), {"now": NOW})
    return sorted(pid for pid, value in rows if value)


@pytest.mark.parametrize("id", SHAPES)
def test_same_members(store, id):
    checked = ENVIRONMENT.check(SHAPES[id]["pql"])
    assert checked.ok, checked.diagnostics
    if refused(id, "portable"):
        with pytest.raises(Refusal):
            compile_dialect(checked.ir, "duckdb", Settings())
        return
    got = members(store, compile_dialect(checked.ir, "duckdb", Settings()).sql())
    assert got == complete(store, checked.ir)


TIMES = [id for id in SHAPES if id.startswith(("joined", "birth", "spring", "weekday", "absent", "this", "last_seen"))]


@pytest.mark.parametrize("id", TIMES)
def test_same_members_in_a_zone(store, id):
    """Calendar words follow the project's zone and first day of the week."""
    settings = Settings("America/New_York", "sunday")
    environment = Environment(ENVIRONMENT.schema, settings)
    checked = environment.check(SHAPES[id]["pql"])
    got = members(store, compile_dialect(checked.ir, "duckdb", settings).sql())
    rows = store.query(environment.sql([checked.ir]).sql(), {"now": NOW})
    assert got == sorted(pid for pid, value in rows if value)
