"""Labels that fields without any might need, each with a reason. They are suggestions: nothing is labelled by them. Read `suggestions`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pql.labels import closed
from pql.types import NUMBER, STRING, Field, ListType, MapType, ObjectType, Type
from pql.xdm.schema import Schema


@dataclass(frozen=True)
class Suggestion:
    path: str
    label: str
    reason: str


_STRING, _ANY = "text", "any"
_RULES: tuple[tuple[str, str, str, str], ...] = (
    ("I1", r"e_?mail(_?address)?$|^mail$", _STRING, "an e-mail address reaches a person directly"),
    ("I1", r"(phone|mobile|telephone|fax|msisdn)(_?number)?$", _STRING, "a telephone number reaches a person directly"),
    ("I1", r"^(full_?name|last_?name|surname|family_?name)$", _STRING, "a name identifies a person"),
    ("I1", r"(tax_?id|ssn|social_?security.*|passport.*|national_?id|iban|card_?number)$", _ANY, "an official number identifies a person"),
    ("I1", r"^(crm_?id|customer_?id|loyalty_?i_?d|account_?id|user_?id)$", _ANY, "an account's id identifies a person in own systems"),
    ("I1", r"^street(\d|_?address)?$", _STRING, "a street address reaches a person"),
    ("I2", r"^(ecid|cookie_?id|device_?id|ad_?id|idfa|gaid|ip_?address|ip)$", _ANY, "an id of a device identifies a person together with other data"),
    ("I2", r"^(birth_?date|date_?of_?birth|dob)$", _ANY, "a date of birth identifies a person together with other data"),
    ("S1", r"^(latitude|longitude|lat|lng|lon)$", _ANY, "latitude and longitude are a precise location"),
    ("S2", r"^(geofence|geo_?fence|dma_?id|msa_?id|postal_?code|zip(_?code)?)$", _ANY, "an area is a broad location"),
    ("RHD", r"^(diagnos[ie]s|medication|prescription|patient_?id|health_?condition|icd_?10?)$", _ANY, "it says something of a person's health"),
    ("PSPD", r"^(religion|ethnicity|race|sexual_?orientation|political_?.*|trade_?union.*)$", _ANY, "it is a special category of personal data"),
)  # fmt: skip
_NOT = re.compile(
    r"(status|format|domain|valid\w*|opt.*|count|type|reason|label|campaign.*|template.*)$", re.IGNORECASE
)


def suggestions(schema: Schema) -> tuple[Suggestion, ...]:
    """For fields of a schema that have no label that says as much. Fields of identities are suggested by their namespace."""
    found = list(_visit(schema.profile, ""))
    have = {s.path for s in found}
    for identity in (*schema.identities, *schema.event_identities):
        path = ".".join(identity.path)
        path = f"xEvent.{path}" if identity in schema.event_identities else path
        label = "I2" if identity.namespace.upper() in ("ECID", "AAID", "GAID", "IDFA") else "I1"
        if path not in have and label not in _labels(schema, path):
            found.append(Suggestion(path, label, f"it is an identity of the namespace {identity.namespace}"))
    return tuple(found)


def _visit(kind: Type, path: str, depth: int = 0) -> Iterator[Suggestion]:
    while isinstance(kind, ListType | MapType):
        kind = kind.element if isinstance(kind, ListType) else kind.value
    if not isinstance(kind, ObjectType) or depth > 12:
        return
    for name, declared in kind.fields.items():
        own = f"{path}.{name}" if path else name
        yield from suggest(own, declared)
        yield from _visit(declared.type, own, depth + 1)


def suggest(path: str, declared: Field) -> Iterator[Suggestion]:
    """For one field, by its name and the name of what it stands in."""
    kind = declared.type.element if isinstance(declared.type, ListType) else declared.type
    if isinstance(kind, ObjectType | MapType):
        return
    if declared.format in ("email", "idn-email") and "I1" not in closed(declared.labels):
        yield Suggestion(path, "I1", "its format is an e-mail address, which reaches a person directly")
        return
    steps = path.split(".")
    words = [_snake(steps[-1])]
    if words[0] in ("address", "number", "value", "id") and len(steps) > 1 and _snake(steps[-2]) not in ("consents",):
        words.append(_snake(steps[-2]))
    for label, pattern, wanted, reason in _RULES:
        if wanted == _STRING and kind != STRING or kind not in (STRING, NUMBER) and label == "S1":
            continue
        if (
            any(re.search(pattern, w) for w in words)
            and not _NOT.search(words[0])
            and label not in closed(declared.labels)
        ):
            yield Suggestion(path, label, reason)
            return


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")


def _labels(schema: Schema, path: str) -> frozenset[str]:
    kind: Type = schema.profile
    found: frozenset[str] = frozenset()
    for name in path.split("."):
        while isinstance(kind, ListType | MapType):
            kind = kind.element if isinstance(kind, ListType) else kind.value
        if not isinstance(kind, ObjectType) or name not in kind.fields:
            return found
        found |= kind.fields[name].labels
        kind = kind.fields[name].type
    return closed(found)
