"""What `pql stream` does with its options: opens the parts, runs, shows figures. Knows `pql.api` only. Read `run_stream`."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import typer

from pql.api import Environment, Project
from pql.api import streams as api
from pql.cli.inputs import environment, fail, instant, open_store, project_file, read_sources, show
from pql.cli.people import identity_settings
from pql.cli.stream_figures import document, progress, reporter


@dataclass(frozen=True)
class Wish:
    """The options of `pql stream`, as given."""

    paths: list[Path]
    events: str | None
    schema: Path | None
    state: Path | None
    store: Path | None
    output: Path | None
    quarantine: Path | None
    event_key: str
    follow: bool
    until: str | None
    clock: str
    lateness: float
    from_: str | None
    migrate: bool
    pause: tuple[str, ...]
    resume: bool
    from_start: bool
    commit_every: int
    profiles_in_memory: int
    format: str
    follow_graph: bool | None = None
    use: str = ""
    """A destination or marketing action: only people who may be addressed."""
    allow_unbounded: bool = False
    attributes: str | None = None
    """Where changes of attributes go; None: none are kept."""


def checked_project(paths: list[Path], schema: Path | None) -> tuple[Environment, Project]:
    """The project, without errors; else they are shown and the command ends with 1."""
    sources = read_sources(paths)
    env = environment(schema, paths[0])
    project = env.project(sources)
    errors = [d for d in project.diagnostics if d.is_error]
    if errors:
        show(errors, "text", err=True)
        raise typer.Exit(1)
    return env, project


def live_segments(project: Project, paused: tuple[str, ...] = ()) -> list[str]:
    """The segments to keep live: all that are not for batch alone, and not paused."""
    from pql.diagnostics.suggest import did_you_mean

    for id in paused:
        if id not in project.segments:
            raise fail(f"no segment `{id}` to pause", did_you_mean(id, project.segments))
    wanted = [id for id, s in project.segments.items() if s.properties.get("evaluate") != ("batch",)]
    if not wanted:
        raise fail("no segment to keep live", "declare one: segment id { where … }")
    return [id for id in wanted if id not in paused]


def run_stream(wish: Wish) -> int:
    """Exit code: 0, or 1 when something went to quarantine."""
    if wish.events is None and wish.store is None and not wish.migrate:
        raise fail("no events to read", "name a file with `--events FILE`, or `-` for standard input")
    if wish.use and wish.attributes is not None:
        raise fail("`--for` tells a destination memberships, no attributes", "leave `--attributes` out, or `--for`")
    if wish.state is None and (wish.store is not None or wish.migrate):
        raise fail("a hand-over needs a state", "name its folder with `--state DIR`")
    if wish.follow_graph and wish.store is None:
        raise fail("there is no graph to follow", "name the store with `--store FILE`")
    if wish.resume and wish.events != "-":
        raise fail(
            "`--resume` is for standard input", "every other source continues where it was: leave `--resume` out"
        )
    if wish.resume and wish.state is None:
        raise fail("`--resume` needs a state that knows what was taken", "name its folder with `--state DIR`")
    if wish.from_ is not None and wish.store is None and not wish.migrate:
        raise fail("`--from` is the clock of a state that starts from a store", "name the store with `--store FILE`")
    env, project = checked_project(wish.paths, wish.schema)
    plan, activation = plan_for(
        env, project, wish.paths[0], wish.schema, wish.use, wish.pause, wish.attributes is not None
    )
    if activation is not None:
        activation.say()
        if not activation.audiences and not wish.migrate and wish.store is None:
            raise typer.Exit(1)
    guard: Any = None
    try:
        if not wish.allow_unbounded:
            api.bounded(plan)
        with _opened(wish, env, plan) as stream:
            report = reporter(wish.format)
            guard = _guard(wish, project, activation, stream)
            stream.report = report.show if guard is None else _both(report.show, guard.look)
            stream.leapt = _leapt
            if stream.source.name == "http":
                stream.source.metrics = lambda: document(stream.latest)
                stream.source.opened = lambda port: typer.echo(f"listening on port {port}", err=True)
            with _stopped_by_signals(stream):
                figures = stream.run(wish.from_start)
            report.end(figures)
            if getattr(stream.source, "unfinished", False):
                typer.echo(f"the last line of `{wish.events}` has no end yet: it waits", err=True)
            if figures.quarantined_here > figures.deleted_here:
                _say_aside(_aside(wish))
    except api.StreamError as error:
        raise fail(f"{error.code}: {error}", error.help) from None
    if guard is not None and guard.why:
        typer.echo(f"stopped: {guard.why}", err=True)
        return 1
    refused = activation is not None and bool(activation.refused)
    return 1 if figures.quarantined_here > figures.deleted_here or figures.failures_here or refused else 0


def live_attributes(env: Environment, project: Project) -> dict[str, Any]:
    """The attributes to keep live. One that is another value at every instant is named and left out."""
    always = [name for name, value in project.attributes.items() if env.changes_always(value)]
    for name in always:
        typer.echo(f"PQL0612: attribute `{name}` is another value at every instant; it is left out", err=True)
    return {name: value for name, value in project.attributes.items() if name not in always}


def plan_for(
    env: Environment,
    project: Project,
    near: Path,
    schema: Path | None,
    use: str,
    paused: tuple[str, ...] = (),
    attributes: bool = False,
) -> tuple[Any, Any]:
    """The plan of all segments, with all attributes if wanted, or of whom a use may address; with the activation then."""
    wanted = live_segments(project, paused)
    if not use:
        return env.live_plan(project.conditions, wanted, live_attributes(env, project) if attributes else None), None
    from pql.cli.activating import Activation

    activation = Activation.ask(near, schema, use, wanted)
    return env.live_audiences(project.conditions, activation.audiences), activation


def _guard(wish: Wish, project: Project, activation: Any, stream: Any) -> Any:
    """What asks again while the stream runs; None where nobody is addressed."""
    if activation is None:
        return None
    from pql.cli.activating import Activation, Guard

    def ask() -> Any:
        return Activation.ask(wish.paths[0], wish.schema, wish.use, live_segments(project, wish.pause))

    return Guard(wish.paths[0], wish.schema, activation, ask, stream.stop)


def _leapt(message: Any, event: Any, before: datetime) -> None:
    """Say that an event moved the clock very far: for good, and what came between is late from then on."""
    id = event.document.get("_id")
    named = f"the event at {message.place}" + ("" if id is None else f" (`_id` {str(id)[:80]})")
    at = event.arrival or event.document["timestamp"]
    typer.echo(
        f"warning: {named} moves the clock from {before.isoformat()}Z to {at.isoformat()}Z, and it stays there: events in between are late"
        "\n  = help: if its date is wrong, mend it before a state is kept; `--clock wall` lets no event from the future move the clock",
        err=True,
    )


def _both(show: Any, look: Any) -> Any:
    def told(figures: Any) -> None:
        show(figures)
        look()

    return told


@contextmanager
def _opened(wish: Wish, env: Environment, plan: Any) -> Iterator[Any]:
    """The stream on its state, source and outlets."""
    state: Any = api.SqliteState(wish.state) if wish.state is not None else api.Unkept()
    store = None if wish.store is None else open_store(wish.store, env, wish.paths[0])
    try:
        if store is not None or wish.migrate:
            _hand_over(wish, plan, state, store)
        api.belongs(state, plan, wish.pause)
        yield _stream(wish, env, plan, state, store)
    finally:
        state.close()


def _aside(wish: Wish) -> Path | None:
    """Where messages go that cannot be taken; None: to standard error."""
    return wish.quarantine or (wish.state / "quarantine.jsonl" if wish.state is not None else None)


def _say_aside(file: Path | None) -> None:
    """Where the messages are that were set aside, and why the last of them was."""
    if file is None or not file.is_file():
        return
    with file.open("rb") as rows:
        rows.seek(max(0, file.stat().st_size - 1_000_000))
        last = rows.read().splitlines()[-1:]
    try:
        row = json.loads(last[0]) if last else {}
    except ValueError:  # the end of a very long one
        row = {}
    why = f"; the last of them: {row['code']}: {str(row.get('reason', ''))[:300]}" if row.get("code") else ""
    typer.echo(f"what could not be taken is in `{file}`{why}", err=True)


def _stream(wish: Wish, env: Environment, plan: Any, state: Any, store: Any) -> Any:
    aside = _aside(wish)
    outlets: dict[str, Any] = {
        api.TRANSITIONS: api.TextOutlet(sys.stdout) if wish.output is None else api.FileOutlet(wish.output),
        api.QUARANTINE: api.TextOutlet(sys.stderr) if aside is None else api.FileOutlet(aside),
    }
    if wish.attributes is not None:
        target = wish.attributes
        outlets[api.ATTRIBUTES] = api.TextOutlet(sys.stdout) if target == "-" else api.FileOutlet(Path(target))
    until = None if wish.until is None else instant(wish.until)
    options = api.Options(wish.commit_every, until, wish.clock, timedelta(seconds=wish.lateness))  # type: ignore[arg-type]
    shard = api.Shard(plan, state, wish.profiles_in_memory)
    if wish.state is None:
        reader = api.Reader(env.schema, wish.event_key, timed=True)
        return api.Stream(shard, state, _source(wish), reader, outlets, options)
    owner = api.Owners(state, env.schema, identity_settings(wish.paths[0]))
    reader = api.Reader(env.schema, wish.event_key, owner, owner.named, owner.parted, timed=True)
    graph = None
    if store is not None:
        file = api.StoreFile(wish.store or project_file(wish.paths[0]).store, env.schema)
        graph = api.Graph(file, state, owner, store, not _goes_on(wish))
    return api.Stream(shard, state, _source(wish), reader, outlets, options, graph=graph)


def _goes_on(wish: Wish) -> bool:
    """Is the store's graph followed? A file that is read to its end is a replay: what comes out depends on nothing else."""
    replay = wish.events is None or (wish.events != "-" and "://" not in wish.events and not wish.follow)
    return not replay if wish.follow_graph is None else wish.follow_graph


