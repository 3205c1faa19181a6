"""Luma's files with their rows, and the files themselves, in any order: the same people, also where namespaces are unique."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml

from pql.api import Store, load_schema
from pql.identity.settings import identity_from
from pql.ingest.project import SourceProject
from pql.store.unify import unify

ROOT = Path(__file__).parents[2]
LUMA = ROOT / "profiles" / "luma"
SOURCES = ("crm", "loyalty", "web", "store-purchases")
UNIQUE = """
namespaces:
  crmId: {type: CROSS_DEVICE, unique: true, aliases: [lumaCrmId]}
  loyaltyId: {type: CROSS_DEVICE, unique: true}
  Email: {unique: true}
priority: [crmId, loyaltyId, Email, ECID]
"""


def shuffled(folder: Path, chance: random.Random) -> list[Path]:
    """The source files over shuffled copies of their data."""
    made = []
    for name in SOURCES:
        source = yaml.safe_load((ROOT / "examples" / "luma" / "sources" / f"{name}.yaml").read_text())
        for table in source.get("lookups", {}).values():
            table["path"] = str(LUMA / Path(table["path"]).name)
        file = LUMA / Path(source["path"]).name
        rows = json.loads(file.read_text(encoding="utf-8"))
        chance.shuffle(rows)
        source["path"] = str(folder / file.name)
        (folder / file.name).write_text(json.dumps(rows), encoding="utf-8")
        made.append(folder / f"{name}.yaml")
        made[-1].write_text(yaml.safe_dump(source), encoding="utf-8")
    return made


def graph(folder: Path, seed: int) -> tuple[set[frozenset[str]], list[tuple[object, ...]]]:
    chance = random.Random(seed)
    folder.mkdir()
    schema, _ = load_schema(LUMA / "schema.yaml")
    (folder / "identity.yaml").write_text(UNIQUE)
    project = SourceProject.read(folder, schema, shuffled(folder, chance))
    assert project.ok, project.diagnostics
    store = Store.memory(schema)
    for id in chance.sample(SOURCES, len(SOURCES)):
        assert not project.load(store, [id])[0].problem
    settings, found = identity_from(UNIQUE)
    assert not found
    unify(store, settings)
    people: dict[int, set[str]] = {}
    for pid, name in store.query(
        "SELECT pid, namespace || ':' || id FROM graph.node JOIN graph.member USING (node)", {}
    ):
        people.setdefault(pid, set()).add(name)
    links = store.query("SELECT a, b, dataset, kept, reason, seen FROM graph.link ORDER BY ALL", {})
    return {frozenset(p) for p in people.values()}, links


def test_the_order_of_rows_and_files_changes_nobody(tmp_path: Path) -> None:
    people, links = graph(tmp_path / "0", 0)
    assert len(people) > 500 and any(not kept for _, _, _, kept, _, _ in links), "a guard has something to refuse"
    for seed in (1, 2):
        again, same = graph(tmp_path / str(seed), seed)
        assert again == people, seed
        assert same == links, seed


@pytest.mark.parametrize("seed", [3])
def test_a_file_cut_in_two_changes_nobody(tmp_path: Path, seed: int) -> None:
    """The same rows, in two halves that come in either order."""
    people, _ = graph(tmp_path / "whole", seed)
    folder = tmp_path / "cut"
    folder.mkdir()
    schema, _ = load_schema(LUMA / "schema.yaml")
    (folder / "identity.yaml").write_text(UNIQUE)
    files = shuffled(folder, random.Random(seed))
    for name in ("luma-crm.json", "luma-web-events.json"):
        rows = json.loads((folder / name).read_text())
        half = len(rows) // 2
        (folder / name).write_text(json.dumps(rows[half:]))
        (folder / name.replace(".json", "-first.json")).write_text(json.dumps(rows[:half]))
    for file in files:
        source = yaml.safe_load(file.read_text())
        source["path"] = source["path"].replace(".json", "*.json")
        file.write_text(yaml.safe_dump(source))
    store = Store.memory(schema)
    project = SourceProject.read(folder, schema, files)
    project.load(store)
    unify(store, identity_from(UNIQUE)[0])
    found: dict[int, set[str]] = {}
    for pid, id in store.query("SELECT pid, namespace || ':' || id FROM graph.node JOIN graph.member USING (node)", {}):
        found.setdefault(pid, set()).add(id)
    assert {frozenset(p) for p in found.values()} == people
