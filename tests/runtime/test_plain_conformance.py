"""Every conformance case in the repository holds on the plain evaluator of the typed tree too."""

from pathlib import Path

import pytest

from pql.api import Environment, read_short, write_value
from pql.cli.conform import UNSAID, Runner, equal, read_cases, read_settings
from pql.clock import Zone
from pql.runtime import Evaluator, OutOfRange
from pql.types import TIMESTAMP
from pql.xdm.values import read_event, read_profile, read_value

FILES = sorted((Path(__file__).parent.parent / "conformance").glob("*.*l"))
CASES = [
    (case, defaults)
    for file in FILES
    for case, defaults in read_cases(file)
    if "error" not in case or case["error"] == "PQL0601"
]
RUNNER = Runner()


def answers(case, defaults):
    schema, _ = read_short(case.get("schema", defaults.get("schema", {})))
    settings = read_settings(defaults.get("settings"), case.get("settings"))
    target, segments, _ = RUNNER._target(case, Environment(schema, settings))
    evaluator = Evaluator(segments, Zone(settings.zone, settings.week_start))
    many = isinstance(case.get("at"), list)
    result = []
    for person in case.get("members") or [case]:
        profile, _ = read_profile(person.get("profile") or {}, schema, True)
        events = [read_event(e, schema, True)[0] for e in person.get("events") or []]
        for instant in case["at"] if many else [case.get("at", UNSAID)]:
            now, _ = read_value(instant, TIMESTAMP)
            result.append(write_value(evaluator.evaluate(target, profile, events, now)))
    return result if many or "members" in case else result[0]


@pytest.mark.parametrize(("case", "defaults"), CASES, ids=[c["id"] for c, _ in CASES])
def test_case(case, defaults):
    if "error" in case:
        with pytest.raises(OutOfRange):
            answers(case, defaults)
        return
    expected = [m["in"] for m in case["members"]] if "members" in case else case["expect"]
    got = answers(case, defaults)
    assert equal(got, expected), f"expected {expected}, got {got}"
