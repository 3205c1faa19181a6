"""`pql source` and `pql quarantine` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.test_people_commands import pql

SCHEMA = """
profile:
  personalEmail.address: string
  loyalty: {points: integer, tier: string}
  ids: {crm: string}
event:
  channel.mediaType: string
"""
SOURCE = """
source: people
format: csv
path: ../people.csv
dataset: {name: people, kind: record}
identities: [{field: ids.crm, namespace: crmId, primary: true}]
mapping:
  ids.crm: id
  personalEmail.address: lower(trim(email))
  loyalty.points: points
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "pql.yaml").write_text("schema: schema.yaml\nstore: shop.duckdb\n")
    (tmp_path / "sources" / "people.yaml").write_text(SOURCE)
    (tmp_path / "people.csv").write_text(
        "id,email,points,note\nc1, Ann@Luma.example ,7,x\nc2,bo@luma.example,many,y\n,cy@luma.example,1,z\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_preview_shows_raw_and_mapped_side_by_side(project: Path) -> None:
    code, out, _ = pql("source", "preview", "people", "-f", "json")
    first, second, *_ = [json.loads(line) for line in out.splitlines()]
    assert code == 1, "a row does not fit"
    assert first["line"] == 2 and first["raw"]["email"] == " Ann@Luma.example " and first["problem"] is None
    assert first["mapped"]["personalEmail"] == {"address": "ann@luma.example"}
    assert (second["problem"]["code"], second["problem"]["path"]) == ("PQL0825", "loyalty.points")
    code, out, _ = pql("source", "preview", "people", "--rows", "1")
    assert code == 0 and "ann@luma.example" in out and "Ann@Luma" in out
    code, _, err = pql("source", "preview", "peopl")
    assert code == 2 and "did you mean `people`?" in err


def test_map_proposes_with_confidence_and_reasons(project: Path) -> None:
    (project / "people.csv").write_text("id,email,points\nc1,ann@luma.example,7\nc2,bo@luma.example,12\n")
    code, out, _ = pql("source", "map", "--auto", "people.csv", "-f", "json")
    proposals = json.loads(out) if out.lstrip().startswith("[") else [json.loads(line) for line in out.splitlines()]
    by_field = {p["field"]: p for p in proposals}
    assert code == 0 and by_field["points"]["target"] == "loyalty.points"
    assert all(0 <= p["confidence"] <= 1 for p in proposals)
    code, out, _ = pql("source", "map", "--auto", "people.csv")
    assert code == 0 and "loyalty.points" in out
    assert pql("source", "map", "--auto", "nothing.csv")[0] == 2
    assert pql("source", "map", "--auto", "people.csv", "--kind", "thing")[0] == 2


def test_test_says_what_is_wrong_and_what_nobody_reads(project: Path) -> None:
    code, out, _ = pql("source", "test")
    assert code == 1 and "do not fit" in out and "PQL0825" in out and "`note`" in out
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("lower(trim(email))", "lowr(email)"))
    code, out, err = pql("source", "test")
    assert code == 1 and "did you mean `lower`" in out + err
    code, out, _ = pql("source", "test", "-f", "json")
    assert code == 1 and "PQL0821" in out
    (project / "sources" / "people.yaml").write_text(SOURCE)
    (project / "people.csv").write_text("id,email,points\nc1,ann@luma.example,7\n")
    assert pql("source", "test")[0] == 0


def test_quarantine_is_listed_shown_and_replayed(project: Path) -> None:
    code, out, _ = pql("load", "--no-unify", "-f", "json")
    (file,) = json.loads(out)["files"]
    assert code == 1 and (file["read"], file["stored"], file["quarantined"]) == (3, 1, 2)
    code, out, _ = pql("quarantine", "list", "-f", "json")
    heaps = [json.loads(line) for line in out.splitlines()]
    assert code == 1 and sorted((h["code"], h["rows"]) for h in heaps) == [("PQL0825", 1), ("PQL0828", 1)]
    code, out, _ = pql("quarantine", "list")
    assert code == 1 and "PQL0825" in out and "loyalty.points" in out
    rows = [json.loads(line) for line in pql("quarantine", "list", "--rows", "-f", "json")[1].splitlines()]
    many = next(r for r in rows if r["code"] == "PQL0825")
    code, out, _ = pql("quarantine", "show", str(many["id"]))
    assert code == 0 and "people.csv:3" in out and "many" in out
    shown = json.loads(pql("quarantine", "show", str(many["id"]), "-f", "json")[1])
    assert shown["line"] == 3 and "many" in shown["raw"] and shown["state"] == "open"
    code, _, err = pql("quarantine", "show", "4711")
    assert code == 2 and "no row 4711" in err
    code, out, _ = pql("quarantine", "replay")
    assert code == 1 and "2 replayed: 0 stored, 0 duplicates, 2 stay" in out
    (project / "sources" / "people.yaml").write_text(
        SOURCE.replace("points: points", 'points: decode(points, "many", 100, 1)')
    )
    code, out, _ = pql("quarantine", "replay", "--code", "PQL0825")
    assert code == 0 and "1 replayed: 1 stored" in out
    code, out, _ = pql("quarantine", "list", "--code", "PQL0825")
    assert code == 0 and "nothing is in quarantine" in out
    assert pql("quarantine", "list", "--all", "-f", "json")[0] == 0


