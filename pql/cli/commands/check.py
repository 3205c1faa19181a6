"""`pql check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import (
    FormatOption,
    SchemaOption,
    by_project,
    either,
    environment,
    exemption_day,
    read_sources,
    show,
)


def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders.")] = None,
    expression: Annotated[
        str | None, typer.Option("-e", help="An expression (text or pql/json) instead of files.")
    ] = None,
    schema: SchemaOption = None,
    format: FormatOption = "text",
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The day on which exemptions are asked about: today, or one to come.")
    ] = None,
) -> None:
    """Report every finding: syntax, names, types, and what policies do not allow. Example: pql check examples/online-retail"""
    either(paths, expression)
    if expression is not None:
        env = environment(schema)
        found = list(env.check_either(expression).diagnostics)
        show(found, format)
    else:
        from pql.cli.governing import governance_findings

        found, names = [], []
        for near, files in by_project(paths or [Path(".")]).items():
            sources = read_sources(files, found)
            env = environment(schema, near)
            project = env.project(sources)
            found += project.diagnostics
            found += governance_findings(near, schema, sources, project, env, exemption_day(as_of))
            names += [str(file) for file in files]
        show(found, format, tuple(names))
    raise typer.Exit(1 if any(d.is_error for d in found) else 0)
