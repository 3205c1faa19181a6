"""`pql load`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pql.cli.consoles import console
from pql.cli.inputs import fail
from pql.cli.sources import ProjectOption, StoreOption, chosen, source_project, writable_store


def load(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Ids of sources; all of the project when none is named.")
    ] = None,
    project: ProjectOption = Path("."),
    store: StoreOption = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    unify: Annotated[
        bool, typer.Option("--unify/--no-unify", help="Stitch identities and merge profiles afterwards.")
    ] = True,
    memory_limit: Annotated[str, typer.Option(help="Memory for the database, such as 2GB.")] = "2GB",
) -> None:
    """Load sources into the profile store: read = stored + duplicates + quarantined. Loading again stores nothing twice.

    Each file is one transaction. Exit code 1 when rows went to quarantine or a file could not be read.

    Example: pql load --project examples/luma
    """
    from pql.api import StoreError
    from pql.cli.people import unified

    if format not in ("text", "json"):
        raise fail(f"no format `{format}`", "use text or json")
    found = source_project(project)
    ids = chosen(found, list(sources or []))
    opened = writable_store(store, found, memory_limit)
    try:
        loaded = _loaded(found, opened, ids, format)
        stitched = unified(opened, found) if unify else None
        opened.close()
    except StoreError as error:
        raise fail(f"{error.code}: {error}") from None
    _report(found, loaded, stitched, format)
    raise typer.Exit(1 if any(x.problem is not None or x.counts.quarantined > x.counts.deleted for x in loaded) else 0)


def _loaded(project: Any, store: Any, ids: list[str], format: str) -> Any:
    from pql.cli.progress import LoadProgress

    with LoadProgress(quiet=format != "text") as progress:
        return project.load(store, ids, progress.note)


def _report(project: Any, loaded: Any, stitched: Any, format: str) -> None:
    import json
    from collections import Counter
    from dataclasses import asdict
    from os.path import normpath

    from rich.table import Table
    from rich.text import Text

    from pql.cli.inputs import show

    if format == "json":
        rows = [
            {"source": x.source, "dataset": project.sources[x.source].dataset, "file": str(x.file), **asdict(x.counts),
             "problem": x.problem.message if x.problem else None}
            for x in loaded
        ]  # fmt: skip
        typer.echo(
            json.dumps(
                {"files": rows, "unified": asdict(stitched) if stitched is not None else None}, ensure_ascii=False
            )
        )
        return
    table = Table(title="loaded")
    table.add_column("source")
    table.add_column("file", overflow="fold")
    for column in ("read", "stored", "duplicates", "quarantined"):
        table.add_column(column, justify="right", no_wrap=True)
    total, named = [0, 0, 0, 0], Counter((x.source, x.file.name) for x in loaded)
    for x in loaded:
        numbers = [x.counts.read, x.counts.stored, x.counts.duplicates, x.counts.quarantined]
        total = [a + b for a, b in zip(total, numbers, strict=True)]
        alike = named[x.source, x.file.name] > 1  # in several folders
        table.add_row(x.source, Text(normpath(x.file) if alike else x.file.name), *(f"{n:,}" for n in numbers))
    table.add_section()
    read = sum(x.problem is None for x in loaded)
    table.add_row("all", f"{read:,} file{'s' * (read != 1)}", *(f"{n:,}" for n in total))
    console().print(table)
    problems = [x.problem for x in loaded if x.problem is not None]
    if problems:
        show(problems, "text", err=True)
    deleted = sum(x.counts.deleted for x in loaded)
    if total[3] > deleted:
        typer.echo(f"{total[3] - deleted:,} rows are in quarantine: `pql quarantine list`", err=True)
    if deleted:
        typer.echo(
            f"{deleted:,} rows tell of deleted people: counted as quarantined, and nothing of them was kept", err=True
        )
    if stitched is not None:
        from pql.cli.people import unified_words

        typer.echo(unified_words(stitched))
