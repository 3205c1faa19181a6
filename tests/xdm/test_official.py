"""The official schemas load whole and answer look-ups; documents of any other kind give findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pql.types import ObjectType
from pql.xdm.catalog import complete, look_up, paths
from pql.xdm.compose import Composer
from pql.xdm.load import EVENT_CLASS, PROFILE_CLASS, compose_manifest, load_schema
from pql.xdm.registry import Registry, load_registry
from pql.xdm.schema import Schema

HERE = Path(__file__).parent
WANTED = yaml.safe_load((HERE / "paths.yaml").read_text())


@pytest.fixture(scope="module")
def whole() -> Schema:
    """Every field group of both classes, deep-merged."""
    documents = load_registry().documents
    manifest = {
        name: [id for id, d in documents.items() if wanted in (d.get("meta:intendedToExtend") or [])]
        for name, wanted in (("profile", PROFILE_CLASS), ("event", EVENT_CLASS))
    }
    assert len(manifest["profile"]) == 35 and len(manifest["event"]) == 126
    schema, found = compose_manifest(manifest)
    assert found == []
    return schema


def test_every_document_has_a_type() -> None:
    registry = load_registry()
    assert len(registry.documents) >= 314
    for document in list(registry.documents.values()):
        assert isinstance(Composer(registry).object_type("", [(document, document)]), ObjectType)
    assert registry.diagnostics == ()


@pytest.mark.parametrize(("kind", "path"), [(k, p) for k, own in WANTED.items() for p in own])
def test_path(whole: Schema, kind: str, path: str) -> None:
    found = look_up(whole.profile if kind == "profile" else whole.event, path)
    assert found is not None and found.type.startswith(WANTED[kind][path])


def test_groups_that_share_an_object_are_merged(whole: Schema) -> None:
    """`web` gets fields from several groups; an overwriting merge would lose some."""
    web = look_up(whole.event, "web")
    assert web is not None and isinstance(web.field.type, ObjectType)
    assert {"webPageDetails", "webReferrer", "webInteraction"} <= set(web.field.type.fields)


def test_open_and_closed_enums(whole: Schema) -> None:
    gender, event_type = look_up(whole.profile, "person.gender"), look_up(whole.event, "eventType")
    assert gender is not None and gender.field.enum is not None and "female" in gender.field.enum
    assert event_type is not None and event_type.field.enum is None
    assert event_type.field.suggested is not None and "commerce.purchases" in event_type.field.suggested


def test_completion(whole: Schema) -> None:
    assert "person.birthDate" in [f.path for f in complete(whole, "person.bi")]
    assert complete(whole, "nowhere.x") == []
    assert sum(1 for _ in paths(whole.profile)) > 3000


TENANT = {
    "$id": "luma/loyalty",
    "type": "object",
    "meta:intendedToExtend": [PROFILE_CLASS],
    "definitions": {
        "own": {
            "properties": {
                "_luma": {
                    "type": "object",
                    "properties": {
                        "loyalty": {
                            "type": "object",
                            "properties": {
                                "level": {"type": "string", "enum": ["gold", "silver"]},
                                "scores": {"type": "object", "additionalProperties": {"type": "integer"}},
                                "friend": {"$ref": "luma/loyalty#/definitions/own"},
                                "since": {"type": "string", "format": "date-time"},
                                "old": {"type": "string", "meta:status": "deprecated"},
                            },
                        }
                    },
                }
            }
        }
    },
    "allOf": [{"$ref": "#/definitions/own"}],
}
DESCRIPTORS = [
    {
        "@type": "xdm:descriptorIdentity",
        "xdm:sourceProperty": "/_luma/loyalty/level",
        "xdm:namespace": "Loyalty",
        "xdm:isPrimary": True,
    },
    {"@type": "xdm:descriptorLabel", "xdm:sourceProperty": "/xdm:person", "xdm:labels": ["I1", "C2"]},
]


def test_tenant_manifest_and_descriptors(tmp_path: Path) -> None:
    (tmp_path / "loyalty.schema.json").write_text(json.dumps(TENANT))
    (tmp_path / "labels.json").write_text(json.dumps(DESCRIPTORS))
    groups = {
        "profile": ["profile-person-details", "luma/loyalty"],
        "schemas": ["loyalty.schema.json"],
        "descriptors": ["labels.json"],
    }
    (tmp_path / "schema.yaml").write_text(yaml.safe_dump({"xdm": groups}))
    schema, found = load_schema(tmp_path)
    assert found == []
    level, scores = look_up(schema.profile, "_luma.loyalty.level"), look_up(schema.profile, "_luma.loyalty.scores")
    assert level is not None and level.field.enum == ("gold", "silver")
    assert scores is not None and scores.type == "map of integer"
    old, name = look_up(schema.profile, "_luma.loyalty.old"), look_up(schema.profile, "person.name.firstName")
    assert old is not None and old.field.deprecated
    assert name is not None and name.field.labels == {"I1", "C2"}
    (identity,) = schema.identities
    assert (identity.namespace, identity.primary, identity.path) == ("Loyalty", True, ("_luma", "loyalty", "level"))


def test_recursion_ends() -> None:
    registry = Registry()
    registry.add(TENANT, "t")
    kind = Composer(registry).object_type("", [(TENANT, TENANT)])
    assert sum(1 for _ in paths(kind, depth=40)) < 60


def test_mistakes_are_named(tmp_path: Path) -> None:
    _, found = compose_manifest({"profile": ["profile-person-detail"], "colour": 1})
    assert {d.code for d in found} == {"PQL0801", "PQL0802"}
    assert any("profile-person-details" in d.message for d in found)
    (tmp_path / "bad.json").write_text("{")
    _, found = load_schema(tmp_path / "bad.json")
    assert [d.code for d in found] == ["PQL0801"]
    lost = {"$id": "x", "properties": {"a": {"$ref": "nowhere"}, "b": {"type": "strange"}}, "allOf": [3]}
    registry = Registry()
    Composer(registry).object_type("", [(lost, lost)])
    assert {d.code for d in registry.diagnostics} == {"PQL0801", "PQL0802", "PQL0804"}


def json_values() -> st.SearchStrategy[object]:
    keys = st.sampled_from(
        ["properties", "allOf", "$ref", "type", "items", "additionalProperties", "enum", "meta:enum", "x", "@id"]
    )
    leaves = (
        st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "array", "#/properties", "string", "#"])
    )
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
    )


@settings(max_examples=150, deadline=None)
@given(json_values())
def test_any_document_gives_a_type_or_findings(document: object) -> None:
    registry = Registry()
    registry.add(document, "any")
    for node in registry.documents.values():
        Composer(registry).object_type("", [(node, node)])
