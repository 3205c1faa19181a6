"""`pql demo`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Option(help="The repository's root.")] = Path("."),
) -> None:
    """Load the online-retail data, check the example segments, run them and print a table."""
    from pql.cli.demo import run_demo

    raise typer.Exit(run_demo(folder, time.perf_counter))
