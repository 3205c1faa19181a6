"""Every conformance case in the repository holds on the reference evaluator too."""

from pathlib import Path

import pytest

from pql.api import read_short, write_value
from pql.cli.conform import UNSAID, asks_membership, equal, read_cases
from pql.source import Source
from pql.syntax import ast, parse_expression, parse_file
from pql.types import TIMESTAMP
from pql.xdm.values import read_event, read_profile, read_value
from tests.reference.evaluate import evaluate
from tests.reference.values import SumOutOfRange

FILES = sorted((Path(__file__).parent.parent / "conformance").glob("*.*l"))
CASES = [
    (case, defaults)
    for file in FILES
    for case, defaults in read_cases(file)
    if "error" not in case or case["error"] == "PQL0601"
]


def target(case):
    """The tree asked about, the project's segments, its definitions and attributes."""
    if "pql" in case:
        return parse_expression(Source("case", str(case["pql"])))[0], {}, {}
    file, _ = parse_file(Source("case", str(case["source"])))
    segments = {d.id: d.where for d in file.declarations if isinstance(d, ast.Segment)}
    named = {d.display: d.where for d in file.declarations if isinstance(d, ast.Segment) and d.display}
    names = {d.name: d.value for d in file.declarations if isinstance(d, ast.Define | ast.Attribute)}
    wanted = case.get("segment") or next(iter(segments))
    return segments[wanted], {**named, **segments}, names


def answers(case, defaults):
    schema, found = read_short(case.get("schema", defaults.get("schema", {})))
    assert not found
    settings = {**(defaults.get("settings") or {}), **(case.get("settings") or {})}
    tree, segments, names = target(case)
    many = isinstance(case.get("at"), list)
    result = []
    for person in case.get("members") or [case]:
        profile, _ = read_profile(person.get("profile") or {}, schema, True)
        events = [read_event(e, schema, True)[0] for e in person.get("events") or []]
        for instant in case["at"] if many else [case.get("at", UNSAID)]:
            now, _ = read_value(instant, TIMESTAMP)
            value = evaluate(tree, schema, profile, events, now, segments, names=names, **settings)
            result.append(bool(value) if asks_membership(case) else write_value(value))
    return result if many or "members" in case else result[0]


@pytest.mark.parametrize(("case", "defaults"), CASES, ids=[c["id"] for c, _ in CASES])
def test_case(case, defaults):
    if "error" in case:
        with pytest.raises(SumOutOfRange):
            answers(case, defaults)
        return
    expected = [m.get("in") for m in case["members"]] if "members" in case else case["expect"]
    got = answers(case, defaults)
    assert equal(got, expected), f"expected {expected}, got {got}"
