"""`pql conform`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pql.cli.inputs import fail

if TYPE_CHECKING:
    from pql.cli.conform import Result


def conform(
    files: Annotated[list[Path], typer.Argument(help="Conformance files, YAML or JSON Lines, or folders of them.")],
    engine: Annotated[str, typer.Option(help="duckdb, stream or all.")] = "duckdb",
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a case.")] = False,
    tag: Annotated[str | None, typer.Option(help="Only cases with this tag.")] = None,
) -> None:
    """Run conformance cases. Example: pql conform tests/conformance"""
    from pql.cli.conform import BadCase, Result, Runner, read_cases
    from pql.cli.conform_stream import StreamRunner
    from pql.diagnostics.suggest import did_you_mean

    engines: dict[str, type[Runner]] = {"duckdb": Runner, "stream": StreamRunner}
    if engine not in (*engines, "all"):
        raise fail(
            f"no engine `{engine}`", did_you_mean(engine, (*engines, "all")) or "there are `duckdb`, `stream`, `all`"
        )
    runners = [made() for name, made in engines.items() if engine in (name, "all")]
    passed, failed = 0, 0
    seen: set[str] = set()
    for file in _cases(files):
        try:
            cases = list(read_cases(file))
        except OSError as error:
            raise fail(f"`{file}` cannot be read: {error.strerror or error}") from None
        except (UnicodeDecodeError, BadCase) as error:
            raise fail(f"`{file}` cannot be read: {error}") from None
        for case, defaults in cases:
            if tag and (not isinstance(case, dict) or tag not in (case.get("tags") or [])):
                continue
            id = str(case.get("id", "?")) if isinstance(case, dict) else "?"
            twice = id in seen and id != "?"
            seen.add(id)
            for runner in runners:
                try:
                    result = runner.run(case, defaults)
                except Exception as error:  # a defect of ours; the other cases are still to be run
                    result = Result(id, False, None, None, f"the engine failed: {type(error).__name__}: {error}"[:300])
                if twice:
                    result = Result(id, False, None, result.expected, "PQL0813: the id stands twice")
                passed, failed = passed + result.ok, failed + (not result.ok)
                _show(runner.engine, result, json_)
    typer.echo(f"{passed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


def _show(engine: str, result: Result, as_json: bool) -> None:
    if as_json:
        line = {"id": result.id, "engine": engine, "ok": result.ok, "got": result.got, "expected": result.expected,
                "error": result.error}  # fmt: skip
        typer.echo(json.dumps(line, default=str))
    elif not result.ok:
        got = result.error or json.dumps(result.got, default=str)
        typer.echo(f"{result.id} {engine} expected {json.dumps(result.expected, default=str)} got {got}")


def _cases(paths: list[Path]) -> list[Path]:
    """The files, and those of the folders."""
    found: list[Path] = []
    for path in paths:
        inside = (
            sorted(f for f in path.rglob("*") if f.suffix in (".yaml", ".yml", ".jsonl")) if path.is_dir() else [path]
        )
        if not inside:
            raise fail(f"there is no conformance file in `{path}`", "they end in .yaml or .jsonl")
        found += inside
    return found
