"""The identity rules that ingestion follows: aliases, junk, the order of namespaces. Read `read_rules`."""

from __future__ import annotations

from pathlib import Path

from pql.identity.settings import IdentitySettings, read_identity

IdentityRules = IdentitySettings


def read_rules(folder: Path | None) -> IdentitySettings:
    """The rules of `identity.yaml` in a folder; the usual ones when there is none."""
    file = folder / "identity.yaml" if folder is not None else None
    return read_identity(file)[0] if file is not None and file.is_file() else IdentitySettings()
