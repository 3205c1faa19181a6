"""Every conformance case in the repository holds on the DuckDB engine."""

from pathlib import Path

import pytest

from pql.cli.conform import Runner, read_cases

FILES = sorted((Path(__file__).parent.parent / "conformance").glob("*.*l"))
CASES = [(case, defaults) for file in FILES for case, defaults in read_cases(file)]
RUNNER = Runner()


@pytest.mark.parametrize(("case", "defaults"), CASES, ids=[c["id"] for c, _ in CASES])
def test_case(case, defaults):
    result = RUNNER.run(case, defaults)
    assert result.ok, f"expected {result.expected}, got {result.got} {result.error}"


def test_a_wrong_expectation_fails():
    case = {"id": "x", "pql": "1 + 1", "at": "2026-01-01T00:00:00Z", "expect": 3}
    assert not RUNNER.run(case, {"schema": {}}).ok
