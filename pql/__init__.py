"""PQL: open, typed customer segments. `import pql` is the door for services; what it offers is `pql.api`'s.

Names are loaded when first used, so that importing costs nothing.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    from importlib import import_module

    door = import_module("pql.api")
    if name not in door.__all__:
        raise AttributeError(f"module `pql` has no `{name}`")
    return getattr(door, name)
