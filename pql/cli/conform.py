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

import yaml

from pql.api import Environment, Settings, Store, StoreError, read_short, write_value
from pql.source import Source
from pql.types import TIMESTAMP
from pql.xdm.schema import Schema
from pql.xdm.values import read_event, read_instant, read_profile, read_value

KEYS = {"id", "pql", "source", "segment", "profile", "events", "at", "expect", "error", "transitions", "members", "tags", "why",
        "schema", "settings"}  # fmt: skip


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
        store = self.stores.setdefault(id(environment.schema), Store.memory(environment.schema))
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
        id = str(case.get("id", "?"))
        expected = (
            case.get("error", case.get("expect")) if "members" not in case else [m.get("in") for m in case["members"]]
        )
        try:
            unknown = set(case) - KEYS
            if unknown:
                raise BadCase(f"unknown key `{sorted(map(str, unknown))[0]}`")
            return self._run(id, case, defaults, expected)
        except (BadCase, StoreError) as error:
            code = getattr(error, "code", "PQL0813")
            if "error" in case and case["error"] in ("*", code):
                return Result(id, True, code, expected)
            return Result(id, False, None, expected, f"{code}: {error}")

    def _run(self, id: str, case: Mapping[str, Any], defaults: Mapping[str, Any], expected: Any) -> Result:
        schema = self.schema(case.get("schema", defaults.get("schema", {})))
        settings = {**(defaults.get("settings") or {}), **(case.get("settings") or {})}
        environment = Environment(schema, Settings(settings.get("zone", "UTC"), settings.get("week_start", "monday")))
        target, segments, codes = self._target(case, environment)
        if "error" in case and (codes or case["error"] == "*"):
            return Result(id, bool(codes) and case["error"] in ("*", *codes), codes, expected)
        if codes:
            return Result(id, False, None, expected, f"does not check: {', '.join(codes)}")
        documents = case.get("members") or [{"profile": case.get("profile"), "events": case.get("events")}]
        people = [self._typed(d, schema) for d in documents]
        many = isinstance(case.get("at"), list)
        instants = [self._instant(at) for at in (case["at"] if many else [case.get("at")])]
        found = self.answers(environment, target, segments, people, instants)
        if "error" in case:
            return Result(id, False, found[0][0], expected)
        if "members" in case:
            return Result(id, found[0] == expected, found[0], expected)
        values = [a[0] for a in found]
        got = values if many else values[0]
        if "expect" in case and not equal(got, expected):
            return Result(id, False, got, expected)
        if "transitions" in case:
            emitted = self.transitions(environment, target, segments, people, instants)
            if emitted is not None:
                wanted = [[write_value(self._instant(at)), status] for at, status in case["transitions"]]
                return Result(id, emitted == wanted, emitted, wanted)
        return Result(id, True, got, expected)

    def _target(self, case: Mapping[str, Any], environment: Environment) -> tuple[Any, Mapping[str, Any], list[str]]:
        if "pql" in case:
            checked = environment.check(str(case["pql"]))
            return checked.ir, {}, [d.code for d in checked.diagnostics if d.is_error]
        if "source" not in case:
            raise BadCase("a case needs `pql` or `source`")
        project = environment.project([Source("source.pql", str(case["source"]))])
        codes = [d.code for d in project.diagnostics if d.is_error]
        wanted = case.get("segment")
        if wanted is None and len(project.segments) == 1:
            wanted = next(iter(project.segments))
        if not codes and wanted not in project.segments:
            raise BadCase(f"no segment `{wanted}` in `source`")
        target = project.segments[str(wanted)].condition if wanted in project.segments else None
        return target, project.conditions, codes

    def _typed(self, person: Mapping[str, Any], schema: Schema) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        profile, problems = read_profile(person.get("profile") or {}, schema)
        events = []
        for document in person.get("events") or []:
            event, more = read_event(document, schema)
            problems = problems + more
            events.append(event)
        if problems:
            raise BadCase(f"`{problems[0][0]}`: {problems[0][1]}")
        return profile, events

    def _instant(self, value: Any) -> Any:
        instant, problems = read_value(value, TIMESTAMP)
        if problems or instant is None:
            raise BadCase("`at` must be a date-time")
        return instant


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
    """Cases with their file's defaults, from YAML or JSON Lines. Raises BadCase when the file is neither."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                case = json.loads(line, parse_float=Decimal)
            except ValueError as error:
                raise BadCase(f"line {number}: {error}") from None
            if isinstance(case, dict) and set(case) <= {"schema", "settings"}:
                defaults = case
                continue
            yield case, locals().get("defaults", {})
        return
    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise BadCase(str(error).replace("\n", " ")) from None
    if not isinstance(document, dict) or not isinstance(document.get("cases"), list):
        raise BadCase("a conformance file is an object with a list `cases`")
    for case in document["cases"]:
        yield case, document
