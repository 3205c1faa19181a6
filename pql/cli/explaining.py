"""What `pql explain` says of a condition: words, type, lineage, SQL, plan, cost. Read `facts` (data) and `explained` (text)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pql.api import Environment
from pql.ir import nodes as ir
from pql.ir.english import sentence
from pql.ir.lineage import depends_on, labels, lineage
from pql.types import describe


def facts(
    environment: Environment, id: str, e: ir.Expr, segments: Mapping[str, ir.Expr], store: Any = None
) -> dict[str, Any]:
    """Everything that is known of a condition, as JSON."""
    layout = store.layout if store is not None else environment.indexed_layout()
    test = isinstance(e, ir.TESTS)
    query = environment.sql([e], segments, "members" if test else "values", layout)
    reads = lineage(e, segments)
    return {
        "id": id,
        "english": sentence(e),
        "type": describe(e.type),
        "lineage": [
            {
                "field": r.path,
                "type": r.type,
                "labels": sorted(r.labels),
                "via": list(r.via),
                "at": [r.span.start, r.span.end],
            }
            for r in reads
        ],
        "labels": sorted(labels(e, segments)),
        "dependsOn": list(depends_on(e)),
        "sql": query.tree.sql("duckdb", pretty=True),
        "parameters": ["now"] if "$now" in query.sql() else [],
        "plan": environment.plan(e, segments, layout),
    }


def live_cost(
    environment: Environment, id: str, e: ir.Expr, segments: Mapping[str, ir.Expr], a_day: float = 0.5
) -> dict[str, Any] | None:
    """What keeping a test, or the value of an attribute, live will cost, before it runs: see `Plan.cost`. None: it is another value at every
    instant, so it cannot be kept.

    `bytesPerProfile` is an estimate for `a_day` events a day of a profile; where events are kept for good, after a year.
    """
    from pql.runtime import Traffic

    if isinstance(e, ir.TESTS):
        cost = environment.live_plan({**segments, id: e}, [id]).cost(id, Traffic(a_day))
    elif environment.changes_always(e):
        return None
    else:
        cost = environment.live_plan(segments, [], {id: e}).cost(None, Traffic(a_day), id)
    retention = None if cost.retention is None else f"{cost.retention / 86_400_000_000:g} days"
    return {
        "class": cost.kind,
        "unbounded": cost.unbounded,
        "retention": retention,
        "timers": cost.timers,
        "bytesPerProfile": cost.bytes,
        "leaves": cost.leaves,
        "evaluatedAnew": cost.plain,
    }


def cost_lines(cost: Mapping[str, Any] | None, a_day: float = 0.5) -> list[str]:
    """The same for people."""
    if cost is None:
        return ["live: this is another value at every instant (PQL0612); `pql run --save` keeps it"]
    bounded = f"events are kept for {cost['retention']}" if cost["class"] == "bucketed" else "no events are kept"
    kept = "events are kept for good" if cost["unbounded"] else bounded
    timers = cost["timers"]
    lines = [
        f"live: class {cost['class']}"
        + (
            ", unbounded: its state grows with every event (`pql stream` wants `--allow-unbounded`)"
            if cost["unbounded"]
            else ""
        ),
        f"  {kept}; " + (f"at most {timers} timer{'s' * (timers != 1)} a profile" if timers else "no timers"),
        f"  about {cost['bytesPerProfile']:,} bytes a profile (an estimate, for {a_day:g} events a day{' over a year' * cost['unbounded']})",
    ]
    if cost["evaluatedAnew"]:
        what = "leaves are" if cost["leaves"] > 1 else "leaf is"
        lines.append(f"  {cost['evaluatedAnew']} of {cost['leaves']} {what} evaluated anew over the kept events, whole")
    return lines


def explained(
    environment: Environment, id: str, e: ir.Expr, segments: Mapping[str, ir.Expr], store: Any = None, sql: bool = False
) -> str:
    """The same for people."""
    known = facts(environment, id, e, segments, store)
    out = [known["english"], "", f"type: {known['type']}"]
    if known["dependsOn"]:
        out.append("depends on: " + ", ".join(f"`{s}`" for s in known["dependsOn"]))
    out += ["", "reads:"]
    width = max((len(r["field"]) for r in known["lineage"]), default=0)
    for r in known["lineage"]:
        notes = [
            r["type"],
            *(["labels " + " ".join(r["labels"])] if r["labels"] else []),
            *([f"through {' > '.join(r['via'])}"] if r["via"] else []),
        ]
        out.append(f"  {r['field']:{width}}  {', '.join(notes)}")
    if not known["lineage"]:
        out.append("  nothing of the profile")
    out += ["labels: " + (" ".join(known["labels"]) or "none"), "", "plan:", *(f"  {line}" for line in known["plan"])]
    if sql:
        out += [
            "",
            "sql (parameter $now: the instant asked about):",
            *(f"  {line}" for line in known["sql"].split("\n")),
        ]
    return "\n".join(out)
