"""The first part of the demo: Luma's seven files become people. Sources, stitching, merging, segments, one person. Read `run_luma`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pql.api import (
    Environment,
    Project,
    SourceProject,
    Store,
    find_people,
    load_schema,
    read_identity,
    read_person,
    unify,
)
from pql.cli.masking import Mask
from pql.cli.people import unified_words
from pql.cli.running import Run
from pql.cli.saving import save_values
from pql.cli.showing_person import attributes, computed, event_json, identity_text
from pql.identity.policy import DEFAULT
from pql.source import Source
from pql.xdm.values import read_instant, write_value

AS_OF = "2022-11-30T00:00:00Z"
EVENTS, ATTRIBUTES = 5, 9


def run_luma(root: Path, console: Console, clock: Callable[[], float]) -> int:
    """Print the Luma part; 0 when it went through, 1 when something does not check, 2 when the data are not there."""
    folder = root / "examples" / "luma"
    if not (folder / "pql.yaml").is_file():
        console.print(f"error: no `{folder}` here: run the demo from the repository's root, or name it with --folder")
        return 2
    console.print("loading Luma's seven sources, then stitching them into people ...", highlight=False)
    schema, _ = load_schema(root / "profiles" / "luma" / "schema.yaml")
    store = Store.memory(schema)
    start = clock()
    sources = SourceProject.read(folder, schema)
    console.print(_loaded(sources, store))
    settings, _ = read_identity(folder / "identity.yaml")
    report = unify(store, settings, DEFAULT)
    console.print(f"stitched and merged: {unified_words(report)} ({clock() - start:.1f} s in all)\n")
    environment = Environment(schema)
    files = sorted(folder.glob("*.pql"))
    project = environment.project([Source(str(f), f.read_text(encoding="utf-8")) for f in files])
    if not project.ok:
        return 1
    store.index()
    save_values(Run(environment, project, store, read_instant(AS_OF) or datetime.max, []))
    table, best = _segments(environment, store, project)
    console.print(table)
    found = find_people(store, best, settings)
    if found:
        labels = {f.dataset: frozenset(f.labels) for f in sources.sources.values()}
        events = frozenset(f.dataset for f in sources.sources.values() if f.kind == "event")
        mask = Mask(schema.profile, schema.event, labels, settings=settings, events=events)
        _person(store, found[0][0], mask, console)
    return 0


def _loaded(sources: SourceProject, store: Store) -> Table:
    table = Table(title="Luma: seven sources, mapped to XDM; read = stored + duplicates + quarantined")
    table.add_column("source", no_wrap=True)
    for column in ("read", "stored", "duplicates", "quarantined"):
        table.add_column(column, justify="right", no_wrap=True)
    for done in sources.load(store):
        n = done.counts
        numbers = (n.read, n.stored, n.duplicates, n.quarantined)
        table.add_row(done.source, *(f"{x:,}" for x in numbers))
    return table


def _segments(environment: Environment, store: Store, project: Project) -> tuple[Table, str]:
    """The segments with their numbers of members, and the name of somebody who is in most of them."""
    table = Table(title=f"segments as of {AS_OF}: each needs facts from several sources")
    table.add_column("segment", no_wrap=True)
    table.add_column("name")
    table.add_column("members", justify="right")
    people: dict[int, int] = {}
    for id, segment in project.segments.items():
        sql = environment.sql([segment.condition], project.conditions, "members", store.layout).sql()
        members = [row[0] for row in store.query(sql, {"now": read_instant(AS_OF)})]
        for pid in members:
            people[pid] = people.get(pid, 0) + 1
        table.add_row(id, segment.display, f"{len(members):,}")
    best = max(people, key=lambda pid: (people[pid], -pid), default=0)
    return table, store.profile_names().get(best, "")


def _person(store: Store, pid: int, mask: Mask, console: Console) -> None:
    person = read_person(store, pid, DEFAULT[0], EVENTS)
    table = Table(title="one of them: what is known, and from which source")
    for column in ("what", "value", "from"):
        table.add_column(column, overflow="fold")
    for node in person.nodes:
        table.add_row("identity", identity_text(mask, node.identity.namespace, node.identity.id), node.dataset)
    table.add_section()
    rows = attributes(person, mask)
    for row in [r for r in rows if not r["masked"]][:ATTRIBUTES]:
        table.add_row(row["path"], str(row["value"]), row["dataset"])
    table.add_row(f"and {sum(r['masked'] for r in rows)} more", "masked on a screen", "")
    table.add_section()
    for name in person.computed:
        table.add_row(name, str(write_value(computed(person, name, mask))), "computed attribute")
    table.add_section()
    for event in person.events[:EVENTS]:
        shown = event_json(event, mask)
        table.add_row(str(shown["timestamp"]), str(shown["eventType"]), str(shown["dataset"]))
    console.print(table)
    console.print("more: pql load --project examples/luma, then pql profile show, pql identity show\n")
