"""`pql run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pql.cli.inputs import PolicyOption, SchemaOption, environment, fail, instant, open_store, read_sources, show

if TYPE_CHECKING:
    from pql.ir import nodes as ir

StoreOption = Annotated[Path | None, typer.Option("--store", help="The profile store, a DuckDB file.")]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="The instant asked about; now by default.")]
MemoryOption = Annotated[str, typer.Option("--memory-limit", help="Most memory, such as 4GB.")]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=0, help="Most seconds; 0 is no limit.")]
FORMATS = ("table", "json", "csv", "parquet")


def run(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders.")] = None,
    schema: SchemaOption = None,
    store: StoreOption = None,
    as_of: AsOfOption = None,
    segment: Annotated[list[str] | None, typer.Option("--segment", help="Only this segment; may be repeated.")] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="table, json, csv or parquet.")] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the members here.")] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep memberships and attributes in the store.")] = False,
    counts: Annotated[bool, typer.Option("--counts", help="Numbers of members instead of the members.")] = False,
    for_: Annotated[
        str | None, typer.Option("--for", help="A destination or marketing action: only people who may be addressed.")
    ] = None,
    memory_limit: MemoryOption = "4GB",
    timeout: TimeoutOption = 0,
    policy: PolicyOption = None,
) -> None:
    """Evaluate all segments in one statement: a table of counts, or every membership as JSON Lines, CSV or Parquet.

    Example: pql run examples/online-retail --store shop.duckdb --as-of 2011-12-10

    Example: pql run segments --store shop.duckdb --format parquet -o members.parquet

    Example: pql run segments --store shop.duckdb --for newsletter

    With --save the store keeps who is in which segment since when, and the values of the attributes declared beside them.

    Example: pql run segments --save --counts
    """
    from pql.cli.running import Run, write

    if format not in FORMATS:
        raise fail(f"no format `{format}`", "use one of " + ", ".join(FORMATS))
    if format == "parquet" and output is None:
        raise fail("Parquet is not for a screen", "name a file with `--output FILE`")
    near = (paths or [Path(".")])[0]
    sources = read_sources(paths or [Path(".")])
    env = environment(schema, near)
    project = env.project(sources)
    errors = [d for d in project.diagnostics if d.is_error]
    if errors:
        show(errors, "text")
    wanted = _wanted(project, segment)
    if save and for_ is not None:
        raise fail("`--save` keeps memberships, `--for` asks who may be addressed", "run the two one after the other")
    if save and policy is not None:
        raise fail("`--save` keeps memberships of the default merge policy", "leave `--policy` or `--save` out")
    at = instant(as_of)
    audiences, refused = _audiences(near, schema, for_, wanted) if for_ is not None else ({}, False)
    wanted = [id for id in wanted if for_ is None or id in audiences]
    if not wanted:
        raise typer.Exit(1)
    opened = open_store(store, env, near, memory_limit, timeout, write=save, index=True, policy=policy)
    work = Run(env, project, opened, at, wanted, audiences)
    if save:
        from pql.cli.saving import save_run

        save_run(work)
    write(work, format, output, counts)
    if save:
        opened.close()
    raise typer.Exit(1 if errors or refused else 0)


def _audiences(near: Path, schema: Path | None, use: str, wanted: list[str]) -> tuple[dict[str, ir.Expr], bool]:
    """The segments with consent, by id; those that a policy refuses are named and left out."""
    from pql.cli.activating import Activation

    found = Activation.ask(near, schema, use, wanted)
    found.say()
    return found.audiences, bool(found.refused)


def _wanted(project: object, names: list[str] | None) -> list[str]:
    """The ids to run: those asked for, or all that check."""
    from pql.diagnostics.suggest import did_you_mean

    segments = project.segments  # type: ignore[attr-defined]
    for name in names or ():
        if name not in segments:
            raise fail(f"no segment `{name}`", did_you_mean(name, segments))
    wanted = [id for id, s in segments.items() if s.ok and (not names or id in names)]
    if not wanted:
        raise fail("no segment to run", "see the findings above" if segments else "declare one: segment id { where … }")
    return wanted
