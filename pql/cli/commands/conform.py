"""`pql conform`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import fail


def conform(
    files: Annotated[list[Path], typer.Argument(help="Conformance files, YAML or JSON Lines.")],
    engine: Annotated[str, typer.Option(help="duckdb (the only engine so far) or all.")] = "duckdb",
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a case.")] = False,
    tag: Annotated[str | None, typer.Option(help="Only cases with this tag.")] = None,
) -> None:
    """Run conformance cases. Example: pql conform tests/conformance/values.yaml"""
    from pql.cli.conform import BadCase, Result, Runner, read_cases

    if engine not in ("duckdb", "all"):
        raise fail(f"no engine `{engine}`", "this version has `duckdb`")
    runner, passed, failed = Runner(), 0, 0
    seen: set[str] = set()
    for file in files:
        try:
            cases = list(read_cases(file))
        except (OSError, UnicodeDecodeError, BadCase) as error:
            raise fail(f"`{file}` cannot be read: {error}") from None
        for case, defaults in cases:
            if tag and (not isinstance(case, dict) or tag not in (case.get("tags") or [])):
                continue
            id = str(case.get("id", "?")) if isinstance(case, dict) else "?"
            try:
                result = runner.run(case, defaults)
            except Exception as error:  # a defect of ours; the other cases are still to be run
                result = Result(id, False, None, None, f"the engine failed: {type(error).__name__}: {error}"[:300])
            if id in seen and id != "?":
                result = Result(id, False, None, result.expected, "PQL0813: the id stands twice")
            seen.add(id)
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
