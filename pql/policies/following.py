"""How a way out is followed in the files: a new text for a segment, or a patch of a destination. Read `Following`.

A segment's new text is parsed, checked and judged again before it is given; a patch changes what has been judged already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pql.check.expressions import Checker
from pql.diagnostics.findings import Findings
from pql.ir import nodes as ir
from pql.policies.judge import Judge, Subject
from pql.policies.pruning import Cut, spliced
from pql.source import Source, Span
from pql.syntax import parse_expression


@dataclass(frozen=True)
class TextEdit:
    """`text` in place of what stands at `span`."""

    source: Source
    span: Span
    text: str


@dataclass(frozen=True)
class Patch:
    """Operations of RFC 6902 (`op`, `path`, `value`) on a YAML or JSON file, in their order."""

    source: Source
    operations: tuple[dict[str, Any], ...]


Edit = TextEdit | Patch


class Following:
    """The edits for one subject. `works`: is a changed subject allowed?"""

    def __init__(self, judge: Judge, subject: Subject, works: Callable[[Subject], bool]) -> None:
        self.judge, self.subject, self.works = judge, subject, works
        self.segment = judge.project.segments[subject.segment]

    # --- leaving out ---
    def without(self, cuts: Sequence[Cut], rule: bool, targets: frozenset[str]) -> tuple[Edit, ...]:
        """The segment without what was cut, and the destination without some of the mapped fields."""
        exports = tuple(e for e in self.subject.exports if e.row.target not in targets)
        found: list[Edit] = []
        if rule:
            source, span = self.segment.source, self.segment.tree.where.span
            text = spliced(source.text, span, cuts)
            condition = self._checked(text)
            if condition is None or not self.works(replace(self.subject, condition=condition, exports=exports)):
                return ()
            found.append(TextEdit(source, span, text))
        rows = [e.row for e in self.subject.exports if e.row.target in targets]
        for source in dict.fromkeys(r.place.source for r in rows):
            keys = sorted((r.key for r in rows if r.place.source is source), key=_last_first)
            found.append(Patch(source, tuple({"op": "remove", "path": pointer(k)} for k in keys)))
        return tuple(found)

    def _checked(self, text: str) -> ir.Expr | None:
        """The condition that a text says; None when it has errors."""
        source = Source(self.segment.source.name, text)
        tree, found = parse_expression(source)
        if tree is None or any(d.is_error for d in found):
            return None
        findings = Findings(source)
        checker = Checker(self.judge.schema, findings, self.judge.project.catalog)
        value = checker.whole(tree)
        condition = checker.as_test(value, tree.span)
        return None if any(d.is_error for d in findings.items) else condition

    # --- something else instead ---
    def other_merge_policy(self, name: str) -> tuple[Edit, ...]:
        """`mergePolicy: name` in the segment, and in the destination where that names one."""
        edit = self._property("mergePolicy", name, is_list=False)
        if edit is None:
            return ()
        place = self.subject.destination
        if place is None or not place.merge_policy or not self.subject.exports:
            return (edit,)
        operation = {"op": "replace", "path": pointer((*place.key, "mergePolicy")), "value": name}
        return edit, Patch(place.place.source, (operation,))

    def other_action(self, instead_of: Sequence[str], action: str) -> tuple[Edit, ...]:
        """The action in place of those that the policy concerns: at the destination, or among the segment's purposes."""
        place = self.subject.destination
        if place is not None:
            left = [a for a in place.actions if a not in instead_of]
            operation = {"op": "replace", "path": pointer((*place.key, "marketingActions")), "value": [*left, action]}
            return (Patch(place.place.source, (operation,)),)
        left = [a for a, _ in self.judge.purposes(self.subject.segment) if a not in instead_of and a != action]
        edit = self._property("purpose", ", ".join([*left, action]), is_list=True)
        return () if edit is None else (edit,)

    def _property(self, name: str, value: str, is_list: bool) -> TextEdit | None:
        """A property of the segment with another value; a file that is one expression has none."""
        tree, source = self.segment.tree, self.segment.source
        if tree.bare:
            return None
        have = next((p for p in tree.properties if p.name == name), None)
        if have is not None and have.value_spans:
            span = Span(have.value_spans[0].start, have.value_spans[-1].end)
            return TextEdit(source, span, f"[{value}]" if is_list and not have.is_list else value)
        before = tree.properties[0].span.start if tree.properties else _word_before(source.text, tree.where.span.start)
        return TextEdit(source, Span(before, before), f"{name}: {f'[{value}]' if is_list else value}\n  ")


def _word_before(text: str, at: int) -> int:
    """Where the `where` before a condition begins."""
    return text.lower().rindex("where", 0, at)


def _last_first(key: tuple[str | int, ...]) -> tuple[int, ...]:
    """So that a removal does not move those that follow it."""
    return tuple(-k if isinstance(k, int) else 0 for k in key)


def pointer(key: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(k).replace("~", "~0").replace("/", "~1") for k in key)


def edit_json(edit: Edit) -> dict[str, Any]:
    """`{file, range, text}`, lines and columns counted from 1; or `{file, patch}`."""
    if isinstance(edit, Patch):
        return {"file": edit.source.name, "patch": list(edit.operations)}
    at = [edit.source.location(x) for x in (edit.span.start, edit.span.end)]
    start, end = (
        {"line": x.line, "column": x.column, "offset": o}
        for x, o in zip(at, (edit.span.start, edit.span.end), strict=True)
    )
    return {"file": edit.source.name, "range": {"start": start, "end": end}, "text": edit.text}
