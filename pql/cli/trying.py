"""Runs the trials of a project on the engines: SQL, the plain evaluator, and the live engine on its clock. Read `try_all`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pql.api import Advance, Engine, Environment, Event, Project, Record, Store, StoreError
from pql.check.trials import Expectation, Trial
from pql.clock import Zone
from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.runtime import Evaluator


@dataclass
class Tried:
    """How many tests ran, and what failed, each at its `expect`."""

    tests: int = 0
    failures: list[Diagnostic] = field(default_factory=list)


def try_all(environment: Environment, project: Project, only: str = "") -> Tried:
    """Every trial whose name contains `only`, on every engine."""
    done, store = Tried(), Store.memory(environment.schema)
    zone = Zone(environment.settings.zone, environment.settings.week_start)
    plain = Evaluator(project.conditions, zone)
    store.lock()
    for trial in project.tests:
        if only.lower() not in trial.name.lower():
            continue
        done.tests += 1
        findings = Findings(trial.source)
        live = LiveTrial(environment, project, trial)
        for expectation in trial.expectations:
            _try(environment, project, store, plain, live, trial, expectation, findings)
        done.failures += findings.items
    return done


class LiveTrial:
    """A trial's person on the live engine. Events arrive at their instants, and between them the clock runs on: who leaves without
    an event leaves by a timer. Read `member`."""

    def __init__(self, environment: Environment, project: Project, trial: Trial) -> None:
        wanted = list(dict.fromkeys(e.segment for e in trial.expectations))
        self.plan, self.profile = environment.live_plan(project.conditions, wanted), trial.profile
        self.engine, self.fed = Engine(self.plan), 0

    def member(self, wanted: Expectation) -> bool:
        """The membership at an expectation's instant. Raises StoreError PQL0601."""
        self.feed(wanted.events, wanted.at)
        failure = next((f for f in self.engine.failures if f.at == wanted.at and f.segment == wanted.segment), None)
        if failure is not None:
            raise StoreError(failure.code, failure.message)
        return wanted.segment in self.engine.members(0)

    def feed(self, events: tuple[Mapping[str, Any], ...], at: datetime) -> None:
        """Brings the person to an instant; from the start again when the clock is beyond it."""
        if at < self.engine.clock:
            self.engine, self.fed = Engine(self.plan), 0
        if not self.fed:
            first = min([at, *(e["timestamp"] for e in events)])
            self.engine.apply((Record(0, self.profile, first),))
        for number in range(self.fed, len(events)):
            stamp = events[number]["timestamp"]
            self.engine.apply((Event(0, events[number], min(stamp, at), str(number)),))
        self.fed = len(events)
        self.engine.apply((Advance(at),))


def _try(
    environment: Environment,
    project: Project,
    store: Store,
    plain: Evaluator,
    live: LiveTrial,
    trial: Trial,
    wanted: Expectation,
    findings: Findings,
) -> None:
    condition = project.segments[wanted.segment].condition
    store.clear()
    store.load([(1, trial.profile)], [(1, e) for e in wanted.events])
    query = environment.sql([condition], project.conditions)
    try:
        answers = {
            "SQL": bool(store.query(query.sql(), {"now": wanted.at})[0][1]),
            "the plain evaluator": plain.evaluate(
                condition, trial.profile, [dict(e) for e in wanted.events], wanted.at
            ),
            "the live engine": live.member(wanted),
        }
    except StoreError as error:
        findings.report("PQL0510", wanted.span, f"test `{trial.name}`: {error.code}: {error}")
        return
    at = f"{wanted.at.isoformat()}Z"
    if len(set(answers.values())) > 1:
        said = ", ".join(f"{who} says {'in' if answer else 'not in'}" for who, answer in answers.items())
        message = f"test `{trial.name}`: the engines disagree on `{wanted.segment}` at {at}: {said}"
        findings.report("PQL0510", wanted.span, message, help="this is a defect of this program: please report it")
    elif answers["SQL"] != wanted.member:
        said = "is" if answers["SQL"] else "is not"
        wish = "in" if wanted.member else "not in"
        message = f"test `{trial.name}`: expected {wish} `{wanted.segment}`, but the profile {said} in it at {at}"
        findings.report("PQL0510", wanted.span, message)
