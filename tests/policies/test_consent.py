"""Consent: the published fields with their defaults, asked of SQL and of the plain evaluator; policies that filter people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pql.api import Environment, Store, Unknown, read_short
from pql.policies.consent import OPT_OUT
from pql.runtime import Evaluator
from pql.xdm.values import read_profile
from tests.policies.projects import NOW, judge, write

PROFILE: dict[str, Any] = {
    "a": "string",
    "email": {"type": "string", "labels": ["I1"]},
    "consents": {
        "marketing": {"any": {"val": "string"}, "email": {"val": "string"}, "push": {"val": "string"}},
        "collect": {"val": "string"},
        "idSpecific": "map<map<object>>",
    },
    "privacyOptOuts[]": {"optOutType": "string", "optOutValue": "string"},
    "optInOut": {"globalOptout": "boolean"},
}
IDS = {"marketing": {"email": {"val": "string"}}}

# any, email, the addresses' own → may be mailed
EMAIL: list[tuple[str | None, str | None, list[str | None], bool]] = [
    (None, None, [], False),
    (None, "y", [], True),
    (None, "n", [], False),
    (None, "dy", [], True),
    (None, "dn", [], False),
    (None, "p", [], False),
    (None, "u", [], False),
    (None, "LI", [], False),
    ("y", None, [], True),
    ("y", "n", [], False),
    ("y", "dn", [], True),
    ("y", "p", [], True),
    ("y", "y", [], True),
    ("n", None, [], False),
    ("n", "y", [], False),
    ("n", "y", ["y"], False),
    ("dy", None, [], True),
    ("dy", "dn", [], False),
    ("dy", "n", [], False),
    ("dn", None, [], False),
    ("dn", "y", [], True),
    ("dn", "dy", [], True),
    ("p", None, [], False),
    (None, None, ["y"], True),
    (None, None, ["n"], False),
    (None, "y", ["n"], False),
    (None, "y", ["n", "y"], True),
    (None, "y", ["n", "dn"], False),
    (None, "y", ["n", "u"], True),
    (None, "y", [None], True),
    (None, "n", ["y"], False),
    ("y", None, ["n"], False),
]


def schema() -> Environment:
    made, found = read_short({"profile": PROFILE})
    assert not found
    document = {**PROFILE, "consents": {**PROFILE["consents"]}}
    del document["consents"]["idSpecific"]
    from dataclasses import replace

    from pql.types import Field, MapType, make_object

    ids, _ = read_short({"profile": {"x": IDS}})
    consents = made.profile.fields["consents"].type
    kind = make_object(
        "consents",
        {**consents.fields, "idSpecific": Field("idSpecific", MapType(MapType(ids.profile.fields["x"].type)))},
    )  # type: ignore[union-attr]
    fields = {**made.profile.fields, "consents": Field("consents", kind)}
    return Environment(replace(made, profile=make_object("profile", fields)))


def document(general: str | None, email: str | None, ids: list[str | None]) -> dict[str, Any]:
    marketing = {k: {"val": v} for k, v in (("any", general), ("email", email)) if v is not None}
    own = {f"a{i}": {"marketing": {"email": {"val": v}}} if v else {"marketing": {}} for i, v in enumerate(ids)}
    return {"consents": {"marketing": marketing, **({"idSpecific": {"Email": own}} if ids else {})}}


def test_marketing_email_on_both_engines() -> None:
    environment = schema()
    condition = environment.check("consented(marketing.email)")
    assert condition.ok
    people = [read_profile(document(*row[:3]), environment.schema)[0] for row in EMAIL]
    wanted = [row[3] for row in EMAIL]
    assert [Evaluator().evaluate(condition.ir, p, [], NOW) for p in people] == wanted
    store = Store.memory(environment.schema)
    store.load(enumerate(people), [])
    rows = store.query(environment.sql([condition.ir], output="members").sql(), {"now": NOW})
    assert sorted(r[0] for r in rows) == [i for i, yes in enumerate(wanted) if yes]


@pytest.mark.parametrize(
    ("value", "holds"), [(None, True), ("y", True), ("n", False), ("dn", False), ("u", False), ("p", True)]
)
def test_collecting_is_opt_out(value: str | None, holds: bool) -> None:
    environment = schema()
    document = {"consents": {"collect": {"val": value}}} if value else {}
    assert environment.evaluate(environment.check('consented("collect")').ir, document, [], NOW) is holds


@pytest.mark.parametrize(
    ("text", "help"),
    [('consented("marketing.mail")', "did you mean"), ("consented(sale)", "there are"), ("consented(1)", ""), ('consented("marketing.email.val")', "did you mean")],
)  # fmt: skip
def test_unknown_consent(text: str, help: str) -> None:
    checked = schema().check(text)
    assert [d.code for d in checked.diagnostics] == ["PQL0538"]
    assert help in "".join(checked.diagnostics[0].help)


def project(folder: Path, **files: Any) -> None:
    own = {k: v for k, v in PROFILE.items()}
    write(
        folder,
        {
            "schema.yaml": {"profile": own},
            "segments.pql": 'segment s { where a = "x" }\nsegment free { excludeOptOut: false where a = "x" }',
        },
    )
    write(
        folder,
        {"destinations/d.yaml": "{id: d, marketingActions: [emailTargeting], fields: [email], segments: [s, free]}"},
    )
    write(
        folder,
        {
            "consent/mail.yaml": "{name: Mail, marketingActionRefs: [emailTargeting], condition: 'consented(\"marketing.email\")'}"
        },
    )
    write(folder, files)


PEOPLE = [
    {"a": "x", "consents": {"marketing": {"email": {"val": "y"}}}},
    {"a": "x"},
    {"a": "y", "consents": {"marketing": {"email": {"val": "y"}}}},
    {"a": "x", "consents": {"marketing": {"email": {"val": "y"}}}, "privacyOptOuts": [{"optOutType": "general_opt_out", "optOutValue": "out"}]},
    {"a": "x", "consents": {"marketing": {"email": {"val": "y"}}}, "optInOut": {"globalOptout": True}},
    {"a": "x", "consents": {"marketing": {"email": {"val": "y"}}}, "privacyOptOuts": [{"optOutType": "sales_sharing_opt_out", "optOutValue": "out"}]},
]  # fmt: skip


def sent(folder: Path, segment: str, **use: Any) -> tuple[list[int], list[str]]:
    made = judge(folder)
    audience = made.environment.audience(made.governed, segment, **use)
    people = [read_profile(p, made.environment.schema)[0] for p in PEOPLE]
    direct = [i for i, p in enumerate(people) if Evaluator().evaluate(audience.condition, p, [], NOW)]
    store = Store.memory(made.environment.schema)
    store.load(enumerate(people), [])
    rows = store.query(made.environment.sql([audience.condition], output="members").sql(), {"now": NOW})
    assert sorted(r[0] for r in rows) == direct
    return direct, [c.name for c in audience.consents]


def test_consent_and_opt_out_filter_people(tmp_path: Path) -> None:
    project(tmp_path)
    assert sent(tmp_path, "s", destination="d") == ([0, 5], ["Mail", OPT_OUT])
    assert sent(tmp_path, "free", destination="d") == ([0, 3, 4, 5], ["Mail"])
    assert sent(tmp_path, "s", actions=["emailTargeting"]) == ([0, 5], ["Mail", OPT_OUT])
    assert sent(tmp_path, "free", actions=["analytics"]) == ([0, 1, 3, 4, 5], [])


def test_a_policy_with_labels_applies_to_such_data_alone(tmp_path: Path) -> None:
    text = "{name: Mail, labels: {label: I1}, condition: 'consented(\"marketing.email\")'}"
    project(tmp_path, **{"consent/mail.yaml": text})
    assert sent(tmp_path, "free", destination="d")[1] == ["Mail"]
    assert sent(tmp_path, "free", actions=["emailTargeting"])[1] == []


def test_several_policies_must_all_hold(tmp_path: Path) -> None:
    more = "{name: Old, marketingActionRefs: [emailTargeting], condition: 'consents.marketing.email.val != \"y\"'}"
    project(tmp_path, **{"consent/more.yaml": more})
    assert sent(tmp_path, "free", destination="d") == ([], ["Mail", "Old"])


def test_a_broken_consent_policy_lets_nobody_through(tmp_path: Path) -> None:
    project(
        tmp_path,
        **{"consent/mail.yaml": "{name: Mail, marketingActionRefs: [emailTargeting], condition: 'nothing = 1'}"},
    )
    with pytest.raises(Unknown) as error:
        sent(tmp_path, "s", destination="d")
    assert error.value.code == "PQL0537"


def test_what_a_policy_forbids_is_sent_to_nobody(tmp_path: Path) -> None:
    policy = "{name: P, status: ENABLED, marketingActionRefs: [emailTargeting], deny: {label: I1}}"
    project(tmp_path, **{"policies/p.yaml": policy})
    with pytest.raises(Unknown) as error:
        sent(tmp_path, "s", destination="d")
    assert error.value.code == "PQL0520" and "`P`" in str(error.value)


def test_nothing_is_sent_while_a_governance_file_has_errors(tmp_path: Path) -> None:
    project(tmp_path, **{"policies/p.yaml": "{nam: P}"})
    with pytest.raises(Unknown) as error:
        sent(tmp_path, "free", actions=["analytics"])
    assert error.value.code == "PQL0523"
