"""The types of Arrow columns in the words of PQL. Must not know mappings. Read `arrow_kinds`."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pt

from pql.ingest.shapes import Unvectorised
from pql.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NUMBER,
    STRING,
    TIMESTAMP,
    Field,
    ListType,
    MapType,
    Type,
    make_object,
)


def arrow_kinds(schema: pa.Schema) -> dict[str, Type]:
    """Columns and their types; those that no mapping can read are left out."""
    made: dict[str, Type] = {}
    for field in schema:
        if field.name == "__line":
            continue
        try:
            made[field.name] = arrow_kind(field.type)
        except Unvectorised:
            made[field.name] = ListType(STRING)
    return made


def arrow_kind(kind: pa.DataType) -> Type:
    """Raises Unvectorised for types without a counterpart."""
    if pt.is_dictionary(kind):
        return arrow_kind(kind.value_type)
    tests = (
        (pt.is_boolean, BOOLEAN), (pt.is_integer, INTEGER), (pt.is_floating, DOUBLE), (pt.is_string, STRING),
        (pt.is_large_string, STRING), (pt.is_date, DATE), (pt.is_timestamp, TIMESTAMP),
    )  # fmt: skip
    for test, made in tests:
        if test(kind) and kind != pa.uint64():
            return made
    if pt.is_decimal(kind) and kind.precision - kind.scale <= 12 and kind.scale <= 6:
        return NUMBER
    if pt.is_list(kind) or pt.is_large_list(kind):
        return ListType(arrow_kind(kind.value_type))
    if pt.is_map(kind):
        return MapType(arrow_kind(kind.item_type))
    if pt.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return make_object("", {f.name: Field(f.name, arrow_kind(f.type)) for f in fields})
    raise Unvectorised(f"a column of type {kind}")
