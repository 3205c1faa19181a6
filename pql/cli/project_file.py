"""`pql.yaml`: what the commands take from a project's folder. Read `read_project_file`.

schema: ../schema.yaml      # any form that docs/SCHEMAS.md knows
store: shop.duckdb
zone: Europe/Copenhagen     # of `today`, `this month`; UTC when left out
week_start: sunday          # monday when left out
policies: [core.combining]  # docs/GOVERNANCE.md; read by `pql.policies`
identity: identity.yaml     # namespaces and their limits; the file beside, when left out
merge: merge.yaml           # merge policies; the file beside, when left out
sources: [sources]          # source files, or folders of them; `sources` when left out
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEYS = ("schema", "store", "zone", "week_start", "sources", "policies", "identity", "merge")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class ProjectFile:
    """Paths are resolved; empty fields were not given."""

    schema: Path | None = None
    store: Path | None = None
    zone: str = "UTC"
    week_start: str = "monday"
    identity: Path | None = None
    merge: Path | None = None
    sources: tuple[Path, ...] = ()
    folder: Path | None = None


class BadProjectFile(Exception):
    """The message says what is wrong, `help` what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def find_project_file(near: Path) -> Path | None:
    """`pql.yaml` in the folder, or in one above it."""
    folder = near if near.is_dir() else near.parent
    return next((f / "pql.yaml" for f in (folder, *folder.resolve().parents) if (f / "pql.yaml").is_file()), None)


def read_project_file(near: Path) -> ProjectFile:
    """The project file near a path; an empty one when there is none."""
    from pql.diagnostics.suggest import did_you_mean
    from pql.xdm.yaml_text import read_yaml

    path = find_project_file(near)
    if path is None:
        return ProjectFile()
    try:
        document: Any = read_yaml(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError) as error:
        raise BadProjectFile(f"`{path}` cannot be read: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict):
        raise BadProjectFile(f"`{path}` is not an object of settings")
    for key in document:
        if key not in KEYS:
            raise BadProjectFile(
                f"`{path}`: unknown setting `{key}`",
                did_you_mean(str(key), KEYS) or "the settings are " + ", ".join(KEYS),
            )
    return ProjectFile(
        path.parent / str(document["schema"]) if document.get("schema") else None,
        path.parent / str(document["store"]) if document.get("store") else None,
        read_zone(document.get("zone", "UTC"), f"`{path}`: "),
        read_day(document.get("week_start", "monday"), f"`{path}`: "),
        _beside(document, "identity", path.parent),
        _beside(document, "merge", path.parent),
        _paths(document.get("sources"), path),
        path.parent,
    )


def _beside(document: dict[str, Any], key: str, folder: Path) -> Path | None:
    """The file that a key names; else the one with the usual name, when it is there."""
    if document.get(key):
        return folder / str(document[key])
    usual = folder / f"{key}.yaml"
    return usual if usual.is_file() else None


def _paths(value: Any, path: Path) -> tuple[Path, ...]:
    words = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(w, str) for w in words):
        raise BadProjectFile(f"`{path}`: `sources` is a list of files and folders", "write it like [sources]")
    return tuple(path.parent / w for w in words)


def read_zone(value: Any, where: str = "") -> str:
    """The name of a time zone that there is. Raises BadProjectFile."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(str(value)).key
    except (KeyError, ValueError, OSError):
        raise BadProjectFile(f"{where}no time zone `{value}`", "write one such as Europe/Copenhagen") from None


def read_day(value: Any, where: str = "") -> str:
    """A day of the week in lower case. Raises BadProjectFile."""
    if str(value).lower() not in DAYS:
        raise BadProjectFile(f"{where}`{value}` is no day of the week", "write monday, or sunday")
    return str(value).lower()