def _hand_over(wish: Wish, plan: Any, state: Any, store: Any) -> None:
    """A new state starts from the store; one of other segments takes the project's."""
    before, after = state.kept(), api.kept_of(plan, wish.pause)
    if before == after:
        if wish.from_ is not None:  # the same command again, after a restart, is no mistake
            at = state.progress().at
            clock = "" if at is None else f" with its clock at {at.isoformat()}Z"
            typer.echo(f"`--from` is left out: it is for a new state, and this one is there{clock}", err=True)
        return
    if before is not None and wish.from_ is not None:
        raise fail("`--from` is for a new state", "this one has a clock: leave `--from` out")
    start = None if wish.from_ is None else instant(wish.from_)
    done = api.hand_over(state, plan, wish.pause, store, start, progress("handing over"))
    what = "started from the store" if before is None else str(api.difference(before, after))
    clock = "no clock yet" if done.at == datetime.min else f"as of {done.at.isoformat()}Z"
    changes = f"{done.changes:,} attribute changes, " if done.changes else ""
    typer.echo(f"{what}: {done.people:,} profiles, {done.transitions:,} transitions, {changes}{clock}", err=True)


def _source(wish: Wish) -> Any:
    events = wish.events
    if events is None:
        return api.NoSource()
    if events == "-":
        return api.InputSource(0, wish.resume)
    if events.startswith(("http://", "https://", "nats://")):
        return _remote(events)
    if "://" in events and not Path(events).exists():
        raise fail(
            f"`{events}` is no source that is known",
            "name a file, `-`, http://HOST:PORT to serve, or nats://HOST:PORT/STREAM/SUBJECT",
        )
    return api.FileSource(Path(events), wish.follow)


def _remote(address: str) -> Any:
    """A source that is not a file. What it needs is an extra of the package."""
    from urllib.parse import urlsplit

    kind = address.split(":")[0]
    try:
        if kind == "nats":
            return api.NatsSource(address)
        if kind == "https":
            raise fail("the endpoint speaks HTTP alone", "serve http:// and put a proxy with a certificate before it")
        parts = urlsplit(address)
        return api.HttpSource(parts.hostname or "127.0.0.1", 80 if parts.port is None else parts.port)
    except ImportError:
        raise fail(f"`{kind}` needs a library that is not installed", f"pip install 'pql[{kind}]'") from None
    except ValueError:
        raise fail(f"`{address}` is not an address", "write one such as http://127.0.0.1:8090") from None


@contextmanager
def _stopped_by_signals(stream: Any) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) ends the stream after its batch, with everything committed; a second one at once."""

    def stop(number: int, frame: object) -> None:
        if stream.stopping:
            raise KeyboardInterrupt
        stream.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
