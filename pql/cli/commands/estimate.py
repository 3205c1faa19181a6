"""`pql estimate`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from pql.cli.commands.run import AsOfOption, MemoryOption, StoreOption, TimeoutOption
from pql.cli.inputs import (
    PolicyOption,
    SchemaOption,
    either,
    environment,
    fail,
    instant,
    open_store,
    read_sources,
    show,
    stopped,
)


def estimate(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders.")] = None,
    expression: Annotated[str | None, typer.Option("-e", help="An expression instead of files.")] = None,
    schema: SchemaOption = None,
    store: StoreOption = None,
    as_of: AsOfOption = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    memory_limit: MemoryOption = "4GB",
    timeout: TimeoutOption = 0,
    policy: PolicyOption = None,
) -> None:
    """How many profiles a segment would have. The answer is exact: the whole store is counted.

    Example: pql estimate -e 'xEvent.count() > 10' --store shop.duckdb
    """
    from pql.api import StoreError
    from pql.cli.waiting import waited
    from pql.ir.nodes import TESTS

    either(paths, expression)
    near = (paths or [Path(".")])[0]
    env = environment(schema, near)
    if expression is not None:
        checked = env.check_either(expression)
        if not checked.ok:
            show(list(checked.diagnostics), "text")
            raise typer.Exit(1)
        if not isinstance(checked.ir, TESTS):
            raise fail("this expression is a value, not a segment", "ask for something true or false")
        conditions, known = {"expression": checked.ir}, {}
    else:
        project = env.project(read_sources(paths or [Path(".")]))
        if not project.ok:
            show([d for d in project.diagnostics if d.is_error], "text")
            raise typer.Exit(1)
        conditions, known = dict(project.conditions), project.conditions
    opened = open_store(store, env, near, memory_limit, timeout, index=True, policy=policy)
    at, started = instant(as_of), time.perf_counter()
    sql = env.sql(list(conditions.values()), known, "counts", opened.layout).sql()
    try:
        counts = waited(opened, "counting", lambda: opened.query(sql, {"now": at}))[0]
        total = int(opened.query("SELECT count(*) FROM profile", {})[0][0])
    except StoreError as error:
        raise stopped(error) from None
    spent = (time.perf_counter() - started) * 1000
    for id, n in zip(conditions, counts, strict=True):
        share = n / total if total else 0.0
        if format == "json":
            typer.echo(
                json.dumps({"segment": id, "members": n, "profiles": total, "share": round(share, 6), "exact": True})
            )
        else:
            typer.echo(f"{id}: {n:,} of {total:,} profiles ({share:.1%}), exact")
    if format != "json":
        typer.echo(f"as of {at.isoformat()}Z, in {spent:,.0f} ms", err=True)