def test_preview_and_test_notice_rows_without_a_usable_identity_as_load_does(project: Path) -> None:
    (project / "people.csv").write_text(
        "id,email,points,note\nc1,a@x.example,7,x\n,b@x.example,1,z\nnull,c@x.example,1,z\n"
    )
    loaded = pql("load", "--no-unify", "-f", "json")[1]
    rows = [json.loads(line) for line in pql("quarantine", "list", "--rows", "-f", "json")[1].splitlines()]
    assert json.loads(loaded)["files"][0]["quarantined"] == 2
    code, out, _ = pql("source", "preview", "people", "-f", "json")
    shown = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [(s["line"], s["problem"]["code"], s["problem"]["message"]) for s in shown if s["problem"]] == [
        (r["line"], "PQL0828", r["message"]) for r in rows
    ]
    code, out, _ = pql("source", "test")
    assert code == 1 and "3 records sampled, 2 do not fit" in out and "PQL0828" in out


@pytest.mark.parametrize("format", ["json", "sarif", "github", "junit"])
def test_test_carries_bad_rows_in_every_format(project: Path, format: str) -> None:
    code, out, _ = pql("source", "test", "-f", format)
    assert code == 1 and "PQL0825" in out and "PQL0828" in out and "people.csv" in out and "../" not in out
    if format == "json":
        found = json.loads(out)["diagnostics"]
        assert [(d["code"], d["range"]["start"]["line"]) for d in found] == [("PQL0825", 3), ("PQL0828", 4)]
    (project / "people.csv").write_text("id,email,points\nc1,ann@luma.example,7\n")
    code, out, _ = pql("source", "test", "-f", format)
    assert code == 0 and "PQL08" not in out
    assert format != "junit" or 'tests="2" failures="0"' in out, "the source file and its data"
    (project / "people.csv").unlink()
    code, out, _ = pql("source", "test", "-f", format)
    assert code == 1 and "PQL0824" in out


def test_test_lists_lines_in_order_and_says_how_many_more_there_are(project: Path) -> None:
    bad = "".join(f"c{n},a@x.example,many\n" if n != 4 else "c4\n" for n in range(2, 16))
    (project / "people.csv").write_text("id,email,points\n" + bad)
    code, out, _ = pql("source", "test")
    lines = [line.strip() for line in out.splitlines()]
    assert code == 1 and [line.split(":")[0] for line in lines[1:11]] == [f"line {n}" for n in range(2, 12)]
    assert lines[3].startswith("line 4: PQL0823 1 cell") and "and 4 more" in lines[11]
    assert "no findings" not in out


def test_what_order_by_works_with_is_read(project: Path) -> None:
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("mapping:", "order_by: timestamp(note)\nmapping:"))
    assert "no line reads" not in pql("source", "test")[1]


def test_a_store_that_cannot_be_made_is_no_stack_trace(project: Path) -> None:
    (project / "events.jsonl").write_text("")
    (project / "new.duckdb.partial").mkdir()  # cannot be taken away, as in a folder that is read-only
    code, _, err = pql("store", "create", "new.duckdb", "--events", "events.jsonl")
    assert code == 2 and "`new.duckdb` cannot be written: " in err
    code, _, err = pql("store", "create", "nowhere/new.duckdb", "--events", "events.jsonl")
    assert code == 2 and "there is no folder `nowhere`" in err
    assert not (project / "new.duckdb").exists()


def test_a_memory_limit_that_is_none_is_not_the_fault_of_the_store(project: Path) -> None:
    assert pql("load", "--no-unify")[0] == 1
    (project / "all.pql").write_text("segment all { where true }\n")
    for command in (("load",), ("run", "all.pql")):
        code, _, err = pql(*command, "--memory-limit", "lots")
        assert code == 2 and "`lots` is not a memory limit" in err and "2GB" in err and "damaged" not in err
    code, _, err = pql("load", "--memory-limit", "1KB")
    assert code == 2 and "PQL0603" in err and "too small" in err


