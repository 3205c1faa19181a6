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
    """What is wrong with a sample of every file of a source; with `say` in words as well. The files that were looked at go into `files`."""
    from pql.ingest.files import BadFile
    from pql.ingest.project import finding
    from pql.ingest.sample import sample_every_file, sample_findings
    from pql.ingest.source_file import place_word

    one = project.sources[id]
    if one.format == "http":
        if say:
            typer.echo(f"{id}: a stream, nothing to sample")
        return []
    unread: str = "" if one.files() else f"no file matches `{one.path}`"
    try:
        sampled = sample_every_file(project.plan(id), project.schema) if not unread else []
    except BadFile as error:
        unread = f"a look-up cannot be read: {error}"
    if unread:
        if say:
            typer.echo(f"{id}: PQL0824: {unread}", err=True)
        return finding("PQL0824", f"source `{id}`: {unread}", str(one.file))
    in_lines = place_word(one.format) == "line"
    if say:
        _say_tried(one, sampled, in_lines)
    found: list[Any] = []
    for file in sampled:
        files.append(_plain(file.file))
        if file.problem:
            found += finding(
                "PQL0824", f"source `{id}`: `{_plain(file.file)}` cannot be read: {file.problem}", files[-1]
            )
        found += sample_findings(files[-1], file.rows, in_lines)
    return found


def _plain(file: Path) -> str:
    import os.path

    return os.path.normpath(file)


