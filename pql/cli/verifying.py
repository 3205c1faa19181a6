"""What `pql verify` does with its options. Read `run_verify`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from pql.api import streams as api
from pql.api import write_value
from pql.cli.inputs import fail, instant, open_store
from pql.cli.masking import Mask
from pql.cli.stream_figures import progress
from pql.cli.streaming import checked_project, plan_for

SHOWN = 20


def run_verify(
    paths: list[Path],
    state: Path,
    store: Path | None,
    schema: Path | None,
    sample: int,
    as_of: str | None,
    seed: int,
    format: str,
    use: str = "",
) -> int:
    """Exit code: 0 equal, 1 not."""
    env, project = checked_project(paths, schema)
    if not (state / api.STATE_FILE).is_file():
        raise fail(f"there is no state in `{state}`", "`pql stream --state` makes one")
    opened = None if store is None else open_store(store, env, paths[0])
    try:
        kept = api.SqliteState(state, exclusive=False)
        try:
            before = kept.kept()
            paused, valued = (tuple(before.paused), bool(before.attributes)) if before else ((), False)
            plan, _ = plan_for(env, project, paths[0], schema, use, paused, valued)
            hidden = _hidden(before, env, opened)
            told = progress("verifying")
            found = api.verify(kept, plan, opened, sample, None if as_of is None else instant(as_of), seed, told)
        finally:
            kept.close()
    except api.StreamError as error:
        raise fail(f"{error.code}: {error}", error.help) from None
    finally:
        if opened is not None:
            opened.connection.close()
    _show(found, format, hidden)
    return 0 if found.equal else 1


def _hidden(kept: Any, env: Any, store: Any) -> Callable[[str, Any], Any]:
    """An attribute's value as a screen may show it: by the labels of what it reads and, with a store, those of all its datasets."""
    reads = {name: frozenset(labels) for name, labels, _ in kept.reads} if kept is not None else {}
    rows = [] if store is None else store.query("SELECT labels FROM meta.dataset", {}) if store.has_ledger() else []
    everywhere = frozenset(label for (labels,) in rows for label in labels or ())
    mask = Mask(env.schema.profile, env.schema.event)
    return lambda name, value: mask.computed(value, reads.get(name, frozenset()) | everywhere, (), name)


def _show(found: Any, format: str, hidden: Callable[[str, Any], Any]) -> None:
    at = f"{found.at.isoformat()}Z"
    if format == "json":
        row = {
            "at": at,
            "people": found.people,
            "memberships": found.memberships,
            "members": found.members,
            "events_from_store": found.stored,
            "equal": found.equal,
            "disagreements": [asdict(d) for d in found.disagreements],
        }
        if found.values:
            row |= {"values": found.values, "otherwise": [write_value(asdict(d)) for d in found.otherwise]}
        typer.echo(json.dumps(row, ensure_ascii=False))
        return
    for d in found.disagreements[:SHOWN]:
        said = ", ".join(
            f"{who} says {_word(answer)}"
            for who, answer in (("live", d.live), ("SQL", d.batch), ("the evaluator", d.plain))
        )
        typer.echo(f"PQL0638: `{d.profile}` in `{d.segment}`: {said}")
    for o in found.otherwise[:SHOWN]:
        words = (("live", o.live), ("SQL", o.batch), ("the evaluator", o.plain))
        said = ", ".join(
            f"{who} says {json.dumps(write_value(hidden(o.attribute, value)), ensure_ascii=False)}"
            for who, value in words
        )
        typer.echo(f"PQL0638: attribute `{o.attribute}` of `{o.profile}`: {said}")
    more = sum(max(0, len(these) - SHOWN) for these in (found.disagreements, found.otherwise))
    if more:
        typer.echo(f"and {more:,} more; `--format json` lists all")
    wrong = len(found.disagreements) + len(found.otherwise)
    if found.stored:
        typer.echo(f"{found.stored:,} events of these people are in the store's history and did not come in live", err=True)
        if wrong:
            typer.echo("  = help: events that were loaded after the stream began from the store are not in its answers", err=True)
    verdict = f"{wrong:,} differ" if wrong else "all equal"
    values = f", {found.values:,} values of attributes" if found.values else ""
    typer.echo(
        f"{found.people:,} people, {found.memberships:,} memberships{values} as of {at} ({found.members:,} in): {verdict}"
    )


def _word(answer: bool | None) -> str:
    return "cannot be judged" if answer is None else "in" if answer else "not in"
