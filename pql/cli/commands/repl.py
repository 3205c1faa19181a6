"""`pql repl`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.commands.run import AsOfOption, StoreOption
from pql.cli.inputs import SchemaOption, environment, instant, open_store, project_file


def repl(
    schema: SchemaOption = None,
    store: StoreOption = None,
    as_of: AsOfOption = None,
    profile: Annotated[Path | None, typer.Option(help="One profile, a JSON object, to try expressions on.")] = None,
    events: Annotated[Path | None, typer.Option(help="Its events: a JSON list, or JSON Lines.")] = None,
) -> None:
    """Try expressions: types and results at once, completion from the schema, `:help` for the rest.

    Example: pql repl --schema schema.yaml --store shop.duckdb
    """
    from pql.cli.session import Session, converse

    env = environment(schema)
    named = store or project_file(None).store
    opened = open_store(named, env) if named is not None else None
    session = Session(env, opened, instant(as_of))
    for path, command in ((profile, ":profile"), (events, ":events")):
        if path is not None:
            session.answer(f"{command} {path}")
    raise typer.Exit(converse(session))
