"""`pql why`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import PolicyOption, SchemaOption, fail, instant


def why(
    segment: Annotated[str, typer.Argument(help="The segment asked about.")],
    profile: Annotated[str, typer.Option("--profile", help="A profile: a JSON file, or with --store its name there.")],
    events: Annotated[Path | None, typer.Option(help="Its events: a JSON list, or JSON Lines.")] = None,
    for_: Annotated[
        str | None, typer.Option("--for", help="A destination or marketing action: would it be sent?")
    ] = None,
    project: Annotated[Path, typer.Option("--project", "-p", help="The project's folder.")] = Path("."),
    schema: SchemaOption = None,
    store: Annotated[Path | None, typer.Option("--store", help="The profile store, a DuckDB file.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The instant asked about; now by default.")] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    policy: PolicyOption = None,
) -> None:
    """Say why a person is in a segment or not, part by part, and whether consent lets them be addressed.

    Exit code 0 when they are in it (and would be sent), else 1.

    Example: pql why gift_buyers --profile sarah.json --for newsletter -p examples/governance
    """
    from pql.cli.whying import answer, said

    if format not in ("text", "json"):
        raise fail(f"no format `{format}`", "use text or json")
    if policy is not None and store is None:
        raise fail("`--policy` chooses among the profiles of a store", "name the store with `--store FILE`")
    found = answer(segment, profile, events, for_, project, schema, store, instant(as_of), policy)
    typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2) if format == "json" else said(found))
    raise typer.Exit(0 if found.member and found.sent is not False else 1)