def test_replay_stitches_as_load_does(project: Path) -> None:
    assert pql("load")[0] == 1
    assert "PQL0844" in pql("profile", "crmId:c2")[2]
    (project / "sources" / "people.yaml").write_text(
        SOURCE.replace("points: points", 'points: decode(points, "many", 100, 1)')
    )
    code, out, _ = pql("quarantine", "replay", "--code", "PQL0825")
    assert code == 0 and "1 stored" in out and "2 profiles of" in out
    assert pql("profile", "crmId:c2")[0] == 0


def test_unknown_rows_and_sources_are_named(project: Path) -> None:
    pql("load", "--no-unify")
    code, out, err = pql("quarantine", "show", "1", "2", "999", "77", str(2**70))
    assert code == 2 and f"no rows 77, 999, {2**70} are" in err and "\n2  PQL08" in out and out.startswith("1  PQL08")
    code, out, err = pql("quarantine", "replay", "77", "1")
    assert code == 2 and "no row 77 is in quarantine" in err and "replayed" not in out
    code, _, err = pql("quarantine", "list", "--source", "nix")
    assert code == 2 and "PQL0830" in err and "`nix`" in err
    assert pql("quarantine", "list", "--source", "people")[0] == 1
    (project / "sources" / "people.yaml").write_text(
        SOURCE.replace("points: points", 'points: decode(points, "many", 100, 1)')
    )
    assert pql("quarantine", "replay", "1", "2")[0] == 1
    code, out, err = pql("quarantine", "replay", "1", "2")
    assert code == 1 and "1 replayed: 0 stored" in out and "is replayed: it is left alone" in err
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("source: people", "source: folk"))
    code, out, err = pql("quarantine", "replay")
    assert code == 1 and "0 replayed" in out and "no source `people` any more" in err
    assert pql("quarantine", "list", "--source", "people")[0] == 1, "rows of a source that is gone are still there"


def test_heaps_hold_rows_with_like_messages(project: Path) -> None:
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("csv", "jsonl"))
    lines = ['{"id": "a", "id": 1}', '{"points": 1, "points": 2}', "[1]", "[2]", "{", "{   ", '{"id": 1', "nothing"]
    (project / "people.jsonl").write_text("\n".join(lines))
    pql("load", "--no-unify")
    heaps = [json.loads(line) for line in pql("quarantine", "list", "-f", "json")[1].splitlines()]
    found = sorted((h["message"][:28], h["rows"], h["messages"]) for h in heaps)
    assert sum(h["rows"] for h in heaps) == 8
    assert ("`id` stands twice in one obje"[:28], 2, 2) in found and ("a JSON object is wanted", 2, 1) in found
    assert len(heaps) == 5, found
    out = " ".join(pql("quarantine", "list")[1].split())
    assert "such as: `id`" in out and "such as: a JSON object" not in out


def test_records_that_are_no_lines_are_found_by_their_number(project: Path) -> None:
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("csv", "json"))
    (project / "people.json").write_text('[{"id": "a"}, {"id": ""}, {"id": 4}]')
    (one, two) = json.loads(pql("source", "test", "-f", "json")[1])["diagnostics"]
    assert one["message"].startswith("record 2: ") and two["message"].startswith("record 3: ")
    assert "line=" not in pql("source", "test", "-f", "github")[1], "the file has one line"
    assert "record 2: PQL0828" in pql("source", "test")[1]


def _several(project: Path, **files: str) -> None:
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("../people.csv", "../people-*.csv"))
    for name, rows in files.items():
        (project / f"people-{name}.csv").write_text("id,email,points\n" + rows)


def test_test_looks_at_every_file_of_a_glob(project: Path) -> None:
    _several(project, a="c1,a@x.example,1\nc2,b@x.example,2\n", b="c3,c@x.example,many\n", c=",d@x.example,4\n")
    (project / "people-d.csv").write_text("id,email,points,note\nc5,e@x.example,5,x\n")
    code, out, _ = pql("source", "test")
    assert code == 1 and "people: 4 files, 5 records sampled, 2 do not fit, in 2 files" in out
    assert "people-b.csv, line 2: PQL0825" in out and "people-c.csv, line 2: PQL0828" in out
    assert "no line reads `note`" in out, "which only the last file has"
    found = json.loads(pql("source", "test", "-f", "json")[1])["diagnostics"]
    assert [(d["code"], d["file"]) for d in found] == [("PQL0825", "people-b.csv"), ("PQL0828", "people-c.csv")]


