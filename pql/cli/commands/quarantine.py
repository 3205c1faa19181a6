"""`pql quarantine list|show|replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pql.cli.inputs import fail
from pql.cli.sources import ProjectOption, StoreOption, chosen, readable_store, source_project, writable_store

quarantine = typer.Typer(no_args_is_help=True, help="Rows that did not fit: see them, replay them after a fix.")
SourceOption = Annotated[str | None, typer.Option("--source", help="Only rows of this source.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only rows with this code, such as PQL0825.")]


@quarantine.callback()
def _group() -> None:
    """Rows that did not fit: see them, replay them after a fix."""


@quarantine.command("list")
def list_(
    project: ProjectOption = Path("."),
    store: StoreOption = None,
    source: SourceOption = None,
    code: CodeOption = None,
    all: Annotated[bool, typer.Option("--all", help="Also rows that were replayed.")] = False,
    rows: Annotated[bool, typer.Option("--rows", help="Every row instead of heaps of like ones.")] = False,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """What is in quarantine and why. Exit code 1 when something is.

    Example: pql quarantine list --project examples/luma --source crm
    """
    import json
    from dataclasses import asdict

    from pql.store.quarantine import count_refused, list_refused

    found = source_project(project, strict=False)
    opened = readable_store(store, found)
    if source is not None and not list_refused(opened, source, state=None, most=1):
        chosen(found, [source])  # rows of a source that the project has no longer are listed all the same
    code = _known_code(opened, code)
    state = None if all else "open"
    items: list[Any] = list(
        list_refused(opened, source, code, state) if rows else count_refused(opened, source, code, state)
    )
    if format == "json":
        for item in items:
            typer.echo(json.dumps(asdict(item), ensure_ascii=False, default=str))
    elif not items:
        typer.echo("nothing is in quarantine")
    else:
        _print(items, rows, found)
    raise typer.Exit(1 if items and not all else 0)


def _known_code(store: Any, code: str | None) -> str | None:
    """The code, in capitals; exit code 2 when there is none such, with those that rows in quarantine have."""
    from pql.diagnostics.codes import CODES
    from pql.diagnostics.suggest import did_you_mean
    from pql.store.quarantine import codes_present

    if code is None or code.upper() in CODES:
        return code and code.upper()
    present = codes_present(store)
    if code in present:
        return code
    near = did_you_mean(code, present) or did_you_mean(code, CODES)
    there = "rows in quarantine have " + ", ".join(f"`{c}`" for c in present) if present else "nothing is in quarantine"
    raise fail(f"there is no code `{code[:80]}`", f"{near} {there}".strip())


def _place(item: Any, project: Any) -> tuple[str, str]:
    """What the number of a row counts, by its source's format, or by its file when the source is gone; and the number."""
    from pql.ingest.source_file import place_word

    source = project.sources.get(item.source)
    by_file = "http" if item.file == "http" else item.file.removesuffix(".gz").rsplit(".", 1)[-1]
    return place_word(by_file if source is None else source.format), f"{item.line:,}"


def _print(items: list[Any], rows: bool, project: Any) -> None:
    from dataclasses import asdict

    from rich.table import Table
    from rich.text import Text

    from pql.cli.consoles import console

    columns = (
        ("id", "source", "place", "code", "path", "message", "state")
        if rows
        else ("rows", "source", "code", "path", "message")
    )
    table = Table()
    for column in columns:
        table.add_column(column, justify="right" if column in ("id", "rows") else "left")
    for item in items:
        row = asdict(item)
        if rows:
            row["place"] = " ".join(_place(item, project))
        if row.get("messages", 1) > 1:
            row["message"] = f"such as: {row['message']}"
        table.add_row(*(Text(f"{v:,}" if isinstance(v := row[c], int) else str(v)) for c in columns))
    console().print(table)


