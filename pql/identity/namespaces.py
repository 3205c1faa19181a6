"""Namespaces of identities: their kinds and the standard ones. Must not know files. Read `Namespace`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The identity types of the published API, best person evidence first: the order of namespaces that no priority names."""

    CROSS_DEVICE = "CROSS_DEVICE"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    DEVICE = "DEVICE"
    COOKIE = "COOKIE"
    PARTNER = "PARTNER"
    NON_PEOPLE = "NON_PEOPLE"

    @property
    def links(self) -> bool:
        """May an identity of this kind be linked with others?"""
        return self not in (Kind.PARTNER, Kind.NON_PEOPLE)

    @property
    def owns(self) -> bool:
        """May a profile consist of it?"""
        return self is not Kind.NON_PEOPLE

    @property
    def is_device(self) -> bool:
        return self in (Kind.DEVICE, Kind.COOKIE)

    @property
    def is_person(self) -> bool:
        return self in (Kind.CROSS_DEVICE, Kind.EMAIL, Kind.PHONE)


KIND_ORDER = tuple(Kind)


@dataclass(frozen=True)
class Namespace:
    """`limit`: at most so many of its identities in one graph (1: unique; None: no limit of its own). `pattern`: an RE2
    expression that a whole value must match; a value that does not is junk."""

    code: str
    kind: Kind
    name: str = ""
    limit: int | None = None
    aliases: tuple[str, ...] = ()
    junk: tuple[str, ...] = ()
    pattern: str | None = None


PATTERNS = {"ECID": "[0-9]{38}"}
"""RE2 expressions that whole values match, of standard namespaces; `identity.yaml` may say another."""

STANDARD: dict[str, Namespace] = {
    code: Namespace(code, kind, name, pattern=PATTERNS.get(code))
    for code, kind, name in (
        ("AAID", Kind.COOKIE, "Adobe Analytics"),
        ("AdCloud", Kind.COOKIE, "Adobe Advertising Cloud"),
        ("APNS", Kind.DEVICE, "Apple push notification service"),
        ("ECID", Kind.COOKIE, "Experience Cloud id"),
        ("Email", Kind.EMAIL, "E-mail address"),
        ("Email_LC_SHA256", Kind.EMAIL, "E-mail address, lower case, SHA-256"),
        ("FCM", Kind.DEVICE, "Firebase cloud messaging"),
        ("GAID", Kind.DEVICE, "Google advertising id"),
        ("IDFA", Kind.DEVICE, "Apple id for advertisers"),
        ("Phone", Kind.PHONE, "Phone number"),
        ("Phone_E.164", Kind.PHONE, "Phone number, E.164"),
        ("Phone_SHA256", Kind.PHONE, "Phone number, SHA-256"),
        ("Phone_SHA256_E.164", Kind.PHONE, "Phone number, E.164, SHA-256"),
        ("TNTID", Kind.COOKIE, "Adobe Target"),
        ("WAID", Kind.DEVICE, "Windows advertising id"),
    )
}

JUNK = ("null", "none", "undefined", "nan", "n/a", "user_null", "not-specified", "not_specified", "not specified",
        "unknown", "anonymous", "00000000-0000-0000-0000-000000000000")  # fmt: skip
"""Never a person, in any namespace; compared without case and outer blanks. An empty value is junk too."""

JUNK_OF_KIND: dict[Kind, tuple[str, ...]] = {
    Kind.EMAIL: ("test@test.com", "none@none.com", "null@null.com", "noemail@noemail.com"),
    Kind.PHONE: tuple(d * n for d in "0123456789" for n in range(6, 16)),
}
VALUE_MOST = 1024
"""Characters of an identity's value; the published limit."""
