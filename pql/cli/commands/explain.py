"""`pql explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from pql.cli.inputs import fail


def explain(code: Annotated[str, typer.Argument(help="A code such as PQL0304.")]) -> None:
    """Print the long explanation of a finding's code. Example: pql explain PQL0304"""
    from pql.diagnostics import CODES
    from pql.diagnostics import explain as look_up
    from pql.diagnostics.suggest import did_you_mean

    entry = look_up(code)
    if entry is None:
        raise fail(f"no code `{code}`", did_you_mean(code.upper(), CODES))
    typer.echo(f"{entry.code}: {entry.title} ({entry.severity.value})\n\n{entry.explanation}")