@quarantine.command("show")
def show_row(
    ids: Annotated[list[int], typer.Argument(help="Numbers of rows, from `pql quarantine list --rows`.")],
    project: ProjectOption = Path("."),
    store: StoreOption = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Single rows whole: where they came from, what is wrong, and the raw record.

    Example: pql quarantine show 17
    """
    import json
    from dataclasses import asdict

    from pql.store.quarantine import list_refused

    found = source_project(project, strict=False)
    items = list_refused(readable_store(store, found), state=None, ids=ids)
    for item in items:
        if format == "json":
            typer.echo(json.dumps(asdict(item), ensure_ascii=False, default=str))
            continue
        word, number = _place(item, found)
        where = (f"{item.file}:{item.line}" if word == "line" else f"{item.file}, {word} {number}") + (
            f", `{item.path}`" if item.path else ""
        )
        typer.echo(
            f"{item.id}  {item.code}  {item.state}\n  {item.message}\n  source {item.source}, {where}\n  {item.raw[:4000]}"
        )

    _all_there(ids, items)


def _all_there(ids: list[int], items: list[Any]) -> None:
    """Exit code 2 when there are no rows of some numbers."""
    missing = sorted(set(ids) - {i.id for i in items})
    if not missing:
        return
    numbers = ", ".join(str(n) for n in missing[:20]) + (" …" if len(missing) > 20 else "")
    raise fail(
        f"no row {numbers} is in quarantine" if len(missing) == 1 else f"no rows {numbers} are in quarantine",
        "`pql quarantine list --rows` shows their numbers",
    )


def _replayable(store: Any, source: str | None, code: str | None, ids: list[int]) -> list[Any]:
    """The open rows that are asked for. Of numbers that are not among them it is said why; when there is none of a number, nothing is done."""
    from pql.store.quarantine import list_refused

    rows = list_refused(store, source, code, "open", ids)
    if ids:
        named = list_refused(store, state=None, ids=ids)
        _all_there(ids, named)
        open_ = {r.id for r in rows}
        for row in (r for r in named if r.id not in open_):
            why = f"is {row.state}" if row.state != "open" else f"has code {row.code} and is of source `{row.source}`"
            typer.echo(f"row {row.id} {why}: it is left alone", err=True)
    return rows


@quarantine.command("replay")
def replay_rows(
    ids: Annotated[list[int] | None, typer.Argument(help="Numbers of rows; all open ones when none is named.")] = None,
    project: ProjectOption = Path("."),
    store: StoreOption = None,
    source: SourceOption = None,
    code: CodeOption = None,
    unify: Annotated[
        bool, typer.Option("--unify/--no-unify", help="Stitch identities and merge profiles afterwards.")
    ] = True,
) -> None:
    """Map rows again, as the source files stand now. What fits leaves quarantine. Exit code 1 when something stays.

    Stitches afterwards, as `pql load` does.

    Example: pql quarantine replay --source crm
    """
    from pql.api import StoreError
    from pql.cli.people import unified, unified_words
    from pql.ingest.files import BadFile
    from pql.ingest.replay import replay

    found = source_project(project)
    if source is not None:
        chosen(found, [source])
    opened = writable_store(store, found, make=False)
    code = _known_code(opened, code)
    rows = _replayable(opened, source, code, list(ids or []))
    try:
        counts = replay(opened, found, rows)
        stitched = unified(opened, found) if unify else None
        opened.close()
    except (StoreError, BadFile) as error:
        raise fail(f"{getattr(error, 'code', 'PQL0824')}: {error}") from None
    typer.echo(
        f"{counts.read:,} replayed: {counts.stored:,} stored, {counts.duplicates:,} duplicates, {counts.quarantined:,} stay in quarantine"
    )
    if stitched is not None:
        typer.echo(unified_words(stitched))
    orphans = [r for r in rows if r.source not in found.sources]
    if orphans:
        names = ", ".join(f"`{s}`" for s in sorted({r.source for r in orphans}))
        typer.echo(f"{len(orphans):,} left as they are: the project has no source {names} any more", err=True)
    if counts.deleted:
        typer.echo(f"{counts.deleted:,} of them tell of deleted people: nothing of them was kept", err=True)
    raise typer.Exit(1 if orphans or counts.quarantined > counts.deleted else 0)
