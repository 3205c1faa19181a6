"""What the commands on sources share: finding the project, its sources and its store for writing. Read `source_project`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pql.cli.inputs import IN_PROJECT, environment, fail, find_schema, no_such, project_file, show

ProjectOption = Annotated[Path, typer.Option("--project", "-p", help="The project's folder: where `pql.yaml` is.")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="The profile store; `pql.yaml` may name it.")]
NO_PROJECT = (
    "name the project's folder with `--project`; in it `pql.yaml` names the schema and the store, and `sources/` holds a YAML file for each"
    " source, for which `pql source map FILE` proposes the mapping"
)


def source_project(folder: Path, output: str = "text", strict: bool = True) -> Any:
    """The project with its sources; with `strict` findings of errors end the command with exit code 1."""
    from pql.ingest.project import SourceProject

    if not folder.exists():
        raise fail(f"there is no folder `{folder}`")
    settings = project_file(folder)
    home, places = settings.folder or folder, settings.sources
    if not places and not (home / "sources").is_dir():
        if settings.folder is None:
            raise fail(f"`{folder}` is no project: it has no `pql.yaml` and no `sources/`", NO_PROJECT)
        raise fail(
            f"no sources in `{home}`", "put source files below `sources/`, or name them with `sources` in `pql.yaml`"
        )
    env = environment(find_schema(None, folder, IN_PROJECT), folder)
    missing = [p for p in places if not p.exists()]
    if missing:
        raise fail(f"`sources` of `pql.yaml`: there is no `{missing[0]}`")
    project = SourceProject.read(home, env.schema, places, settings.identity)
    if strict and not project.ok:
        show(list(project.diagnostics), output, err=output == "text")
        raise typer.Exit(1)
    return project


def chosen(project: Any, ids: list[str]) -> list[str]:
    """The ids, checked; exit code 2 for an unknown one."""
    from pql.diagnostics.model import Diagnostic

    for id in ids:
        found = project.find(id)
        if isinstance(found, Diagnostic):
            raise fail(f"{found.code}: {found.message}", found.help[0] if found.help else "")
    return ids


def writable_store(store: Path | None, project: Any, memory: str = "2GB", make: bool = True) -> Any:
    """The store of the project, opened for writing; made when it is not there, or without `make` exit code 2."""
    from pql.api import Store, StoreError

    path = store or project_file(project.folder).store
    if path is None:
        raise fail("no store named", "name one with `--store FILE`, or with `store` in `pql.yaml`")
    if not make and not path.is_file():
        raise no_such("store", path, "`pql load` makes one")
    if not path.parent.is_dir():
        raise fail(f"there is no folder `{path.parent}`")
    try:
        return Store.open(path, project.schema, memory_limit=memory)
    except StoreError as error:
        raise fail(f"{error.code}: store `{path}`: {error}") from None


def readable_store(store: Path | None, project: Any) -> Any:
    from pql.api import Store, StoreError

    path = store or project_file(project.folder).store
    if path is None:
        raise fail("no store named", "name one with `--store FILE`, or with `store` in `pql.yaml`")
    if not path.is_file():
        raise no_such("store", path, "`pql load` makes one")
    try:
        return Store.open(path, project.schema, read_only=True)
    except StoreError as error:
        raise fail(f"{error.code}: store `{path}`: {error}") from None
