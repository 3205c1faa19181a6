"""`pql source list|preview|map|test|functions`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pql.cli.inputs import FormatOption, fail, show
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

    from rich.table import Table

    from pql.cli.consoles import console

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
        console().print(table)
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
    text = format == "text"
    if text and found.diagnostics:
        show(list(found.diagnostics), format)
    findings, files = list(found.diagnostics), [str(found.sources[id].file) for id in ids]
    for id in ids if found.ok else []:
        findings += _tried(found, id, files, text)
    if not text:
        show(findings, format, tuple(dict.fromkeys(files)))
    raise typer.Exit(1 if any(d.is_error for d in findings) else 0)


LISTED = 10


def _tried(project: Any, id: str, files: list[str], say: bool) -> list[Any]:
    """What is wrong with a sample of a source; with `say` in words as well. The file that was looked at goes into `files`."""
    import os.path

    from pql.ingest.files import BadFile
    from pql.ingest.project import finding
    from pql.ingest.sample import sample_findings, sample_source, sample_words, source_fields

    one = project.sources[id]
    if one.format == "http":
        if say:
            typer.echo(f"{id}: a stream, nothing to sample")
        return []
    try:
        rows = sample_source(project.plan(id), project.schema, 1000)
        fields = source_fields(one.files()[0], one, one.format, dict(one.options))
    except (BadFile, IndexError) as error:
        if say:
            typer.echo(f"{id}: PQL0824: cannot be read: {error or one.path}", err=True)
        return finding("PQL0824", f"source `{id}` cannot be read: {error or one.path}", str(one.file))
    file = os.path.normpath(one.files()[0])
    files.append(file)
    in_lines = one.format not in ("json", "parquet")
    if say:
        _say_tried(one, len(rows), sample_words(rows, in_lines), fields)
    return sample_findings(file, rows, in_lines)


def _say_tried(one: Any, rows: int, wrong: list[str], fields: Any) -> None:
    from pql.ingest.tree import references

    typer.echo(f"{one.id}: {rows:,} records sampled, {len(wrong):,} do not fit")
    for words in wrong[:LISTED]:
        typer.echo(f"  {words}")
    if len(wrong) > LISTED:
        typer.echo(f"  and {len(wrong) - LISTED:,} more: `pql source test {one.id} --format json` has them all")
    ordered = references(one.order_by) if one.order_by is not None else ()
    read = one.mapping.references() | {".".join(r.steps) for r in ordered if not r.variable}
    unread = [f for f in fields if not any(f == r or f.startswith(f"{r}.") for r in read)]
    if unread:
        typer.echo("  no line reads " + ", ".join(f"`{f}`" for f in unread[:12]) + (" …" if len(unread) > 12 else ""))


@source.command("preview")
def preview(
    name: Annotated[str, typer.Argument(help="The id of a source.")],
    project: ProjectOption = Path("."),
    rows: Annotated[int, typer.Option(help="How many records.", min=1, max=1000)] = 3,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """The first records of a source, raw and mapped side by side. Nothing is loaded. Exit code 1 when one does not fit.

    Example: pql source preview crm --project examples/luma
    """
    import json

    from rich.table import Table
    from rich.text import Text

    from pql.cli.consoles import console
    from pql.ingest.files import BadFile
    from pql.ingest.sample import refusal_words, sample_source

    found = source_project(project)
    chosen(found, [name])
    try:
        sampled = sample_source(found.plan(name), found.schema, rows)
    except BadFile as error:
        raise fail(f"PQL0824: source `{name}` cannot be read: {error}") from None
    table = Table(title=name, show_lines=True)
    for column in ("line", "raw", "mapped"):
        table.add_column(column)
    for row in sampled:
        problem = (
            None
            if row.refused is None
            else {"code": row.refused.code, "path": row.refused.path, "message": row.refused.message}
        )
        if format == "json":
            typer.echo(
                json.dumps(
                    {"line": row.line, "raw": row.raw, "mapped": row.mapped, "problem": problem}, ensure_ascii=False
                )
            )
            continue
        mapped = (
            json.dumps(row.mapped, ensure_ascii=False, indent=1)
            if row.refused is None
            else f"{row.refused.code} {refusal_words(row.refused)}"
        )
        raw = row.raw if isinstance(row.raw, str) else json.dumps(row.raw, ensure_ascii=False, indent=1)
        table.add_row(str(row.line), Text(raw[:3000]), Text(mapped[:3000]))
    if format != "json":
        console().print(table)
    raise typer.Exit(1 if any(r.refused is not None for r in sampled) else 0)


@source.command("map")
def map_(
    file: Annotated[Path, typer.Argument(help="A data file, such as people.csv.")],
    auto: Annotated[bool, typer.Option("--auto", help="Propose the lines; what this command is for.")] = True,
    project: ProjectOption = Path("."),
    kind: Annotated[str, typer.Option(help="record or event.")] = "record",
    data: Annotated[
        str | None, typer.Option("--data-format", help="json, jsonl, csv or parquet; else by the file's name.")
    ] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text, yaml or json.")] = "text",
) -> None:
    """Propose a mapping for a file: for each field an XDM path, the expression, a confidence and the reasons.

    Example: pql source map --auto profiles/luma/luma-crm.json --project examples/luma
    """
    from pql.cli.inputs import environment
    from pql.ingest.files import BadFile
    from pql.ingest.propose import propose
    from pql.ingest.sample import source_fields
    from pql.ingest.source_file import FORMATS, columns_of, document_type

    del auto
    chosen_format = data or file.name.removesuffix(".gz").rsplit(".", 1)[-1].replace("ndjson", "jsonl")
    columns = columns_of(environment(None, project).schema, kind) if kind in ("record", "event") else None
    if chosen_format not in FORMATS[:4] or columns is None:
        raise fail(
            f"no proposal for format `{chosen_format}` and kind `{kind}`", "name them with `--data-format` and `--kind`"
        )
    if not file.is_file():
        raise fail(f"there is no file `{file}`")
    try:
        fields = source_fields(file, None, chosen_format, {})
    except BadFile as error:
        raise fail(f"PQL0824: `{file}` cannot be read: {error}") from None
    _proposed(propose(fields, document_type(columns, kind), chosen_format == "csv"), format)


def _proposed(proposals: Any, format: str) -> None:
    import json
    from dataclasses import asdict

    import yaml
    from rich.table import Table
    from rich.text import Text

    from pql.cli.consoles import console

    if format == "json":
        typer.echo(json.dumps([asdict(p) for p in proposals], ensure_ascii=False))
        return
    if format == "yaml":
        lines = {p.target: p.expression for p in proposals if p.target}
        typer.echo(yaml.safe_dump({"mapping": lines}, sort_keys=False, allow_unicode=True), nl=False)
        return
    table = Table()
    for column in ("source field", "XDM path", "expression", "confidence", "why"):
        table.add_column(column)
    for p in proposals:
        sure = f"{p.confidence:.0%}" if p.target else ""
        table.add_row(*(Text(v) for v in (p.field, p.target or "-", p.expression, sure, "; ".join(p.reasons))))
    console().print(table)


@source.command("functions")
def functions() -> None:
    """The functions that a mapping may call, with an example each.

    Example: pql source functions
    """
    from pql.ingest.functions import RECORDS

    for record in RECORDS:
        if not record.operator:
            typer.echo(f"{record.signature}\n    {record.doc}  {record.examples[0].expression}")
    typer.echo("map(list, x => …), filter(list, x => …), to_array(…), lookup(table, key, field): see docs/INGESTION.md")
