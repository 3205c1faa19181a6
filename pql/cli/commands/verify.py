"""`pql verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.commands.run import StoreOption
from pql.cli.inputs import SchemaOption, fail


def verify(
    state: Annotated[Path, typer.Option("--state", help="The folder of a stream's state; the stream may be running.")],
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders of segments.")] = None,
    store: StoreOption = None,
    schema: SchemaOption = None,
    sample: Annotated[int, typer.Option(min=1, help="Most people, drawn at random.")] = 1_000,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Run the clock on to this instant first, in memory.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws other people.")] = 0,
    for_: Annotated[str | None, typer.Option("--for", help="What the stream was started for with `--for`.")] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Ask SQL and the plain evaluator about people of a running stream, and compare. Exit code 1 when an answer differs.

    Example: pql verify segments --state live --store shop.duckdb --sample 5000
    """
    from pql.cli.verifying import run_verify

    if format not in ("text", "json"):
        raise fail(f"no format `{format}`", "use text or json")
    raise typer.Exit(run_verify(paths or [Path(".")], state, store, schema, sample, as_of, seed, format, for_ or ""))