def test_test_looks_at_the_other_files_when_one_cannot_be_read(project: Path) -> None:
    _several(project, a="c1,a@x.example,1\n", b="c3,c@x.example,many\n")
    (project / "people-0.csv").write_bytes(b"")
    (project / "people-0.csv").rename(project / "people-0.csv.gz")
    (project / "people-0.csv.gz").write_bytes(b"no gzip")
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("../people.csv", "../people-*.csv*"))
    code, out, err = pql("source", "test")
    assert code == 1 and "3 files, 2 records sampled, 1 do not fit" in out and "people-0.csv.gz` cannot be read" in err
    found = json.loads(pql("source", "test", "-f", "json")[1])["diagnostics"]
    assert [d["code"] for d in found] == ["PQL0824", "PQL0825"]


def test_the_sample_of_many_files_is_bounded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pql.ingest.sample.TEST_MOST", 12)
    monkeypatch.setattr("pql.ingest.sample.FILE_LEAST", 2)
    rows = "".join(f"c{n},a@x.example,1\n" for n in range(9))
    _several(project, a=rows, b=rows, c=rows)
    assert "3 files, 12 records sampled (at most 4 of each), 0 do not fit" in pql("source", "test")[1]
    _several(project, **{f"n{n}": rows for n in range(20)})
    assert "23 files, 46 records sampled (at most 2 of each)" in pql("source", "test")[1]


def test_preview_shows_records_of_several_files(project: Path) -> None:
    _several(project, a="c1,a@x.example,1\n", b="".join(f"d{n},a@x.example,1\n" for n in range(9)), c="")
    code, out, _ = pql("source", "preview", "people", "--rows", "4", "-f", "json")
    shown = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(s["file"], s["raw"]["id"]) for s in shown] == [
        ("people-a.csv", "c1"),
        ("people-b.csv", "d0"),
        ("people-b.csv", "d1"),
    ]
    _, out, err = pql("source", "preview", "people", "--rows", "1")
    assert "1 of 3 files, 1 record\n" in err
    _several(project, **{f"n{n}": f"n{n},a@x.example,1\n" for n in range(9)})
    shown = [
        json.loads(line) for line in pql("source", "preview", "people", "--rows", "3", "-f", "json")[1].splitlines()
    ]
    assert [s["file"] for s in shown] == ["people-a.csv", "people-n1.csv", "people-n5.csv"], "evenly chosen"
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("../people.csv", "../nothing-*.csv"))
    code, _, err = pql("source", "preview", "people")
    assert code == 2 and "no file matches `../nothing-*.csv`" in err


def test_an_unknown_code_is_no_empty_quarantine(project: Path) -> None:
    pql("load", "--no-unify")
    for command in ("list", "replay"):
        code, out, err = pql("quarantine", command, "--code", "PQL825")
        assert code == 2 and "there is no code `PQL825`" in err and "did you mean `PQL0825`" in err and not out
        assert "rows in quarantine have `PQL0825`, `PQL0828`" in err
    code, out, _ = pql("quarantine", "list", "--code", "PQL0823")
    assert code == 0 and "nothing is in quarantine" in out, "a code that no row has"
    assert pql("quarantine", "list", "--code", "pql0825")[0] == 1


def test_records_that_are_no_lines_are_called_records_in_quarantine(project: Path) -> None:
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("csv", "json"))
    (project / "people.json").write_text('[{"id": "a"}, {"id": ""}, {"id": 4}]')
    pql("load", "--no-unify")
    code, out, _ = pql("quarantine", "list", "--rows")
    assert code == 1 and "record 2" in out and "record 3" in out and "line" not in out
    assert "people.json, record 2" in pql("quarantine", "show", "1", "2")[1]
    assert "record" in pql("source", "preview", "people")[1]
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("source: people", "source: folk"))
    assert "record 2" in pql("quarantine", "list", "--rows")[1], "the source is gone, its file's name is not"
    pql("load", "--no-unify")
    assert "line 3" in pql("quarantine", "list", "--rows", "--source", "folk")[1]


