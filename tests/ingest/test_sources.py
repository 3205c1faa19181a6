"""Source files: what is wrong in them is a finding with its place; schedules; proposals; the Luma project as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pql.ingest.project import SourceProject
from pql.ingest.propose import missing, propose
from pql.ingest.sample import source_fields
from pql.ingest.schedule import schedule_problem
from pql.ingest.source_file import document_type, read_source
from pql.store.store import Store
from pql.xdm.load import load_schema
from pql.xdm.short import read_short
from tests.ingest.conftest import EVENTS, PEOPLE, SCHEMA

ROOT = Path(__file__).parents[2]
WRONG: list[tuple[dict[str, Any], str, str, str]] = [
    ({"format": "jsnol"}, "PQL0820", "format", "did you mean"),
    ({"formt": "json"}, "PQL0820", "formt", "did you mean `format`"),
    ({"path": None}, "PQL0820", "", "name the file"),
    ({"schedule": "0 2 * * *"}, "PQL0829", "schedule", "seconds"),
    ({"dataset": {"name": "a b"}}, "PQL0820", "name", "letters"),
    ({"dataset": {"kind": "rekord"}}, "PQL0820", "kind", "did you mean"),
    ({"mapping": {"emial": "a"}}, "PQL0821", "emial", "did you mean"),
    ({"mapping": {"email": "lowr(a)"}}, "PQL0821", "lowr", "did you mean `lower`"),
    ({"mapping": {"email": "lower(a, b)"}}, "PQL0821", "lower(a, b)", "write"),
    ({"mapping": {"email": "lower(a"}}, "PQL0108", "", ""),
    ({"mapping": {"born": 'date(a, "yyyy-QQ")'}}, "PQL0821", 'date(a, "yyyy-QQ")', ""),
    ({"mapping": {"email": "a occurs today"}}, "PQL0821", "a occurs today", "fields, literals"),
    ({"mapping": {"email": 'lookup("x", a, "b")'}}, "PQL0821", 'lookup("x", a, "b")', "lookups"),
    ({"mapping": {"tags.x": "a"}}, "PQL0821", "tags.x", ""),
    ({"mapping": {"address": "a", "address.city": "b"}}, "PQL0820", "address.city", ""),
    ({"identities": [{"field": "nobody", "namespace": "x"}]}, "PQL0821", "field", ""),
    ({"mapping": {"email": 'extract_regex(a, "(")'}}, "PQL0821", 'extract_regex(a, "(")', ""),
]


@pytest.mark.parametrize(("change", "code", "place", "help"), WRONG, ids=[str(w[0])[:50] for w in WRONG])
def test_what_is_wrong_is_said_where_it_stands(
    tmp_path: Path, change: dict[str, Any], code: str, place: str, help: str
) -> None:
    document = {k: v for k, v in {**PEOPLE, **change}.items() if v is not None}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(document, sort_keys=False, width=1000), encoding="utf-8")
    source, found = read_source(tmp_path / "s.yaml", read_short(SCHEMA)[0])
    assert source is None
    match = [d for d in found if d.code == code]
    assert match, [d.message for d in found]
    if place:
        assert place in [d.source.slice(d.span).strip("'") for d in match], [d.source.slice(d.span) for d in match]
    assert any(help in h for d in match for h in (*d.help, ""))


@pytest.mark.parametrize("text", ["", "- a", "a: b: c", "\x00", "a: &x [*x]", "[" * 3000])
def test_no_text_breaks_the_reader(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    source, found = read_source(tmp_path / "s.yaml", read_short(SCHEMA)[0])
    assert source is None and found


@pytest.mark.parametrize(
    "text",
    [
        "0 0 2 * * ?",
        "0 0/15 8-18 ? * MON-FRI",
        "0 30 10 L * ?",
        "0 0 0 15W JAN,JUL ?",
        "0 0 12 ? * 6#3 2026",
        "0 0 1 ? * SUNL",
    ],
)
def test_schedules(text: str) -> None:
    assert schedule_problem(text) == ""


@pytest.mark.parametrize(
    "text",
    ["", "0 2 * * *", "60 0 2 * * ?", "0 0 2 * * *", "0 0 2 ? * ?", "0 0 25 * * ?", "a b c d e f", "0 0 0 32 * ?"],
)
def test_what_is_no_schedule(text: str) -> None:
    assert schedule_problem(text) != ""


def test_proposals_for_the_luma_files() -> None:
    schema, found = load_schema(ROOT / "profiles/luma/schema.yaml")
    assert not found
    columns = document_type(schema.profile, "record")
    fields = source_fields(ROOT / "profiles/luma/luma-loyalty.json", "json", {})
    made = {p.field: p for p in propose(fields, columns)}
    assert (made["loyalty.joinDate"].target, made["loyalty.joinDate"].expression) == (
        "loyalty.joinDate",
        'date(loyalty.joinDate, "yyyy-MM-dd")',
    )
    assert made["_yourOrganizationID.systemIdentifier.crmId"].target == "_luma.systemIdentifier.crmId"
    flat = propose(
        {"E-Mail": ["a@x.com"], "zip": ["12345"], "First Name": ["A"], "dob": ["31.12.2000"], "qqq": ["x"]},
        columns,
        loose=True,
    )
    assert [p.target for p in flat] == [
        "personalEmail.address",
        "homeAddress.postalCode",
        "person.name.firstName",
        "person.birthDate",
        "",
    ]
    assert flat[3].expression == 'date(dob, "dd.MM.yyyy")' and all(p.reasons for p in flat)


LUMA = {"catalog": (101, 101, 0), "crm": (1002, 1001, 1), "loyalty": (1001, 1001, 0), "stock": (1000, 1000, 0),
        "store-purchases": (1001, 1001, 0), "test-profiles": (3, 3, 0), "web": (1001, 1001, 0)}  # fmt: skip


def test_the_luma_project_loads_and_loads_again() -> None:
    schema, _ = load_schema(ROOT / "profiles/luma/schema.yaml")
    made = SourceProject.read(ROOT / "examples/luma", schema)
    assert made.ok, [d.message for d in made.diagnostics]
    store = Store.memory(schema)
    first = {x.source: (x.counts.read, x.counts.stored, x.counts.duplicates) for x in made.load(store)}
    assert first == LUMA
    assert sum(x.counts.stored + x.counts.quarantined for x in made.load(store)) == 0

    def one(sql: str) -> Any:
        return store.connection.execute(sql).fetchall()[0]

    assert one("SELECT count(*), count(personalEmail.address) FROM data.luma_crm") == (1001, 882)
    assert one("SELECT count(*), count(_luma.systemIdentifier.crmId) FROM data.luma_loyalty") == (999, 690)
    assert one(
        "SELECT len(list_distinct(list_transform(_identities, lambda x: x.id))) FROM data.luma_loyalty WHERE _key = 'loyaltyId:5625458'"
    ) == (3,)
    assert one("SELECT count(*), count(DISTINCT _key) FROM data.luma_web") == (1001, 1000)
    assert one("SELECT count(*) FROM meta.conflict") == (1,)
    assert one("SELECT count(DISTINCT _primary), bool_and(_primary LIKE 'crmId:%') FROM data.luma_web")[1] is True


def test_events_need_what_events_need(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(EVENTS), encoding="utf-8")
    source, found = read_source(tmp_path / "e.yaml", read_short(SCHEMA)[0])
    assert source is not None and not found


def test_what_every_event_needs_is_proposed_first() -> None:
    schema, found = read_short({"event": {"total": "number", "crm": {"id": "string"}}})
    assert not found
    columns, needed = document_type(schema.event, "event"), ("_id", "timestamp")

    def targets(**fields: list[object]) -> dict[str, str]:
        made = propose({k.replace("__", "."): v for k, v in fields.items()}, columns, False, needed)
        return {p.field: p.target for p in made}

    day, other = "2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"
    assert targets(id=["a", "b"], happened=[day, other]) == {"id": "_id", "happened": "timestamp"}
    assert targets(id=["a", "a"], when=[day, day]) == {"id": "crm.id", "when": "timestamp"}, (
        "not what tells events apart"
    )
    assert targets(crm__id=["a", "b"], uuid=["x", "y"]) == {"crm.id": "crm.id", "uuid": "_id"}
    assert targets(begin=[day, other], end=[day, other]) == {"begin": "", "end": ""}, "either of them may be it"
    made = propose({"total": [1]}, columns, False, needed)
    assert missing(made, needed) == ["_id", "timestamp"]
    assert {p.field: p.target for p in propose({"id": ["a", "b"]}, columns)} == {"id": "crm.id"}, "of a record"
