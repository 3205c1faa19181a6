"""Live engine: IR evaluated in Python, profile by profile. `evaluate` is its complete form: any expression over one person.

Must not know SQL, stores or the batch engine, its sibling. Read `evaluate.Evaluator`.
"""

from pql.runtime.evaluate import Evaluator, OutOfRange

__all__ = ["Evaluator", "OutOfRange"]
