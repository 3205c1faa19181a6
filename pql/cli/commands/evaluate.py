"""`pql eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import SchemaOption, environment, fail, instant, show, stopped


def eval_(
    expression: Annotated[str, typer.Argument(help="The expression, as text or pql/json.")],
    schema: SchemaOption = None,
    profile: Annotated[
        Path | None,
        typer.Option(help="One profile, a JSON object; its events may be in it as `xEvent`. - reads standard input."),
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Its events: a JSON list, or JSON Lines. - reads standard input.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="The instant asked about; now by default.")] = None,
) -> None:
    """Evaluate one expression for one profile. The profile's `_id` and the `profileId` of events, as `pql store create` and `pql stream`
    read them, may be there.

    Example: pql eval '1 + 2' -s schema.yaml

    Example: pql eval 'xEvent.count()' --profile sarah.json --events sarah-events.jsonl --as-of 2026-03-01

    Example: cat sarah.json | pql eval 'loyalty.points > 100' --profile -
    """
    from pql.api import StoreError
    from pql.cli.documents import Unreadable, read_person

    env = environment(schema)
    checked = env.check_either(expression)
    if not checked.ok:
        show(list(checked.diagnostics), "text")
        raise typer.Exit(1)
    try:
        document, history = read_person(profile, events, env.schema)
        value = env.evaluate(checked.ir, document, history, instant(as_of))
    except Unreadable as error:
        raise fail(str(error), error.help) from None
    except StoreError as error:
        raise stopped(error) from None
    typer.echo(json.dumps(value, ensure_ascii=False))
