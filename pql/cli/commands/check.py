"""`pql check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import FormatOption, SchemaOption, by_project, environment, read_sources, show


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
        found, names = [], []
        for near, files in by_project(paths or [Path(".")]).items():
            sources = read_sources(files)
            found += environment(schema, near).project(sources).diagnostics
            names += [s.name for s in sources]
        show(found, format, tuple(names))
    raise typer.Exit(1 if any(d.is_error for d in found) else 0)
