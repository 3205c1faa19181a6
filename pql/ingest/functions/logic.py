"""Mapping functions that choose, and those on lists and objects. `coalesce`, `iif`, `decode`, `and`, `or` work out only
what they need. Read `RECORDS`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlglot import exp

from pql.functions.record import call, number
from pql.ingest.functions.record import Example, MappingFunction, Misfit, Sql
from pql.types import BOOLEAN, INTEGER, STRING, ListType

LAZY = ("coalesce", "iif", "decode", "and", "or")
"""Worked out argument by argument, by the evaluator and by the compiler themselves."""


def _lazy(*_: Any) -> Any:
    raise AssertionError("worked out by the evaluator")


def _join(separator: str, values: list[Any]) -> str:
    if not all(isinstance(v, str) for v in values if v is not None):
        raise Misfit("texts are wanted in the list")
    return separator.join(v for v in values if v is not None)


def _size(value: Any) -> int:
    if isinstance(value, str) or not isinstance(value, list | dict):
        raise Misfit("a list or an object is wanted")
    return len(value)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and len(value) == 0)


def _extreme(pick: Any) -> Any:
    def choose(*values: Any) -> Any:
        known = [v for v in values if v is not None]
        if not all(isinstance(v, int | Decimal) and not isinstance(v, bool) for v in known):
            raise Misfit("numbers are wanted")
        return pick(known) if known else None

    return choose


def _keys(value: dict[str, Any]) -> list[str]:
    if not isinstance(value, dict):
        raise Misfit("an object is wanted")
    return sorted(value)


def _element(index: int) -> Any:
    return lambda values: values[index] if values else None


def _element_sql(index: int) -> Any:
    def sql(values: Sql) -> Sql:
        return call("list_extract", values, number(index))

    return sql


def _contains(values: list[Any], value: Any) -> bool:
    return value in values


_E = Example
RECORDS = (
    MappingFunction("coalesce", "The first value that is not null.", "logic", ("any",), "first", _lazy, variadic=True, nulls="given",
                    examples=(_E('coalesce(null, "a")', "a"),)),
    MappingFunction("iif", "One of two values, by a condition; the second when the condition is null.", "logic", ("boolean", "any", "any"), "second", _lazy,
                    nulls="given", examples=(_E('iif(1 < 2, "a", "b")', "a"),), also=("if",)),
    MappingFunction("decode", "A value looked up in a table written out: value, key, result, key, result …, and a default.", "logic", ("scalar", "any"), "third", _lazy,
                    variadic=True, nulls="given", examples=(_E('decode("m", "m", "male", "f", "female", "not_specified")', "male"),)),
    MappingFunction("and", "Are all conditions true?", "logic", ("boolean",), BOOLEAN, _lazy, variadic=True, nulls="given", operator=True,
                    examples=(_E("true and false", False),)),
    MappingFunction("or", "Is some condition true?", "logic", ("boolean",), BOOLEAN, _lazy, variadic=True, nulls="given", operator=True,
                    examples=(_E("true or false", True),)),
    MappingFunction("not", "The opposite.", "logic", ("boolean",), BOOLEAN, lambda x: not x, lambda x: exp.Not(this=exp.Paren(this=x)), operator=True,
                    examples=(_E("not true", False),)),
    MappingFunction("is_null", "Is there no value?", "logic", ("any",), BOOLEAN, lambda x: x is None, lambda x: exp.Is(this=x, expression=exp.Null()), nulls="given",
                    examples=(_E("is_null(null)", True),)),
    MappingFunction("is_empty", "Is there no value, or an empty text, list or object?", "logic", ("any",), BOOLEAN, _is_empty, None, nulls="given",
                    examples=(_E('is_empty("")', True),)),
    MappingFunction("nullify", "No value.", "logic", (), STRING, lambda: None, lambda: exp.Null(), nulls="given", examples=(_E("nullify()", None),)),
    MappingFunction("min", "The smallest number that is given.", "number", ("number",), "first", _extreme(min), lambda *a: call("least", *a), variadic=True, nulls="given",
                    examples=(_E("min(2, 1)", 1),)),
    MappingFunction("max", "The greatest number that is given.", "number", ("number",), "first", _extreme(max), lambda *a: call("greatest", *a), variadic=True, nulls="given",
                    examples=(_E("max(2, 1)", 2),)),
    MappingFunction("join", "The texts of a list with a separator between them.", "list", ("text", "list"), STRING, _join, None, partial=True,
                    examples=(_E('join(", ", ["a", "b"])', "a, b"),)),
    MappingFunction("first", "The first element of a list.", "list", ("list",), "element", _element(0), _element_sql(1), examples=(_E("first([1, 2])", 1),)),
    MappingFunction("last", "The last element of a list.", "list", ("list",), "element", _element(-1), _element_sql(-1), examples=(_E("last([1, 2])", 2),)),
    MappingFunction("size_of", "How many elements or fields there are.", "list", ("any",), INTEGER, _size, None, partial=True, examples=(_E("size_of([1, 2])", 2),)),
    MappingFunction("contains", "Is a value in a list?", "list", ("list", "scalar"), BOOLEAN, _contains, None, examples=(_E('contains(["a"], "a")', True),)),
    MappingFunction("join_arrays", "The elements of lists in one list.", "list", ("list",), "first", lambda *a: [v for x in a for v in x], None, variadic=True,
                    examples=(_E("join_arrays([1], [2])", [1, 2]),)),
    MappingFunction("get_keys", "The names of an object's fields, in the order of the alphabet.", "object", ("any",), ListType(STRING), _keys, None, partial=True,
                    examples=(_E('get_keys({"b": 1, "a": 2})', ["a", "b"]),)),
    MappingFunction("get_values", "The values of an object's fields, in the order of their names.", "object", ("any",), "list", lambda x: [x[k] for k in _keys(x)], None,
                    partial=True, examples=(_E('get_values({"b": 1, "a": 2})', [2, 1]),)),
)  # fmt: skip
