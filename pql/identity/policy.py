"""Merge policies: which of several sources' values a profile shows. Read `MergePolicy`, then `read_policies`.

A `merge.yaml` (or the section `merge_policies` of it, or the published JSON form of one policy):

inferred: [propensity_model]            # datasets whose values are guesses: anything declared beats them
merge_policies:
  - name: main
    default: true
    identityGraph: pdg                  # or none: every identity is a profile of its own
    attributeMerge: timestampOrdered    # or {type: dataSetPrecedence, order: [crm, loyalty]}
    attributes:                         # exceptions, for a path and what is below it
      personalEmail: {order: [crm]}
      loyalty: timestamp
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.identity.document import Document
from pql.types import ListType, MapType, ObjectType, Type
from pql.xdm.schema import Schema

CODE = "PQL0842"
POLICIES_MOST = 5
TIMESTAMP, PRECEDENCE = "timestampOrdered", "dataSetPrecedence"
FILE_KEYS = ("merge_policies", "inferred")
KEYS = ("name", "default", "identityGraph", "attributeMerge", "attributes", "description")
PUBLISHED = ("id", "schema", "version", "isActiveOnEdge", "updateEpoch", "imsOrgId", "sandbox", "_links")
"""Keys of the published form that have no meaning here."""


@dataclass(frozen=True)
class MergePolicy:
    """`order`: datasets, best first, None for timestamp order; datasets outside an order do not take part. `attributes`:
    exceptions by path, as `order` is."""

    name: str = "main"
    default: bool = True
    stitched: bool = True
    order: tuple[str, ...] | None = None
    attributes: Mapping[tuple[str, ...], tuple[str, ...] | None] = field(default_factory=dict)
    inferred: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """The name of the database schema that holds its profiles."""
        return "main" if self.default else "policy_" + re.sub(r"\W+", "_", self.name.lower())

    def order_for(self, path: tuple[str, ...]) -> tuple[str, ...] | None:
        """The order of datasets that decides a path."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.attributes:
                return self.attributes[path[:length]]
        return self.order

    def takes(self, dataset: str, path: tuple[str, ...] = ()) -> bool:
        """Does a dataset take part in merging, and in merging a path?"""
        if self.order is not None and dataset not in self.order:
            return False
        own = self.order_for(path) if path else self.order
        return own is None or dataset in own

    def rank(self, dataset: str, path: tuple[str, ...]) -> int:
        """The place of a dataset that takes part, smallest is best; all the same in timestamp order."""
        own = self.order_for(path)
        return 0 if own is None else own.index(dataset)


DEFAULT = (MergePolicy(),)


def read_policies(path: Path, schema: Schema | None = None) -> tuple[tuple[MergePolicy, ...], tuple[Diagnostic, ...]]:
    """The policies of a file, the default first; findings have the code PQL0842. With `schema`, paths are checked."""
    return _policies(Document.read(path, CODE), schema)


def policies_from(
    text: str, schema: Schema | None = None, name: str = "merge.yaml"
) -> tuple[tuple[MergePolicy, ...], tuple[Diagnostic, ...]]:
    return _policies(Document(text, name, CODE), schema)


def _policies(document: Document, schema: Schema | None) -> tuple[tuple[MergePolicy, ...], tuple[Diagnostic, ...]]:
    values = document.values
    if "attributeMerge" in values or "identityGraph" in values:
        items: Any = [values]
        inferred: frozenset[str] = frozenset()
    else:
        document.known(values, FILE_KEYS)
        inferred = frozenset(document.words(values.get("inferred"), "inferred"))
        items = values.get("merge_policies") or []
    if not isinstance(items, list):
        document.wrong("merge_policies", "`merge_policies` is a list")
        items = []
    if len(items) > POLICIES_MOST:
        document.wrong("merge_policies", f"there are {len(items)} merge policies; at most {POLICIES_MOST} are kept")
        items = items[:POLICIES_MOST]
    policies = [_policy(document, item, inferred, schema) for item in items if document.object(item, "merge_policies")]
    return _with_default(document, policies, inferred), tuple(document.findings.items)


