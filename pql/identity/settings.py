"""`identity.yaml`: namespaces, their order, limits and junk values. Read `IdentitySettings`, then `read_identity`.

namespaces:
  crmId: {type: CROSS_DEVICE, unique: true, aliases: [lumaCrmId]}
  loyaltyId: {type: CROSS_DEVICE, limit: 3, pattern: "[0-9]{7}"}
priority: [crmId, loyaltyId, Email, ECID]      # highest first; the others follow by type, then by code
limits: {graph: 50, record: 20}
junk: ["no-reply@luma.example"]                # added to the built-in ones
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import re2

from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.functions.text import lower
from pql.identity.document import Document
from pql.identity.namespaces import JUNK, JUNK_OF_KIND, KIND_ORDER, STANDARD, Kind, Namespace
from pql.identity.values import FOLDED, clean_value

CODE = "PQL0840"
KEYS = ("namespaces", "priority", "limits", "junk")
NAMESPACE_KEYS = ("type", "name", "unique", "limit", "aliases", "junk", "pattern")
GRAPH_MOST = 50
RECORD_MOST = 20
NAMESPACES_MOST = 500


@dataclass(frozen=True)
class IdentitySettings:
    """Everything that stitching depends on besides the data. Immutable; `IdentitySettings()` is the default.

    `namespaces` by code, the standard ones included; one that is not in it counts as CROSS_DEVICE. `graph_most`
    identities a graph, `record_most` a record.
    """

    namespaces: Mapping[str, Namespace] = field(default_factory=lambda: dict(STANDARD))
    priority: tuple[str, ...] = ()
    graph_most: int = GRAPH_MOST
    record_most: int = RECORD_MOST
    junk: tuple[str, ...] = JUNK

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Other spellings of codes, to the codes."""
        return {a: n.code for n in self.namespaces.values() for a in n.aliases}

    def namespace(self, code: str) -> Namespace:
        code = self.aliases.get(code, code)
        return self.namespaces.get(code) or Namespace(code, Kind.CROSS_DEVICE)

    def order(self, code: str) -> tuple[int, int, str]:
        """The sort key of a namespace: smallest is the highest priority."""
        found = self.namespace(code)
        if found.code in self.priority:
            return (0, self.priority.index(found.code), "")
        return (1, KIND_ORDER.index(found.kind), found.code)

    def rank(self, code: str) -> int:
        """The priority as a number from 1, the highest; namespaces outside the order share one for each type."""
        found = self.namespace(code)
        if found.code in self.priority:
            return self.priority.index(found.code) + 1
        return len(self.priority) + 1 + KIND_ORDER.index(found.kind)

    def junk_values(self, code: str) -> frozenset[str]:
        """Lower-case values that never stand for a person in a namespace."""
        found = self.namespace(code)
        return frozenset((*self.junk, *JUNK_OF_KIND.get(found.kind, ()), *(j.lower() for j in found.junk)))

    def is_usable(self, code: str, value: str) -> bool:
        """May the value stand for a person? Not when it is empty, too long, known junk or against the pattern: `clean_value`."""
        return clean_value(self, self.aliases.get(code, code), value) is not None


def read_identity(path: Path) -> tuple[IdentitySettings, tuple[Diagnostic, ...]]:
    """The settings of a file; the defaults where it is wrong, with the findings (PQL0840, PQL0841)."""
    return _settings(Document.read(path, CODE))


def identity_from(text: str, name: str = "identity.yaml") -> tuple[IdentitySettings, tuple[Diagnostic, ...]]:
    return _settings(Document(text, name, CODE))


def _settings(document: Document) -> tuple[IdentitySettings, tuple[Diagnostic, ...]]:
    values = document.values
    document.known(values, KEYS)
    namespaces = dict(STANDARD)
    declared = document.object(values.get("namespaces"), "namespaces")
    if len(declared) > NAMESPACES_MOST:
        document.wrong("namespaces", f"more than {NAMESPACES_MOST} namespaces")
        declared = {}
    for code, value in declared.items():
        namespaces[str(code)] = _namespace(document, str(code), document.object(value, str(code)))
    settings = IdentitySettings(namespaces, junk=_junk(document, values.get("junk")))
    _check_aliases(document, settings)
    limits = document.object(values.get("limits"), "limits")
    document.known(limits, ("graph", "record"), "limits")
    graph = document.whole(limits.get("graph", GRAPH_MOST), "graph", 1, 1000)
    record = document.whole(limits.get("record", RECORD_MOST), "record", 2, 100)
    order = _priority(document, values.get("priority"), settings)
    settings = replace(settings, priority=order, graph_most=graph or GRAPH_MOST, record_most=record or RECORD_MOST)
    return settings, tuple(document.findings.items)


