"""`pql test`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import SchemaOption, by_project, environment, fail, read_sources, show


def test(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders.")] = None,
    schema: SchemaOption = None,
    only: Annotated[str, typer.Option("-k", help="Only tests whose name contains this.")] = "",
    format: Annotated[str, typer.Option("--format", "-f", help="text, json, junit, sarif or github.")] = "text",
) -> None:
    """Run the `test` blocks of `.pql` files: is everyone in the segment when they should be?

    Every expectation is asked of SQL, of the plain evaluator, and of the live engine, whose clock runs to its instant.

    Example: pql test examples
    """
    from pql.cli.trying import try_all
    from pql.diagnostics.render import FORMATS

    if format not in FORMATS:
        raise fail(f"no format `{format}`", "use one of " + ", ".join(FORMATS))
    results, failures, broken = 0, [], []
    for folder, files in by_project(paths or [Path(".")]).items():
        sources = read_sources(files)
        env = environment(schema, folder)
        project = env.project(sources)
        broken += [d for d in project.diagnostics if d.is_error]
        if project.ok:
            done = try_all(env, project, only)
            results += done.tests
            failures += done.failures
    if broken or failures or format != "text":
        show([*broken, *failures], format)
    failed = len({(d.source.name, d.message.split("`")[1]) for d in failures})
    if format == "text":
        typer.echo(f"{results - failed} passed, {failed} failed" + (", some files do not check" if broken else ""))
        if not results and not broken:
            raise fail(
                "no test to run", 'write one: test "name" { given profile { } at 2026-03-01T00:00:00Z expect in id }'
            )
    raise typer.Exit(1 if failures or broken else 0)
