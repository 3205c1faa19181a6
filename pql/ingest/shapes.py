"""How the fields of a source record are reached in SQL, by the source's format. Read `JsonFields`, `ColumnFields`.

JSON: only the fields that the mapping reads are taken out of the text, in one pass (`from_json`), each as JSON text, so
that `"1"` and `1` stay apart. Must not know mappings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from pql.functions.record import call, cast, text
from pql.types import ListType, MapType, ObjectType, ScalarType, Type

Sql = exp.Expression
JSON = ScalarType("json")
RECORD = "s"
LOOSE_COMMA = r",\s*[}\]]"
"""A comma after the last entry, which the database takes; inside a text it is a doubt too many."""


class Unvectorised(Exception):
    """SQL cannot answer for this; the reason is for people. The rows are worked out in Python."""


@dataclass
class Value:
    """A SQL expression with its type (`JSON`: the text of a JSON value), and the tests that make its row doubtful."""

    sql: Sql
    type: Type
    doubts: list[Sql] = field(default_factory=list)


def every(*tests: Any) -> Sql:
    return typed(exp.and_(*tests))


def some(*tests: Any) -> Sql:
    return typed(exp.or_(*tests))


def typed(tree: Any) -> Sql:
    """Trees that sqlglot's helpers type more loosely than they are."""
    made: Sql = tree
    return made


def dot(base: Sql, name: str) -> Sql:
    return exp.Dot(this=base, expression=exp.to_identifier(name, quoted=True))


def shape_type(kind: Type) -> str:
    """The SQL type under which a part of a JSON document is taken out: what is inside lists keeps its containers as text."""
    match kind:
        case ListType():
            return f"{shape_type(kind.element)}[]"
        case MapType():
            return f"MAP(VARCHAR, {shape_type(kind.value)})"
        case ObjectType():
            inner = ", ".join(f"{_quoted(n)} JSON" for n in kind.fields)
            return f"STRUCT({inner or '_ JSON'})"
        case _:
            return "JSON"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def element_shape(kind: Type) -> Any:
    """The same as a value for `from_json`."""
    match kind:
        case ListType():
            return [element_shape(kind.element)]
        case MapType():
            return f"MAP(VARCHAR, {shape_type(kind.value)})"
        case ObjectType():
            return {n: "JSON" for n in kind.fields} or "JSON"
        case _:
            return "JSON"


