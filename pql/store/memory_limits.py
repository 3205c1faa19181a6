"""Why a store could not be opened, where the memory limit is to blame and not the file. Read `limit_problem`."""

from __future__ import annotations

import duckdb


def limit_problem(limit: str, error: duckdb.Error) -> tuple[str, str] | None:
    """Code and message; None when the limit is sound. `error`: of the opening. What a limit may look like, the database is asked."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return "PQL0603", f"the memory limit `{limit[:40]}` is too small to open it: 2GB does for most"
    try:
        duckdb.connect(config={"memory_limit": limit}).close()
    except duckdb.Error:
        return "PQL0904", f"`{limit[:40]}` is not a memory limit: write a number and a unit, such as 2GB"
    return None
