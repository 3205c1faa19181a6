"""The governance files of a project besides policies: labels, destinations, consent, exemptions, the choices in `pql.yaml`.

Read `read_destination`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pql.diagnostics.suggest import did_you_mean
from pql.labels import CORE, UsageLabel
from pql.policies.model import (
    ConsentPolicy,
    Destination,
    Exemption,
    Labelled,
    MappedField,
    Place,
    Policy,
)
from pql.policies.policy_files import STATUSES, Actions, Labels, bare, read_action, read_deny, read_label
from pql.policies.reading import Part

DESTINATION = ("id", "name", "kind", "marketingActions", "fields", "mergePolicy", "segments")
OF_ACTIVATION = ("title", "type", "description", "owner", "mapping", "schedule", "suppress", "options", "url", "path", "format", "file",
                 "connection", "credentials", "secret", "export", "trigger", "triggers", "identities", "identity", "dedup", "mandatory",
                 "batch", "retry", "retries", "rate", "limits", "headers", "status", "enabled", "version", "template")  # fmt: skip
FIELDS_MOST = 2000


@dataclass(frozen=True)
class Choices:
    """`policies:` of `pql.yaml`, and where its `sources:` are."""

    enabled: tuple[tuple[str, Place], ...] = ()
    conservative: bool = False
    sources: tuple[str, ...] = ("sources",)


def read_choices(part: Part) -> Choices:
    """`policies: [id, …]`, or `policies: {enabled: […], mode: precise | conservative}`."""
    if not isinstance(part.data, dict):
        return Choices()
    sources = tuple(p.data.removeprefix("./").rstrip("/") for p in part.words("sources")) or ("sources",)
    if not part.has("policies"):
        return Choices(sources=sources)
    own = part.part("policies")
    if isinstance(own.data, list | str):
        return Choices(tuple((p.data, p.place) for p in part.words("policies")), sources=sources)
    if not own.is_object("`policies`"):
        return Choices(sources=sources)
    own.known(("enabled", "mode"), "`policies`")
    mode = own.text("mode", "precise")
    if mode not in ("precise", "conservative"):
        own.part("mode").say(f"`{mode[:40]}` is no mode", "write `precise` or `conservative`")
    return Choices(tuple((p.data, p.place) for p in own.words("enabled")), mode == "conservative", sources)


def enabled_core(
    choices: Choices, core: Mapping[str, Policy], aliases: Mapping[str, str], part: Part | None
) -> list[Policy]:
    """The core policies with those enabled that the project chose; an unknown id is an error."""
    wanted = set()
    for id, place in choices.enabled:
        real = aliases.get(id, id)
        if real in core:
            wanted.add(real)
        elif part is not None:
            help = did_you_mean(id, core) or "`pql policy list --all` shows those that exist"
            part.say(f"there is no core policy `{id[:60]}`", help, "PQL0524", place.span)
    return [replace(p, status="ENABLED") if id in wanted else p for id, p in core.items()]


def read_labels_file(part: Part, labels: dict[str, UsageLabel], segments: dict[str, tuple[Labelled, ...]]) -> None:
    """Custom labels into `labels`; labels of segments that live elsewhere into `segments`."""
    if part.data is None or not part.is_object("`labels.yaml`"):
        return
    part.known(("labels", "segments"), "`labels.yaml`")
    for item in part.items("labels"):
        own = item
        if isinstance(item.data, str):
            own = Part(item.document, item.key, {"name": item.data}, item.findings)
        if not own.is_object("a label"):
            continue
        own.known(("name", "category", "friendlyName", "description"), "a label")
        name = bare(own.text("name", what="a label"))
        category = own.text("category", "Custom")
        if category != "Custom":
            own.part("category").say("labels of one's own are of the category `Custom`")
        if name in CORE:
            own.say(f"`{name}` is a core label already", "choose another name")
        elif name in labels:
            own.say(f"the label `{name}` is declared twice", code="PQL0501")
        elif name:
            labels[name] = UsageLabel(name, "Custom", own.text("friendlyName", name), own.text("description", ""))
    if part.has("segments"):
        own = part.part("segments")
        if own.is_object("`segments`"):
            for id in own.data:
                segments[id] = tuple(Labelled(read_label(p, labels), p.place) for p in own.words(id))


def read_destination(part: Part, actions: Actions, id: str) -> Destination | None:
    if not part.is_object("a destination"):
        return None
    part.not_misspelt(DESTINATION, OF_ACTIVATION, "a destination")
    places: dict[tuple[str, ...], Place] = {}
    names = []
    for p in part.words("marketingActions"):
        name = read_action(p, actions)
        names.append(name)
        places["action", name] = p.place
    segments = []
    for s in part.items("segments"):
        inner = (
            s.part("id")
            if isinstance(s.data, dict) and s.has("id")
            else s.part("segment")
            if isinstance(s.data, dict) and s.has("segment")
            else s
        )
        if not isinstance(inner.data, str):
            s.say("`segments` holds ids of segments")
            continue
        segments.append(inner.data)
        places["segment", inner.data] = inner.place
    if part.has("mergePolicy"):
        places["mergePolicy",] = part.place_of("mergePolicy")
    own = part.text("id", id)
    if not part.has("marketingActions"):
        message = f"the destination `{own}` names no marketing action: no policy judges it"
        part.say(
            message,
            "write `marketingActions: […]`; an empty list says that it is meant so",
            "PQL0533",
            part.document.key(*part.key, "id"),
        )
    place = part.place_of("id") if part.has("id") else part.place
    return Destination(
        own, part.text("name", part.text("title", own)), part.text("kind", part.text("type", "")), tuple(dict.fromkeys(names)),
        tuple(_fields(part)), tuple(dict.fromkeys(segments)), part.text("mergePolicy", ""), place, places,
        part.key,
    )  # fmt: skip


def _fields(part: Part) -> list[MappedField]:
    """`fields` (or `mapping`): texts, rows in the published shape, or an object of target: source."""
    found: list[MappedField] = []
    for word in ("fields", "mapping"):
        if not part.has(word):
            continue
        value = part.part(word)
        if isinstance(value.data, dict):
            found += [MappedField(str(s), t, value.place_of(t), (*value.key, t)) for t, s in value.data.items()]
        elif isinstance(value.data, list):
            found += [row for i in range(len(value.data)) if (row := _row(value.part(i))) is not None]
        else:
            value.say(f"`{word}` is a list of fields")
    if len(found) > FIELDS_MOST:
        part.say(f"more than {FIELDS_MOST:,} mapped fields")
    return found[:FIELDS_MOST]


def _row(item: Part) -> MappedField | None:
    if isinstance(item.data, str):
        return MappedField(item.data, item.data, item.place, item.key)
    if not item.is_object("a mapped field"):
        return None
    if isinstance(item.data.get("identity"), str) and not item.has("source"):
        name = item.data["identity"]
        return MappedField(
            f"identityMap.`{name}`", str(item.data.get("destination", name)), item.place_of("identity"), item.key
        )
    source = item.text("source", what="a mapped field")
    if str(item.data.get("sourceType", "")).lower() in ("identity", "identitynamespace", "namespace"):
        source = f"identityMap.`{source.removeprefix('identityMap.').removeprefix('IdentityMap: ')}`"
    if not source:
        return None
    return MappedField(source, item.text("destination", source), item.place_of("source"), item.key)


def read_consent(part: Part, labels: Labels, actions: Actions) -> ConsentPolicy | None:
    if not part.is_object("a consent policy"):
        return None
    part.known(
        ("id", "name", "status", "description", "marketingActionRefs", "labels", "condition"), "a consent policy"
    )
    status = part.text("status", "ENABLED")
    if status not in STATUSES:
        part.part("status").say(f"`{status[:40]}` is no status", "write DRAFT, ENABLED or DISABLED")
    refs = tuple(dict.fromkeys(read_action(p, actions) for p in part.words("marketingActionRefs")))
    deny = read_deny(part.part("labels"), labels) if part.has("labels") else None
    if not refs and deny is None:
        part.say("a consent policy needs `marketingActionRefs` or `labels`: else it applies to nothing")
    return ConsentPolicy(
        part.text("name", part.text("id", "consent")), status, refs, part.text("condition", what="a consent policy"), deny,
        part.place_of("name"), part.place_of("condition"),
    )  # fmt: skip


def read_exemption(part: Part) -> Exemption | None:
    """One exemption; who, why and until when must all be there."""
    if not part.is_object("an exemption"):
        return None
    keys = ("policy", "segment", "destination", "action", "approvedBy", "reason", "until", "policyVersion")
    part.known(keys, "an exemption")
    texts: dict[str, Any] = {
        k: part.text(k, what="an exemption") for k in ("policy", "segment", "approvedBy", "reason")
    }
    for name, value in texts.items():
        if part.has(name) and not value.strip():
            part.part(name).say(f"`{name}` is empty", "an exemption says who answers for it, and why")
    if part.has("destination") == part.has("action"):
        part.say("an exemption names a `destination`, or the `action` of a purpose, and not both")
    until = part.day("until", "an exemption")
    if until is None or not all(v.strip() for v in texts.values()):
        return None
    return Exemption(
        texts["policy"], texts["segment"], part.text("destination", ""), part.text("action", ""), texts["approvedBy"], texts["reason"],
        until, part.whole("policyVersion", None), part.place_of("policy"), part.place_of("until"),
    )  # fmt: skip
