"""The only door: what faces and embedding services call. Read `Environment`, then `Project`.

An environment is a schema with settings, immutable and safe to share between threads. Checking does no I/O. A project
is a checked set of `.pql` sources. SQL comes with the parameter `$now`; run it on your own connection, or on a `Store`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pql.check.base import Catalog
from pql.check.expressions import Checker
from pql.check.project import CheckedSegment, Project, check_project
from pql.clock import Settings, Zone
from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic
from pql.ir import nodes as ir
from pql.ir.english import sentence
from pql.ir.lineage import Read, labels, lineage
from pql.policies.accepted import Change
from pql.policies.compare import compare
from pql.policies.consent import Audience, Consents, with_audiences
from pql.policies.enforcement import evaluate_decision, evaluate_subject
from pql.policies.evaluation import Unknown, evaluate
from pql.policies.govern import Decision, Governed, govern
from pql.policies.load import load_governance
from pql.policies.model import Governance
from pql.source import Source
from pql.syntax import ast, parse_expression
from pql.syntax.format import format_expression, format_source
from pql.syntax.format_plain import plain_text
from pql.syntax.json_document import document_to_text, looks_like_json
from pql.syntax.json_form import to_json
from pql.syntax.json_read import from_json
from pql.types import Type
from pql.xdm.load import load_schema
from pql.xdm.schema import Schema
from pql.xdm.short import read_short
from pql.xdm.values import read_event, read_profile, write_value

if TYPE_CHECKING:
    from pql import streams
    from pql.compiler import Layout, Output, Query
    from pql.compiler.dialects import DIALECTS
    from pql.identity.policy import MergePolicy, read_policies
    from pql.identity.settings import IdentitySettings, read_identity
    from pql.ingest.project import SourceProject
    from pql.runtime import (
        Advance,
        AttributeChange,
        Deletion,
        Engine,
        Event,
        Failure,
        Input,
        Merge,
        Plan,
        PlanError,
        Record,
        Split,
        StateError,
        Traffic,
        Transition,
    )
    from pql.store.lookup import Person, find_people, near_names, read_person
    from pql.store.store import Store, StoreError
    from pql.store.unify import Unified, unify

__all__ = [
    "Advance",
    "AttributeChange",
    "DIALECTS",
    "Audience",
    "Change",
    "CheckedSegment",
    "Compiled",
    "Deletion",
    "Engine",
    "Decision",
    "Environment",
    "Event",
    "Expression",
    "Failure",
    "Input",
    "Merge",
    "Plan",
    "PlanError",
    "Governance",
    "Governed",
    "IdentitySettings",
    "MergePolicy",
    "Person",
    "Project",
    "Record",
    "Settings",
    "SourceProject",
    "Split",
    "StateError",
    "Store",
    "StoreError",
    "Traffic",
    "Transition",
    "streams",
    "Unknown",
    "compare",
    "evaluate_policies",
    "evaluate_decision",
    "evaluate_subject",
    "load_governance",
    "Unified",
    "find_people",
    "load_schema",
    "near_names",
    "read_identity",
    "read_person",
    "read_policies",
    "unify",
    "format_source",
    "from_json",
    "read_short",
    "to_json",
    "write_value",
]


evaluate_policies = evaluate
"""May data with these labels (or fields of datasets) be used for a marketing action? In the published JSON shape."""
_LIVE = (
    "Advance",
    "AttributeChange",
    "Deletion",
    "Engine",
    "Event",
    "Failure",
    "Input",
    "Merge",
    "Plan",
    "PlanError",
    "Record",
    "Split",
    "StateError",
    "Traffic",
    "Transition",
)
_LATER = {
    "DIALECTS": "pql.compiler.dialects",
    "IdentitySettings": "pql.identity.settings",
    "MergePolicy": "pql.identity.policy",
    "Person": "pql.store.lookup",
    "SourceProject": "pql.ingest.project",
    "Store": "pql.store.store",
    "StoreError": "pql.store.store",
    "Unified": "pql.store.unify",
    "find_people": "pql.store.lookup",
    "near_names": "pql.store.lookup",
    "read_identity": "pql.identity.settings",
    "read_person": "pql.store.lookup",
    "read_policies": "pql.identity.policy",
    "unify": "pql.store.unify",
    **dict.fromkeys(_LIVE, "pql.runtime"),
}


def __getattr__(name: str) -> Any:
    """The engines are loaded when first asked for: a check alone needs neither SQL trees nor DuckDB."""
    if name == "streams":
        return import_module("pql.streams")
    if name not in _LATER:
        raise AttributeError(f"module `pql.api` has no `{name}`")
    return getattr(import_module(_LATER[name]), name)


@dataclass(frozen=True)
class Expression:
    """A checked expression. `ir` and `type` are meaningful when there are no errors."""

    tree: ast.Expr | None
    ir: ir.Expr
    diagnostics: tuple[Diagnostic, ...]

    source: Source = Source("<expression>", "")

    @property
    def type(self) -> Type:
        return self.ir.type

    @property
    def ok(self) -> bool:
        return not any(d.is_error for d in self.diagnostics)


@dataclass(frozen=True)
class Compiled:
    """One statement, or the reason why there is none. `parameters`: names to bind, in order (`now` as naive UTC)."""

    sql: str
    parameters: tuple[str, ...]
    columns: tuple[str, ...]
    dialect: str
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(d.is_error for d in self.diagnostics)


@dataclass(frozen=True)
class Environment:
    """A schema and settings: everything that checking depends on."""

    schema: Schema
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def from_short(cls, document: Mapping[str, Any], settings: Settings | None = None) -> Environment:
        """From a schema in the short form; its findings are dropped, read them with `read_short`."""
        schema, _ = read_short(document)
        return cls(schema, settings or Settings())

    def check(self, text: str, name: str = "<expression>", catalog: Catalog | None = None) -> Expression:
        """Parse and check one expression."""
        source = Source(name, text)
        tree, found = parse_expression(source)
        if tree is None:
            return Expression(None, ir.FALSE, tuple(found), source)
        findings = Findings(source)
        findings.items.extend(found)
        checked = Checker(self.schema, findings, catalog or Catalog()).whole(tree)
        return Expression(tree, checked, tuple(findings.items), source)

    def condition(self, expression: Expression) -> ir.Expr:
        """A checked expression as a segment's condition, never null: a list means that it has an element. False for
        what can be no condition (a number, say)."""
        return Checker(self.schema, Findings(expression.source), Catalog()).as_test(expression.ir, expression.ir.span)

    def check_json(self, document: object, name: str = "<pql/json>", catalog: Catalog | None = None) -> Expression:
        """Check a pql/json node, given as `json.loads` returns it. Findings of names and types point into its text form."""
        source = Source(name, "")
        tree, found = from_json(document, source)
        if tree is None:
            return Expression(None, ir.FALSE, tuple(found))
        text = plain_text(tree)
        laid_out, _ = format_expression(Source(name, text))
        return self.check(laid_out or text, name, catalog)

    def check_either(self, text: str, name: str = "<expression>", catalog: Catalog | None = None) -> Expression:
        """Parse and check one expression, written as text or as pql/json."""
        source = Source(name, text)
        if not looks_like_json(source):
            return self.check(text, name, catalog)
        laid_out, found = document_to_text(source)
        return Expression(None, ir.FALSE, tuple(found)) if laid_out is None else self.check(laid_out, name, catalog)

    def project(self, sources: Iterable[Source]) -> Project:
        """Check `.pql` sources together: they may refer to each other's segments, definitions and attributes."""
        return check_project(self.schema, tuple(sources))

    def govern(self, project: Project, governance: Governance, now: datetime, drafts: bool = False) -> Governed:
        """Judge a project: its segments for their purposes, its destinations for what they get. `now`: naive UTC, ends exemptions.

        The findings of `load_governance` are not repeated in `diagnostics`; with errors among them nothing should be activated."""
        return govern(self.schema, governance, project, now, drafts)

    def audience(
        self, governed: Governed, segment: str, destination: str = "", actions: Sequence[str] = ()
    ) -> Audience:
        """A segment with what consent takes away for a destination, or for some marketing actions; its `condition` is for engines.

        Raises Unknown where a name is not known, a policy forbids it or a consent condition has errors: nothing is let through then."""
        return audience(governed, segment, destination, actions)

    def sql(
        self,
        expressions: Sequence[ir.Expr],
        segments: Mapping[str, ir.Expr] | None = None,
        output: Output = "values",
        layout: Layout | None = None,
    ) -> Query:
        """One statement for all expressions, over the tables of a store. Parameter: `$now`.

        `output`: `values` (columns `pid`, `c0`, …), `members` (one boolean expression: the members' `pid`) or `counts`
        (one row: how many members each has). `layout`: `store.layout` of an indexed store gives the fast plans.
        """
        from pql.compiler import compile_query

        return compile_query(expressions, self.schema.profile, self.settings, segments, output, layout)

    def live_plan(
        self,
        segments: Mapping[str, ir.Expr],
        wanted: Iterable[str] | None = None,
        attributes: Mapping[str, ir.Expr] | None = None,
    ) -> Plan:
        """A plan for the live engine (`Engine(plan)`): segments by id, those `wanted` with transitions (all when left out), and the
        `attributes` whose values are wanted. Raises PlanError PQL0612 for an attribute that is another value at every instant."""
        from pql.runtime import make_plan

        return make_plan(segments, self.schema, Zone(self.settings.zone, self.settings.week_start), wanted, attributes)

    def changes_always(self, value: ir.Expr) -> bool:
        """Is an attribute another value at every instant, so that it cannot be kept live (PQL0612)?"""
        from pql.runtime import runs

        return runs(value)

    def live_audiences(self, segments: Mapping[str, ir.Expr], audiences: Mapping[str, ir.Expr]) -> Plan:
        """A plan that keeps who may be addressed: `audiences` are the conditions that `audience` gave, by segment. References to a segment
        go on meaning its rule."""
        return self.live_plan(with_audiences(segments, audiences), audiences)

    def value(
        self,
        expression: ir.Expr,
        profile: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
        now: datetime,
        segments: Mapping[str, ir.Expr] | None = None,
    ) -> Any:
        """The live engine's plain evaluation of any expression over typed documents. Raises StoreError PQL0601."""
        from pql.runtime import Evaluator, OutOfRange
        from pql.store.store import StoreError

        evaluator = Evaluator(segments, Zone(self.settings.zone, self.settings.week_start))
        try:
            return evaluator.evaluate(expression, profile, [dict(e) for e in events], now)
        except OutOfRange as error:
            raise StoreError("PQL0601", str(error)) from None

    def indexed_layout(self) -> Layout:
        """The tables of an indexed store of this schema, for SQL without a store at hand."""
        from pql.store.indexes import describe_indexes

        return describe_indexes(self.schema, ties=True)

    def plan(
        self, expression: ir.Expr, segments: Mapping[str, ir.Expr] | None = None, layout: Layout | None = None
    ) -> list[str]:
        """How the statement answers, in words, a line a step."""
        from pql.compiler.describe import describe_plan

        known = segments or {}
        return describe_plan(expression, layout or self.indexed_layout(), self.settings, lambda id: known[id])

    def lineage(self, expression: ir.Expr, segments: Mapping[str, ir.Expr] | None = None) -> tuple[Read, ...]:
        """The fields that an expression reads: path, type, labels, place, and the segments on the way."""
        return lineage(expression, segments)

    def labels(self, expression: ir.Expr, segments: Mapping[str, ir.Expr] | None = None) -> frozenset[str]:
        """The data usage labels of all that an expression reads."""
        return labels(expression, segments)

    def english(self, expression: ir.Expr) -> str:
        """The expression in plain words."""
        return sentence(expression)

    def compile(
        self, target: CheckedSegment | Expression, dialect: str = "duckdb", project: Project | None = None
    ) -> Compiled:
        """One statement in one of `DIALECTS`, or the diagnostic PQL0701. For `duckdb`, the store's own form (`sql`).

        Elsewhere a test becomes the list of its members (`pid`), any other expression a value for each (`pid`, `c0`).
        """
        from pql.compiler.dialects import Refusal, compile_dialect

        condition = target.condition if isinstance(target, CheckedSegment) else target.ir
        segments = project.conditions if project is not None else {}
        if dialect == "duckdb":
            query = self.sql([condition], segments)
            text = query.tree.sql("duckdb", pretty=True)
            return Compiled(text, ("now",) * ("$now" in text), ("pid", *query.columns), dialect)
        try:
            made = compile_dialect(condition, dialect, self.settings, segments)
        except Refusal as refusal:
            home = project.segments.get(refusal.segment or "") if project is not None else None
            findings = Findings(home.source if home is not None else target.source)
            message = f"{refusal.construct} is not available in `{dialect}`: {refusal.reason}"
            findings.report("PQL0701", refusal.span, message, help=refusal.help)
            return Compiled("", (), (), dialect, tuple(findings.items))
        return Compiled(made.sql(), made.parameters, made.columns, dialect)

    def evaluate(
        self,
        expression: ir.Expr,
        profile: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
        now: datetime,
        segments: Mapping[str, ir.Expr] | None = None,
    ) -> Any:
        """The value for one person given as JSON documents. Raises StoreError for a failure with a code.

        `now`: naive UTC. Documents that do not fit raise StoreError PQL0811 naming the path.
        """
        from pql.store.store import Store, StoreError

        store = Store.memory(self.schema)
        typed, problems = read_profile(profile, self.schema)
        rows = []
        for index, event in enumerate(events):
            value, more = read_event(event, self.schema)
            problems += [(path.replace("event", f"events[{index}]", 1), message) for path, message in more]
            rows.append((1, value))
        if problems:
            path, message = problems[0]
            raise StoreError("PQL0811", f"`{path}`: {message}")
        store.load([(1, typed)], rows)
        query = self.sql([expression], segments)
        return write_value(store.query(query.sql(), {"now": now})[0][1])


