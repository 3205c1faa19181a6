"""`pql store create`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import SchemaOption, environment, fail, no_such

store = typer.Typer(no_args_is_help=True, help="Make profile stores.")


@store.callback()
def _group() -> None:
    """Make profile stores."""


@store.command("create")
def create(
    path: Annotated[Path, typer.Argument(help="The DuckDB file to make.")],
    profiles: Annotated[Path | None, typer.Option(help="Profiles: JSON Lines, or Parquet.")] = None,
    events: Annotated[Path | None, typer.Option(help="Experience events: JSON Lines, or Parquet.")] = None,
    schema: SchemaOption = None,
    profile_key: Annotated[str, typer.Option(help="The field that names a profile.")] = "_id",
    event_key: Annotated[str, typer.Option(help="The field of an event that names its profile.")] = "profileId",
    force: Annotated[bool, typer.Option("--force", help="Replace a store that is there.")] = False,
) -> None:
    """Load profiles and events into a new store, typed by the schema; lines that do not fit are set aside with a reason.

    Example: pql store create shop.duckdb --schema schema.yaml --profiles people.jsonl --events events.jsonl
    """
    import os
    from contextlib import suppress

    from pql.api import Store, StoreError
    from pql.store.filling import Filled, fill_lines, fill_parquet

    if profiles is None and events is None:
        raise fail("nothing to load", "name files with `--profiles` and `--events`")
    for file in (profiles, events):
        if file is not None and not file.is_file():
            raise no_such("file", file)
    if path.exists() and not force:
        raise fail(f"`{path}` is there already", "name another file, or replace it with `--force`")
    if not path.parent.is_dir():
        raise fail(f"there is no folder `{path.parent}`")
    env = environment(schema, profiles or events)
    partial, rejects = path.with_name(path.name + ".partial"), path.with_name(path.stem + ".rejected.jsonl")
    try:
        partial.unlink(missing_ok=True)
        made = Store.open(partial, env.schema)
        made.create()
        filled: Filled
        if all(f is None or f.suffix == ".parquet" for f in (profiles, events)) and profiles and events:
            filled = fill_parquet(made, str(profiles), str(events), profile_key, event_key)
        else:
            with rejects.open("w", encoding="utf-8") as aside:
                filled = fill_lines(made, profiles, events, aside, profile_key, event_key)
        people = made.query("SELECT count(*) FROM profile", {})[0][0]
        made.close()
        os.replace(partial, path)
    except StoreError as error:
        raise fail(f"{error.code}: {error}") from None
    except OSError as error:
        reading = error.filename is not None and Path(error.filename) in (profiles, events)
        beside = f": `{rejects}`" if error.filename == str(rejects) else ""
        what = f"`{error.filename}` cannot be read" if reading else f"`{path}` cannot be written{beside}"
        raise fail(f"{what}: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    typer.echo(f"{path}: {people:,} profiles ({filled.profiles:,} loaded), {filled.events:,} events")
    if filled.repeated:
        typer.echo(
            f"events that stood there again (same person, same `_id`; the last one counts): {filled.repeated:,}",
            err=True,
        )
    if filled.rejected:
        typer.echo(f"{filled.rejected:,} lines did not fit: {rejects}", err=True)
        raise typer.Exit(1)
    rejects.unlink(missing_ok=True)
