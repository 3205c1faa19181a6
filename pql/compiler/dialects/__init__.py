"""SQL for other engines than the store's: one module a dialect, each saying only where it differs from `portable`.

A dialect never guesses: what it cannot say with exactly PQL's meaning it refuses, with the reason. Must not know
the store nor diagnostics. Read `statement.compile_dialect`, then `portable`, then a dialect.
"""

from pql.compiler.dialects.refusal import Refusal
from pql.compiler.dialects.statement import DIALECTS, Statement, compile_dialect

__all__ = ["DIALECTS", "Refusal", "Statement", "compile_dialect"]
