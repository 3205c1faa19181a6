"""The command line: thin over `pql.api`. Exit codes: 0 fine, 1 findings, 2 could not run. Read `app`."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Customer segments in the Profile Query Language: check, run and explain them.")  # fmt: skip

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


def show(found: Any, output: str, files: tuple[str, ...] = ()) -> None:
    from pql.diagnostics.render import FORMATS

    if output not in FORMATS:
        raise fail(f"no format `{output}`", "use one of " + ", ".join(FORMATS))
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    typer.echo(FORMATS[output](found, files=files, color=color))


def instant(text: str | None) -> datetime:
    from pql.xdm.values import read_instant

    if text is None:
        return datetime.now(UTC).replace(tzinfo=None)
    value = read_instant(text)
    if value is None:
        raise fail(f"`{text}` is not a date or date-time", "write it like 2026-03-01T10:00:00Z")
    return value


@app.command()
def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders.")] = None,
    expression: Annotated[str | None, typer.Option("-e", help="An expression instead of files.")] = None,
    schema: SchemaOption = None,
    format: FormatOption = "text",
) -> None:
    """Report every finding: syntax, names, types. Example: pql check examples/online-retail"""
    if expression is not None:
        env = environment(schema)
        found = list(env.check(expression).diagnostics)
        show(found, format)
    else:
        sources = read_sources(paths or [Path(".")])
        env = environment(schema, (paths or [Path(".")])[0])
        found = list(env.project(sources).diagnostics)
        show(found, format, tuple(s.name for s in sources))
    raise typer.Exit(1 if any(d.is_error for d in found) else 0)


@app.command()
def explain(code: Annotated[str, typer.Argument(help="A code such as PQL0304.")]) -> None:
    """Print the long explanation of a finding's code. Example: pql explain PQL0304"""
    from pql.diagnostics import CODES
    from pql.diagnostics import explain as look_up
    from pql.diagnostics.suggest import did_you_mean

    entry = look_up(code)
    if entry is None:
        raise fail(f"no code `{code}`", did_you_mean(code.upper(), CODES))
    typer.echo(f"{entry.code}: {entry.title} ({entry.severity.value})\n\n{entry.explanation}")


@app.command("compile")
def compile_(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders.")] = None,
    expression: Annotated[str | None, typer.Option("-e", help="An expression instead of files.")] = None,
    schema: SchemaOption = None,
) -> None:
    """Print the DuckDB SQL, with the parameter $now. Example: pql compile -s schema.yaml -e 'person.age > 3'"""
    if expression is not None:
        env = environment(schema)
        checked = env.check(expression)
        if not checked.ok:
            show(list(checked.diagnostics), "text")
            raise typer.Exit(1)
        typer.echo(env.sql([checked.ir]).tree.sql("duckdb", pretty=True))
        return
    sources = read_sources(paths or [Path(".")])
    env = environment(schema, (paths or [Path(".")])[0])
    project = env.project(sources)
    if not project.ok:
        show([d for d in project.diagnostics if d.is_error], "text")
        raise typer.Exit(1)
    for id, segment in project.segments.items():
        sql = env.sql([segment.condition], project.conditions).tree.sql("duckdb", pretty=True)
        typer.echo(f"-- {id}\n{sql};\n")


@app.command("eval")
def eval_(
    expression: Annotated[str, typer.Argument(help="The expression.")],
    schema: SchemaOption = None,
    profile: Annotated[Path | None, typer.Option(help="One profile, a JSON object.")] = None,
    events: Annotated[Path | None, typer.Option(help="Its events: a JSON list, or JSON Lines.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The instant asked about; now by default.")] = None,
) -> None:
    """Evaluate one expression for one profile. Example: pql eval '1 + 2' -s schema.yaml"""
    from pql.api import StoreError

    env = environment(schema)
    checked = env.check(expression)
    if not checked.ok:
        show(list(checked.diagnostics), "text")
        raise typer.Exit(1)
    try:
        documents = _json(profile) if profile else {}
        history = _json(events) if events else []
        value = env.evaluate(checked.ir, documents, history, instant(as_of))
    except StoreError as error:
        raise fail(f"{error.code}: {error}") from None
    typer.echo(json.dumps(value, ensure_ascii=False))


def _json(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return json.loads(text)
    except (OSError, ValueError) as error:
        raise fail(f"`{path}` cannot be read: {error}") from None


@app.command()
def conform(
    files: Annotated[list[Path], typer.Argument(help="Conformance files, YAML or JSON Lines.")],
    engine: Annotated[str, typer.Option(help="duckdb (the only engine so far) or all.")] = "duckdb",
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a case.")] = False,
    tag: Annotated[str | None, typer.Option(help="Only cases with this tag.")] = None,
) -> None:
    """Run conformance cases. Example: pql conform tests/conformance/values.yaml"""
    from pql.cli.conform import BadCase, Runner, read_cases

    if engine not in ("duckdb", "all"):
        raise fail(f"no engine `{engine}`", "this version has `duckdb`")
    runner, passed, failed = Runner(), 0, 0
    for file in files:
        try:
            cases = list(read_cases(file))
        except (OSError, UnicodeDecodeError, BadCase) as error:
            raise fail(f"`{file}` cannot be read: {error}") from None
        for case, defaults in cases:
            if tag and tag not in (case.get("tags") or []):
                continue
            result = runner.run(case, defaults)
            passed, failed = passed + result.ok, failed + (not result.ok)
            if json_:
                line = {"id": result.id, "engine": "duckdb", "ok": result.ok, "got": result.got, "expected": result.expected,
                        "error": result.error}  # fmt: skip
                typer.echo(json.dumps(line, default=str))
            elif not result.ok:
                got = result.error or json.dumps(result.got, default=str)
                typer.echo(f"{result.id} duckdb expected {json.dumps(result.expected, default=str)} got {got}")
    typer.echo(f"{passed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="The repository's root.")] = Path("."),
) -> None:
    """Load the online-retail data, check the example segments, run them and print a table."""
    from pql.cli.demo import run_demo

    raise typer.Exit(run_demo(folder, time.perf_counter))


def main() -> None:
    """The console script."""
    try:
        app()
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)
