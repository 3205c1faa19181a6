"""What the governance commands share: a project's folder, its sources and governance, judged. Read `judged`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pql.api import Decision, Environment, Governance, Governed, load_governance
from pql.check.project import Project
from pql.cli import consoles
from pql.cli.inputs import environment, fail, find_schema, read_sources
from pql.cli.project_file import find_project_file
from pql.diagnostics.model import Diagnostic
from pql.policies.carrying import Carried
from pql.policies.model import Policy

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True)
class Judged:
    """A project, checked and judged. `found`: everything to be said, that of checking first."""

    environment: Environment
    project: Project
    governance: Governance
    governed: Governed
    found: list[Diagnostic]
    unsound: bool
    """Something is wrong with the governance files, so that nothing may be let through."""


def project_folder(near: Path) -> Path:
    """The folder with the project's files: that of `pql.yaml`, or the path's own."""
    file = find_project_file(near)
    return file.parent if file is not None else near if near.is_dir() else near.parent


def judged(
    near: Path, schema: Path | None, now: datetime, drafts: bool = False, sources: Sequence[Any] | None = None
) -> Judged:
    """The project around a path. `sources`: those to check instead of all that the folder holds."""
    if not near.exists():
        raise fail(f"there is no `{near}`", "name a folder with a `pql.yaml`")
    folder = project_folder(near)
    env = environment(schema, near)
    files = list(sources) if sources is not None else read_sources([folder]) if any(folder.rglob("*.pql")) else []
    project = env.project(files)
    governance, found = load_governance(folder, find_schema(schema, near))
    governed = env.govern(project, governance, now, drafts)
    unsound = any(d.is_error for d in found)
    return Judged(env, project, governance, governed, [*project.diagnostics, *found, *governed.diagnostics], unsound)


def governance_findings(
    near: Path, schema: Path | None, sources: Sequence[Any], project: Project, env: Environment, now: datetime
) -> list[Diagnostic]:
    """What governance says of some files of a project: everything, when they are all of it; else what has a place in them.

    Without a `pql.yaml` there is no project, and the files that were named are all there is.
    """
    folder = project_folder(near)
    governance, found = load_governance(folder, find_schema(schema, near))
    names = {str(Path(s.name).resolve()) for s in sources}
    everything = sorted(folder.rglob("*.pql")) if find_project_file(near) is not None else []
    if {str(p.resolve()) for p in everything} <= names:
        return [*found, *env.govern(project, governance, now).diagnostics]
    others = read_sources([p for p in everything if str(p.resolve()) not in names], [])
    governed = env.govern(env.project([*sources, *others]), governance, now)
    own = {s.name for s in sources}
    said = [d for d in governed.diagnostics if d.source.name in own or any(x.source.name in own for x in d.labels)]
    return [*found, *said]


# --- tables ---
def policy_table(policies: Sequence[Policy], words: Any) -> Table:
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False)
    for column in ("id", "policy", "status", "denies", "marketing actions"):
        table.add_column(column)
    for p in policies:
        status = "always" if p.hard else p.status
        table.add_row(p.id, p.name, status, words(p.deny).replace("`", ""), ", ".join(p.actions))
    return table


def decision_table(decisions: Sequence[Decision]) -> Table:
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False)
    for column in ("segment", "destination", "marketing actions", "labels", "decision"):
        table.add_column(column)
    for d in decisions:
        table.add_row(
            d.segment,
            d.destination or "(purpose)",
            ", ".join(d.actions) or "none",
            " ".join(sorted(d.labels)) or "none",
            decided(d),
        )
    return table


def decided(decision: Any) -> str:
    if not decision.allowed:
        unknown = [f"not known: {name}" for name in decision.unknown]
        return "refused: " + ", ".join([*(v.policy.name for v in decision.violations), *unknown])
    if decision.exempt:
        return "allowed under exemption: " + ", ".join(v.policy.name for v, _ in decision.exempt)
    return "allowed"


def where_given(carried: Carried) -> str:
    """`schema.yaml:4` of a label, or nothing."""
    place = carried.origin.place
    return f"{place.source.name}:{place.source.location(place.span.start).line}" if place.source.text else ""


def console() -> Console:
    """Where tables go: as wide as the terminal, and wide enough for their words elsewhere."""
    return consoles.console(width=None if sys.stdout.isatty() else 160)
