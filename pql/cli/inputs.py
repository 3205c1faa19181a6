"""What commands share: options, finding the schema, reading sources, showing findings, failing. Imports stay inside
functions, so that `pql --help` is quick.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

SchemaOption = Annotated[Path | None, typer.Option("--schema", "-s", help="Schema file (short form, YAML or JSON).")]
FormatOption = Annotated[str, typer.Option("--format", "-f", help="text, json, sarif, github or junit.")]


def fail(message: str, help: str = "") -> typer.Exit:
    """Say what could not be done, on standard error; exit code 2."""
    typer.echo(f"error: {message}" + (f"\n  = help: {help}" if help else ""), err=True)
    return typer.Exit(2)


def find_schema(schema: Path | None, near: Path | None) -> Path:
    """The schema asked for, or `schema.yaml` beside the files, or what `pql.yaml` there names."""
    if schema is not None:
        return schema
    folder = near if near is not None and near.is_dir() else (near.parent if near is not None else Path("."))
    for candidate in (folder, *folder.resolve().parents):
        if (candidate / "schema.yaml").is_file():
            return candidate / "schema.yaml"
        pointer = candidate / "pql.yaml"
        if pointer.is_file():
            import yaml

            named = (yaml.safe_load(pointer.read_text(encoding="utf-8")) or {}).get("schema")
            if named:
                return candidate / str(named)
    raise fail("no schema found", "name one with `--schema FILE`, or put a `schema.yaml` beside the segments")


def environment(schema: Path | None, near: Path | None = None) -> Any:
    import yaml

    from pql.api import Environment, read_short

    path = find_schema(schema, near)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise fail(f"schema `{path}` cannot be read: {error}") from None
    made, found = read_short(document, str(path))
    if found:
        from pql.diagnostics.render import FORMATS

        typer.echo(FORMATS["text"](found), err=True)
        raise typer.Exit(2)
    return Environment(made)


def read_sources(paths: list[Path]) -> list[Any]:
    from pql.source import Source

    files = [f for p in paths for f in (sorted(p.rglob("*.pql")) if p.is_dir() else [p])]
    sources = []
    for file in files:
        try:
            sources.append(Source(str(file), file.read_bytes().decode("utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise fail(f"`{file}` cannot be read: {reason}") from None
    if not sources:
        raise fail("no `.pql` file found", "name a file, or a folder that holds some")
    return sources


def show(found: Any, output: str, files: tuple[str, ...] = (), err: bool = False) -> None:
    from pql.diagnostics.render import FORMATS

    if output not in FORMATS:
        raise fail(f"no format `{output}`", "use one of " + ", ".join(FORMATS))
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    typer.echo(FORMATS[output](found, files=files, color=color), err=err)


def instant(text: str | None) -> datetime:
    from pql.xdm.values import read_instant

    if text is None:
        return datetime.now(UTC).replace(tzinfo=None)
    value = read_instant(text)
    if value is None:
        raise fail(f"`{text}` is not a date or date-time", "write it like 2026-03-01T10:00:00Z")
    return value
