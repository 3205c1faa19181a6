"""What the table holds of a function: everything that anyone asks of it, in one record.

Must not know the checker or the engines: they read these records. SQL builders take and give sqlglot trees in the
DuckDB dialect. Read `Function`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from pql.functions.trees import exp
from pql.labels import JOIN, LabelRule
from pql.types import Type

SqlBuilder: TypeAlias = "Callable[..., exp.Expression]"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call it. `optional` counts trailing parameters that may be left out; `variadic` repeats the last."""

    parameters: tuple[Parameter, ...]
    result: Type
    optional: int = 0
    variadic: bool = False

    def accepts(self, count: int) -> bool:
        least = len(self.parameters) - self.optional
        return count >= least and (self.variadic or count <= len(self.parameters))

    def parameter(self, index: int) -> Parameter:
        return self.parameters[min(index, len(self.parameters) - 1)]


@dataclass(frozen=True, slots=True)
class Example:
    """`pql` evaluated over an empty profile gives `value` (JSON form)."""

    pql: str
    value: Any


@dataclass(frozen=True)
class Function:
    """A function of the language.

    `test`: gives true or false, false on null; a list receiver means "some element". `structural`: the checker lowers it to
    its own IR node (filters, aggregates, quantifiers); such records have no `sql`. `literal`: positions of arguments that must
    be literals. `clock`: reads now (a scalar one gets it as its last argument). `python`: the same in Python, on values
    that are not null. `available_in`: `pql`, or `ajo` for the personalization library. `documented`: part of the published language (else an extension).
    `label_rule`: what happens to the data usage labels of the arguments; they are joined unless a reviewed exception says otherwise.
    """

    name: str
    doc: str
    category: str
    overloads: tuple[Overload, ...] = ()
    sql: SqlBuilder | None = None
    test: bool = False
    structural: bool = False
    clock: bool = False
    documented: bool = True
    literal: tuple[int, ...] = ()
    examples: tuple[Example, ...] = ()
    python: Callable[..., Any] | None = None
    available_in: str = "pql"
    label_rule: LabelRule = JOIN


def overload(types: Sequence[tuple[str, Type]], result: Type, optional: int = 0, variadic: bool = False) -> Overload:
    return Overload(tuple(Parameter(n, t) for n, t in types), result, optional, variadic)


def call(name: str, *args: exp.Expression) -> exp.Expression:
    """A SQL function call by name."""
    return exp.Anonymous(this=name, expressions=list(args))


def text(value: str) -> exp.Expression:
    return exp.Literal.string(value)


def number(value: int) -> exp.Expression:
    return exp.Literal.number(str(value)) if value >= 0 else exp.Neg(this=exp.Literal.number(str(-value)))


def cast(value: exp.Expression, sql_type: str, *, safe: bool = False) -> exp.Expression:
    kind = exp.TryCast if safe else exp.Cast
    return kind(this=value, to=_data_type(sql_type).copy())


@lru_cache(maxsize=1024)
def _data_type(sql_type: str) -> exp.DataType:
    return exp.DataType.build(sql_type, dialect="duckdb")


def paren(value: exp.Expression) -> exp.Expression:
    return exp.Paren(this=value)
