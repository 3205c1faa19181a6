"""`pql compile`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pql.cli.inputs import SchemaOption, either, environment, fail, read_sources, show

DialectOption = Annotated[
    str,
    typer.Option("--dialect", "-d", help="duckdb, spark, snowflake, bigquery, trino, clickhouse or postgres."),
]


def compile_(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders.")] = None,
    expression: Annotated[str | None, typer.Option("-e", help="An expression instead of files.")] = None,
    schema: SchemaOption = None,
    dialect: DialectOption = "duckdb",
    segment: Annotated[str | None, typer.Option(help="Only the segment of this id.")] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of the screen.")] = None,
) -> None:
    """Print the SQL for an engine. Example: pql compile -s schema.yaml -e 'person.age > 3' --dialect spark"""
    from pql.api import DIALECTS
    from pql.diagnostics.suggest import did_you_mean

    if dialect not in DIALECTS:
        raise fail(f"no dialect `{dialect}`", did_you_mean(dialect, DIALECTS) or "use one of " + ", ".join(DIALECTS))
    if format not in ("text", "json"):
        raise fail(f"no format `{format}`", "use text or json")
    either(paths, expression)
    made = (
        _expression(expression, schema, dialect) if expression is not None else _files(paths, schema, dialect, segment)
    )
    found = [d for _, c in made for d in c.diagnostics]
    if found:
        show(found, "text", err=True)
    _write(_text(made) if format == "text" else _json(made), output)
    raise typer.Exit(1 if any(d.is_error for d in found) else 0)


def _expression(text: str, schema: Path | None, dialect: str) -> list[tuple[str, Any]]:
    env = environment(schema)
    checked = env.check_either(text)
    if not checked.ok:
        show(list(checked.diagnostics), "text")
        raise typer.Exit(1)
    return [("", env.compile(checked, dialect))]


def _files(paths: list[Path] | None, schema: Path | None, dialect: str, only: str | None) -> list[tuple[str, Any]]:
    from pql.diagnostics.suggest import did_you_mean

    where = paths or [Path(".")]
    sources = read_sources(where)
    env = environment(schema, where[0])
    project = env.project(sources)
    if not project.ok:
        show([d for d in project.diagnostics if d.is_error], "text")
        raise typer.Exit(1)
    if only is not None and only not in project.segments:
        raise fail(f"no segment `{only}`", did_you_mean(only, project.segments) or "")
    chosen = [(id, s) for id, s in project.segments.items() if only in (None, id)]
    return [(id, env.compile(s, dialect, project)) for id, s in chosen]


def _text(made: list[tuple[str, Any]]) -> str:
    """Statements, each under its segment's name; a segment that was refused is told of elsewhere."""
    return "\n".join((f"-- {id}\n{c.sql};\n" if id else c.sql + "\n") for id, c in made if c.ok)


def _json(made: list[tuple[str, Any]]) -> str:
    items = [
        {"segment": id or None, "dialect": c.dialect, "sql": c.sql or None, "parameters": list(c.parameters),
         "columns": list(c.columns), "refused": [d.message for d in c.diagnostics if d.is_error]}
        for id, c in made
    ]  # fmt: skip
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise fail(f"`{output}` cannot be written: {error.strerror}") from None