def _say_tried(one: Any, sampled: list[Any], in_lines: bool) -> None:
    from pql.ingest.sample import sample_words, sampled_fields
    from pql.ingest.tree import references

    rows, several = sum(len(f.rows) for f in sampled), len(sampled) > 1
    for file in (f for f in sampled if f.problem):
        typer.echo(f"{one.id}: PQL0824: `{_plain(file.file)}` cannot be read: {file.problem}", err=True)
    wrong = [[f"{_plain(f.file)}, {w}" if several else w for w in sample_words(f.rows, in_lines)] for f in sampled]
    wrong = [words for words in wrong if words]
    bad = sum(map(len, wrong))
    read = f"{len(sampled):,} file{'s' * several}, {rows:,} record{'s' * (rows != 1)} sampled"
    if cut := [len(f.rows) for f in sampled if not f.whole]:
        read += f" (at most {max(cut):,} of each)" if several else " (the first)"
    typer.echo(f"{one.id}: {read}, {bad:,} do not fit" + (f", in {len(wrong):,} files" if several and bad else ""))
    each = max(1, -(-LISTED // max(len(wrong), 1)))
    listed = [words for of_file in wrong for words in of_file[:each]][:LISTED]
    for words in listed:
        typer.echo(f"  {words}")
    if bad > len(listed):
        typer.echo(f"  and {bad - len(listed):,} more: `pql source test {one.id} --format json` has them all")
    ordered = references(one.order_by) if one.order_by is not None else ()
    taken = one.mapping.references() | {".".join(r.steps) for r in ordered if not r.variable}
    fields = sampled_fields(sampled, one.format)
    unread = [f for f in fields if not any(f == r or f.startswith(f"{r}.") for r in taken)]
    if unread:
        typer.echo("  no line reads " + ", ".join(f"`{f}`" for f in unread[:12]) + (" …" if len(unread) > 12 else ""))


@source.command("preview")
def preview(
    name: Annotated[str, typer.Argument(help="The id of a source.")],
    project: ProjectOption = Path("."),
    rows: Annotated[int, typer.Option(help="How many records.", min=1, max=1000)] = 3,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """The first records of a source, raw and mapped side by side; of several files in equal parts. Nothing is loaded. Exit code 1 when
    one does not fit.

    Example: pql source preview crm --project examples/luma
    """
    from pql.ingest.files import BadFile
    from pql.ingest.sample import sample_first

    found = source_project(project)
    chosen(found, [name])
    one = found.sources[name]
    if one.format == "http":
        raise fail(f"source `{name}` is a stream: there is nothing to preview", "`pql ingest serve` takes its events")
    try:
        sampled = sample_first(found.plan(name), found.schema, rows)
    except BadFile as error:
        raise fail(f"PQL0824: source `{name}`: a look-up cannot be read: {error}") from None
    problems = [f"`{_plain(f.file)}` cannot be read: {f.problem}" for f in sampled if f.problem]
    if not sampled:
        problems = [f"no file matches `{one.path}`"]
    if problems and not any(f.rows for f in sampled):
        raise fail(f"PQL0824: source `{name}`: {problems[0]}")
    if format == "json":
        _preview_json(sampled)
    else:
        _preview(one, sampled)
    for problem in problems:
        typer.echo(f"PQL0824: {problem}", err=True)
    raise typer.Exit(1 if problems or any(r.refused is not None for f in sampled for r in f.rows) else 0)


def _preview_json(sampled: list[Any]) -> None:
    import json
    from dataclasses import asdict

    for file in sampled:
        for row in file.rows:
            problem = (
                {k: v for k, v in asdict(row.refused).items() if k in ("code", "path", "message")}
                if row.refused
                else None
            )
            shown = {
                "file": _plain(file.file),
                "line": row.line,
                "raw": row.raw,
                "mapped": row.mapped,
                "problem": problem,
            }
            typer.echo(json.dumps(shown, ensure_ascii=False))


def _preview(one: Any, sampled: list[Any]) -> None:
    import json

    from rich.table import Table
    from rich.text import Text

    from pql.cli.consoles import console
    from pql.ingest.sample import refusal_words
    from pql.ingest.source_file import place_word

    there, several = len(one.files()), len(sampled) > 1
    table = Table(title=one.id, show_lines=True)
    for column in (
        *(["file"] if several else []),
        place_word(one.format),
        "raw",
        "mapped",
    ):
        table.add_column(column)
    for file in sampled:
        for row in file.rows:
            mapped = (
                json.dumps(row.mapped, ensure_ascii=False, indent=1)
                if row.refused is None
                else f"{row.refused.code} {refusal_words(row.refused)}"
            )
            raw = row.raw if isinstance(row.raw, str) else json.dumps(row.raw, ensure_ascii=False, indent=1)
            cells = [Text(file.file.name)] if several else []
            table.add_row(*cells, str(row.line), Text(raw[:3000]), Text(mapped[:3000]))
    console().print(table)
    if there > 1:
        rows = sum(len(f.rows) for f in sampled)
        typer.echo(f"{len(sampled):,} of {there:,} files, {rows:,} record{'s' * (rows != 1)}", err=True)


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
    """Propose a mapping for a file: for each field an XDM path, the expression, a confidence and the reasons. The delimiter of a CSV file is
    found out. Of an event that has no `_id` or `timestamp` it is said.

    Example: pql source map --auto profiles/luma/luma-crm.json --project examples/luma
    """
    from pql.cli.inputs import IN_PROJECT, environment, find_schema
    from pql.ingest.files import BadFile
    from pql.ingest.load import EVENT_NEEDS
    from pql.ingest.propose import missing, propose
    from pql.ingest.sample import source_fields
    from pql.ingest.source_file import FORMATS, columns_of, document_type

    del auto
    chosen_format = data or file.name.removesuffix(".gz").rsplit(".", 1)[-1].replace("ndjson", "jsonl")
    schema = environment(find_schema(None, project, IN_PROJECT), project).schema
    columns = columns_of(schema, kind) if kind in ("record", "event") else None
    if chosen_format not in FORMATS[:4] or columns is None:
        raise fail(
            f"no proposal for format `{chosen_format}` and kind `{kind}`", "name them with `--data-format` and `--kind`"
        )
    if not file.is_file():
        raise fail(f"there is no file `{file}`")
    try:
        options = _guessed(file) if chosen_format == "csv" else {}
        fields = source_fields(file, chosen_format, options)
    except (BadFile, OSError) as error:
        raise fail(f"PQL0824: `{file}` cannot be read: {error}") from None
    if not fields:
        raise fail(
            f"`{file}` has no record that can be read as {chosen_format}", "`--data-format` names another format"
        )
    needed = EVENT_NEEDS if kind == "event" else ()
    proposals = propose(fields, document_type(columns, kind), chosen_format == "csv", needed)
    _proposed(proposals, options, format)
    for target in missing(proposals, needed):
        typer.echo(f"warning: no field looks like `{target}`: {WITHOUT[target]}", err=True)


WITHOUT = {
    "_id": "events without one go to quarantine\n  = help: fill it with what tells events apart, such as"
    ' `_id: sha256(concat(session, "|", to_string(number)))`',
    "timestamp": "events without one go to quarantine\n  = help: fill it, such as"
    ' `timestamp: timestamp(when, "dd.MM.yyyy HH:mm", "Europe/Berlin")`',
}


def _guessed(file: Path) -> dict[str, Any]:
    """The options of a CSV file that are not the usual ones."""
    from pql.ingest.csv_rows import guess_delimiter
    from pql.ingest.files import open_binary

    with open_binary(file) as opened:
        delimiter = guess_delimiter(opened)
    return {} if delimiter == "," else {"delimiter": delimiter}


def _proposed(proposals: Any, options: dict[str, Any], format: str) -> None:
    import json
    from dataclasses import asdict

    import yaml
    from rich.table import Table
    from rich.text import Text

    from pql.cli.consoles import console

    written = f"options: {json.dumps(options)}"
    if format == "json":
        typer.echo(json.dumps([asdict(p) for p in proposals], ensure_ascii=False))
    elif format == "yaml":
        lines = {p.target: p.expression for p in proposals if p.target}
        if options:
            typer.echo(written)
        typer.echo(yaml.safe_dump({"mapping": lines}, sort_keys=False, allow_unicode=True), nl=False)
    else:
        table = Table()
        for column in ("source field", "XDM path", "expression", "confidence", "why"):
            table.add_column(column)
        for p in proposals:
            sure = f"{p.confidence:.0%}" if p.target else ""
            table.add_row(*(Text(v) for v in (p.field, p.target or "-", p.expression, sure, "; ".join(p.reasons))))
        console().print(table)
    if options and format != "yaml":
        typer.echo(f"the source file needs `{written}`", err=True)


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
