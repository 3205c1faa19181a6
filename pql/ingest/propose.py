"""Proposals for a mapping: for each source field the XDM path that it most likely fills, with a confidence and the reasons.

Scored by name (parts of the path, usual other names), by what the values look like (mail addresses, dates, numbers, ECIDs), and by the
type of the field. Nothing is proposed below LEAST. What every event needs (its `_id`, its `timestamp`) is chosen first. Read `propose`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from pql.types import BOOLEAN, DATE, INTEGER, NUMBER, STRING, TIMESTAMP, ListType, ObjectType, Type, describe
from pql.xdm.catalog import paths

LEAST = 0.55
SURE = 0.8
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "personalEmail.address": ("email", "mail", "e-mail", "email address", "mail address"),
    "person.name.firstName": ("first name", "given name", "forename", "fname"),
    "person.name.lastName": ("last name", "surname", "family name", "lname"),
    "person.name.fullName": ("name", "full name"),
    "person.gender": ("sex",),
    "person.birthDate": ("birthday", "date of birth", "dob"),
    "mobilePhone.number": ("phone", "mobile", "cell", "phone number", "mobile number"),
    "homeAddress.street1": ("street", "address", "address line 1"),
    "homeAddress.postalCode": ("zip", "zip code", "postcode", "postal code"),
    "homeAddress.city": ("town",),
    "homeAddress.stateProvince": ("state",),
    "timestamp": (
        "time",
        "date",
        "at",
        "when",
        "event time",
        "ts",
        "created at",
        "occurred at",
        "datetime",
        "date time",
    ),
    "_id": ("id", "event id", "uuid"),
    "eventType": ("event", "type", "event type", "kind"),
    "commerce.order.priceTotal": ("total", "amount", "order total"),
    "commerce.order.purchaseID": ("order id", "purchase id", "order number"),
    "loyalty.joinDate": ("join date", "joined", "member since"),
}
FORMATS = (
    ("a mail address", re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.I), ("email", "mail", "address")),
    ("a date", re.compile(r"\d{4}-\d\d-\d\d"), ("date", "birth", "join", "timestamp")),
    ("a date-time", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*"), ("timestamp", "time", "date")),
    ("an ECID", re.compile(r"\d{38}"), ("ecid",)),
    ("a phone number", re.compile(r"\+?[\d\s().-]{7,18}"), ("phone", "number", "mobile")),
)
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
DAYS = (
    ("dd.MM.yyyy", r"\d\d\.\d\d\.\d{4}"),
    ("MM/dd/yyyy", r"\d\d/\d\d/\d{4}"),
    ("yyyy/MM/dd", r"\d{4}/\d\d/\d\d"),
    ("yyyyMMdd", r"(19|20)\d{6}"),
)


@dataclass(frozen=True)
class Proposal:
    """`target` filled by `expression`; `confidence` from 0 to 1; `reasons` in words. No target: nothing fits well enough."""

    field: str
    target: str
    expression: str
    confidence: float
    reasons: tuple[str, ...]


def propose(
    fields: Mapping[str, Sequence[Any]], columns: ObjectType, loose: bool = False, needed: Sequence[str] = ()
) -> list[Proposal]:
    """One proposal for each source field; a target is proposed once, to the field that fits it best. `needed`: targets that are filled
    before all others."""
    targets = [
        (f.path, f.field.type) for f in paths(columns, 6) if not f.repeated and not isinstance(f.field.type, ObjectType)
    ]
    targets = [t for t in targets if not t[0].startswith("xEvent")]
    own = {t for t, _ in targets} - {*needed}
    scored = sorted(
        (_best_first(s, e, why, f, t, s >= SURE and t in needed and f not in own)
         for f, values in fields.items() for t, kind in targets
         if (found := _score(f, values, t, kind, loose)) and (t != "_id" or t not in needed or _tells_apart(values)) for s, e, why in (found,)),
    )  # fmt: skip
    taken: dict[str, Proposal] = {}
    used: set[str] = set()
    for *_, proposal in scored:
        if proposal.field not in taken and proposal.target not in used:
            taken[proposal.field] = proposal
            used.add(proposal.target)
    if "timestamp" in needed and "timestamp" not in used:
        taken.update(_only_time(fields, dict(targets), taken))
    return [taken.get(f, Proposal(f, "", "", 0.0, ("no field of the schema looks like it",))) for f in fields]


def _best_first(
    score: float, expression: str, reasons: list[str], field: str, target: str, first: bool
) -> tuple[bool, float, int, str, str, Proposal]:
    """A proposal behind what it is sorted by; no two are of one field and one target."""
    made = Proposal(field, target, expression, round(score, 2), tuple(reasons))
    return not first, -score, len(target), field, target, made


def _tells_apart(values: Sequence[Any]) -> bool:
    """May such values be names of events? They differ, apart from a few events that came twice."""
    return len({str(v) for v in values}) * 10 >= len(values) * 9


def _only_time(
    fields: Mapping[str, Sequence[Any]], targets: Mapping[str, Type], taken: Mapping[str, Proposal]
) -> dict[str, Proposal]:
    """The one field that holds date-times, whatever it is called."""
    times = [
        f
        for f, values in fields.items()
        if f not in taken and values and all(isinstance(v, str) and DATE_TIME.match(v) for v in values)
    ]
    if len(times) != 1 or targets.get("timestamp") != TIMESTAMP:
        return {}
    return {times[0]: Proposal(times[0], "timestamp", quoted(times[0]), 0.6, ("the only field of date-times",))}


def missing(proposals: Sequence[Proposal], needed: Sequence[str]) -> list[str]:
    """The needed targets that nothing is proposed for."""
    filled = {p.target for p in proposals}
    return [n for n in needed if n not in filled]


def words(text: str) -> str:
    """`homeAddress.postal_code` as `home address postal code`."""
    return " ".join(re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", text.replace("_", " "))).lower()


def _score(
    field: str, values: Sequence[Any], target: str, kind: Type, loose: bool
) -> tuple[float, str, list[str]] | None:
    score, reasons = _name_score(field, target)
    if score < 0.35:
        return None
    expression, fits, why = _converted(quoted(field), values, kind, loose)
    if not fits:
        return None
    score = min(1.0, score * 0.85 + fits * 0.15)
    reasons.append(why)
    texts = [v for v in values if isinstance(v, str)][:50]
    for name, pattern, hints in FORMATS:
        if texts and all(pattern.fullmatch(v.strip()) for v in texts):
            near = any(h in words(target) for h in hints)
            score = min(1.0, score + 0.1) if near else score * 0.9
            if near:
                reasons.append(f"every value is {name}")
            break
    return (score, expression, reasons) if score >= LEAST else None


def _name_score(field: str, target: str) -> tuple[float, list[str]]:
    if field == target:
        return 1.0, ["the same path"]
    last = field.rsplit(".", 1)[-1]
    names = [words(x) for x in (field, last)]
    for other in OTHER_NAMES.get(target, ()):
        if words(other) in names:
            return 0.9, [f"`{last}` is a usual name for it"]
    if field.endswith(f".{target}") or target.endswith(f".{field}"):
        return 0.92, ["one path ends with the other"]
    if words(last) == words(target.rsplit(".", 1)[-1]):
        return 0.8, ["the last parts have one name"]
    ratio = SequenceMatcher(None, words(field), words(target)).ratio()
    return ratio * 0.8, [f"the names are alike ({ratio:.0%})"]


def _converted(field: str, values: Sequence[Any], kind: Type, loose: bool) -> tuple[str, float, str]:
    """The expression that fills a type from such values; how well it fits; why."""
    if not values:
        return field, 0.4, "no value was seen"
    if isinstance(kind, ListType):
        return (field, 1.0, "lists both") if all(isinstance(v, list) for v in values) else ("", 0.0, "")
    if any(isinstance(v, list) for v in values):
        return "", 0.0, ""
    texts = all(isinstance(v, str) for v in values)
    if kind == STRING:
        return (field, 1.0, "texts both") if texts else (f"to_string({field})", 0.5, "numbers, where a text is wanted")
    if kind == BOOLEAN:
        if all(isinstance(v, bool) for v in values):
            return field, 1.0, "true and false both"
        known = texts and all(v.strip().lower() in ("true", "false", "yes", "no", "y", "n", "1", "0") for v in values)
        return (f"to_boolean({field})", 0.8, "texts such as `true`") if known else ("", 0.0, "")
    if kind in (INTEGER, NUMBER):
        return _number(field, values, kind, loose)
    if kind in (DATE, TIMESTAMP) and texts:
        return _day(field, [str(v) for v in values], kind)
    return "", 0.0, ""


def _number(field: str, values: Sequence[Any], kind: Type, loose: bool) -> tuple[str, float, str]:
    if all(isinstance(v, int | float) and not isinstance(v, bool) or type(v).__name__ == "Decimal" for v in values):
        return field, 1.0, f"numbers both ({describe(kind)})"
    if all(isinstance(v, str) and re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", v) for v in values):
        word = "to_integer" if kind == INTEGER else "to_decimal"
        return (field if loose else f"{word}({field})"), 0.8, "numbers, written as texts"
    return "", 0.0, ""


def _day(field: str, values: Sequence[str], kind: Type) -> tuple[str, float, str]:
    if all(re.fullmatch(r"\d{4}-\d\d-\d\d", v) for v in values):
        return (field if kind == DATE else f'date({field}, "yyyy-MM-dd")'), 0.9, "dates"
    if kind == TIMESTAMP and all(re.match(r"\d{4}-\d\d-\d\dT", v) for v in values):
        return field, 1.0, "date-times both"
    for form, pattern in DAYS:
        if all(re.fullmatch(pattern, v) for v in values):
            return f'date({field}, "{form}")', 0.8, f"dates of the form {form}"
    return "", 0.0, ""


def quoted(field: str) -> str:
    """A field as an expression reads it: parts that are no words stand in back-quotes."""
    return ".".join(p if re.fullmatch(r"[^\W\d]\w*", p) else f"`{p}`" for p in field.split("."))
