"""What commands share: options, finding the schema, reading sources, showing findings, failing. Imports stay inside
functions, so that `pql --help` is quick.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

PolicyOption = Annotated[
    str | None,
    typer.Option("--policy", help="The merge policy whose profiles are asked; the default one when left out."),
]
SchemaOption = Annotated[
    Path | None,
    typer.Option("--schema", "-s", help="Schema: a file (short form, XDM manifest or JSON Schema) or a folder."),
]
FormatOption = Annotated[str, typer.Option("--format", "-f", help="text, json, sarif, github or junit.")]

MAKERS = "`pql load` makes one from the project's sources, `pql store create` from JSON Lines or Parquet"


def no_such(what: str, path: Path, help: str = "") -> typer.Exit:
    """Say that a path is no file or store: nothing is there, or a folder is; exit code 2."""
    if path.is_dir():
        return fail(f"`{path}` is a folder, no {what}", help)
    return fail(f"there is no {what} `{path}`", help)


def cache_folder() -> Path:
    """Where commands may keep what makes the next one quicker."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "pql"


def fail(message: str, help: str = "") -> typer.Exit:
    """Say what could not be done, on standard error; exit code 2."""
    typer.echo(f"error: {message}" + (f"\n  = help: {help}" if help else ""), err=True)
    return typer.Exit(2)


ADVICE = {
    "PQL0601": "leave out values that cannot be true; `pql explain PQL0601` says more",
    "PQL0602": "give it more time with `--timeout`, or run fewer segments",
    "PQL0603": "give it more memory with `--memory-limit`",
}


def stopped(error: Any) -> typer.Exit:
    """Say why a statement was stopped, a StoreError, and what helps; exit code 2."""
    return fail(stop_words(error), ADVICE.get(error.code, ""))


def stop_words(error: Any) -> str:
    """A StoreError with its code. The engine's own words for a sum that is too large are those of its internals."""
    message = "a sum lies outside its range" if error.code == "PQL0601" else str(error)
    return f"{error.code}: {message}"


def either(paths: Any, expression: str | None) -> None:
    """An expression stands instead of files: both at once would leave one of them out without a word."""
    if paths and expression is not None:
        raise fail("`-e` is instead of files, and both are given", "leave one of them out")


def project_file(near: Path | None) -> Any:
    """The settings of the project that a path belongs to."""
    from pql.cli.project_file import BadProjectFile, read_project_file

    try:
        return read_project_file(near or Path("."))
    except BadProjectFile as error:
        raise fail(str(error), error.help) from None


BESIDE = "name one with `--schema FILE`, or put a `schema.yaml` beside the segments"
AT_PEOPLE = "run this in the folder of a project (`pql.yaml` names the schema and the store), or give `--schema FILE` and `--store FILE`"
IN_PROJECT = "put a `schema.yaml` into the project's folder, or name one with `schema` in its `pql.yaml`"


def find_schema(schema: Path | None, near: Path | None, help: str = BESIDE) -> Path:
    """The schema asked for, or `schema.yaml` beside the files or above them, or what `pql.yaml` there names."""
    if schema is not None:
        return schema
    named = project_file(near).schema
    if named is not None:
        return Path(named)
    folder = near if near is not None and near.is_dir() else (near.parent if near is not None else Path("."))
    for candidate in (folder, *folder.resolve().parents):
        if (candidate / "schema.yaml").is_file():
            return candidate / "schema.yaml"
    raise fail("no schema found", help)


def environment(schema: Path | None, near: Path | None = None, help: str = BESIDE) -> Any:
    """The environment of the schema that is asked for or found; exit 2 with its findings when it has errors."""
    from pql.api import Environment, Settings, load_schema
    from pql.syntax.parser import keep_tables

    keep_tables(str(cache_folder()))
    path = find_schema(schema, near, help)
    made, found = load_schema(path)
    if any(d.is_error for d in found):
        from pql.diagnostics.render import FORMATS

        typer.echo(FORMATS["text"](found), err=True)
        raise typer.Exit(2)
    settings = project_file(near)
    return Environment(made, Settings(settings.zone, settings.week_start))


def open_store(
    store: Path | None,
    env: Any,
    near: Path | None = None,
    memory: str = "4GB",
    timeout: float = 0,
    write: bool = False,
    index: bool = False,
    policy: str | None = None,
) -> Any:
    """The store asked for or named by `pql.yaml`, locked, and read-only unless `write`; exit 2 when it cannot be. With `index`, the
    copies for fast plans are made first when merging has left them to be made. `policy`: the merge policy whose profiles are asked."""
    from pql.api import Store, StoreError

    path = store or project_file(near).store
    if path is None:
        raise fail("no store named", f"name one with `--store FILE`; {MAKERS}")
    if not path.is_file():
        raise no_such("store", path, MAKERS)
    try:
        opened = Store.open(path, env.schema, read_only=not write, memory_limit=memory, timeout=timeout)
        place = _place(policy, near, env)
        _use(opened, place, policy)
        opened.check_tables()
        if index and opened.awaits_index():
            opened = _with_index(opened, path, env, write, memory, timeout, place)
        opened.lock()
        return opened
    except StoreError as error:
        raise fail(f"{error.code}: store `{path}`: {error}") from None


def _place(policy: str | None, near: Path | None, env: Any) -> str:
    """Where the profiles of a merge policy are."""
    if policy is None:
        return "main"
    from pql.cli.people import chosen_policy

    place: str = chosen_policy(policy, near, env.schema).place
    return place


def _use(opened: Any, place: str, policy: str | None) -> None:
    if not opened.use(place) and policy is not None:
        raise fail(
            f"PQL0843: the store has no profiles of the merge policy `{policy}`",
            "`pql load` makes those of all policies",
        )


