"""The command line: thin over `pql.api`. Exit codes: 0 fine, 1 findings, 2 could not run. Read `COMMANDS`.

A command lives in its module of `pql.cli.commands` and imports what is heavy inside its function.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from pql.cli.commands.check import check
from pql.cli.commands.compile import compile_
from pql.cli.commands.conform import conform
from pql.cli.commands.convert import convert
from pql.cli.commands.demo import demo
from pql.cli.commands.estimate import estimate
from pql.cli.commands.evaluate import eval_
from pql.cli.commands.explain import explain
from pql.cli.commands.fmt import fmt
from pql.cli.commands.identity import identity
from pql.cli.commands.ingest import ingest
from pql.cli.commands.labels import labels
from pql.cli.commands.load import load
from pql.cli.commands.policy import policy
from pql.cli.commands.profile import profile
from pql.cli.commands.quarantine import quarantine
from pql.cli.commands.repl import repl
from pql.cli.commands.run import run
from pql.cli.commands.source import source
from pql.cli.commands.store import store
from pql.cli.commands.stream import stream
from pql.cli.commands.test import test
from pql.cli.commands.verify import verify
from pql.cli.commands.why import why

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="Customer segments in the Profile Query Language: check, run and explain them.")  # fmt: skip


def _say_version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        typer.echo(f"pql {version('pql')}")
    except PackageNotFoundError:
        typer.echo("pql, of a source tree that is not installed")
    raise typer.Exit


@app.callback()
def _all(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version, and end.")
    ] = False,
) -> None:
    """What stands before a command."""


COMMANDS: dict[str, Callable[..., None]] = {
    "check": check,
    "explain": explain,
    "compile": compile_,
    "eval": eval_,
    "conform": conform,
    "run": run,
    "estimate": estimate,
    "test": test,
    "repl": repl,
    "demo": demo,
    "fmt": fmt,
    "convert": convert,
    "stream": stream,
    "verify": verify,
    "labels": labels,
    "why": why,
    "load": load,
}
for name, function in COMMANDS.items():
    app.command(name)(function)
app.add_typer(store, name="store")
app.add_typer(policy, name="policy")
app.add_typer(profile, name="profile")
app.add_typer(identity, name="identity")
app.add_typer(source, name="source")
app.add_typer(quarantine, name="quarantine")
app.add_typer(ingest, name="ingest")


def main() -> None:
    """The console script.

    What is built here, trees above all, lives to the end: the collector of cycles would walk it again and again.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    guarded(app)


def guarded(work: Callable[[], object]) -> None:
    """Run; Ctrl-C ends with one word and exit 130, whichever way it comes out: typer makes it an exit with that code, and a
    statement of DuckDB in the main thread a `RuntimeError`.

    The interpreter is not torn down then: a thread of DuckDB that wakes in the middle of that aborts the process. Nothing
    is lost by it, for what a store holds was committed to its log.
    """
    try:
        work()
    except (KeyboardInterrupt, SystemExit, RuntimeError) as end:
        if not _interrupted(end):
            raise
        typer.echo("interrupted", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(130)
    except Exception as error:
        said = _refusal(error)
        if said is None:
            raise
        typer.echo(f"error: {said}", err=True)
        raise SystemExit(2) from None


def _refusal(error: Exception) -> str | None:
    """What a store refused where no command expected it, a damaged file above all; None: it was something else."""
    if "duckdb" not in sys.modules:
        return None
    from pql.store.store import refusal

    refused = refusal(error)
    return None if refused is None else f"{refused.code}: {refused}"


def _interrupted(end: BaseException) -> bool:
    if isinstance(end, SystemExit):
        return end.code == 130
    return isinstance(end, KeyboardInterrupt) or str(end) == "Query interrupted"
