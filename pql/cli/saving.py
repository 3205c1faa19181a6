"""What `pql run --save` keeps in the store: memberships since when, and computed attributes. Read `save_run`."""

from __future__ import annotations

import typer

from pql.cli.inputs import stopped
from pql.cli.running import Run
from pql.cli.waiting import waited
from pql.store.results import save_attributes, save_memberships
from pql.store.store import StoreError


def save_run(run: Run) -> None:
    """Evaluate once more into the store; says what changed on standard error."""
    conditions = [run.project.segments[id].condition for id in run.wanted]
    known, layout = run.project.conditions, run.store.layout
    sql = run.environment.sql(conditions, known, "values", layout).sql()
    attributes = run.project.attributes
    try:
        for s in waited(run.store, "saving", lambda: save_memberships(run.store, sql, run.wanted, run.at)):
            typer.echo(f"{s.segment}: {s.entered:,} entered, {s.exited:,} left, {s.stayed:,} stayed", err=True)
        if attributes:
            values = run.environment.sql(list(attributes.values()), known, "values", layout).sql()
            n = waited(
                run.store, "saving attributes", lambda: save_attributes(run.store, values, list(attributes), run.at)
            )
            typer.echo(f"{len(attributes)} attributes of {n:,} profiles", err=True)
    except StoreError as error:
        raise stopped(error) from None