def test_replay_makes_no_store(project: Path) -> None:
    code, out, err = pql("quarantine", "replay")
    assert code == 2 and not out and "there is no store `shop.duckdb`" in err and "`pql load` makes one" in err
    assert not (project / "shop.duckdb").exists()


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_map_finds_the_delimiter_out_and_writes_it_down(project: Path, delimiter: str) -> None:
    rows = ["id,email,points,note", 'c1,ann@x.example,7,"a, b"', "c2,bo@x.example,12,c"]
    (project / "p.csv").write_text("\n".join(rows).replace(",", delimiter).replace(f"a{delimiter} b", "a, b"))
    code, out, err = pql("source", "map", "--auto", "p.csv", "-f", "yaml")
    assert code == 0 and yaml.safe_load(out)["options"] == {"delimiter": delimiter} and not err
    assert yaml.safe_load(out)["mapping"]["loyalty.points"] == "points"
    code, out, err = pql("source", "map", "--auto", "p.csv")
    assert "loyalty.points" in out and f"options: {json.dumps({'delimiter': delimiter})}" in err
    written = SOURCE.replace("../people.csv", "../p.csv") + f"options: {json.dumps({'delimiter': delimiter})}\n"
    (project / "sources" / "people.yaml").write_text(written)
    assert pql("source", "test")[0] == 0, "what was proposed reads the file"
    assert "options" not in pql("source", "map", "--auto", "people.csv", "-f", "yaml")[1]


def test_map_says_what_events_lack(project: Path) -> None:
    (project / "e.jsonl").write_text('{"id": "e1", "media": "x"}\n{"id": "e2", "media": "y"}\n')
    code, out, err = pql("source", "map", "--auto", "e.jsonl", "--kind", "event", "-f", "yaml")
    assert code == 0 and yaml.safe_load(out)["mapping"]["_id"] == "id"
    assert "no field looks like `timestamp`" in err and "`_id`" not in err
    (project / "e.jsonl").write_text("{\n")
    code, _, err = pql("source", "map", "--auto", "e.jsonl")
    assert code == 2 and "has no record that can be read as jsonl" in err


def test_load_shows_what_each_file_gave(project: Path) -> None:
    _several(project, a="c1,a@x.example,1\n", b="c2,b@x.example,2\nc3,c@x.example,many\n")
    lines = pql("load", "--no-unify")[1].splitlines()
    (one,), (two,), (all_of_them,) = ([x for x in lines if w in x] for w in ("people-a.csv", "people-b.csv", "2 files"))
    assert [one.split("│")[n].strip() for n in (3, 4, 6)] == ["1", "1", "0"]
    assert [two.split("│")[n].strip() for n in (3, 4, 6)] == ["2", "1", "1"]
    assert [all_of_them.split("│")[n].strip() for n in (3, 4, 6)] == ["3", "2", "1"]
    (project / "sources" / "people.yaml").write_text(SOURCE.replace("../people.csv", "../*/p.csv"))
    for folder in ("x", "y"):
        (project / folder).mkdir()
        (project / folder / "p.csv").write_text("id,email,points\n")
    out = pql("load", "--no-unify")[1]
    assert "x/p.csv" in out and "y/p.csv" in out, "files of one name are told apart by their folders"


def test_a_folder_that_is_no_project_is_told_what_it_lacks(project: Path) -> None:
    (project / "empty").mkdir()
    code, out, err = pql("load", "--project", "nowhere")
    assert code == 2 and "there is no folder `nowhere`" in err
    (project / "pql.yaml").rename(project / "empty" / "kept.yaml")
    for command in (("load",), ("source", "list"), ("source", "test"), ("quarantine", "list")):
        code, out, err = pql(*command, "--project", "empty")
        assert (
            code == 2 and "`empty` is no project: it has no `pql.yaml` and no `sources/`" in err and "--project`" in err
        )
        assert "segments" not in err
    (project / "empty" / "kept.yaml").rename(project / "pql.yaml")
    (project / "pql.yaml").write_text("store: shop.duckdb\n")
    (project / "schema.yaml").unlink()
    for command in (("load",), ("source", "map", "people.csv")):
        code, _, err = pql(*command)
        assert code == 2 and "no schema found" in err and "`schema` in its `pql.yaml`" in err and "--schema" not in err
    for command in (("profile", "show", "crm:1"), ("identity", "show", "crm:1")):
        code, _, err = pql(*command)
        assert code == 2 and "no schema found" in err and "in the folder of a project" in err and "segments" not in err


def test_a_file_to_format_that_is_not_there_has_advice(project: Path) -> None:
    (project / "gold.pql").write_text("segment gold { where true }\n")
    code, _, err = pql("fmt", "gould.pql")
    assert code == 2 and "`gould.pql` cannot be read" in err and "did you mean `gold.pql`?" in err
