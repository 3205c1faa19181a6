"""Scopes and typed thunks of the reference evaluator. SEMANTICS section 3.

A `Code` is a type and a function from the bindings (a dict) to the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pql.types import Type

Bindings = Mapping[Any, Any]
Run = Callable[[Bindings], Any]


class Refused(Exception):
    """The expression is outside what the checker accepts (or the reference evaluator knows)."""


@dataclass(frozen=True)
class Code:
    type: Type
    run: Run


@dataclass(frozen=True)
class Element:
    """An element scope: the fields of the element bound to `var` are visible."""

    var: object
    type: Type


@dataclass(frozen=True)
class Names:
    """A variable scope."""

    names: Mapping[str, Code]


def const(kind: Type, value: Any) -> Code:
    return Code(kind, lambda b: value)


def variable(var: object, kind: Type) -> Code:
    return Code(kind, lambda b: b[var])
