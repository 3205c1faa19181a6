"""`test` blocks on the live engine."""

from __future__ import annotations

import pytest

from pql.cli import trying
from pql.source import Source
from tests.streams.project import ENVIRONMENT, SEGMENTS

TEST = """
test "by timers" {
  given profile { "tier": "gold" }
  at 2026-01-01T00:00:00Z event { "eventType": "p" }
  expect in bought
  after 7 days expect in bought
  after 7 days 1 second expect not in bought
  after 3 days expect in bought
  at 2026-01-05T00:00:00Z event { "eventType": "p" }
  after 7 days expect in bought
  after 30 days expect in lapsed
}
"""


def tried(text: str) -> list[str]:
    project = ENVIRONMENT.project([Source("t.pql", SEGMENTS + text)])
    assert project.ok, project.diagnostics
    return [d.message for d in trying.try_all(ENVIRONMENT, project).failures]


def test_expectations_are_met_by_timers() -> None:
    assert tried(TEST) == []


def test_a_wrong_expectation_fails_once() -> None:
    assert tried(TEST.replace("after 30 days expect in", "after 30 days expect not in")) == [
        "test `by timers`: expected not in `lapsed`, but the profile is in it at 2026-02-04T00:00:00Z"
    ]


def test_a_disagreement_names_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying.LiveTrial, "member", lambda self, wanted: not wanted.member)
    messages = tried('test "t" { given profile { "tier": "gold" } at 2026-01-01T00:00:00Z expect in gold }')
    assert messages == [
        "test `t`: the engines disagree on `gold` at 2026-01-01T00:00:00Z: SQL says in, the plain evaluator says in, the live engine says not in"
    ]
