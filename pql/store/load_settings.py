"""Settings of the database while much is written: loads, and stitching with merging. Read `LOADING`."""

from __future__ import annotations

import duckdb

LOADING = {"disabled_compression_methods": "'fsst,dict_fsst'", "preserve_insertion_order": "false"}
"""These compressions cost a load a third of its time; without them a store is about three times as large. Nothing that is written
depends on the order in which threads happen to be done: rows are numbered by their lines, and whoever wants an order says so."""


def _is_locked(connection: duckdb.DuckDBPyConnection) -> bool:
    """A store that faces lock stays as it is: slower, but no different."""
    return bool(connection.execute("SELECT current_setting('lock_configuration')").fetchall()[0][0])


def set_for_loads(connection: duckdb.DuckDBPyConnection) -> None:
    if _is_locked(connection):
        return
    for setting, value in LOADING.items():
        connection.execute(f"SET {setting} = {value}")


def reset_after_loads(connection: duckdb.DuckDBPyConnection) -> None:
    if _is_locked(connection):
        return
    for setting in LOADING:
        connection.execute(f"RESET {setting}")
