"""Advice on what checks but is likely not meant: values that are unusual, nulls that are left out, birthdays with a year.

Reads the finished IR, so that it says nothing of what the checker has refused. Must not know syntax. Read `advise`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pql.diagnostics.findings import Findings
from pql.diagnostics.suggest import did_you_mean
from pql.ir import nodes as ir
from pql.ir.walk import parts, walk
from pql.source import Span, UsedSpan
from pql.types import Field, ObjectType
from pql.xdm.event_types import STANDARD_EVENT_TYPES

NEGATIVE = ("notIn", "doesNotContain", "doesNotStartWith", "doesNotEndWith", "notEqualTo")
VALUED = ("in", "notIn", "equals", "notEqualTo")


def advise(e: ir.Expr, findings: Findings) -> None:
    """Report hints and warnings on an expression."""
    for node in walk(e):
        for field, value in _compared(node):
            _unusual(field, value, findings)
        if isinstance(node, ir.Within):
            _birthday(node, findings)
    _missing(e, findings, frozenset())


def _say(findings: Findings, code: str, span: Span, message: str, *, help: str = "", label: str = "") -> None:
    """Report; what stands in a definition was said where it is defined."""
    if not isinstance(span, UsedSpan):
        findings.report(code, span, message, help=help, label=label)


def _compared(node: ir.Expr) -> Iterator[tuple[ir.Field, ir.Const]]:
    """Fields that are compared with texts."""
    if isinstance(node, ir.Compare) and node.op in ("=", "!=") and isinstance(node.left, ir.Field):
        if isinstance(node.right, ir.Const) and isinstance(node.right.value, str):
            yield node.left, node.right
    if isinstance(node, ir.Call) and node.function in VALUED and isinstance(node.args[0], ir.Field):
        loose = node.args[2:] and node.args[2] == ir.Const(False, node.args[2].type)
        others = node.args[1].items if isinstance(node.args[1], ir.MakeList) else node.args[1:2]
        for other in others:
            if isinstance(other, ir.Const) and isinstance(other.value, str) and not loose:
                yield node.args[0], other


def _declared(field: ir.Field) -> Field | None:
    owner = field.object.type
    return owner.fields.get(field.name) if isinstance(owner, ObjectType) else None


def _unusual(field: ir.Field, value: ir.Const, findings: Findings) -> None:
    declared, text = _declared(field), str(value.value)
    if declared is None or declared.enum is not None:
        return
    if field.name == "eventType":
        known = declared.suggested or (STANDARD_EVENT_TYPES if "." in text else (text,))
        help = did_you_mean(text, known) if text not in known else ""
        if help:
            _say(
                findings,
                "PQL0210",
                value.span,
                f"no usual event type is `{text[:60]}`",
                help=help,
                label="unusual event type",
            )
    elif declared.suggested and text not in declared.suggested:
        help = did_you_mean(text, declared.suggested) or "usual are " + ", ".join(
            f"`{v}`" for v in declared.suggested[:6]
        )
        _say(
            findings, "PQL0407", value.span, f"`{text[:60]}` is not among the usual values of `{field.name}`", help=help
        )


def _birthday(node: ir.Within, findings: Findings) -> None:
    operand = node.operand.operand if isinstance(node.operand, ir.Convert) else node.operand
    if (
        not isinstance(operand, ir.Field)
        or "birth" not in operand.name.lower()
        or node.lower is None
        or node.upper is None
    ):
        return
    if any(isinstance(n, ir.Clock) for edge in (node.lower, node.upper) for n in walk(edge.instant)):
        help = "write `ignoring year` after it, if everyone with a birthday then is meant"
        _say(findings, "PQL0405", node.span, f"`{operand.name}` is compared with its year", help=help)


def _missing(e: ir.Expr, findings: Findings, present: frozenset[ir.Expr]) -> None:
    """Negative tests of profile attributes, outside of negations, where nothing says that the value is there."""
    if isinstance(e, ir.Not):
        return
    if isinstance(e, ir.And):
        stated = (o.operand.operand for o in e.operands if isinstance(o, ir.Not) and isinstance(o.operand, ir.IsNull))
        present |= frozenset(stated)
    if isinstance(e, ir.And | ir.Or):
        for part in parts(e):
            _missing(part, findings, present)
        return
    subject = _negated(e)
    if subject is not None and subject not in present:
        help = "to keep them, negate the whole test: `not (… = …)`; to say it is meant, add `isNotNull()`"
        _say(findings, "PQL0403", e.span, f"this leaves out profiles without `{subject.name}`", help=help)


def _negated(e: ir.Expr) -> ir.Field | None:
    subject: ir.Expr | None = None
    if isinstance(e, ir.Compare) and e.op == "!=":
        subject = e.left
    elif isinstance(e, ir.Truth) and isinstance(e.operand, ir.Call) and e.operand.function in NEGATIVE:
        subject = e.operand.args[0]
    inner = subject
    while isinstance(inner, ir.Field):
        inner = inner.object
    plain = isinstance(subject, ir.Field) and isinstance(inner, ir.Var) and inner.id == ir.PROFILE
    return subject if plain and isinstance(subject, ir.Field) else None
