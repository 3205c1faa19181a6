"""`pql demo`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Option(help="The repository's root.")] = Path("."),
) -> None:
    """Show the whole way on real data.

    Luma: seven sources are mapped to XDM, stitched into people and merged; segments over them, and one person with where
    each value comes from. A shop: a year of invoices, 14 segments in one statement; then 40 of its customers live, event by
    event. Writes nothing.

    Example: pql demo --folder ~/pql
    """
    from pql.cli.demo import run_demo

    raise typer.Exit(run_demo(folder, time.perf_counter))