class JsonFields:
    """Collects the fields that a mapping reads, then gives the structure and the tests on it."""

    def __init__(self) -> None:
        self.structure: dict[str, Any] = {}
        self.containers: dict[tuple[str, ...], str] = {(): "OBJECT"}

    def leaf(self, steps: tuple[str, ...]) -> Value:
        self._put(steps, "JSON")
        return Value(self._read(steps), JSON)

    def elements(self, steps: tuple[str, ...], fields: tuple[str, ...]) -> Value:
        """A list; of objects when fields of them are read, else of single values."""
        self._put(steps, [{f: "JSON" for f in fields} if fields else "JSON"])
        self.containers[steps] = "ARRAY"
        return Value(self._read(steps), ListType(JSON))

    def typed(self, steps: tuple[str, ...], kind: Type) -> Sql:
        """A container as the schema has it, its single values as JSON text."""
        if isinstance(kind, ObjectType):
            self.containers[steps] = "OBJECT"
            for name, inner in kind.fields.items():
                if isinstance(inner.type, ObjectType | ListType | MapType):
                    self.typed((*steps, name), inner.type)
                else:
                    self.leaf((*steps, name))
            if not kind.fields:
                raise Unvectorised("an object without fields")
        else:
            self._put(steps, element_shape(kind))
            self.containers[steps] = "ARRAY" if isinstance(kind, ListType) else "OBJECT"
        return self._read(steps)

    def _read(self, steps: tuple[str, ...]) -> Sql:
        made: Sql = exp.column(RECORD)
        for step in steps:
            made = dot(made, step)
        return made

    def _put(self, steps: tuple[str, ...], shape: Any) -> None:
        if any('"' in s or "\\" in s or not s for s in steps):
            raise Unvectorised("a field name with a quotation mark")
        here = self.structure
        for index, step in enumerate(steps[:-1]):
            inner = here.setdefault(step, {})
            if not isinstance(inner, dict):
                raise Unvectorised(f"`{'.'.join(steps[: index + 1])}` is read in two ways")
            self.containers[steps[: index + 1]] = "OBJECT"
            here = inner
        old = here.get(steps[-1])
        if (
            isinstance(old, list)
            and isinstance(shape, list)
            and isinstance(old[0], dict)
            and isinstance(shape[0], dict)
        ):
            here[steps[-1]] = [{**old[0], **shape[0]}]
        elif old is None or old == shape:
            here[steps[-1]] = shape
        else:
            raise Unvectorised(f"`{'.'.join(steps)}` is read in two ways")

    def source(self) -> Sql:
        """The record as a struct; null when the text is no JSON."""
        shape = json.dumps(self.structure or {"_": "JSON"})
        return exp.Anonymous(this="TRY", expressions=[call("from_json", exp.column("raw"), text(shape))])

    def odd(self) -> Sql:
        """A SELECT over `incoming` of the lines whose text is no strict record: a container is of another kind, a key stands twice, a
        comma too many. Rows share few shapes, and each shape is looked at once."""
        paths = list(self.containers)
        objects = [p for p, k in self.containers.items() if k == "OBJECT"]
        raw, line = exp.column("raw"), exp.column("__line")
        shaped = exp.select(
            line,
            exp.alias_(call("regexp_matches", raw.copy(), text(LOOSE_COMMA)), "loose"),
            exp.alias_(_tried("json_keys", raw.copy(), objects), "keys"),
            exp.alias_(_tried("json_type", raw.copy(), paths) if len(paths) > 1 else exp.Null(), "kinds"),
        ).from_("incoming")
        kept = ("loose", "keys", "kinds")
        grouped = exp.select(*kept, exp.alias_(call("list", line.copy()), "lines")).from_(shaped.subquery("t"))
        grouped = grouped.group_by(*kept)
        tests = some(*(call("coalesce", exp.Paren(this=t), exp.true()) for t in self._oddities()))
        return exp.select(call("unnest", exp.column("lines"))).from_(grouped.subquery("g")).where(tests)

    def _oddities(self) -> list[Sql]:
        """Tests of a shape. Without inner containers no kinds are asked for: a record without keys is odd enough."""
        zero = exp.Literal.number(0)
        key, keys = exp.column("k"), exp.column("keys")
        twice = exp.NEQ(this=call("len", call("list_distinct", key.copy())), expression=call("len", key.copy()))
        wrong = call("list_filter", keys.copy(), exp.Lambda(this=twice, expressions=[exp.to_identifier("k")]))
        tests: list[Sql] = [exp.column("loose"), exp.GT(this=call("len", wrong), expression=zero)]
        if len(self.containers) == 1:
            return [*tests, exp.EQ(this=call("len", _at(keys, 0)), expression=zero.copy())]
        for place, (path, kind) in enumerate(self.containers.items()):
            found = _at(exp.column("kinds"), place)
            other = exp.Not(this=exp.In(this=found, expressions=[text(kind), *([text("NULL")] if path else [])]))
            there = exp.Not(this=exp.Is(this=found.copy(), expression=exp.Null()))
            tests.append(every(there, other) if path else other)
        return tests


def _tried(function: str, raw: Sql, paths: list[tuple[str, ...]]) -> Sql:
    """What a function says of several paths; null when the text is no JSON."""
    words = exp.Array(expressions=[text(_json_path(p)) for p in paths])
    return exp.Anonymous(this="TRY", expressions=[call(function, raw, words)])


def _at(values: Sql, index: int) -> Sql:
    return call("list_extract", values, exp.Literal.number(index + 1))


def _json_path(steps: tuple[str, ...]) -> str:
    return "$" + "".join(f'."{s}"' for s in steps)


class ColumnFields:
    """Columns with types of their own: CSV (all text) and Parquet."""

    def __init__(self, columns: Mapping[str, Type], flat: bool) -> None:
        self.columns, self.flat = columns, flat

    def leaf(self, steps: tuple[str, ...]) -> Value:
        path = steps
        if self.flat:
            path = (".".join(steps),)
        if path[0] not in self.columns:
            return Value(exp.Null(), ScalarType("null"))
        kind, made = self.columns[path[0]], self._column(path[0])
        for index, step in enumerate(path[1:]):
            if not isinstance(kind, ObjectType):
                raise Unvectorised(f"`{'.'.join(path[: index + 1])}` is no object")
            if step not in kind.fields:
                return Value(exp.Null(), ScalarType("null"))
            kind, made = kind.fields[step].type, dot(made, step)
        return Value(made, kind)

    def _column(self, name: str) -> Sql:
        return exp.column(exp.to_identifier(name, quoted=True))


def null_of(sql_type: str) -> Sql:
    return cast(exp.Null(), sql_type)
