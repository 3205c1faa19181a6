"""Real engines name the same members as the store. Skipped where an engine is not installed; `docs/DIALECTS.md` says how."""

import importlib.util
import os

import pytest
from dialect_people import ENVIRONMENT, NOW, SHAPES, people, refused
from engines import ENGINES

from pql.api import Settings, Store
from pql.compiler.dialects import Refusal, compile_dialect


@pytest.fixture(scope="module")
def store():
    made = Store.memory(ENVIRONMENT.schema)
    made.load(*people(11, 120))
    return made


@pytest.fixture(scope="module", params=ENGINES)
def engine(request, store, tmp_path_factory):
    module, make = ENGINES[request.param]
    if importlib.util.find_spec(module) is None or (request.param == "postgres" and "PQL_TEST_POSTGRES" not in os.environ):
        pytest.skip(f"{request.param} is not here")
    return request.param, make(store, tmp_path_factory.mktemp(request.param))


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
