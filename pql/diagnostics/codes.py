"""The register of codes: every finding that PQL can report, in ranges by stage. A released code is never re-used.

00 bounds, 01 syntax, 02 names, 03 types, 04 advice, 05 files, segments and governance, 06 running, 07 dialects, 08 schemas
and data, 09 command line and project. `pql explain CODE` prints the explanation.
"""

from __future__ import annotations

from dataclasses import dataclass

from pql.diagnostics.explanations import EXPLANATIONS
from pql.diagnostics.model import Severity

ERROR, WARNING, HINT = Severity.ERROR, Severity.WARNING, Severity.HINT


@dataclass(frozen=True, slots=True)
class Code:
    """One entry: `title` is a few words, `explanation` is Markdown of several paragraphs with an example."""

    code: str
    severity: Severity
    title: str
    explanation: str


_TABLE: tuple[tuple[str, Severity, str], ...] = (
    ("PQL0001", ERROR, "source text too large"),
    ("PQL0002", ERROR, "expression nested too deeply"),
    ("PQL0003", ERROR, "expression too long"),
    ("PQL0004", ERROR, "source text is not UTF-8"),
    ("PQL0101", ERROR, "unexpected word or sign"),
    ("PQL0102", ERROR, "unexpected end of text"),
    ("PQL0103", ERROR, "character not known to the language"),
    ("PQL0104", ERROR, "string not closed"),
    ("PQL0105", ERROR, "unknown escape in a string"),
    ("PQL0106", ERROR, "number out of range"),
    ("PQL0107", ERROR, "operator of another language"),
    ("PQL0108", ERROR, "bracket not closed"),
    ("PQL0109", ERROR, "comment not closed"),
    ("PQL0201", ERROR, "unknown field"),
    ("PQL0202", ERROR, "unknown function"),
    ("PQL0203", ERROR, "unknown step"),
    ("PQL0204", ERROR, "too many `^`"),
    ("PQL0205", ERROR, "unknown parameter"),
    ("PQL0206", ERROR, "unknown segment"),
    ("PQL0207", ERROR, "unknown context entity"),
    ("PQL0208", ERROR, "name used twice"),
    ("PQL0209", HINT, "name found further out"),
    ("PQL0210", WARNING, "unusual event type"),
    ("PQL0211", WARNING, "deprecated field"),
    ("PQL0212", WARNING, "segment not in this project"),
    ("PQL0301", ERROR, "types cannot be compared"),
    ("PQL0302", ERROR, "literal does not fit the other side's type"),
    ("PQL0303", ERROR, "argument of the wrong type"),
    ("PQL0304", ERROR, "wrong number of arguments"),
    ("PQL0305", ERROR, "condition is not boolean"),
    ("PQL0306", ERROR, "list expected"),
    ("PQL0307", ERROR, "object expected"),
    ("PQL0308", ERROR, "values have no common type"),
    ("PQL0309", ERROR, "values have no order"),
    ("PQL0310", ERROR, "invalid regular expression"),
    ("PQL0311", ERROR, "number expected"),
    ("PQL0312", ERROR, "date or time expected"),
    ("PQL0313", ERROR, "invalid date"),
    ("PQL0314", ERROR, "time distance too large"),
    ("PQL0315", ERROR, "lambda out of place"),
    ("PQL0316", ERROR, "a segment must be true or false"),
    ("PQL0317", ERROR, "value not in the field's list of values"),
    ("PQL0318", ERROR, "unknown escape in a pattern"),
    ("PQL0401", HINT, "comparison with a list means some element"),
    ("PQL0402", WARNING, "`!=` with a list means some element differs"),
    ("PQL0403", HINT, "negative test leaves out missing values"),
    ("PQL0404", HINT, "`from` with a distance goes both ways"),
    ("PQL0405", HINT, "a birthday test that includes the year"),
    ("PQL0406", WARNING, "a flattened path is never null"),
    ("PQL0407", WARNING, "value not among the usual ones"),
    ("PQL0408", HINT, "a day as a text is its midnight"),
    ("PQL0501", ERROR, "declared twice"),
    ("PQL0502", ERROR, "unknown property"),
    ("PQL0503", ERROR, "wrong property value"),
    ("PQL0504", ERROR, "definitions go round in a circle"),
    ("PQL0505", ERROR, "COUNT on an excluded step"),
    ("PQL0506", ERROR, "this COUNT needs a time window"),
    ("PQL0507", ERROR, "WHEN names a step that it cannot see"),
    ("PQL0508", ERROR, "wrong test step"),
    ("PQL0509", ERROR, "segment without a condition"),
    ("PQL0510", ERROR, "a test failed"),
    ("PQL0520", ERROR, "policy violated"),
    ("PQL0521", ERROR, "unknown label"),
    ("PQL0522", ERROR, "unknown marketing action"),
    ("PQL0523", ERROR, "governance file is not valid"),
    ("PQL0524", ERROR, "unknown policy or version"),
    ("PQL0526", WARNING, "policy that never applies"),
    ("PQL0527", WARNING, "policy that another one covers"),
    ("PQL0528", ERROR, "mapped field cannot be read"),
    ("PQL0529", ERROR, "unknown segment or destination"),
    ("PQL0530", ERROR, "exemption ended"),
    ("PQL0531", WARNING, "exemption that exempts nothing"),
    ("PQL0532", WARNING, "violation under an exemption"),
    ("PQL0533", WARNING, "destination without a marketing action"),
    ("PQL0534", WARNING, "activation beyond the purpose"),
    ("PQL0535", ERROR, "labels of a segment not known"),
    ("PQL0536", ERROR, "unknown merge policy"),
    ("PQL0537", ERROR, "consent condition is not valid"),
    ("PQL0538", ERROR, "unknown consent"),
    ("PQL0539", ERROR, "a policy test failed"),
    ("PQL0550", ERROR, "an activation became forbidden"),
    ("PQL0551", ERROR, "an audience changed while it was sent"),
    ("PQL0552", ERROR, "accepted state cannot be read"),
    ("PQL0601", ERROR, "sum out of range"),
    ("PQL0602", ERROR, "time limit reached"),
    ("PQL0603", ERROR, "memory limit reached"),
    ("PQL0604", ERROR, "interrupted"),
    ("PQL0605", ERROR, "the store refused the query"),
    ("PQL0610", ERROR, "state of another plan"),
    ("PQL0612", ERROR, "attribute that is always another"),
    ("PQL0630", ERROR, "state of another form"),
    ("PQL0631", ERROR, "state of other segments"),
    ("PQL0632", ERROR, "state in use"),
    ("PQL0633", ERROR, "state cannot be read or written"),
    ("PQL0634", ERROR, "message is not valid"),
    ("PQL0635", ERROR, "another file than before"),
    ("PQL0636", ERROR, "source of events cannot be read"),
    ("PQL0637", ERROR, "transitions cannot be written"),
    ("PQL0638", ERROR, "live and batch disagree"),
    ("PQL0639", ERROR, "instant before the state's clock"),
    ("PQL0640", ERROR, "every event would be kept for good"),
    ("PQL0701", ERROR, "not available in this SQL dialect"),
    ("PQL0702", ERROR, "no form in pql/json"),
    ("PQL0801", ERROR, "schema document is not valid"),
    ("PQL0802", ERROR, "schema reference not found"),
    ("PQL0803", ERROR, "one path with two types"),
    ("PQL0804", ERROR, "unknown type"),
    ("PQL0811", ERROR, "document does not fit the schema"),
    ("PQL0812", ERROR, "pql/json document is not valid"),
    ("PQL0813", ERROR, "conformance case is not valid"),
    ("PQL0820", ERROR, "source file is not valid"),
    ("PQL0821", ERROR, "mapping is not valid"),
    ("PQL0822", ERROR, "record is no usable JSON object"),
    ("PQL0823", ERROR, "row cannot be read"),
    ("PQL0824", ERROR, "file of a source cannot be read"),
    ("PQL0825", ERROR, "value does not fit its field"),
    ("PQL0826", ERROR, "required field is missing"),
    ("PQL0827", ERROR, "value not allowed by the schema"),
    ("PQL0828", ERROR, "no usable identity"),
    ("PQL0829", ERROR, "schedule is not valid"),
    ("PQL0830", ERROR, "no such source"),
    ("PQL0831", ERROR, "call to the stream refused"),
    ("PQL0832", ERROR, "dataset has another type"),
    ("PQL0840", ERROR, "identity settings are not valid"),
    ("PQL0841", WARNING, "a device ranks above a person"),
    ("PQL0842", ERROR, "merge policies are not valid"),
    ("PQL0843", ERROR, "the store has no identity graph"),
    ("PQL0844", ERROR, "no such profile"),
    ("PQL0845", ERROR, "identities cannot be unlinked"),
    ("PQL0846", WARNING, "merge policy names an unknown dataset"),
    ("PQL0847", ERROR, "row of a deleted person"),
    ("PQL0901", ERROR, "file cannot be read"),
    ("PQL0902", ERROR, "project file is not valid"),
    ("PQL0903", ERROR, "nothing to do"),
    ("PQL0904", ERROR, "store cannot be opened"),
    ("PQL0905", ERROR, "the formatter would change the meaning"),
)

CODES: dict[str, Code] = {c: Code(c, s, t, EXPLANATIONS.get(c, "")) for c, s, t in _TABLE}


def explain(code: str) -> Code | None:
    """The register's entry for a code, in any letter case; None when there is none."""
    return CODES.get(code.upper())
