"""Batch engine: IR to SQL. `statement` builds whole queries; two ways lead there.

The complete form (`render`, `chains`) says every expression with list functions over a profile's gathered events. The fast
form finds `leaves` in an expression, answers them from the tables of a `layout` by `groups` (GROUP BY) and `links` (ASOF), and puts
them together in a `plan`. What has no leaf is left to the complete form, in the same statement.
Must not know the live engine, the store's connection or the syntax tree. Read `statement.compile_query`.
"""

from pql.clock import Settings
from pql.compiler.layout import Layout, Table, nested_layout
from pql.compiler.statement import Output, Query, compile_query

__all__ = ["Layout", "Output", "Query", "Settings", "Table", "compile_query", "nested_layout"]
