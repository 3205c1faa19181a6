"""Runs the trials of a project on the engines. Read `try_all`."""

from __future__ import annotations

from dataclasses import dataclass, field

from pql.api import Environment, Project, Store, StoreError
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
    """Every trial whose name contains `only`, on SQL and on the plain evaluator."""
    done, store = Tried(), Store.memory(environment.schema)
    zone = Zone(environment.settings.zone, environment.settings.week_start)
    plain = Evaluator(project.conditions, zone)
    store.lock()
    for trial in project.tests:
        if only.lower() not in trial.name.lower():
            continue
        done.tests += 1
        findings = Findings(trial.source)
        for expectation in trial.expectations:
            _try(environment, project, store, plain, trial, expectation, findings)
        done.failures += findings.items
    return done


def _try(
    environment: Environment,
    project: Project,
    store: Store,
    plain: Evaluator,
    trial: Trial,
    wanted: Expectation,
    findings: Findings,
) -> None:
    condition = project.segments[wanted.segment].condition
    store.clear()
    store.load([(1, trial.profile)], [(1, e) for e in wanted.events])
    query = environment.sql([condition], project.conditions)
    try:
        batch = bool(store.query(query.sql(), {"now": wanted.at})[0][1])
    except StoreError as error:
        findings.report("PQL0510", wanted.span, f"test `{trial.name}`: {error.code}: {error}")
        return
    direct = plain.evaluate(condition, trial.profile, [dict(e) for e in wanted.events], wanted.at)
    at = f"{wanted.at.isoformat()}Z"
    if batch != direct:
        message = f"test `{trial.name}`: the engines disagree on `{wanted.segment}` at {at}: a defect of this program"
        findings.report("PQL0510", wanted.span, message)
    elif batch != wanted.member:
        said = "is" if batch else "is not"
        wish = "in" if wanted.member else "not in"
        message = f"test `{trial.name}`: expected {wish} `{wanted.segment}`, but the profile {said} in it at {at}"
        findings.report("PQL0510", wanted.span, message)
