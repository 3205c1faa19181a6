"""Functions: the one table, by topic. Knows types and sqlglot; must not know the checker or engines. Read `table`."""

from pql.functions.table import FUNCTIONS

__all__ = ["FUNCTIONS"]
