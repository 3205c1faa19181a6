"""Batch engine: IR to SQL. `statement` builds whole queries, `render` expressions, `chains` event patterns.

Must not know the live engine, the store's connection or the syntax tree. Read `statement.compile_query`.
"""

from pql.compiler.render import Settings
from pql.compiler.statement import Query, compile_query

__all__ = ["Query", "Settings", "compile_query"]
