"""Scopes: what a name means where. Element scopes show fields, variable scopes show names. SEMANTICS section 3."""

from __future__ import annotations

from dataclasses import dataclass

from pql.ir import nodes as ir
from pql.types import ObjectType, ScalarType, Type

UNKNOWN = ScalarType("unknown")
"""The type of what could not be typed; whatever touches it stays quiet."""


@dataclass(frozen=True)
class ElementScope:
    var: int
    type: Type
    title: str

    def fields(self) -> tuple[str, ...]:
        return tuple(self.type.fields) if isinstance(self.type, ObjectType) else ()


@dataclass(frozen=True)
class VariableScope:
    """`excluded`: names that exist but must not be used here, with the reason."""

    names: dict[str, ir.Expr]


Scope = ElementScope | VariableScope


def unknown(span: object = None) -> ir.Const:
    return ir.Const(None, UNKNOWN)


def is_unknown(expr: ir.Expr) -> bool:
    return expr.type == UNKNOWN
