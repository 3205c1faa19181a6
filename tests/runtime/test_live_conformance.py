"""Every conformance case in the repository holds on the live engine, transitions included."""

from pathlib import Path

import pytest

from pql.cli.conform import read_cases
from pql.cli.conform_stream import StreamRunner

FILES = sorted((Path(__file__).parent.parent / "conformance").glob("*.yaml"))
CASES = [(case, defaults) for file in FILES for case, defaults in read_cases(file)]
RUNNER = StreamRunner()


@pytest.mark.parametrize(("case", "defaults"), CASES, ids=[c["id"] for c, _ in CASES])
def test_case(case, defaults):
    result = RUNNER.run(case, defaults)
    assert result.ok, f"expected {result.expected}, got {result.got} {result.error}"


def test_wrong_transitions_fail():
    case = {"id": "x", "pql": "xEvent.count() = 1", "events": [{"timestamp": "2026-01-01T00:00:00Z"}], "expect": True,
            "at": "2026-01-02T00:00:00Z", "transitions": [["2026-01-01T00:00:00.000001Z", "entered"]]}  # fmt: skip
    result = RUNNER.run(case, {"schema": {}})
    assert not result.ok
    assert result.got == [["2026-01-01T00:00:00Z", "entered"]]
