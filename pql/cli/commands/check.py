"""`pql check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import FormatOption, SchemaOption, environment, read_sources, show


def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders.")] = None,
    expression: Annotated[
        str | None, typer.Option("-e", help="An expression (text or pql/json) instead of files.")
    ] = None,
    schema: SchemaOption = None,
    format: FormatOption = "text",
) -> None:
    """Report every finding: syntax, names, types. Example: pql check examples/online-retail"""
    if expression is not None:
        env = environment(schema)
        found = list(env.check_either(expression).diagnostics)
        show(found, format)
    else:
        sources = read_sources(paths or [Path(".")])
        env = environment(schema, (paths or [Path(".")])[0])
        found = list(env.project(sources).diagnostics)
        show(found, format, tuple(s.name for s in sources))
    raise typer.Exit(1 if any(d.is_error for d in found) else 0)
