"""The portable form answers every conformance case that it accepts as the case says."""

from pathlib import Path

import pytest

from pql.api import Environment
from pql.cli.conform import Runner, read_cases
from pql.compiler.dialects import Refusal, compile_dialect
from pql.ir import nodes as ir

AT_THE_END_OF_TIME = {"diff.chain.excluded-end-outside"}
"""Databases end their calendars differently: docs/DIALECTS.md says so."""
FILES = sorted((Path(__file__).parent.parent.parent / "conformance").glob("*.*l"))


class Portable:
    """A query as `Environment.sql` gives it, in the portable form: pid and value."""

    def __init__(self, environment, expression, segments):
        made = compile_dialect(expression, "duckdb", environment.settings, segments)
        self.text = made.sql(pretty=False)
        if made.columns == ("pid",):
            self.text = f"SELECT _pid, _pid IN (SELECT pid FROM ({self.text})) FROM profile"

    def sql(self):
        return self.text


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_accepted_cases_hold(file, monkeypatch):
    monkeypatch.setattr(Environment, "sql", lambda self, e, segments=None: Portable(self, e[0], segments))
    runner, accepted, wrong, total = Runner(), 0, [], 0
    for case, defaults in read_cases(file):
        if "error" in case or case["id"] in AT_THE_END_OF_TIME:
            continue
        total += 1
        try:
            result = runner.run(case, defaults)
        except Refusal:
            continue
        accepted += 1
        if not result.ok:
            wrong.append((result.id, result.got, result.expected, result.error))
    assert wrong == [], "\n".join(map(str, wrong))
    assert accepted >= total / 5, "the form refuses most cases"


def test_constants_are_tests():
    made = compile_dialect(ir.TRUE, "duckdb", Environment.from_short({}).settings)
    assert made.columns == ("pid",)
