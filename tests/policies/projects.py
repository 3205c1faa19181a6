"""Small projects written to a folder and judged, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from pql.api import Environment, Governance, Governed, load_governance, load_schema
from pql.check.project import Project
from pql.diagnostics.model import Diagnostic
from pql.source import Source

NOW = datetime(2026, 3, 1, 12)


class Plain(yaml.SafeDumper):
    """Writes everything out, as the files have it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@dataclass(frozen=True)
class Made:
    environment: Environment
    project: Project
    governance: Governance
    governed: Governed
    found: list[Diagnostic]

    @property
    def codes(self) -> list[str]:
        return sorted({d.code for d in self.found if d.is_error})

    def one(self, code: str) -> Diagnostic:
        """The only finding with a code."""
        (found,) = [d for d in self.found if d.code == code]
        return found


def write(folder: Path, files: Mapping[str, Any]) -> None:
    """Files by name; what is not text becomes YAML."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.dump(content, Dumper=Plain, sort_keys=False)
        path.write_text(text, encoding="utf-8")


def judge(folder: Path, now: datetime = NOW, drafts: bool = False) -> Made:
    """The project in a folder, with its `schema.yaml`."""
    schema, found = load_schema(folder / "schema.yaml")
    environment = Environment(schema)
    project = environment.project(
        [Source(str(p.relative_to(folder)), p.read_text(encoding="utf-8")) for p in sorted(folder.rglob("*.pql"))]
    )
    governance, more = load_governance(folder, folder / "schema.yaml")
    governed = environment.govern(project, governance, now, drafts)
    return Made(
        environment, project, governance, governed, [*found, *project.diagnostics, *more, *governed.diagnostics]
    )  # fmt: skip


def underlined(d: Diagnostic) -> str:
    return d.source.slice(d.span)
