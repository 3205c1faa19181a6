"""PQL: open, typed, real-time customer segments. The embedding API is `pql.api`; its names are importable from here."""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The API's names, loaded when first used: importing `pql` alone stays cheap."""
    from pql import api

    if name in api.__all__:
        return getattr(api, name)
    raise AttributeError(f"module 'pql' has no attribute '{name}'")
