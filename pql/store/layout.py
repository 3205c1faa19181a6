"""Which DuckDB and Arrow types hold which PQL types. Must not know connections. Read `duckdb_type`."""

from __future__ import annotations

import pyarrow as pa

from pql.types import ListType, MapType, ObjectType, Type

_DUCKDB = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DECIMAL(18,6)",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "date": "DATE",
    "date-time": "TIMESTAMP",
}
_ARROW = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.decimal128(18, 6),
    "double": pa.float64(),
    "string": pa.string(),
    "date": pa.date32(),
    "date-time": pa.timestamp("us"),
}


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def duckdb_type(kind: Type) -> str:
    """The column type: objects are STRUCT, lists T[], maps MAP(VARCHAR, T)."""
    match kind:
        case ListType():
            return f"{duckdb_type(kind.element)}[]"
        case MapType():
            return f"MAP(VARCHAR, {duckdb_type(kind.value)})"
        case ObjectType():
            fields = ", ".join(f"{quote(n)} {duckdb_type(f.type)}" for n, f in kind.fields.items())
            return f"STRUCT({fields or '_ BOOLEAN'})"
        case _:
            return _DUCKDB[getattr(kind, "name", "")]


def arrow_type(kind: Type) -> pa.DataType:
    match kind:
        case ListType():
            return pa.list_(arrow_type(kind.element))
        case MapType():
            return pa.map_(pa.string(), arrow_type(kind.value))
        case ObjectType():
            fields = [pa.field(n, arrow_type(f.type)) for n, f in kind.fields.items()]
            return pa.struct(fields or [pa.field("_", pa.bool_())])
        case _:
            return _ARROW[getattr(kind, "name", "")]
