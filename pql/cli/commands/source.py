"""`pql source list|test`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import FormatOption, show
from pql.cli.sources import ProjectOption, chosen, source_project

source = typer.Typer(no_args_is_help=True, help="Sources: see, check and map them.")


@source.callback()
def _group() -> None:
    """Sources: see, check and map them."""


@source.command("list")
def list_(
    project: ProjectOption = Path("."),
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """The sources of a project: format, files, dataset, owner, labels, schedule.

    Example: pql source list --project examples/luma
    """
    import json

    from rich.console import Console
    from rich.table import Table

    found = source_project(project, strict=False)
    rows = [
        {"source": s.id, "format": s.format, "path": s.path, "files": len([f for f in s.files() if f.is_file()]), "dataset": s.dataset, "kind": s.kind,
         "owner": s.owner, "labels": list(s.labels), "schedule": s.schedule}
        for s in found.sources.values()
    ]  # fmt: skip
    if format == "json":
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        table = Table()
        for column in ("source", "format", "files", "dataset", "kind", "owner", "labels", "schedule"):
            table.add_column(column)
        for row in rows:
            table.add_row(*(" ".join(v) if isinstance(v := row[c.header], list) else str(v) for c in table.columns))  # type: ignore[index]
        Console().print(table)
    if not found.ok:
        show(list(found.diagnostics), "text", err=True)
        raise typer.Exit(1)


@source.command("test")
def test_(
    sources: Annotated[list[str] | None, typer.Argument(help="Ids of sources; all when none is named.")] = None,
    project: ProjectOption = Path("."),
    format: FormatOption = "text",
) -> None:
    """Check source files: settings, paths in the schema, expressions, schedules. Nothing is loaded.

    Example: pql source test --project examples/luma
    """
    found = source_project(project, strict=False)
    ids = chosen(found, list(sources or [])) or list(found.sources)
    show(list(found.diagnostics), format)
    del ids
    raise typer.Exit(1 if not found.ok else 0)
