"""Each scalar function gives the same in SQL and in Python, for drawn arguments and for a null in each place."""

from __future__ import annotations

import math
import random
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pql.api import Environment, Store
from pql.functions import FUNCTIONS
from pql.functions.record import Function, Overload
from pql.ir import nodes as ir
from pql.runtime import Evaluator
from pql.runtime.scalars import SCALARS
from pql.types import BOOLEAN, DATE, DOUBLE, INTEGER, NUMBER, STRING, TIMESTAMP, Type

ENVIRONMENT = Environment.from_short({"profile": {"x": "integer"}})
NOW = datetime(2026, 3, 1, 12)
DRAWN: dict[Type, list[Any]] = {
    STRING: [
        "",
        "a",
        "Ab c",
        "sarah@luma.com",
        "https://luma.com:80/p/1?q=2#f",
        "10",
        " ä ",
        "a%20b",
        "bab",
        "@",
        "aXbX",
    ],
    INTEGER: [0, 1, -1, 2, 3, 7, 31, 2**40, -(2**40), 2**62],
    NUMBER: [Decimal("0"), Decimal("2.5"), Decimal("-2.5"), Decimal("0.000001"), Decimal("999999999999.5")],
    DOUBLE: [0.0, 1.5, -2.25, 1e300],
    BOOLEAN: [True, False],
    DATE: [date(2024, 2, 29), date(2026, 3, 1), date(1, 1, 1)],
    TIMESTAMP: [
        datetime(2024, 2, 29, 23, 59, 59, 999999),
        datetime(2026, 3, 1),
        datetime(2025, 12, 31, 12),
        datetime(1999, 1, 31, 1, 2, 3),
    ],
}
LITERALS = {
    "regex": ["a", "(b)", "[0-9]+", "^$"],
    "group": [0, 1],
    "digits": [0, 1, 3],
    "caseSensitive": [True, False],
    "pattern": ["yyyy-MM-dd", "MM/dd/YY", "EEEE MMMM d", "h:mm a 'o''clock'", "D SSS", "q", "yyyy-MM-dd HH:mm:ss", ""],
    "locale": ["en_US", "de_DE", "fr_FR", "ar_EG", "ja_JP", "xx"],
}
SCALAR = [
    f for f in FUNCTIONS.values() if f.sql is not None and f.overloads and f.name.isidentifier() and not f.structural
]


def test_every_scalar_function_has_both_halves() -> None:
    assert [f.name for f in SCALAR if f.python is None and f.name not in SCALARS] == []
    assert [f.name for f in FUNCTIONS.values() if not f.doc.endswith((".", "?"))] == []


def calls(function: Function, shape: Overload, r: random.Random) -> list[ir.Call]:
    found = []
    for _ in range(25):
        args: list[ir.Expr] = []
        for p in shape.parameters[: r.randint(len(shape.parameters) - shape.optional, len(shape.parameters))]:
            value = r.choice(LITERALS.get(p.name) or DRAWN[p.type])
            null = r.random() < 0.12 and p.name not in LITERALS
            args.append(ir.Const(None if null else value, p.type))
        if function.clock:
            args.append(ir.Clock())
        if (
            args
            and any(isinstance(a, ir.Const) and a.value == "(b)" for a in args)
            or not any(p.name == "group" for p in shape.parameters)
        ):
            found.append(ir.Call(function.name, tuple(args), shape.result))
    return found


@pytest.fixture(scope="module")
def store() -> Store:
    made = Store.memory(ENVIRONMENT.schema)
    made.load([(1, {})], [])
    return made


@pytest.mark.parametrize("function", SCALAR, ids=lambda f: f.name)
def test_same_answers(function: Function, store: Store) -> None:
    r = random.Random(function.name)
    made = [c for shape in function.overloads for c in calls(function, shape, r)]
    wrapped: list[ir.Expr] = [ir.Truth(c) if function.test else c for c in made]
    row = store.query(ENVIRONMENT.sql(wrapped).sql(), {"now": NOW})[0][1:]
    plain = Evaluator()
    for call, got in zip(wrapped, row, strict=True):
        expected = plain.evaluate(call, {}, [], NOW)
        if isinstance(expected, float) and isinstance(got, float):
            assert math.isclose(got, expected, rel_tol=1e-12), call
        else:
            assert got == expected, call