def _junk(document: Document, value: Any) -> tuple[str, ...]:
    return (*JUNK, *(w.strip(" ").lower() for w in document.words(value, "junk")))


def _namespace(document: Document, code: str, value: Mapping[Any, Any]) -> Namespace:
    standard = STANDARD.get(code)
    document.known(value, NAMESPACE_KEYS, code)
    kind = standard.kind if standard else Kind.CROSS_DEVICE
    word = value.get("type")
    if word is not None:
        name = str(word).upper().replace("-", "_").replace(" ", "_")
        if name not in Kind.__members__:
            document.wrong(word, f"`{word}` is no identity type", did_you_mean(name, Kind.__members__) or _kinds())
        elif standard and Kind[name] is not standard.kind:
            document.wrong(word, f"`{code}` is a standard namespace of type {standard.kind.value}",
                           "give your namespace a code of its own")  # fmt: skip
        else:
            kind = Kind[name]
    return Namespace(
        code,
        kind,
        str(value.get("name") or (standard.name if standard else "")),
        _limit(document, code, value),
        document.words(value.get("aliases"), "aliases"),
        document.words(value.get("junk"), "junk"),
        _pattern(document, value.get("pattern")) if "pattern" in value else (standard.pattern if standard else None),
    )


def _kinds() -> str:
    return "the types are " + ", ".join(Kind.__members__)


def _limit(document: Document, code: str, value: Mapping[Any, Any]) -> int | None:
    unique = value.get("unique", False)
    if not isinstance(unique, bool):
        document.wrong("unique", f"`unique` of `{code}` is true or false")
        return None
    if "limit" not in value:
        return 1 if unique else None
    limit = document.whole(value["limit"], "limit", 1, 1000)
    if unique and limit not in (None, 1):
        document.wrong("limit", f"`{code}` is unique, so its limit is 1")
        return 1
    return limit


def _pattern(document: Document, value: Any) -> str | None:
    if value is None:
        return None
    try:
        if len(str(value)) > 500:
            raise ValueError("longer than 500 characters")
        re2.compile(str(value))
        return str(value)
    except (re2.error, ValueError) as error:
        document.wrong("pattern", f"`{str(value)[:60]}` is no regular expression: {error}")
        return None


def _check_aliases(document: Document, settings: IdentitySettings) -> None:
    seen: dict[str, str] = {}
    for namespace in settings.namespaces.values():
        for alias in namespace.aliases:
            if alias in settings.namespaces or alias in seen:
                other = alias if alias in settings.namespaces else seen[alias]
                document.wrong(
                    alias, f"`{alias}` names `{namespace.code}` and `{other}`", "an alias names one namespace"
                )
            seen[alias] = namespace.code


def _priority(document: Document, value: Any, settings: IdentitySettings) -> tuple[str, ...]:
    order: list[str] = []
    for word in document.words(value, "priority"):
        code = settings.aliases.get(word, word)
        if code not in settings.namespaces:
            document.wrong(word, f"no namespace `{word}`",
                           did_you_mean(word, settings.namespaces) or "declare it below `namespaces`")  # fmt: skip
        elif code in order:
            document.wrong(word, f"`{word}` stands in the order twice")
        else:
            order.append(code)
    _check_order(document, order, settings)
    return tuple(order)


def _check_order(document: Document, order: list[str], settings: IdentitySettings) -> None:
    """A device or cookie above a person's identity would let shared devices own people's events."""
    device = ""
    for code in order:
        kind = settings.namespaces[code].kind
        if kind.is_device:
            device = device or code
        elif kind.is_person and device:
            document.findings.report(
                "PQL0841",
                document.place(code),
                f"`{code}` identifies a person and stands below `{device}`, which does not",
                help="put namespaces of people above those of devices and cookies",
            )


WORD = re.compile(r"^([^:\s][^:]*):(.+)$", re.DOTALL)


def split_name(text: str, settings: IdentitySettings) -> tuple[str, str] | None:
    """`namespace:value` as its parts, the namespace by its code; None when the text is no such thing.

    A known namespace may be written in any letter case; values that are compared in lower case come out so.
    """
    found = WORD.match(text.strip())
    if found is None:
        return None
    code, value = found.group(1).strip(), found.group(2).strip()
    codes = {**{c.lower(): c for c in (*settings.namespaces, *settings.aliases)}}
    code = code if code in settings.namespaces or code in settings.aliases else codes.get(code.lower(), code)
    code = settings.aliases.get(code, code)
    return code, lower(value) if code in FOLDED else value
