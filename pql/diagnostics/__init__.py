"""Findings: what they are (`model`), which exist (`codes`), how names are suggested and how they are shown.

Knows sources and spans, nothing of the language. Read `model.Diagnostic`, then `codes`.
"""

from pql.diagnostics.codes import CODES, Code, explain
from pql.diagnostics.model import Diagnostic, Fix, Label, Severity

__all__ = ["CODES", "Code", "Diagnostic", "Fix", "Label", "Severity", "explain"]
