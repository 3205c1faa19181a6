"""Real engines name the same members as the store. Skipped where an engine is not installed; `docs/DIALECTS.md` says how."""

import importlib.util
import os

import pytest
from dialect_engines import ENGINES
from dialect_people import ENVIRONMENT, NOW, SHAPES, people, refused

from pql.api import Environment, Settings, Store
from pql.compiler.dialects import Refusal, compile_dialect

HERE = [
    name
    for name, (module, _) in ENGINES.items()
    if importlib.util.find_spec(module) and (name != "postgres" or "PQL_TEST_POSTGRES" in os.environ)
]
SEED = int(os.environ.get("PQL_TEST_SEED", "11"))
if not HERE:
    pytest.skip("no other engine is installed", allow_module_level=True)


@pytest.fixture(scope="module")
def store():
    made = Store.memory(ENVIRONMENT.schema)
    made.load(*people(SEED, 120))
    return made


@pytest.fixture(scope="module", params=HERE)
def engine(request, store, tmp_path_factory):
    return request.param, ENGINES[request.param][1](store, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("id", SHAPES)
def test_same_members(engine, store, id):
    name, running = engine
    checked = ENVIRONMENT.check(SHAPES[id]["pql"])
    if refused(id, name):
        with pytest.raises(Refusal):
            compile_dialect(checked.ir, name, Settings())
        return
    rows = store.query(ENVIRONMENT.sql([checked.ir]).sql(), {"now": NOW})
    expected = sorted(pid for pid, value in rows if value)
    assert running.members(compile_dialect(checked.ir, name, Settings()).sql(), NOW) == expected


@pytest.mark.parametrize("id", [id for id in SHAPES if id.startswith(("joined", "birth", "weekday", "absent"))])
def test_same_members_in_a_zone(engine, store, id):
    name, running = engine
    settings = Settings("America/New_York", "sunday")
    environment = Environment(ENVIRONMENT.schema, settings)
    checked = environment.check(SHAPES[id]["pql"])
    try:
        sql = compile_dialect(checked.ir, name, settings).sql()
    except Refusal:
        return
    rows = store.query(environment.sql([checked.ir]).sql(), {"now": NOW})
    assert running.members(sql, NOW) == sorted(pid for pid, value in rows if value)


VALUES = [
    "orders.sum(price)", "orders.average(quantity)", "loyalty.points / 3", "xEvent.head().page", "xEvent.count()",
    "homeAddress.city.lowerCase()", "if(person.active, 1, 2)", "xEvent.max(page)", "person.active", "person.birthDate",
    "loyalty.balance - 1", "-loyalty.points", "(loyalty.points - 2) % 3", "xEvent.eventType.distinct().count()",
]  # fmt: skip


@pytest.mark.parametrize("pql", VALUES)
def test_same_values(engine, store, pql):
    name, running = engine
    checked = ENVIRONMENT.check(pql)
    assert checked.ok
    sql = compile_dialect(checked.ir, name, Settings()).sql()
    counted = f"SELECT c0 FROM ({sql.split('SETTINGS')[0]}) AS q"
    expected = [v for _, v in store.query(ENVIRONMENT.sql([checked.ir]).sql(), {"now": NOW})]
    got = running.values(counted)
    assert sorted(map(spelled, got)) == sorted(map(spelled, expected))


def spelled(value):
    """A value in a spelling that engines share."""
    if value is None or value in ("", "None"):
        return ""
    try:
        return f"{float(value):.9g}"
    except (ValueError, TypeError):
        return str(value)


def test_a_sum_out_of_range_fails(engine):
    """Never a wrapped number: SEMANTICS section 7."""
    name, running = engine
    for pql in ("sum 9223372036854775807 over E from xEvent", "sum 999999999999.5 over E from xEvent"):
        checked = ENVIRONMENT.check(pql)
        assert checked.ok
        sql = compile_dialect(checked.ir, name, Settings()).sql().split("SETTINGS")[0]
        with pytest.raises(Exception, match=r"(?i)range|overflow|NUMERIC_VALUE|convert|out of"):
            running.values(f"SELECT c0 FROM ({sql}) AS q")
