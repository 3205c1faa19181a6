"""What `pql run --save` keeps in the store: memberships since when, and computed attributes. Read `save_run`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import typer

from pql.cli.running import Run
from pql.cli.waiting import waited
from pql.store.history import StoredPerson, people_after
from pql.store.results import Attribute, save_attributes, save_memberships
from pql.store.store import StoreError

CHUNK = 500


def save_run(run: Run) -> None:
    """Evaluate once more into the store; says what changed on standard error."""
    conditions = [run.project.segments[id].condition for id in run.wanted]
    known, layout = run.project.conditions, run.store.layout
    sql = run.environment.sql(conditions, known, "values", layout).sql()
    try:
        for s in waited(run.store, "saving", lambda: save_memberships(run.store, sql, run.wanted, run.at)):
            typer.echo(f"{s.segment}: {s.entered:,} entered, {s.exited:,} left, {s.stayed:,} stayed", err=True)
        if run.project.attributes:
            n, failed = waited(run.store, "saving attributes", lambda: save_values(run))
            typer.echo(f"{len(run.project.attributes)} attributes of {n:,} profiles", err=True)
            for name in failed:
                typer.echo(f"PQL0601: `{name}` is null for some profiles: a sum lies outside its range", err=True)
    except StoreError as error:
        raise run.stopped(error) from None


def save_values(run: Run) -> tuple[int, list[str]]:
    """One statement for all; where that meets a sum out of range, the attributes with one are evaluated person by person."""
    attributes = [_attribute(run, name) for name in run.project.attributes]
    try:
        return save_attributes(run.store, _sql(run, list(run.project.attributes)), attributes, run.at)
    except StoreError as error:
        if error.code != "PQL0601":
            raise
    beyond = {name for name in run.project.attributes if _beyond(run, name)}
    rest = [name for name in run.project.attributes if name not in beyond]
    attributes = [replace(a, values=_values(run, a.name)) if a.name in beyond else a for a in attributes]
    return save_attributes(run.store, _sql(run, rest) if rest else None, attributes, run.at)


def _attribute(run: Run, name: str) -> Attribute:
    value = run.project.attributes[name]
    reads = run.environment.lineage(value, run.project.conditions)
    labels = run.environment.labels(value, run.project.conditions)
    return Attribute(name, value.type, sorted(labels), sorted({r.path for r in reads}))


def _sql(run: Run, names: list[str]) -> str:
    values = [run.project.attributes[name] for name in names]
    return run.environment.sql(values, run.project.conditions, "values", run.store.layout).sql()


def _beyond(run: Run, name: str) -> bool:
    """Is a sum of an attribute out of range for somebody?"""
    try:
        run.store.query(f"SELECT max(hash(c0)) FROM ({_sql(run, [name])})", {"now": run.at})
    except StoreError as error:
        if error.code != "PQL0601":
            raise
        return True
    return False


def _values(run: Run, name: str) -> Iterator[list[tuple[int, Any]]]:
    """The values of an attribute for everybody, in chunks; `...` where a sum is out of range."""
    value, after = run.project.attributes[name], None
    while people := people_after(run.store, after, CHUNK):
        after = people[-1].pid
        yield [(p.pid, _value(run, value, p)) for p in people]


def _value(run: Run, value: Any, person: StoredPerson) -> Any:
    try:
        return run.environment.value(value, person.record or {}, person.events, run.at, run.project.conditions)
    except StoreError:
        return ...
