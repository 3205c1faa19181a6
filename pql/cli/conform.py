"""`pql conform`: runs conformance files on an engine. Knows the case format and `pql.api`; nothing deeper.

A case that cannot be read is a failure with its reason, never a crash. Read `run_case`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pql.api import Environment, Settings, Store, StoreError, read_short, write_value
from pql.cli.project_file import BadProjectFile, read_day, read_zone
from pql.source import Source
from pql.types import TIMESTAMP
from pql.xdm.schema import Schema
from pql.xdm.values import read_event, read_instant, read_profile, read_value
from pql.xdm.yaml_text import read_yaml

KEYS = {"id", "pql", "source", "segment", "profile", "events", "at", "expect", "error", "transitions", "members", "tags", "why",
        "schema", "settings"}  # fmt: skip
SETTINGS = ("zone", "week_start")
UNSAID = "2000-01-01T00:00:00Z"
"""The instant of a case without `at`: its answer does not depend on one."""


class BadCase(Exception):
    """A case that does not follow the format."""


@dataclass(frozen=True)
class Result:
    id: str
    ok: bool
    got: Any
    expected: Any
    error: str = ""


People = list[tuple[dict[str, Any], list[dict[str, Any]]]]


class Runner:
    """Runs cases on an engine: `duckdb`, one store a schema, emptied between cases. Others override `answers`."""

    engine = "duckdb"

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}
        self.stores: dict[int, Store] = {}

    def schema(self, document: Any) -> Schema:
        key = json.dumps(document, sort_keys=True, default=str)
        if key not in self.schemas:
            schema, found = read_short(document)
            if found:
                raise BadCase(found[0].message)
            self.schemas[key] = schema
        return self.schemas[key]

    def answers(
        self, environment: Environment, target: Any, segments: Mapping[str, Any], people: People, instants: list[Any]
    ) -> list[list[Any]]:
        """For each instant the value for each person."""
        store = self.stores.get(id(environment.schema))
        if store is None:
            store = self.stores[id(environment.schema)] = Store.memory(environment.schema)
        store.clear()
        store.load(
            [(pid, profile) for pid, (profile, _) in enumerate(people)],
            [(pid, event) for pid, (_, events) in enumerate(people) for event in events],
        )
        query = environment.sql([target], segments)
        found = []
        for instant in instants:
            rows = dict(store.query(query.sql(), {"now": instant}))
            found.append([write_value(rows[i]) for i in range(len(people))])
        return found

    def transitions(
        self, environment: Environment, target: Any, segments: Mapping[str, Any], people: People, instants: list[Any]
    ) -> list[list[str]] | None:
        """What the engine emits for the first person, as `[instant, entered|exited]`; None when it has no transitions."""
        return None

    def run(self, case: Mapping[str, Any], defaults: Mapping[str, Any]) -> Result:
        """The result of one case. What cannot be read is a result too."""
        if not isinstance(case, dict):
            return Result("?", False, None, None, "PQL0813: a case is an object")
        id, expected = str(case.get("id", "?")), case.get("error", case.get("expect"))
        try:
            _wellformed(case)
            if "members" in case:
                expected = [m["in"] for m in case["members"]]
            return self._run(id, case, defaults, expected)
        except StoreError as error:
            if "error" in case and case["error"] in ("*", error.code):
                return Result(id, True, error.code, expected)
            return Result(id, False, None, expected, f"{error.code}: {error}")
        except BadCase as error:
            return Result(id, False, None, expected, f"PQL0813: {error}")

    def _run(self, id: str, case: Mapping[str, Any], defaults: Mapping[str, Any], expected: Any) -> Result:
        schema = self.schema(case.get("schema", defaults.get("schema", {})))
        environment = Environment(schema, read_settings(defaults.get("settings"), case.get("settings")))
        target, segments, found = self._target(case, environment)
        codes = [d.code for d in found if d.is_error]
        if "error" in case and (codes or case["error"] in [d.code for d in found]):
            held = bool(codes) if case["error"] == "*" else case["error"] in [d.code for d in found]
            return Result(id, held, codes, expected)
        if codes:
            return Result(id, False, None, expected, f"does not check: {', '.join(codes)}")
        documents = case.get("members") or [{"profile": case.get("profile"), "events": case.get("events")}]
        people = [self._typed(d, schema) for d in documents]
        several = isinstance(case.get("at"), list)
        instants = [self._instant(at) for at in (case["at"] if several else [case.get("at")])]
        answers = self.answers(environment, target, segments, people, instants)
        values = [list(v) if several else v[0] for v in zip(*answers, strict=True)]
        got = values if "members" in case else values[0]
        if "error" in case:  # it checked, and it ran
            return Result(id, False, got, expected)
        if "transitions" in case and ("expect" not in case or equal(got, expected)):
            emitted = self.transitions(environment, target, segments, people, instants)
            if emitted is not None:
                wanted = [[write_value(self._instant(at)), status] for at, status in case["transitions"]]
                return Result(id, emitted == wanted, emitted, wanted)
        return Result(id, equal(got, expected), got, expected)

    def _target(self, case: Mapping[str, Any], environment: Environment) -> tuple[Any, Mapping[str, Any], Any]:
        """What is asked, the segments that it may refer to, and what checking found."""
        if "pql" in case:
            checked = environment.check(str(case["pql"]))
            asked = environment.condition(checked) if asks_membership(case) else checked.ir
            return asked, {}, checked.diagnostics
        project = environment.project([Source("source.pql", str(case["source"]))])
        wanted = case.get("segment")
        if wanted is None and len(project.segments) == 1:
            wanted = next(iter(project.segments))
        if project.ok and wanted not in project.segments:
            raise BadCase(f"no segment `{wanted}` in `source`")
        target = project.segments[str(wanted)].condition if wanted in project.segments else None
        return target, project.conditions, project.diagnostics

    def _typed(self, person: Mapping[str, Any], schema: Schema) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        profile, problems = read_profile(person.get("profile") or {}, schema, ignore_unknown=True)
        events = []
        for document in person.get("events") or []:
            event, more = read_event(document, schema, ignore_unknown=True)
            problems = problems + more
            events.append(event)
        if problems:
            raise BadCase(f"`{problems[0][0]}`: {problems[0][1]}")
        return profile, events

    def _instant(self, value: Any) -> Any:
        instant, problems = read_value(UNSAID if value is None else value, TIMESTAMP)
        if problems or instant is None:
            raise BadCase("`at` must be a date-time")
        return instant


def _wellformed(case: Mapping[str, Any]) -> None:
    """Raises BadCase for what does not follow the format."""
    unknown = sorted(str(k) for k in set(case) - KEYS)
    if unknown:
        raise BadCase(f"unknown key `{unknown[0]}`")
    if ("pql" in case) == ("source" in case):
        raise BadCase("a case needs `pql` or `source`")
    if not {"expect", "error", "members", "transitions"} & set(case):
        raise BadCase("a case needs `expect`, `error`, `members` or `transitions`")
    people = case.get("members")
    if people is not None and not (isinstance(people, list) and all(isinstance(m, dict) and "in" in m for m in people)):
        raise BadCase("`members` is a list of objects with `profile`, `events` and `in`")
    for person in people or [case]:
        for key, kind, word in (("profile", dict, "an object"), ("events", list, "a list")):
            if not isinstance(person.get(key) if person.get(key) is not None else kind(), kind):
                raise BadCase(f"`{key}` is {word}")


def asks_membership(case: Mapping[str, Any]) -> bool:
    """Is the expression asked as a segment? A missing boolean and an empty list are then false."""
    wanted = case.get("expect")
    flat = wanted if isinstance(wanted, list) and isinstance(case.get("at"), list) else [wanted]
    return "members" in case or "transitions" in case or all(isinstance(w, bool) for w in flat)


def read_settings(*documents: Any) -> Settings:
    """The settings of a file and a case, the later ones first. Raises BadCase."""
    found: dict[str, Any] = {}
    for document in documents:
        if document is not None and not isinstance(document, dict):
            raise BadCase("`settings` is an object")
        found.update(document or {})
    unknown = sorted(str(k) for k in set(found) - set(SETTINGS))
    if unknown:
        raise BadCase(f"unknown setting `{unknown[0]}`")
    try:
        return Settings(read_zone(found.get("zone", "UTC")), read_day(found.get("week_start", "monday")))
    except BadProjectFile as error:
        raise BadCase(str(error)) from None


def equal(got: Any, expected: Any) -> bool:
    """Equality of JSON values; numbers by value, dates and instants as YAML may have read them."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return got is expected
    if isinstance(expected, int | float | Decimal) and isinstance(got, int | float | Decimal):
        return abs(float(got) - float(expected)) <= 1e-9 * max(1.0, abs(float(expected)))
    if isinstance(expected, list) and isinstance(got, list):
        return len(got) == len(expected) and all(map(equal, got, expected))
    if isinstance(expected, dict) and isinstance(got, dict):
        left, right = ({k: v for k, v in d.items() if v is not None} for d in (got, expected))
        return left.keys() == right.keys() and all(equal(left[k], right[k]) for k in left)
    if hasattr(expected, "isoformat"):
        wanted = write_value(expected.replace(tzinfo=None) if hasattr(expected, "tzinfo") else expected)
        return bool(got == wanted)
    if isinstance(expected, str) and isinstance(got, str) and got != expected and "T" in expected:
        return read_instant(got) is not None and read_instant(got) == read_instant(expected)
    return bool(got == expected)


def read_cases(path: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Cases with their file's defaults, from YAML or JSON Lines. Raises BadCase when the file is neither.

    In JSON Lines a line with nothing but `schema` and `settings` gives the defaults of the lines below it.
    """
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix in (".jsonl", ".ndjson"):
        yield from _lines(text)
        return
    try:
        document = read_yaml(text)
    except ValueError as error:
        raise BadCase(str(error)) from None
    if not isinstance(document, dict) or not isinstance(document.get("cases"), list):
        raise BadCase("a conformance file is an object with a list `cases`")
    unknown = sorted(set(document) - {"schema", "settings", "cases"})
    if unknown:
        raise BadCase(f"unknown key `{unknown[0]}`")
    for case in document["cases"]:
        yield case, document


def _lines(text: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    defaults: Mapping[str, Any] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            case = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise BadCase(f"line {number}: {error}") from None
        if isinstance(case, dict) and set(case) <= {"schema", "settings"}:
            defaults = case
        else:
            yield case, defaults
