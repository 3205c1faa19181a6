"""`pql demo`: the whole way on real data. Load, check, run in one statement, print. Read `run_demo`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rich.table import Table

from pql.api import Environment, Store, load_schema
from pql.cli.consoles import console as made
from pql.cli.demo_live import run_live
from pql.cli.demo_luma import run_luma
from pql.diagnostics.render import FORMATS
from pql.source import Source
from pql.store.online_retail import load_online_retail
from pql.xdm.values import read_instant

AS_OF = "2011-12-10T00:00:00Z"


def run_demo(root: Path, clock: Callable[[], float]) -> int:
    """Print the demo; 0 when it went through, 1 when the segments do not check, 2 when the data are not there."""
    console = made()
    if failed := run_luma(root, console, clock):
        return failed
    folder = root / "profiles" / "online-retail"
    if not (folder / "schema.yaml").is_file():
        console.print(f"error: no `{folder}` here: run the demo from the repository's root, or name it with --folder")
        return 2
    schema, _ = load_schema(folder / "schema.yaml")
    start = clock()
    store = Store.memory(schema)
    counts = load_online_retail(store, folder / "online_retail.parquet")
    store.index()
    console.print(
        f"loaded {counts.lines:,} invoice lines in {clock() - start:.1f} s: {counts.loaded:,} in {counts.events:,} events "
        f"of {counts.profiles:,} profiles, {counts.anonymous:,} without a customer left out"
    )
    files = sorted((root / "examples" / "online-retail").glob("*.pql"))
    environment = Environment(schema)
    start = clock()
    project = environment.project([Source(str(f), f.read_text(encoding="utf-8")) for f in files])
    console.print(f"checked {len(project.segments)} segments in {(clock() - start) * 1000:.0f} ms")
    if not project.ok:
        console.print(FORMATS["text"]([d for d in project.diagnostics if d.is_error]), markup=False)
        return 1
    store.lock()
    console.print(_run(environment, store, project, clock))
    if failed := run_live(environment, project, store, read_instant(AS_OF) or datetime.max, console, clock):
        return failed
    console.print("next: pql check examples/online-retail    pql compile examples/online-retail    pql explain PQL0301")
    return 0


def _run(environment: Environment, store: Store, project, clock: Callable[[], float]) -> Table:  # type: ignore[no-untyped-def]
    table = Table(title=f"segments as of {AS_OF}")
    for column, justify in (
        ("segment", "left"),
        ("name", "left"),
        ("members", "right"),
        ("share", "right"),
        ("ms", "right"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    profiles = store.query("SELECT count(*) FROM profile", {})[0][0]
    conditions = [s.condition for s in project.segments.values()]
    together = environment.sql(conditions, project.conditions, "counts", store.layout).sql()
    start = clock()
    counts = store.query(together, {"now": read_instant(AS_OF)})[0]
    table.caption = (
        f"all {len(project.segments)} in one statement: {(clock() - start) * 1000:,.0f} ms; ms: one at a time"
    )
    for index, (id, segment) in enumerate(project.segments.items()):
        alone = environment.sql([segment.condition], project.conditions, "members", store.layout).sql()
        start = clock()
        members = len(store.query(alone, {"now": read_instant(AS_OF)}))
        assert members == counts[index], id
        spent = (clock() - start) * 1000
        table.add_row(id, segment.display, f"{members:,}", f"{members / max(profiles, 1):.1%}", f"{spent:,.0f}")
    return table
