"""`pql stream`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pql.cli.commands.run import StoreOption
from pql.cli.inputs import SchemaOption, fail

StateOption = Annotated[
    Path | None, typer.Option("--state", help="The folder that the state is kept in; without it nothing is kept.")
]
FollowGraphOption = Annotated[
    bool | None,
    typer.Option(
        "--follow-graph/--no-follow-graph",
        help="Follow the store's identity graph while running; the default but for a file without --follow.",
    ),
]
EventsOption = Annotated[
    str | None,
    typer.Option("--events", help="A file, `-`, http://HOST:PORT to serve, or nats://HOST:PORT/STREAM/SUBJECT."),
]
AttributesOption = Annotated[
    str | None,
    typer.Option("--attributes", help="Keep computed attributes too; write their changes to this file, or `-`."),
]
PauseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pause",
        help="Hold this segment's memberships; may be repeated. On a state that is there, begin and end it with --migrate or --store.",
    ),
]
UnboundedOption = Annotated[
    bool,
    typer.Option(
        "--allow-unbounded",
        help="Keep segments and attributes, too, whose state grows with every event (`pql explain --cost`).",
    ),
]
FORMATS = ("text", "json", "none")


def stream(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders of segments.")] = None,
    events: EventsOption = None,
    schema: SchemaOption = None,
    state: StateOption = None,
    store: StoreOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the transitions here instead of standard output.")
    ] = None,
    attributes: AttributesOption = None,
    quarantine: Annotated[Path | None, typer.Option(help="Where messages go that cannot be taken.")] = None,
    event_key: Annotated[str, typer.Option(help="The field of a bare event that names its profile.")] = "profileId",
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more at the end of the file.")] = False,
    until: Annotated[str | None, typer.Option(help="Run the clock up to this instant, then end.")] = None,
    clock: Annotated[
        str, typer.Option(help="event: events drive the clock; wall: the wall clock too, while the source is idle.")
    ] = "event",
    lateness: Annotated[float, typer.Option(help="With --clock wall: seconds that events may be late.")] = 10.0,
    from_: Annotated[
        str | None, typer.Option("--from", help="The clock of a new state that starts from a store.")
    ] = None,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Other segments than the state's: hand over from its own events.")
    ] = False,
    pause: PauseOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Standard input brings the same lines again: skip those that were taken.")
    ] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Read the source from its start, whatever was taken.")
    ] = False,
    commit_every: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most messages in one commit.")] = 1_000,
    profiles_in_memory: Annotated[int, typer.Option(min=1, help="Most profiles that stay loaded.")] = 100_000,
    follow_graph: FollowGraphOption = None,
    allow_unbounded: UnboundedOption = False,
    for_: Annotated[
        str | None, typer.Option("--for", help="A destination or marketing action: only people who may be addressed.")
    ] = None,
    format: Annotated[
        str, typer.Option("--format", "-f", help="Of the figures on standard error: text, json or none.")
    ] = "text",
) -> None:
    """Keep all segments up to date while events arrive and time passes; each change is a JSON line.

    Example: pql stream segments --events events.jsonl --state live --output transitions.jsonl

    Example: tail -f log.jsonl | pql stream segments --events - --state live --clock wall

    Example: pql stream segments --events http://127.0.0.1:8090 --state live --clock wall

    Example: pql stream segments --events events.jsonl --state live --for newsletter

    Example: pql stream segments --events events.jsonl --state live --attributes attributes.jsonl

    Example: pql stream segments --state live --store shop.duckdb --from 2026-03-01
    """
    from pql.cli.streaming import Wish, run_stream

    if format not in FORMATS:
        raise fail(f"no format `{format}`", "use one of " + ", ".join(FORMATS))
    if clock not in ("event", "wall"):
        raise fail(f"no clock `{clock}`", "use `event` or `wall`")
    if lateness < 0:
        raise fail("`--lateness` is a number of seconds, 0 or more")
    wish = Wish(
        paths or [Path(".")], events, schema, state, store, output, quarantine, event_key, follow, until, clock, lateness, from_,
        migrate, tuple(pause or ()), resume, from_start, commit_every, profiles_in_memory, format, follow_graph, for_ or "",
        allow_unbounded, attributes,
    )  # fmt: skip
    raise typer.Exit(run_stream(wish))
