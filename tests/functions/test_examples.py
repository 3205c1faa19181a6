"""The examples in the function records are right: they are the documentation."""

from datetime import datetime

import pytest

from pql.api import Environment
from pql.cli.conform import equal
from pql.functions import FUNCTIONS

ENVIRONMENT = Environment.from_short({})
EXAMPLES = [(f.name, e) for f in FUNCTIONS.values() for e in f.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(EXAMPLES)])
def test_example(name, example):
    checked = ENVIRONMENT.check(example.pql)
    assert checked.ok, [d.message for d in checked.diagnostics]
    assert equal(ENVIRONMENT.evaluate(checked.ir, {}, [], datetime(2026, 3, 1)), example.value)
