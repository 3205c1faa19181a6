"""What `deny` says of a set of labels, and what is wrong with policies as such. Read `violates`, then `lint`.

The expressions have no negation, so they are monotone: more labels never make a violation go away. Each is the same as a set
of least label sets (`least_sets`), any of which is enough; by them policies are compared.
"""

from __future__ import annotations

from collections.abc import Iterator

from pql.diagnostics.findings import Findings
from pql.diagnostics.model import Diagnostic, Label
from pql.labels import closed
from pql.policies.model import Combined, Deny, Governance, LabelIs, Policy

SETS_MOST = 500
"""An expression with more least sets is not compared with others."""


def violates(deny: Deny, labels: frozenset[str]) -> bool:
    """Does data with these labels, closed under implication, satisfy the expression? An empty OR holds for nothing."""
    if isinstance(deny, LabelIs):
        return deny.label in labels
    tests = (violates(operand, labels) for operand in deny.operands)
    return any(tests) if deny.operator == "OR" else bool(deny.operands) and all(tests)


def why(deny: Deny, labels: frozenset[str]) -> tuple[LabelIs, ...]:
    """The labels of the expression that make it hold: those of every branch that does."""
    if not violates(deny, labels):
        return ()
    if isinstance(deny, LabelIs):
        return (deny,)
    return tuple(x for operand in deny.operands for x in why(operand, labels))


def words(deny: Deny) -> str:
    """The expression for people: `C4 OR (C3 AND I1)`."""
    if isinstance(deny, LabelIs):
        return f"`{deny.label}`"
    inner = [f"({words(o)})" if isinstance(o, Combined) and len(o.operands) > 1 else words(o) for o in deny.operands]
    return f" {deny.operator} ".join(inner) or "nothing"


def least_sets(deny: Deny) -> frozenset[frozenset[str]] | None:
    """The least sets of labels that satisfy the expression; None when there are too many to compare."""
    if isinstance(deny, LabelIs):
        return frozenset({frozenset({deny.label})})
    parts = [least_sets(o) for o in deny.operands]
    if any(p is None for p in parts):
        return None
    known = [p for p in parts if p is not None]
    if deny.operator == "OR":
        found = {s for p in known for s in p}
    else:
        found = {frozenset()} if known else set()
        for p in known:
            found = {a | b for a in found for b in p}
            if len(found) > SETS_MOST:
                return None
    if len(found) > SETS_MOST:
        return None
    return frozenset(s for s in found if not any(closed(o) <= closed(s) for o in found if closed(o) != closed(s)))


def covers(a: Policy, b: Policy) -> bool:
    """Is whatever violates `b` a violation of `a` too, for each of `b`'s actions?"""
    if not set(b.actions) <= set(a.actions):
        return False
    sets = least_sets(b.deny)
    return sets is not None and bool(sets) and all(violates(a.deny, closed(s)) for s in sets)


def lint(governance: Governance) -> list[Diagnostic]:
    """Policies that can never apply (PQL0526), and those that say nothing beside another one (PQL0527)."""
    found = [d for p in governance.policies for d in _never(p)]
    active = [p for p in governance.policies if p.status == "ENABLED" and not p.hard]
    for i, policy in enumerate(active):
        for j, other in enumerate(active):
            if i != j and covers(other, policy) and not (covers(policy, other) and i < j):
                same = covers(policy, other)
                said = "says the same as" if same else "says nothing that is not said by"
                findings = Findings(policy.place.source)
                labels = (Label(other.place.source, other.place.span, "the other policy"),)
                message = f"the policy `{policy.name}` {said} `{other.name}`"
                findings.report("PQL0527", policy.place.span, message, labels=labels, help="one of them is enough")
                found += findings.items
                break
    return found


def _never(policy: Policy) -> Iterator[Diagnostic]:
    reason, help = "", ""
    if not policy.actions:
        reason, help = "it names no marketing action", "write `marketingActionRefs: […]`"
    elif least_sets(policy.deny) == frozenset():
        reason, help = "no labels satisfy its `deny`: an empty list of operands holds for nothing", "name labels in it"
    if reason:
        findings = Findings(policy.place.source)
        findings.report("PQL0526", policy.place.span, f"the policy `{policy.name}` never applies: {reason}", help=help)
        yield from findings.items
