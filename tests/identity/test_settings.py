"""`identity.yaml` and `merge.yaml`: what they may say, and what is said about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pql.api import read_short
from pql.identity.namespaces import Kind
from pql.identity.policy import MergePolicy, policies_from, read_policies
from pql.identity.settings import IdentitySettings, identity_from, read_identity, split_name
from pql.identity.values import clean_value

SCHEMA, _ = read_short({"profile": {"person.name": "string", "loyalty": {"tier": "string"}}})


@pytest.mark.parametrize(
    "text, words, help",
    [
        ("namspaces: {}", "unknown setting `namspaces`", "did you mean `namespaces`?"),
        (
            "namespaces: {crm: {type: CROS_DEVICE}}",
            "`CROS_DEVICE` is no identity type",
            "did you mean `CROSS_DEVICE` or",
        ),
        ("namespaces: {ECID: {type: EMAIL}}", "`ECID` is a standard namespace of type COOKIE", "code of its own"),
        ("namespaces: {crm: {uniq: true}}", "unknown setting `uniq` of `crm`", "did you mean `unique`?"),
        ("namespaces: {crm: {unique: true, limit: 3}}", "`crm` is unique, so its limit is 1", ""),
        ("namespaces: {crm: {limit: 0}}", "`limit` is a whole number from 1 to 1,000", ""),
        ("namespaces: {crm: {pattern: '('}}", "`(` is no regular expression", ""),
        ("namespaces: [crm]", "`namespaces` is an object", ""),
        ("namespaces: {a: {aliases: [b]}, c: {aliases: [b]}}", "`b` names `c` and `a`", "an alias names one namespace"),
        ("priority: [Emial]", "no namespace `Emial`", "did you mean `Email`?"),
        ("priority: [Email, Email]", "`Email` stands in the order twice", ""),
        ("limits: {graph: many}", "`graph` is a whole number from 1 to 1,000", ""),
        ("junk: [[1]]", "`junk` is a list of words", ""),
        ("- a", "an object of settings is wanted", ""),
        ("a: [", "this is neither YAML nor JSON", ""),
    ],
)
def test_mistakes(text: str, words: str, help: str) -> None:
    settings, (found, *_) = identity_from(text)
    assert found.code == "PQL0840" and found.message.startswith(words) and help in " ".join(found.help)
    assert isinstance(settings, IdentitySettings)


def test_a_device_above_a_person_is_warned_of() -> None:
    _, found = identity_from("namespaces: {crm: {}}\npriority: [ECID, crm]")
    assert [(d.code, d.is_error) for d in found] == [("PQL0841", False)]
    assert found[0].source.text[found[0].span.start : found[0].span.end] == "crm"


def test_order_junk_and_aliases() -> None:
    settings, found = identity_from(
        "namespaces: {crm: {aliases: [lumaCrm], junk: [Nobody], pattern: '[a-z]+'}}\npriority: [crm]\njunk: [x@y.z]"
    )
    assert not found
    codes = ["ECID", "Phone", "Email", "other", "lumaCrm", "GAID"]
    assert sorted(codes, key=settings.order) == ["lumaCrm", "other", "Email", "Phone", "GAID", "ECID"]
    assert not any(settings.is_usable("crm", v) for v in ("", " ", "NULL", "nobody", "a1", "x" * 1025))
    assert settings.is_usable("crm", "jane") and not settings.is_usable("Email", "X@Y.z ")
    assert settings.namespace("unheard of").kind is Kind.CROSS_DEVICE
    assert split_name("LUMACRM: a:b", settings) == ("crm", "a:b") and split_name("Sarah Rose", settings) is None


@pytest.mark.parametrize("depth", [10, 3000])
def test_hostile_files(tmp_path: Path, depth: int) -> None:
    (tmp_path / "identity.yaml").write_text("a: " + "[" * depth + "]" * depth)
    assert read_identity(tmp_path / "identity.yaml")[1][0].code == "PQL0840"
    (tmp_path / "merge.yaml").write_bytes(b"\xff\xfe\x00")
    assert read_policies(tmp_path / "merge.yaml")[1][0].code == "PQL0842"
    assert "cannot be read" in read_identity(tmp_path / "gone.yaml")[1][0].message


def test_policies() -> None:
    text = """
inferred: [model]
merge_policies:
  - {name: Precedence first, attributeMerge: {type: dataSetPrecedence, order: [crm, web]}}
  - name: main
    default: true
    identityGraph: {type: none}
    attributes: {loyalty: {order: [loyalty]}, loyalty.tier: timestamp}
"""
    policies, found = policies_from(text, SCHEMA)
    assert not found
    main, other = policies
    assert (main.name, main.place, main.stitched, main.inferred) == ("main", "main", False, {"model"})
    assert main.order_for(("loyalty", "points")) == ("loyalty",) and main.order_for(("loyalty", "tier")) is None
    assert (other.place, other.order, other.takes("loyalty")) == ("policy_precedence_first", ("crm", "web"), False)


@pytest.mark.parametrize("order", ['"order": ["b", "a"]', '"data": {"order": ["b", "a"]}'])
def test_the_published_form(order: str) -> None:
    text = """{"id": "1", "name": "p", "schema": {"name": "_xdm.context.profile"}, "version": 1, "identityGraph": {"type": "pdg"},
      "attributeMerge": {"type": "dataSetPrecedence", %s}, "isActiveOnEdge": false, "default": true, "updateEpoch": 1}"""
    policies, found = policies_from(text % order)
    assert not found and policies == (MergePolicy("p", True, True, ("b", "a")),)


@pytest.mark.parametrize(
    "text, words",
    [
        ("merge_policies: [{name: a, attributeMerge: newest}]", "no way to merge `newest`"),
        ("merge_policies: [{name: a, attributeMerge: dataSetPrecedence}]", "`attributeMerge` by dataset precedence has no `order`"),
        ("merge_policies: [{name: a, attributes: {loyalty.teir: timestamp}}]", "the profile has no `loyalty.teir`"),
        ("merge_policies: [{name: a, default: true}, {name: b, default: true}]", "`a` and `b` are both the default"),
        ("merge_policies: [{name: a}, {name: b}]", "no merge policy is the default"),
        ("merge_policies: [{name: a, default: true}, {name: b}, {name: B}]", "two merge policies are called `B`"),
        ("merge_policies: [{name: a, identityGraph: all}]", "no identity graph `all`"),
        ("merge_policies: [" + ", ".join(f"{{name: p{i}}}" for i in range(6)) + "]", "there are 6 merge policies; at most 5 are kept"),
        ("merge_policies: {}\nother: 1", "unknown setting `other`"),
    ],
)  # fmt: skip
def test_wrong_policies(text: str, words: str) -> None:
    policies, found = policies_from(text, SCHEMA)
    assert found[0].code == "PQL0842" and found[0].message == words and policies[0].default


def test_one_rule_says_what_is_usable() -> None:
    from pql.identity.settings import split_name

    settings, _ = identity_from("namespaces: {crm: {pattern: '[a-z]+'}}")
    for code, value in (("ECID", "1" * 38), ("ECID", "9"), ("Email", " Foo@X.org"), ("crm", "\tabc\t"), ("crm", "a1")):
        assert settings.is_usable(code, value) == (clean_value(settings, code, value) is not None)
    assert not settings.is_usable("ECID", "9") and settings.is_usable("ECID", "1" * 38)
    assert identity_from("namespaces: {ECID: {pattern: '[0-9]+'}}")[0].is_usable("ECID", "9")
    assert split_name("email:Foo@X.org", settings) == ("Email", "foo@x.org")
