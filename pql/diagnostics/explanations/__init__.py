"""The long explanations of the register, in Markdown: what a code means, why the rule is there, an example, what to do.

Each has a `pql` block that triggers the code, the line `Instead:`, and a block that does not. The examples use the
fields of the conformance cases (person, homeAddress, loyalty, orders, favoriteColors, xEvent …). One module a range
of codes; must not know the register (`codes`), which reads this table.
"""

from __future__ import annotations

from pql.diagnostics.explanations import (
    advice,
    data,
    files,
    governance,
    ingesting,
    live,
    names,
    people,
    reading,
    running,
    types,
)

EXPLANATIONS: dict[str, str] = {
    code: text.strip() + "\n"
    for module in (reading, names, types, advice, files, governance, running, live, data, ingesting, people)
    for code, text in module.TEXTS.items()
}
