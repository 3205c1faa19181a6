"""`pql eval`."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from pql.cli.inputs import SchemaOption, environment, fail, instant, show


def eval_(
    expression: Annotated[str, typer.Argument(help="The expression, as text or pql/json.")],
    schema: SchemaOption = None,
    profile: Annotated[Path | None, typer.Option(help="One profile, a JSON object.")] = None,
    events: Annotated[Path | None, typer.Option(help="Its events: a JSON list, or JSON Lines.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The instant asked about; now by default.")] = None,
) -> None:
    """Evaluate one expression for one profile. Example: pql eval '1 + 2' -s schema.yaml"""
    from pql.api import StoreError

    env = environment(schema)
    checked = env.check_either(expression)
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
            return [json.loads(line, parse_float=Decimal) for line in text.splitlines() if line.strip()]
        return json.loads(text, parse_float=Decimal)
    except RecursionError:
        raise fail(f"`{path}` cannot be read: it is nested too deeply") from None
    except (OSError, ValueError) as error:
        raise fail(f"`{path}` cannot be read: {error}") from None
