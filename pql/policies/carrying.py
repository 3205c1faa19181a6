"""Which labels the data of a segment or an export carries, where each is given, and by which way it got there.

Read `Carrier.items`. A label is carried once for each place where it is given and each way to it, so that a trail is complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pql.check.project import Project
from pql.functions.table import LABEL_RULES
from pql.ir import nodes as ir
from pql.ir.lineage import Read, holds_fields, reads
from pql.policies.model import Dataset, Governance, Labelled, MergePolicy, Place
from pql.source import Source
from pql.types import Field, ListType, MapType, ObjectType, Type
from pql.xdm.schema import Schema

MEMBERSHIP = "segmentMembership"
IDENTITIES = "identityMap"


@dataclass(frozen=True)
class Origin:
    """Where a label is given. `kind`: field, dataset, source, segment or merge policy."""

    kind: str
    name: str
    place: Place = field(default_factory=Place, compare=False)


@dataclass(frozen=True)
class Step:
    """A step of the way, outermost first. `kind`: mapped field, segment, definition, attribute, field or identity."""

    kind: str
    name: str
    place: Place = field(default_factory=Place)


@dataclass(frozen=True)
class Carried:
    """A label that reaches a segment or an export. `path`: the field that is read, empty for labels of a segment or merge policy.
    `part`: rule or export. `negated`: read under a `not`. `root`: the path at which the text itself reads (before nesting)."""

    label: str
    origin: Origin
    path: str
    steps: tuple[Step, ...]
    part: str
    negated: bool = False
    merge_policy: str = ""


class Carrier:
    """Labels of everything in a project, as a merge policy lets datasets in."""

    def __init__(self, schema: Schema, governance: Governance, project: Project) -> None:
        self.schema, self.governance, self.project = schema, governance, project
        self._origins: dict[tuple[str, bool, str], tuple[tuple[str, Origin, str], ...]] = {}

    # --- expressions ---
    def items(
        self, e: ir.Expr, merge: MergePolicy, home: Place, part: str = "rule", prefix: tuple[Step, ...] = ()
    ) -> Iterator[Carried]:
        """What an expression carries. `home`: the text that it stands in (`span.start` is added to places)."""
        yield from self._of_expression(e, merge, home, part, prefix, frozenset(), False)

    def unknown_segments(self, e: ir.Expr) -> Iterator[tuple[str, Read]]:
        """Segments outside of the project that are referred to and have no declared labels."""
        for read in reads(e, self.project.conditions, LABEL_RULES):
            for id in self._members(read.path):
                if id not in self.project.segments and id not in self.governance.segment_labels:
                    yield id, read

    def _of_expression(
        self, e: ir.Expr, merge: MergePolicy, home: Place, part: str, prefix: tuple[Step, ...], busy: frozenset[str], negated: bool
    ) -> Iterator[Carried]:  # fmt: skip
        declared: set[tuple[str, ...]] = set()
        for read in reads(e, self.project.conditions, LABEL_RULES):
            steps = (*prefix, *self._steps(read, home))
            under = negated or read.negated
            for depth, id in enumerate(read.via):
                if read.via[: depth + 1] not in declared:
                    declared.add(read.via[: depth + 1])
                    yield from self._of_segment(id, steps[: self._depth(read, depth, len(prefix))], merge, part, under)
            field_steps = (*steps, Step("field", read.path or "profile", self._place(read, home)))
            yield from self._of_read(read, field_steps, merge, part, under)
            for id in self._members(read.path):
                if id in busy or id in read.via:
                    continue
                way = (*steps, Step("segment", id, self._place(read, home)))
                yield from self._of_segment(id, way, merge, part, under)
                segment = self.project.segments.get(id)
                if segment is not None:
                    inner = Place(segment.source)
                    yield from self._of_expression(segment.condition, merge, inner, part, way, busy | {id}, under)

    def _depth(self, read: Read, depth: int, before: int) -> int:
        """How many steps lead to the segment `read.via[depth]`, itself included."""
        seen = -1
        for i, hop in enumerate(read.trail):
            seen += hop.kind == "segment"
            if seen == depth:
                return before + i + 1
        return before + len(read.trail)

    def _steps(self, read: Read, home: Place) -> tuple[Step, ...]:
        found = []
        for hop in read.trail:
            source = hop.source or self._text(hop.owner, home)
            shift = home.span.start if hop.source is None and not hop.owner else 0
            found.append(Step(hop.kind, hop.name, Place(source, hop.span.shift(shift))))
        return tuple(found)

    def _text(self, segment: str, home: Place) -> Source:
        return self.project.segments[segment].source if segment in self.project.segments else home.source

    def _place(self, read: Read, home: Place) -> Place:
        if read.home is not None:
            return Place(read.home, read.place)
        if read.via:
            return Place(self._text(read.via[-1], home), read.place)
        return Place(home.source, read.place.shift(home.span.start))

    def _of_segment(
        self, id: str, steps: tuple[Step, ...], merge: MergePolicy, part: str, negated: bool
    ) -> Iterator[Carried]:
        for given in self.segment_labels(id):
            yield Carried(given.label, Origin("segment", id, given.place), "", steps, part, negated, merge.name)
        own = self.merge_of(id)
        if own.stitched:
            yield self.of_merge(own, steps, part)

    def of_merge(self, merge: MergePolicy, steps: tuple[Step, ...], part: str) -> Carried:
        return Carried("C10", Origin("merge policy", merge.name, merge.graph_place), "", steps, part, False, merge.name)

    def segment_labels(self, id: str) -> tuple[Labelled, ...]:
        """The object labels of a segment: its own property, or what is declared for one that lives elsewhere."""
        segment = self.project.segments.get(id)
        if segment is None:
            return self.governance.segment_labels.get(id, ())
        own = [p for p in segment.tree.properties if p.name == "labels"]
        from pql.policies.policy_files import bare

        return tuple(
            Labelled(bare(v), Place(segment.source, s))
            for p in own
            for v, s in zip(p.values, p.value_spans, strict=True)
        )

    def merge_of(self, id: str) -> MergePolicy:
        """The merge policy of a segment: the one that it names, or the default."""
        return self.governance.merge_policies.get(self.merge_name(id), self.governance.default_merge_policy)

    def merge_name(self, id: str) -> str:
        """The merge policy that a segment names, whether there is one or not; empty where it names none."""
        segment = self.project.segments.get(id)
        return segment.properties.get("mergePolicy", ("",))[0] if segment is not None else ""

    def segments_in(self, e: ir.Expr) -> tuple[str, ...]:
        """The segments of the project that an expression refers to, directly or through others."""
        found = dict.fromkeys(id for read in reads(e, self.project.conditions) for id in read.via)
        return tuple(found)

    def _members(self, path: str) -> tuple[str, ...]:
        """The segments whose membership a path of `segmentMembership` reads; all of the project where it says no id."""
        steps = path.split(".")
        if steps[0] != MEMBERSHIP:
            return ()
        everything = (
            *self.project.segments,
            *(s for s in self.governance.segment_labels if s not in self.project.segments),
        )
        if len(steps) < 3 or steps[2] == "*":
            return everything
        rest = ".".join(steps[2:])
        known = [id for id in everything if rest == id or rest.startswith(id + ".")]
        if known:
            return (max(known, key=len),)
        last = steps[-1] if steps[-1] in ("status", "lastQualificationTime", "validUntil", "version") else ""
        return (rest.removesuffix("." + last) if last and len(steps) > 3 else rest,)

    # --- fields ---
    def _of_read(
        self, read: Read, steps: tuple[Step, ...], merge: MergePolicy, part: str, negated: bool
    ) -> Iterator[Carried]:
        seen = set()
        for label, origin, identity in self.origins(read.path, read.whole, merge):
            if label in read.dropped:
                continue
            seen.add(label)
            way = (*steps, Step("identity", identity)) if identity else steps
            yield Carried(label, origin, read.path, way, part, negated, merge.name)
        for label in sorted(read.labels - seen):
            yield Carried(label, Origin("field", read.path), read.path, steps, part, negated, merge.name)

    def origins(self, path: str, whole: bool, merge: MergePolicy) -> tuple[tuple[str, Origin, str], ...]:
        """The labels of a field with where they are given; the third is the identity field that stands behind `identityMap`."""
        key = (path, whole, merge.name)
        if key not in self._origins:
            found = [(label, origin, "") for label, origin in self._direct(path, whole, merge)]
            for field_path in self._identity_fields(path, merge):
                found += [(label, origin, field_path) for label, origin in self._direct(field_path, True, merge)]
            self._origins[key] = tuple(dict.fromkeys(found))
        return self._origins[key]

    def _direct(self, path: str, whole: bool, merge: MergePolicy) -> Iterator[tuple[str, Origin]]:
        yield from self._of_schema(path, whole)
        for dataset in self.governance.datasets:
            if merge.merges(dataset) and self.contributes(dataset, path):
                for given in dataset.labels:
                    yield given.label, Origin("dataset", dataset.name, given.place)
                for given in dataset.connection:
                    yield given.label, Origin("source", dataset.source, given.place)

    def _of_schema(self, path: str, whole: bool) -> Iterator[tuple[str, Origin]]:
        kind: Type = self.schema.profile
        above: frozenset[str] = frozenset()
        at: list[str] = []
        for name in path.split(".") if path else ():
            while isinstance(kind, ListType):
                kind = kind.element
            at.append(name)
            if isinstance(kind, MapType):
                kind = kind.value
                continue
            declared = kind.fields.get(name) if isinstance(kind, ObjectType) else None
            if declared is None:
                return
            for label in sorted(declared.labels - above):
                yield label, self._field_origin(".".join(at), label)
            above |= declared.labels
            kind = declared.type
        if whole or not path:
            yield from self._inside(kind, path, above)

    def _inside(self, kind: Type, path: str, above: frozenset[str]) -> Iterator[tuple[str, Origin]]:
        while isinstance(kind, ListType | MapType):
            kind = kind.element if isinstance(kind, ListType) else kind.value
        for name, declared in kind.fields.items() if isinstance(kind, ObjectType) else ():
            own = f"{path}.{name}" if path else name
            for label in sorted(declared.labels - above):
                yield label, self._field_origin(own, label)
            if holds_fields(declared.type):
                yield from self._inside(declared.type, own, above | declared.labels)

    def _field_origin(self, path: str, label: str) -> Origin:
        return Origin("field", path, self.governance.field_labels.get((path, label), Place(Source("schema", ""))))

    def contributes(self, dataset: Dataset, path: str) -> bool:
        """Does a dataset bring the field, something in it, or something that it is in?"""
        event = path == "xEvent" or path.startswith("xEvent.")
        if path and event != (dataset.kind == "event"):
            return False
        if dataset.everything or not path:
            return path.split(".")[0] != MEMBERSHIP
        dots = path + "."
        own = dataset.contributes | self._namespaces(dataset)
        return any(c == path or c.startswith(dots) or path.startswith(c + ".") for c in own)

    def _namespaces(self, dataset: Dataset) -> frozenset[str]:
        """`identityMap.<namespace>` of the schema's identity fields that a dataset contributes."""
        prefix = "xEvent." if dataset.kind == "event" else ""
        fields = self.schema.event_identities if prefix else self.schema.identities
        have = {prefix + ".".join(f.path): f"{prefix}{IDENTITIES}.{f.namespace}" for f in fields}
        return frozenset(to for path, to in have.items() if path in dataset.contributes)

    def _identity_fields(self, path: str, merge: MergePolicy) -> tuple[str, ...]:
        """The fields whose values are in `identityMap`, or in one namespace of it."""
        prefix = "xEvent." if path.startswith("xEvent.") else ""
        steps = path.removeprefix(prefix).split(".")
        if steps[0] != IDENTITIES:
            return ()
        namespace = steps[1] if len(steps) > 1 and steps[1] != "*" else ""
        declared = [(f"xEvent.{'.'.join(f.path)}", f.namespace) for f in self.schema.event_identities]
        declared += [(".".join(f.path), f.namespace) for f in self.schema.identities]
        declared += [i for d in self.governance.datasets if merge.merges(d) for i in d.identities]
        found = (p for p, own in declared if not namespace or own == namespace)
        return tuple(dict.fromkeys(p for p in found if not p.endswith(IDENTITIES)))

    # --- whole datasets ---
    def everything(self, merge: MergePolicy) -> Iterator[Carried]:
        """The conservative answer: every label of every dataset that takes part, used or not."""
        for dataset in self.governance.datasets:
            if not merge.merges(dataset):
                continue
            for given in (*dataset.labels, *dataset.connection):
                yield Carried(
                    given.label, Origin("dataset", dataset.name, given.place), "", (), "rule", False, merge.name
                )
        yield from self._all_fields(merge)

    def _all_fields(self, merge: MergePolicy) -> Iterator[Carried]:
        for label, origin in self._of_schema("", True):
            taken = [d for d in self.governance.datasets if merge.merges(d) and self.contributes(d, origin.name)]
            if taken or not self.governance.datasets:
                yield Carried(label, origin, origin.name, (), "rule", False, merge.name)


def schema_labels(schema: Schema) -> Iterator[tuple[str, str]]:
    """Every label on a field of the schema: path and label, where it is given."""

    def visit(kind: Type, path: str, above: frozenset[str]) -> Iterator[tuple[str, str]]:
        while isinstance(kind, ListType | MapType):
            kind = kind.element if isinstance(kind, ListType) else kind.value
        fields: list[tuple[str, Field]] = list(kind.fields.items()) if isinstance(kind, ObjectType) else []
        for name, declared in fields:
            own = f"{path}.{name}" if path else name
            for label in sorted(declared.labels - above):
                yield own, label
            yield from visit(declared.type, own, above | declared.labels)

    yield from visit(schema.profile, "", frozenset())
