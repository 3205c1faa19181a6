"""`pql compile`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import SchemaOption, environment, read_sources, show


def compile_(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders.")] = None,
    expression: Annotated[str | None, typer.Option("-e", help="An expression instead of files.")] = None,
    schema: SchemaOption = None,
) -> None:
    """Print the DuckDB SQL, with the parameter $now. Example: pql compile -s schema.yaml -e 'person.age > 3'"""
    if expression is not None:
        env = environment(schema)
        checked = env.check(expression)
        if not checked.ok:
            show(list(checked.diagnostics), "text")
            raise typer.Exit(1)
        typer.echo(env.sql([checked.ir]).tree.sql("duckdb", pretty=True))
        return
    sources = read_sources(paths or [Path(".")])
    env = environment(schema, (paths or [Path(".")])[0])
    project = env.project(sources)
    if not project.ok:
        show([d for d in project.diagnostics if d.is_error], "text")
        raise typer.Exit(1)
    for id, segment in project.segments.items():
        sql = env.sql([segment.condition], project.conditions).tree.sql("duckdb", pretty=True)
        typer.echo(f"-- {id}\n{sql};\n")