def audience(governed: Governed, segment: str, destination: str = "", actions: Sequence[str] = ()) -> Audience:
    """See `Environment.audience`."""
    judge = governed.judge
    if not judge.governance.sound:
        raise Unknown("PQL0523", "the governance files have errors, so nothing is let through", "see `pql check`")
    checked = judge.project.segments.get(segment)
    if checked is None or not checked.ok:
        raise Unknown("PQL0206", f"no segment `{segment}` that checks")
    place = judge.governance.destinations.get(destination)
    if destination and place is None:
        raise Unknown("PQL0529", f"there is no destination `{destination}`")
    for action in actions:
        if action not in judge.governance.actions:
            raise Unknown("PQL0522", f"there is no marketing action `{action}`")
    subject = judge.activation(segment, place) if place is not None else judge.segment(segment)
    decision = governed.judged(subject, place.actions if place is not None else actions)
    if not decision.allowed:
        names = ", ".join(f"`{v.policy.name}`" for v in decision.violations)
        help = "see `pql check` for the trail and the ways out"
        reason = f"violates {names}" if names else f"rests on what is not known: {', '.join(decision.unknown)}"
        raise Unknown("PQL0520", f"`{segment}` {reason}", help)
    consents = Consents(judge)
    if consents.findings:
        raise Unknown("PQL0537", consents.findings[0].message)
    return consents.audience(subject, decision.actions)
