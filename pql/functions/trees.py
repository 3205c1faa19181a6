"""sqlglot's node classes, imported when the first tree is built: what only checks should not pay for loading them.

Write `from pql.functions.trees import exp` instead of `from sqlglot import exp`; type checkers see the real module.
Only builders may touch it, never the loading of a module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp
else:

    class _Late:
        def __getattr__(self, name: str) -> Any:
            from sqlglot import exp as real

            value = getattr(real, name)
            setattr(self, name, value)
            return value

    exp = _Late()

__all__ = ["exp"]
