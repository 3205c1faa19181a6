"""Policies and marketing actions in the published shape, core ones included. Read `read_policy`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pql.diagnostics.model import Diagnostic
from pql.diagnostics.suggest import did_you_mean
from pql.labels import UsageLabel
from pql.policies.model import Combined, Deny, LabelIs, MarketingAction, Policy
from pql.policies.reading import Part, listed
from pql.xdm.documents import read_document

CORE = Path(__file__).parent / "core"
STATUSES = ("DRAFT", "ENABLED", "DISABLED")
KEPT = (
    "created",
    "createdUser",
    "createdClient",
    "updated",
    "updatedUser",
    "updatedClient",
    "imsOrg",
    "sandboxName",
    "_links",
)
KEYS = ("id", "name", "status", "description", "marketingActionRefs", "deny", "version", *KEPT)
LEVELS_MOST = 10
LABELS_MOST = 100

Labels = Mapping[str, UsageLabel]
Actions = Mapping[str, MarketingAction]


def bare(name: str, kinds: tuple[str, ...] = ("core", "custom")) -> str:
    """`core/C1`, `…/marketingActions/custom/x` as the last part; other names as they are."""
    head, slash, tail = name.rpartition("/")
    return tail if slash and (head in kinds or head.rpartition("/")[2] in kinds) else name


def read_label(part: Part, labels: Labels) -> str:
    """A label's name, known or complained of."""
    name = bare(str(part.data))
    if name not in labels:
        part.say(f"there is no label `{name[:60]}`", unknown_label(name, labels), "PQL0521")
    return name


def unknown_label(name: str, labels: Labels) -> str:
    same = [n for n in labels if n.lower() == name.lower()]
    if same:
        return f"names of labels are case-sensitive: write `{same[0]}`"
    return did_you_mean(name, labels) or "declare it in `labels.yaml`, under `labels:`"


def read_action(part: Part, actions: Actions) -> str:
    """A marketing action's name, known or complained of."""
    name = bare(str(part.data))
    if name not in actions:
        part.say(f"there is no marketing action `{name[:60]}`", unknown_action(name, actions), "PQL0522")
    return name


def unknown_action(name: str, actions: Actions) -> str:
    return did_you_mean(name, actions) or "declare it in `actions.yaml`; `pql policy list --all` shows those that exist"


def read_deny(part: Part, labels: Labels, level: int = 1) -> Deny:
    """`{label}` or `{operator, operands}`, never both."""
    never = Combined("OR", ())
    if not part.is_object("an expression over labels"):
        return never
    part.known(("label", "operator", "operands"), "an expression over labels")
    if level > LEVELS_MOST:
        part.say(f"more than {LEVELS_MOST} levels of AND and OR")
        return never
    if part.has("label"):
        if part.has("operator") or part.has("operands"):
            part.say("an expression has `label`, or `operator` with `operands`, never both")
        inner = part.part("label")
        if not isinstance(inner.data, str):
            inner.say("`label` is the name of a label")
            return never
        return LabelIs(read_label(inner, labels), inner.place)
    if not part.has("operator"):
        part.say("an expression needs `label`, or `operator` with `operands`")
        return never
    operator = part.text("operator")
    if operator not in ("AND", "OR"):
        part.part("operator").say(f"`{operator[:40]}` is no operator", "write `AND` or `OR`; there is no negation")
        return never
    if not isinstance(part.data.get("operands"), list):
        part.say("`operands` is a list of expressions")
        return never
    return Combined(operator, tuple(read_deny(p, labels, level + 1) for p in part.items("operands")))


def read_policy(part: Part, labels: Labels, actions: Actions, id: str) -> Policy | None:
    """One policy of a project."""
    if not part.is_object("a policy"):
        return None
    part.known(KEYS, "a policy")
    name = part.text("name", what="a policy")
    status = part.text("status", "ENABLED")
    if status not in STATUSES:
        part.part("status").say(f"`{status[:40]}` is no status", "write DRAFT, ENABLED or DISABLED")
    refs = tuple(dict.fromkeys(read_action(p, actions) for p in part.words("marketingActionRefs")))
    if not part.has("deny"):
        part.say("a policy needs `deny`")
        return None
    deny = read_deny(part.part("deny"), labels)
    if len(list(labels_of(deny))) > LABELS_MOST:
        part.part("deny").say(f"more than {LABELS_MOST} labels in one policy")
    place = part.key_place("name") if part.has("name") else part.place
    extra = {k: part.data[k] for k in KEPT if k in part.data}
    version = part.whole("version", 1) or 1
    return Policy(
        part.text("id", id), name, status, refs, deny, part.text("description", ""), version, extra=extra,
        place=replace(place, span=part.document.at(*part.key, "name")),
    )  # fmt: skip


def labels_of(deny: Deny) -> tuple[LabelIs, ...]:
    """The labels that a policy names, in the order of the text."""
    if isinstance(deny, LabelIs):
        return (deny,)
    return tuple(x for operand in deny.operands for x in labels_of(operand))


def read_actions(part: Part, core: bool = False) -> dict[str, MarketingAction]:
    found: dict[str, MarketingAction] = {}
    for item in listed(part, "actions"):
        if not item.is_object("a marketing action"):
            continue
        item.known(("name", "description"), "a marketing action")
        name = bare(item.text("name", what="a marketing action"))
        if name in found:
            item.say(f"the marketing action `{name}` is declared twice", code="PQL0501")
        elif name:
            found[name] = MarketingAction(name, item.text("description", ""), core, item.place)
    return found


def core_actions() -> dict[str, MarketingAction]:
    findings: list[Diagnostic] = []
    document = read_document(CORE / "actions.yaml", findings, name="<core actions>")
    assert document is not None and not findings
    return read_actions(Part(document, (), document.data, findings), core=True)


def core_policies(labels: Labels, actions: Actions) -> tuple[dict[str, Policy], dict[str, str]]:
    """The core policies by id, all disabled but the hard ones, and the published ids that stand for some of them."""
    findings: list[Diagnostic] = []
    document = read_document(CORE / "policies.yaml", findings, name="<core policies>")
    assert document is not None and not findings
    found: dict[str, Policy] = {}
    aliases: dict[str, str] = {}
    for item in Part(document, (), document.data, findings).items("policies"):
        own: dict[str, Any] = item.data
        plain = Part(
            document, item.key, {k: v for k, v in own.items() if k not in ("alias", "hard", "template")}, findings
        )
        policy = read_policy(plain, labels, actions, "")
        assert policy is not None
        hard = own.get("hard") is True
        found[policy.id] = replace(
            policy, status="ENABLED" if hard else "DISABLED", core=True, hard=hard, template=own.get("template") is True
        )
        if "alias" in own:
            aliases[own["alias"]] = policy.id
    assert not findings, findings
    return found, aliases