def _with_default(document: Document, policies: list[MergePolicy], inferred: frozenset[str]) -> tuple[MergePolicy, ...]:
    """Exactly one is the default; places are unique."""
    if not policies:
        return (MergePolicy(inferred=inferred),)
    defaults = [p for p in policies if p.default]
    if len(defaults) > 1:
        document.wrong(defaults[1].name, f"`{defaults[0].name}` and `{defaults[1].name}` are both the default")
    first = defaults[0] if defaults else policies[0]
    if not defaults and len(policies) > 1:
        document.wrong("merge_policies", "no merge policy is the default", "write `default: true` below one")
    found: dict[str, MergePolicy] = {}
    for p in [first, *(p for p in policies if p is not first)]:
        own = _named(p, p is first)
        if own.place in found:
            document.wrong(p.name, f"two merge policies are called `{p.name}`")
        found.setdefault(own.place, own)
    return tuple(found.values())


def _named(p: MergePolicy, default: bool) -> MergePolicy:
    return MergePolicy(p.name, default, p.stitched, p.order, p.attributes, p.inferred)


def _policy(
    document: Document, value: Mapping[Any, Any], inferred: frozenset[str], schema: Schema | None
) -> MergePolicy:
    document.known({k: v for k, v in value.items() if k not in PUBLISHED}, KEYS, str(value.get("name", "")))
    name = value.get("name", "main")
    if not isinstance(name, str) or not re.search(r"\w", name) or len(name) > 100:
        document.wrong("name", "`name` of a merge policy is a word")
        name = "main"
    default = value.get("default", False)
    if not isinstance(default, bool):
        document.wrong("default", "`default` is true or false")
        default = False
    graph = value.get("identityGraph", "pdg")
    graph = graph.get("type", "pdg") if isinstance(graph, dict) else graph
    if graph not in ("pdg", "none", None):
        document.wrong(graph, f"no identity graph `{graph}`", "write pdg, or none")
    overrides = {}
    for key, item in document.object(value.get("attributes"), "attributes").items():
        path = tuple(str(key).split("."))
        if schema is not None and not _exists(schema.profile, path):
            document.wrong(key, f"the profile has no `{key}`", did_you_mean(path[-1], _near(schema.profile, path)))
            continue
        overrides[path] = _order(document, item, str(key))
    order = _order(document, value.get("attributeMerge", TIMESTAMP), "attributeMerge")
    return MergePolicy(name, default, graph in ("pdg", None), order, overrides, inferred)


def _order(document: Document, value: Any, where: str) -> tuple[str, ...] | None:
    """An order of datasets, or None for timestamp order. `order` may stand below `data`, as some published forms have it."""
    if isinstance(value, list):
        value = {"order": value}
    if isinstance(value, str):
        value = {"type": value}
    if not isinstance(value, dict):
        document.wrong(where, f"`{where}` is {TIMESTAMP}, or an order of datasets")
        return None
    document.known(value, ("type", "order", "data"), where)
    data = value.get("data")
    order = value.get("order", data.get("order") if isinstance(data, dict) else None)
    kind = value.get("type", PRECEDENCE if order is not None else TIMESTAMP)
    if kind in (TIMESTAMP, "timestamp"):
        return None
    if kind not in (PRECEDENCE, "precedence"):
        document.wrong(kind, f"no way to merge `{kind}`", did_you_mean(str(kind), (TIMESTAMP, PRECEDENCE)))
        return None
    names = document.words(order, "order")
    if not names:
        document.wrong(where, f"`{where}` by dataset precedence has no `order`", "name datasets, the best first")
        return None
    return tuple(dict.fromkeys(names))


def _exists(kind: Type, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(kind, ObjectType) or name not in kind.fields:
            return False
        kind = kind.fields[name].type
    return not isinstance(kind, ListType | MapType) or True


def _near(kind: Type, path: tuple[str, ...]) -> list[str]:
    for name in path[:-1]:
        if isinstance(kind, ObjectType) and name in kind.fields:
            kind = kind.fields[name].type
    return list(kind.fields) if isinstance(kind, ObjectType) else []
