"""`pql explain`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from pql.cli.inputs import SchemaOption, either, environment, fail, read_sources, show


def explain(
    what: Annotated[str | None, typer.Argument(help="A code such as PQL0304, a file or a folder.")] = None,
    expression: Annotated[str | None, typer.Option("-e", help="An expression instead.")] = None,
    segment: Annotated[str | None, typer.Option("--segment", help="Only this segment of the file.")] = None,
    schema: SchemaOption = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Show what it costs to keep live: class, retention, timers, bytes a profile.")
    ] = False,
    events_a_day: Annotated[
        float, typer.Option("--events-a-day", min=0, max=1e6, help="With --cost: events a day of a profile.")
    ] = 0.5,
    sql: Annotated[bool, typer.Option("--sql/--no-sql", help="Show the SQL too.")] = True,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Explain a finding's code, or segments: in words, with type, lineage, labels, plan and SQL.

    Example: pql explain PQL0304

    Example: pql explain examples/online-retail/segments.pql --segment lapsed --cost --events-a-day 2
    """
    if expression is None and what is not None and re.fullmatch(r"(?i)pql\d{4}", what):
        _code(what)
        return
    either(what, expression)
    if format not in ("text", "json"):
        raise fail(f"no format `{format}`", "use text or json")
    from pql.cli.explaining import cost_lines, explained, facts, live_cost

    near = Path(what or ".")
    if expression is None and what is not None and not near.exists():
        raise fail(f"`{what}` is neither a code nor a file", "codes look like PQL0304; expressions go after `-e`")
    env = environment(schema, near)
    if expression is not None:
        checked = env.check_either(expression)
        if not checked.ok:
            show(list(checked.diagnostics), "text")
            raise typer.Exit(1)
        conditions: dict[str, Any] = {"expression": checked.ir}
        known: dict[str, Any] = {}
        values: dict[str, Any] = {}
        errors = False
    else:
        conditions, known, values, errors = _declared(env, near, segment)
    if format == "json":
        found = [
            facts(env, i, c, known) | ({"live": live_cost(env, i, c, known, events_a_day)} if cost else {})
            for i, c in conditions.items()
        ]
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        raise typer.Exit(int(errors))
    blocks = []
    for id, condition in conditions.items():
        kind = "attribute" if id in values else "segment"
        head = "" if id == "expression" else f"{kind} {id}\n{'=' * (len(kind) + 1 + len(id))}\n"
        block = head + explained(env, id, condition, known, sql=sql and not cost)
        if cost:
            block += "\n\n" + "\n".join(cost_lines(live_cost(env, id, condition, known, events_a_day), events_a_day))
        blocks.append(block)
    typer.echo("\n\n".join(blocks))
    raise typer.Exit(int(errors))


def _declared(env: Any, near: Path, wanted: str | None) -> tuple[dict[str, Any], Any, dict[str, Any], bool]:
    """What a project declares, or the one that is wanted: conditions and attributes; the conditions of all segments; the attributes alone; has it
    errors?"""
    project = env.project(read_sources([near]))
    errors = [d for d in project.diagnostics if d.is_error]
    if errors:
        show(errors, "text", err=True)
    known = project.conditions
    conditions = {i: s.condition for i, s in project.segments.items() if s.ok and wanted in (None, i)}
    values = {n: e for n, e in project.attributes.items() if not errors and wanted in (None, n) and n not in conditions}
    conditions |= values
    if not conditions:
        from pql.diagnostics.suggest import did_you_mean

        raise fail(
            f"no segment `{wanted}`" if wanted else "no segment to explain",
            did_you_mean(wanted or "", [*project.segments, *project.attributes]),
        )
    return conditions, known, values, bool(errors)


def _code(code: str) -> None:
    from pql.diagnostics import CODES
    from pql.diagnostics import explain as look_up
    from pql.diagnostics.suggest import did_you_mean

    entry = look_up(code)
    if entry is None:
        raise fail(f"no code `{code}`", did_you_mean(code.upper(), CODES) or "docs/generated/diagnostics.md lists them")
    typer.echo(f"{entry.code}: {entry.title} ({entry.severity.value})\n\n{entry.explanation}")
