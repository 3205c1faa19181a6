"""The one table of functions. A function exists here or nowhere; adding one touches its record alone.

Scalar functions bring their SQL; structural ones (they take conditions or whole lists) name the IR node that the
checker makes of them. Read `FUNCTIONS`.
"""

from __future__ import annotations

from pql.functions.collection import COLLECTION
from pql.functions.number import NUMBER_FUNCTIONS
from pql.functions.personalization import PERSONALIZATION
from pql.functions.record import Function
from pql.functions.text import TEXT
from pql.functions.time import TIME
from pql.labels import LabelRule

FUNCTIONS: dict[str, Function] = {f.name: f for f in (*TEXT, *NUMBER_FUNCTIONS, *TIME, *COLLECTION, *PERSONALIZATION)}

LABEL_RULES: dict[str, LabelRule] = {name: f.label_rule for name, f in FUNCTIONS.items() if f.label_rule.drops}
"""The functions that drop a label; all others join. Each is a reviewed exception that docs/GOVERNANCE.md names."""
