"""The functions of mappings: one table, read by checker, SQL compiler, evaluator and docs. Must not know sources, files
or the store. Read `record.MappingFunction`, then `TABLE`.
"""

from __future__ import annotations

from pql.ingest.functions import logic, number, text, time
from pql.ingest.functions.record import Example, MappingFunction, Misfit

RECORDS: tuple[MappingFunction, ...] = (*text.RECORDS, *number.RECORDS, *time.RECORDS, *logic.RECORDS)
TABLE: dict[str, MappingFunction] = {name: r for r in RECORDS for name in (r.name, *r.also)}

__all__ = ["RECORDS", "TABLE", "Example", "MappingFunction", "Misfit"]