def _with_index(opened: Any, path: Path, env: Any, write: bool, memory: str, timeout: float, place: str) -> Any:
    """The store with its copies made; as it is when somebody else holds it, for the plain tables answer as well."""
    from pql.api import Store, StoreError
    from pql.cli.waiting import waited

    if write:
        waited(opened, "sorting events, once after a load", opened.index)
        return opened
    opened.connection.close()
    try:
        writing = Store.open(path, env.schema, memory_limit=memory)
        writing.use(place)
        waited(writing, "sorting events, once after a load", writing.index)
        writing.close()
    except StoreError:
        pass
    again = Store.open(path, env.schema, read_only=True, memory_limit=memory, timeout=timeout)
    again.use(place)
    return again


def _as_text(source: Any) -> Any:
    """A pql/json document as the text that it stands for; findings end the command."""
    from pql.source import Source
    from pql.syntax.json_document import document_to_text

    text, found = document_to_text(source)
    if text is None:
        show(found, "text")
        raise typer.Exit(1)
    return Source(source.name, text)


def read_sources(paths: list[Path], unread: list[Any] | None = None) -> list[Any]:
    """The sources at some paths. A file that is not UTF-8 ends the command, or becomes a finding in `unread` where that is given."""
    from pql.source import Source

    files = [f for p in paths for f in (sorted(p.rglob("*.pql")) if p.is_dir() else [p])]
    sources = []
    for file in files:
        try:
            source = Source(str(file), file.read_bytes().decode("utf-8-sig"))
            sources.append(_as_text(source) if file.suffix == ".json" else source)
        except UnicodeDecodeError as error:
            if unread is None:
                raise fail(f"`{file}` cannot be read: it is not UTF-8 text") from None
            unread += _not_utf8(str(file), error)
        except OSError as error:
            raise fail(f"`{file}` cannot be read: {error.strerror}", other_files(file)) from None
    if not sources and not unread:
        raise fail("no `.pql` file found", "name a file, or a folder that holds some")
    return sources


def other_files(file: Path) -> str:
    """What to name instead of a file that is not there."""
    from itertools import islice

    from pql.diagnostics.suggest import did_you_mean

    folder = next(f for f in (file.parent, *file.parents, Path(".")) if f.is_dir())
    there = sorted(str(f) for f in islice(folder.glob("*"), 1000) if f.suffix == ".pql" or f.is_dir())
    near = did_you_mean(str(file), there)
    files = [f"`{f}`" for f in there if f.endswith(".pql")]
    if near or not files:
        return near or "name a `.pql` file, or a folder that holds some"
    return f"there are {', '.join(files[:5])}{' …' if len(files) > 5 else ''}"


def _not_utf8(name: str, error: UnicodeDecodeError) -> list[Any]:
    from pql.diagnostics.findings import Findings
    from pql.source import Source, Span

    start = len(error.object[: error.start].decode("utf-8"))
    findings = Findings(Source(name, error.object.decode("utf-8", errors="replace")))
    bad = error.object[error.start]
    findings.report(
        "PQL0004",
        Span(start, start + 1),
        f"source text is not UTF-8: the byte 0x{bad:02X}",
        help="save the file as UTF-8",
    )
    return list(findings.items)


class replaced:
    """A file that appears whole or not at all. Exit code 2 when there is no such folder, or it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path, self.partial = path, path.with_name(path.name + ".partial")

    def __enter__(self) -> Path:
        if not self.path.parent.is_dir():
            raise fail(f"there is no folder `{self.path.parent}`")
        return self.partial

    def __exit__(self, kind: object, error: object, _: object) -> None:
        try:
            if kind is None:
                os.replace(self.partial, self.path)
                return
            self.partial.unlink(missing_ok=True)
        except OSError as problem:
            error = problem
        if isinstance(error, OSError):
            raise fail(f"`{self.path}` cannot be written: {error.strerror or error}") from None


def by_project(paths: list[Path]) -> dict[Path, list[Path]]:
    """The `.pql` files below some paths, by the project that they belong to: the folder of the next `pql.yaml` or
    `schema.yaml` above, or the path that was given."""
    found: dict[Path, list[Path]] = {}
    for path in paths:
        for file in sorted(path.rglob("*.pql")) if path.is_dir() else [path]:
            above = (file.parent, *file.parent.resolve().parents)
            marks = (f for f in above if (f / "pql.yaml").is_file() or (f / "schema.yaml").is_file())
            found.setdefault(next(marks, path), []).append(file)
    if not found:
        raise fail("no `.pql` file found", "name a file, or a folder that holds some")
    return found


def show(found: Any, output: str, files: tuple[str, ...] = (), err: bool = False) -> None:
    from pql.diagnostics.render import FORMATS

    if output not in FORMATS:
        raise fail(f"no format `{output}`", "use one of " + ", ".join(FORMATS))
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    typer.echo(FORMATS[output](found, files=files, color=color), err=err)


def exemption_day(text: str | None) -> datetime:
    """The instant at which exemptions are asked about: now, or later. In the past they would hold again that have run out."""
    at, now = instant(text), datetime.now(UTC).replace(tzinfo=None)
    if at.date() < now.date():
        raise fail(f"`{text}` is over", "ask for today or a day to come: an exemption that has ended stays ended")
    return at


def instant(text: str | None) -> datetime:
    from pql.xdm.values import read_instant

    if text is None:
        return datetime.now(UTC).replace(tzinfo=None)
    value = read_instant(text)
    if value is None:
        raise fail(f"`{text}` is not a date or date-time", "write it like 2026-03-01T10:00:00Z")
    return value
