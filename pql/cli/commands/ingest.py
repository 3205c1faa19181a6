"""`pql ingest serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.inputs import fail
from pql.cli.sources import ProjectOption, StoreOption, source_project, writable_store

ingest = typer.Typer(no_args_is_help=True, help="Take records and events from streams.")


@ingest.callback()
def _group() -> None:
    """Take records and events from streams."""


@ingest.command("serve")
def serve(
    project: ProjectOption = Path("."),
    store: StoreOption = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=0, max=65535)] = 8080,
) -> None:
    """Serve the project's sources of the format `http`: POST JSON, JSON Lines or several messages to /collect/SOURCE.

    Example: pql ingest serve --project examples/luma --port 8080
    """
    import uvicorn

    from pql.ingest.files import BadFile
    from pql.ingest.service import make_app
    from pql.ingest.stream import Stream

    found = source_project(project)
    ids = [s.id for s in found.sources.values() if s.format == "http"]
    if not ids:
        raise fail("the project has no source of the format `http`", "declare one: `format: http`, no `path`")
    opened = writable_store(store, found)
    try:
        streams = {id: Stream(opened, found.plan(id)) for id in ids}
    except BadFile as error:
        raise fail(f"PQL0824: {error}") from None
    typer.echo(f"listening on http://{host}:{port}: " + ", ".join(f"/collect/{id}" for id in ids), err=True)
    try:
        uvicorn.run(make_app(streams), host=host, port=port, log_level="warning")
    finally:
        opened.close()
