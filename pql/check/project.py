"""Checking `.pql` files together: declarations, references, circles, tests. Read `check_project`.

Definitions and attributes are checked on demand, so their order does not matter; a circle is reported with its path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pql.check.base import MAX_WRITTEN_OUT, Catalog
from pql.check.expressions import MAX_LISTS_NESTED, Checker
from pql.check.scope import is_unknown, unknown
from pql.check.trials import Trial, read_trial
from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic, Label
from pql.diagnostics.suggest import did_you_mean
from pql.ir import nodes as ir
from pql.ir.walk import nesting, walk
from pql.source import Source, Span
from pql.syntax import ast, parse_file
from pql.xdm.schema import Schema

PROPERTIES = ("description", "owner", "tags", "purpose", "evaluate", "labels", "mergePolicy", "excludeOptOut")
MAX_NESTED = 30
MAX_SEGMENTS_NESTED = 50
METHODS = ("batch", "streaming", "edge")


@dataclass(frozen=True)
class CheckedSegment:
    """A segment that parsed. `condition` is a test over the profile; `ok`: it has no errors."""

    id: str
    display: str
    properties: Mapping[str, tuple[str, ...]]
    condition: ir.Expr
    tree: ast.Segment
    source: Source
    ok: bool


@dataclass(frozen=True)
class Project:
    segments: Mapping[str, CheckedSegment]
    attributes: Mapping[str, ir.Expr]
    tests: tuple[Trial, ...]
    diagnostics: tuple[Diagnostic, ...]
    definitions: Mapping[str, ir.Expr] = field(default_factory=dict)
    homes: Mapping[str, Source] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not any(d.is_error for d in self.diagnostics)

    @property
    def conditions(self) -> Mapping[str, ir.Expr]:
        """The conditions by segment id, for the compiler."""
        return {id: s.condition for id, s in self.segments.items()}

    @property
    def catalog(self) -> Catalog:
        """What expressions outside of the files may name."""
        names = {id: id for id in self.segments} | {s.display: id for id, s in self.segments.items() if s.display}
        return Catalog(self.definitions, self.attributes, names, self.homes)


@dataclass
class _Named:
    """A definition or attribute, checked when first used."""

    tree: ast.Define | ast.Attribute
    findings: Findings
    value: ir.Expr | None = None
    busy: bool = False
    size: int = 0


@dataclass
class _Lazy(Mapping[str, ir.Expr]):
    """Names whose expressions are checked when they are looked up."""

    checker: _ProjectChecker
    items_: dict[str, _Named] = field(default_factory=dict)

    def __getitem__(self, name: str) -> ir.Expr:
        return self.checker.resolve(name, self.items_[name])

    def __contains__(self, name: object) -> bool:
        return name in self.items_

    def __iter__(self) -> Iterator[str]:
        return iter(self.items_)

    def __len__(self) -> int:
        return len(self.items_)


class _ProjectChecker:
    def __init__(self, schema: Schema, sources: tuple[Source, ...]) -> None:
        self.schema = schema
        self.findings: list[Findings] = []
        self.definitions, self.attributes = _Lazy(self), _Lazy(self)
        self.segments: dict[str, tuple[ast.Segment, Findings]] = {}
        self.tests: list[tuple[ast.Test, Findings]] = []
        self.trials: list[Trial] = []
        self.path: list[str] = []
        self.sizes: dict[str, int] = {}
        for source in sources:
            self._collect(source)
        names = {id: id for id in self.segments}
        displays: dict[str, list[str]] = {}
        for id, (segment, _) in self.segments.items():
            if segment.display:
                displays.setdefault(segment.display, []).append(id)
        for display, ids in displays.items():
            if len(ids) == 1:
                names.setdefault(display, ids[0])
        shared = {display: tuple(ids) for display, ids in displays.items() if len(ids) > 1 and display not in names}
        homes = {n: i.findings.source for t in (self.definitions, self.attributes) for n, i in t.items_.items()}
        self.catalog = Catalog(self.definitions, self.attributes, names, homes, shared, self._size)

    def _collect(self, source: Source) -> None:
        file, found = parse_file(source)
        findings = Findings(source)
        findings.items.extend(found)
        self.findings.append(findings)
        for node in file.declarations:
            match node:
                case ast.Segment():
                    self._declare(self.segments, node.id, node.id_span, (node, findings), findings)
                case ast.Define():
                    self._declare(self.definitions.items_, node.name, node.name_span, _Named(node, findings), findings)
                case ast.Attribute():
                    self._declare(self.attributes.items_, node.name, node.name_span, _Named(node, findings), findings)
                case ast.Test():
                    self.tests.append((node, findings))

    def _declare(self, table: dict, name: str, span: Span, item: object, findings: Findings) -> None:  # type: ignore[type-arg]
        values = (self.definitions.items_, self.attributes.items_)
        tables = (table,) if table is self.segments else values
        if table is not self.segments and name in self.schema.profile.fields:
            findings.report("PQL0501", span, f"`{name}` is a field of the profile already", help="choose another name")
        first = next((t[name] for t in tables if name in t), None)
        if first is None:
            table[name] = item
            return
        tree, other = first if isinstance(first, tuple) else (first.tree, first.findings)
        where = tree.id_span if isinstance(tree, ast.Segment) else tree.name_span
        labels = (Label(other.source, where, "declared here first"),)
        findings.report("PQL0501", span, f"`{name}` is declared twice", labels=labels)

    def _size(self, name: str) -> int:
        item = self.attributes.items_.get(name) or self.definitions.items_[name]
        return item.size

    def resolve(self, name: str, item: _Named) -> ir.Expr:
        if item.busy:
            circle = " → ".join([*self.path[self.path.index(name) :], name])
            item.findings.report("PQL0504", item.tree.name_span, f"`{name}` is defined by itself: {circle}")
            return unknown()
        if item.value is None:
            if len(self.path) >= MAX_NESTED:
                message = f"definitions nested more than {MAX_NESTED} deep"
                item.findings.report(
                    "PQL0002", item.tree.name_span, message, help="let a definition say more by itself"
                )
                return unknown()
            item.busy = True
            self.path.append(name)
            checker = Checker(self.schema, item.findings, self.catalog)
            item.value = checker.whole(item.tree.value)
            span = item.tree.value.span
            item.size = checker.written_out + span.end - span.start
            self.path.pop()
            item.busy = False
        return item.value

    def run(self) -> Project:
        for lazy in (self.definitions, self.attributes):
            for name in lazy:
                lazy[name]
        checked = {id: self._segment(*entry) for id, entry in self.segments.items()}
        self._references(checked)
        for test, findings in self.tests:
            self._test(test, findings)
        attributes = {name: self.attributes[name] for name in self.attributes}
        definitions = {name: self.definitions[name] for name in self.definitions}
        found = tuple(d for f in self.findings for d in f.items)
        return Project(checked, attributes, tuple(self.trials), found, definitions, self.catalog.homes)

    def _segment(self, node: ast.Segment, findings: Findings) -> CheckedSegment:
        before = len(findings.items)
        checker = Checker(self.schema, findings, self.catalog)
        value = checker.whole(node.where)
        condition = checker.as_test(value, node.where.span) if not is_unknown(value) else ir.FALSE
        properties = {p.name: p.values for p in node.properties}
        self._properties(node, findings)
        self.sizes[node.id] = checker.written_out + node.where.span.end - node.where.span.start
        ok = not any(d.is_error for d in findings.items[before:]) and not is_unknown(value)
        return CheckedSegment(node.id, node.display, properties, condition, node, findings.source, ok)

    def _properties(self, node: ast.Segment, findings: Findings) -> None:
        seen: set[str] = set()
        for p in node.properties:
            if p.name not in PROPERTIES:
                help = did_you_mean(p.name, PROPERTIES) or "the properties are " + ", ".join(
                    f"`{n}`" for n in PROPERTIES
                )
                findings.report("PQL0502", p.name_span, f"a segment has no property `{p.name}`", help=help)
            elif p.name in seen:
                findings.report("PQL0501", p.name_span, f"`{p.name}` stands twice")
            elif p.name == "evaluate" and (p.is_list or p.values[0] not in METHODS):
                help = "write one of `batch`, `streaming`, `edge`"
                findings.report("PQL0503", p.span, "not a way to evaluate a segment", help=help)
            elif p.name == "mergePolicy" and p.is_list:
                findings.report("PQL0503", p.span, "a segment has one merge policy", help="write its name")
            elif p.name == "excludeOptOut" and (p.is_list or p.values[0] not in ("true", "false")):
                findings.report("PQL0503", p.span, "`excludeOptOut` is true or false")
            seen.add(p.name)

    def _references(self, checked: dict[str, CheckedSegment]) -> None:
        """Circles of segments, and segments of segments that grow without bounds. Without recursion: chains may be long."""
        below = {id: [n.segment for n in walk(s.condition) if isinstance(n, ir.InSegment)] for id, s in checked.items()}
        depths: dict[str, int] = {}
        nested: dict[str, int] = {}
        sizes: dict[str, int] = {}
        for first in list(checked):
            path: list[str] = [] if first in depths else [first]
            waiting = [iter(sorted(set(below[first])))]
            while path:
                target = next(waiting[-1], None)
                if target is None:
                    id = path.pop()
                    waiting.pop()
                    inner = below[id] if checked[id].ok else []
                    depths[id] = 1 + max((depths.get(t, 0) for t in inner), default=0)
                    sizes[id] = self.sizes[id] + sum(sizes.get(t, 0) for t in inner)
                    nested[id] = nesting(checked[id].condition, nested)
                    self._bound(id, depths, sizes, nested, checked)
                elif target in path:
                    self._circle([*path[path.index(target) :], target], checked)
                elif target not in depths:
                    path.append(target)
                    waiting.append(iter(sorted(set(below[target]))))

    def _circle(self, path: list[str], checked: dict[str, CheckedSegment]) -> None:
        node, findings = self.segments[path[0]]
        shown = path if len(path) <= 12 else [*path[:10], "…", path[-1]]
        message = f"segments refer to each other in a circle: {' → '.join(shown)}"
        findings.report("PQL0504", node.id_span, message)
        for member in path:
            self._refuse(member, checked)

    def _bound(
        self,
        id: str,
        depths: dict[str, int],
        sizes: dict[str, int],
        nested: dict[str, int],
        checked: dict[str, CheckedSegment],
    ) -> None:
        node, findings = self.segments[id]
        help = "refer to fewer segments of segments"
        if depths[id] > MAX_SEGMENTS_NESTED:
            message = f"segments refer to segments more than {MAX_SEGMENTS_NESTED} deep"
            findings.report("PQL0002", node.id_span, message, help=help)
        elif nested[id] > MAX_LISTS_NESTED:
            message = f"with the segments that it refers to, more than {MAX_LISTS_NESTED} quantifiers, filters or chains inside each other"
            findings.report("PQL0002", node.id_span, message, help="refer to the segment outside of them")
        elif sizes[id] > MAX_WRITTEN_OUT:
            alone = self.sizes[id] > MAX_WRITTEN_OUT
            start = "this" if alone else "with the segments that it refers to, this"
            message = f"{start} is longer than {MAX_WRITTEN_OUT:,} characters"
            findings.report("PQL0003", node.id_span, message, help="long texts belong into the data" if alone else help)
        else:
            return
        depths[id] = sizes[id] = nested[id] = 0
        self._refuse(id, checked)

    def _refuse(self, id: str, checked: dict[str, CheckedSegment]) -> None:
        old = checked[id]
        checked[id] = CheckedSegment(old.id, old.display, old.properties, ir.FALSE, old.tree, old.source, False)

    def _test(self, test: ast.Test, findings: Findings) -> None:
        for step in test.steps:
            if isinstance(step, ast.Expect) and step.segment not in self.segments:
                help = did_you_mean(step.segment, self.segments)
                findings.report("PQL0206", step.segment_span, f"no segment `{step.segment}` in this project", help=help)
        self.trials.append(read_trial(test, self.schema, findings))


def check_project(schema: Schema, sources: tuple[Source, ...]) -> Project:
    """All findings of all sources at once. A segment with errors is kept, with `ok` false."""
    return _ProjectChecker(schema, sources).run()
