"""A mapping worked out in Python, one record at a time: for HTTP, for previews, and for every row that SQL is not sure of.

What it says is what holds; the SQL of `compile` says the same for the rows that it vouches for. Must not know SQL,
files or the store. Read `Evaluator.map`.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from datetime import date
from decimal import Decimal
from typing import Any

from pql.ingest.fit import Problem, fit, object_demands
from pql.ingest.functions import TABLE, Misfit
from pql.ingest.functions.logic import LAZY
from pql.ingest.functions.number import comparable
from pql.ingest.tree import Apply, Build, Constant, Each, Listing, LookUp, Mapping, Node, Reference, Target
from pql.types import ObjectType

Record = Map[str, Any]
LookUps = Map[str, Map[str, Record]]
"""By name: rows by their key."""
PROBLEMS_MOST = 20


class Evaluator:
    """A mapping with its look-ups. `flat`: names are columns (CSV), `loose`: texts may become numbers (CSV)."""

    def __init__(
        self,
        mapping: Mapping,
        kind: ObjectType,
        required: tuple[str, ...] = (),
        look_ups: LookUps | None = None,
        flat: bool = False,
    ) -> None:
        self.mapping, self.kind, self.required, self.look_ups, self.flat = mapping, kind, required, look_ups or {}, flat

    def map(self, record: Record) -> tuple[dict[str, Any], list[Problem]]:
        """The XDM document of a source record, with what does not fit (path, code, message)."""
        document: dict[str, Any] = {}
        problems: list[Problem] = []
        for target in self.mapping.targets:
            try:
                value = self.value(target.node, record, {})
            except Misfit as misfit:
                problems.append((misfit.path or target.name, misfit.code, str(misfit)))
                continue
            typed, wrong = fit(value, target.type, target.name, self.flat)
            problems += wrong
            if typed is not None and not wrong:
                _place(document, target, typed)
        if not problems:
            problems += object_demands(document, self.kind, "")
            problems += [(n, "PQL0826", "an event needs this field") for n in self.required if document.get(n) is None]
        return document, list(dict.fromkeys(problems))[:PROBLEMS_MOST]

    def value(self, node: Node, record: Record, scope: Map[str, Any]) -> Any:
        match node:
            case Constant():
                return node.value
            case Reference():
                return self.reference(node, record, scope)
            case Apply():
                return self.apply(node, record, scope)
            case Each():
                return self.each(node, record, scope)
            case Build():
                made = {k: v for k, n in node.entries if (v := self.value(n, record, scope)) is not None}
                return made or None
            case Listing():
                listed = [v for n in node.items if (v := self.value(n, record, scope)) is not None]
                return listed or None if node.or_nothing else listed
            case LookUp():
                key = self.value(node.key, record, scope)
                row = None if key is None else self.look_ups.get(node.table, {}).get(str(key))
                return None if row is None else _walk(row, tuple(node.field.split(".")))

    def reference(self, node: Reference, record: Record, scope: Map[str, Any]) -> Any:
        if node.variable:
            return _walk(scope[node.variable], node.steps, node.variable)
        return record.get(".".join(node.steps)) if self.flat else _walk(record, node.steps)

    def each(self, node: Each, record: Record, scope: Map[str, Any]) -> Any:
        values = self.value(node.list, record, scope)
        if values is None:
            return None
        if not isinstance(values, list):
            raise Misfit("a list is wanted")
        pairs = [(v, self.value(node.body, record, {**scope, node.variable: v})) for v in values]
        return [v for v, keep in pairs if keep is True] if node.test else [made for _, made in pairs]

    def apply(self, node: Apply, record: Record, scope: Map[str, Any]) -> Any:
        function = TABLE[node.function]
        if node.function in LAZY:
            return self.lazy(node, record, scope)
        args = [self.value(a, record, scope) for a in node.args]
        if function.nulls == "none" and any(a is None for a in args):
            return None
        for index, value in enumerate(args):
            _check(function.kind(index), value)
        return function.python(*args)

    def lazy(self, node: Apply, record: Record, scope: Map[str, Any]) -> Any:
        args = node.args
        if node.function == "coalesce":
            return next((v for a in args if (v := self.value(a, record, scope)) is not None), None)
        if node.function == "iif":
            return self.value(args[1 if self.boolean(args[0], record, scope) is True else 2], record, scope)
        if node.function in ("and", "or"):
            decisive = node.function == "or"
            found = [self.boolean(a, record, scope) for a in args]
            return decisive if decisive in found else None if None in found else not decisive
        value = self.value(args[0], record, scope)
        pairs, rest = args[1:], len(args[1:]) % 2
        for at in range(0, len(pairs) - rest, 2):
            key = self.value(pairs[at], record, scope)
            if value is not None and key is not None and comparable(value, key) and value == key:
                return self.value(pairs[at + 1], record, scope)
        return self.value(pairs[-1], record, scope) if rest else None

    def boolean(self, node: Node, record: Record, scope: Map[str, Any]) -> bool | None:
        value = self.value(node, record, scope)
        _check("boolean", value)
        return None if value is None else bool(value)


def _walk(value: Any, steps: tuple[str, ...], root: str = "") -> Any:
    for index, step in enumerate(steps):
        if value is None:
            return None
        if not isinstance(value, Map):
            path = ".".join(filter(None, (root, *steps[:index])))
            word = "a list: use `first(…)` or `map(…)`" if isinstance(value, list) else "no object"
            raise Misfit(f"source field `{path}` is {word}")
        value = value.get(step)
    return value


KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "text": ((str,), "a text"),
    "number": ((int, Decimal, float), "a number"),
    "whole": ((int,), "a whole number"),
    "boolean": ((bool,), "true or false"),
    "date": ((date,), "a date"),
    "scalar": ((str, int, Decimal, float, bool, date), "a single value"),
    "list": ((list,), "a list"),
}


def _check(kind: str, value: Any) -> None:
    if value is None or kind == "any":
        return
    types, words = KINDS[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise Misfit(f"{words} is wanted, not `{str(value)[:60]}`")


def _place(document: dict[str, Any], target: Target, value: Any) -> None:
    for step in target.path[:-1]:
        document = document.setdefault(step, {})
    document[target.path[-1]] = value
