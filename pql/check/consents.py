"""`consented("marketing.email")`: the published consent fields with their defaults, as a test. docs/GOVERNANCE.md has the order.

An extension of the language. Must not know policies. Read `consent_test`.
"""

from __future__ import annotations

from pql.ir import nodes as ir
from pql.source import Span
from pql.syntax import ast
from pql.types import STRING, ListType, MapType, ObjectType
from pql.xdm.schema import Schema

NAMESPACES = {"email": "Email", "call": "Phone", "sms": "Phone", "whatsApp": "Phone", "fax": "Phone"}
OPT_OUT = ("collect", "share", "adID", "personalize.content")
"""Consents that hold until somebody says no."""
YES, DEFAULT_YES, NO, DEFAULT_NO, UNKNOWN = "y", "dy", "n", "dn", "u"


def consent_name(node: ast.Expr) -> str | None:
    """`"marketing.email"`, or the path `marketing.email`, as text; None for anything else."""
    if isinstance(node, ast.Literal) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return node.text
    if isinstance(node, ast.Member):
        before = consent_name(node.object)
        return None if before is None else f"{before}.{node.name}"
    return None


def consent_names(schema: Schema) -> tuple[str, ...]:
    """The consents that a schema has fields for."""
    found = [n for n in OPT_OUT if _value(schema, n, Span(0, 0)) is not None]
    owner = _kind(schema, "marketing")
    channels = owner.fields if owner is not None else {}
    return (*found, *(f"marketing.{c}" for c in channels if _value(schema, f"marketing.{c}", Span(0, 0)) is not None))


def consent_test(schema: Schema, name: str, namespace: str | None, var: int, span: Span) -> ir.Expr | None:
    """The test, or None when the schema has no field for the consent. `var`: a variable that is free to bind."""
    value = _value(schema, name, span)
    if value is None:
        return None
    if name in OPT_OUT:
        return ir.Not(_is(value, (NO, DEFAULT_NO, UNKNOWN), span), span=span)
    channel = name.removeprefix("marketing.")
    general = _value(schema, "marketing.any", span)
    if channel == "any":
        return _is(value, (YES, DEFAULT_YES), span)
    said: list[ir.Expr] = [_is(value, (YES, DEFAULT_YES), span)]
    blocked: list[ir.Expr] = [_is(value, (NO,), span)]
    if general is not None:
        blocked.insert(0, _is(general, (NO,), span))
        silent = ir.IsNull(value, span=span)
        said += [_is(general, (YES,), span), ir.And((_is(general, (DEFAULT_YES,), span), silent), span=span)]
    allowed: ir.Expr = ir.Or(tuple(said), span=span) if len(said) > 1 else said[0]
    single = _of_identities(schema, channel, namespace or NAMESPACES.get(channel, ""), var, span)
    if single is not None:
        yes, no = single
        allowed = ir.Or((yes, ir.And((ir.Not(no, span=span), allowed), span=span)), span=span)
    return ir.And((*(ir.Not(b, span=span) for b in blocked), allowed), span=span)


def _is(value: ir.Expr, values: tuple[str, ...], span: Span) -> ir.Expr:
    tests = tuple(ir.Compare("=", value, ir.Const(v, STRING, span=span), span=span) for v in values)
    return tests[0] if len(tests) == 1 else ir.Or(tests, span=span)


def _path(owner: ir.Expr, path: str, span: Span) -> ir.Expr | None:
    for name in path.split("."):
        kind = owner.type
        if not isinstance(kind, ObjectType) or name not in kind.fields:
            return None
        declared = kind.fields[name]
        owner = ir.Field(owner, name, declared.type, declared.labels, span=span)
    return owner


def _kind(schema: Schema, path: str) -> ObjectType | None:
    found = _path(ir.Var(ir.PROFILE, schema.profile), f"consents.{path}", Span(0, 0))
    return found.type if found is not None and isinstance(found.type, ObjectType) else None


def _value(schema: Schema, name: str, span: Span) -> ir.Expr | None:
    if name not in OPT_OUT and (not name.startswith("marketing.") or name.count(".") != 1):
        return None
    found = _path(ir.Var(ir.PROFILE, schema.profile, span=span), f"consents.{name}.val", span)
    return found if found is not None and found.type == STRING else None


def _of_identities(
    schema: Schema, channel: str, namespace: str, var: int, span: Span
) -> tuple[ir.Expr, ir.Expr] | None:
    """Some identity of the namespace says yes; there are answers of identities, and all of them are no."""
    ids = _path(ir.Var(ir.PROFILE, schema.profile, span=span), "consents.idSpecific", span)
    if ids is None or not namespace or not isinstance(ids.type, MapType) or not isinstance(ids.type.value, MapType):
        return None
    of_namespace = ir.Call("get", (ids, ir.Const(namespace, STRING, span=span)), ids.type.value, span=span)
    one = ids.type.value.value
    values = ir.Call("values", (of_namespace,), ListType(one), span=span)
    value = _path(ir.Var(var, one, span=span), f"marketing.{channel}.val", span)
    if value is None or value.type != STRING:
        return None
    yes = ir.Exists(values, var, _is(value, (YES, DEFAULT_YES), span), span=span)
    no = _is(value, (NO, DEFAULT_NO), span)
    some_no = ir.Exists(values, var, no, span=span)
    present = ir.Not(ir.IsNull(value, span=span), span=span)
    other = ir.Exists(values, var, ir.And((present, ir.Not(no, span=span)), span=span), span=span)
    return yes, ir.And((some_no, ir.Not(other, span=span)), span=span)


def general_opt_out(schema: Schema) -> ir.Expr | None:
    """The published general opt-outs that a schema has fields for: a test that somebody opted out; None without fields."""
    nowhere = Span(0, 0)
    profile = ir.Var(ir.PROFILE, schema.profile)
    tests: list[ir.Expr] = []
    for path in ("privacyOptOuts", "optOutConsentLevel.privacyOptOuts"):
        opts = _path(profile, path, nowhere)
        if opts is None or not isinstance(opts.type, ListType):
            continue
        one = ir.Var(1, opts.type.element)
        kind, value = _path(one, "optOutType", nowhere), _path(one, "optOutValue", nowhere)
        if kind is not None and value is not None and kind.type == value.type == STRING:
            out = ir.And((_is(kind, ("general_opt_out",), nowhere), _is(value, ("out",), nowhere)))
            tests.append(ir.Exists(opts, 1, out))
    old = _path(profile, "optInOut.globalOptout", nowhere)
    if old is not None and not isinstance(old.type, ObjectType | ListType | MapType):
        tests.append(_is(old, ("out",), nowhere) if old.type == STRING else ir.Truth(old))
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else ir.Or(tuple(tests))
