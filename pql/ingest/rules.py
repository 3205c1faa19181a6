"""The identity rules that ingestion needs: aliases, junk, the order of namespaces. Read `read_rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

JUNK = frozenset(
    ("null", "none", "undefined", "nan", "n/a", "user_null", "not-specified", "not_specified", "unknown", "anonymous")
)
ORDER = ("Email", "Phone", "IDFA", "GAID", "ECID", "AAID")


@dataclass(frozen=True)
class Namespace:
    code: str
    pattern: str | None = None


@dataclass(frozen=True)
class IdentityRules:
    """`priority`: codes from the highest down; other namespaces come before the standard ones."""

    priority: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def junk_values(self, code: str) -> frozenset[str]:
        return JUNK

    def namespace(self, code: str) -> Namespace:
        return Namespace(code)

    def order(self, code: str) -> tuple[int, int, str]:
        if code in self.priority:
            return (0, self.priority.index(code), "")
        return (1, ORDER.index(code) + 1 if code in ORDER else 0, code)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.priority, *ORDER)))


def read_rules(folder: Path | None) -> IdentityRules:
    """The rules of `identity.yaml` in a folder; the usual ones when there is none."""
    file = folder / "identity.yaml" if folder is not None else None
    if file is None or not file.is_file():
        return IdentityRules()
    document: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    namespaces = document.get("namespaces") or {}
    aliases = {str(a): str(c) for c, n in namespaces.items() for a in (n or {}).get("aliases", ())}
    return IdentityRules(tuple(map(str, document.get("priority") or ())), aliases)
