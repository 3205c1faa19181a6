"""A way out that is offered works when it is followed, in the files; what would not work is not offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pql.api import compare
from tests.policies.projects import Made, judge, write

SCHEMA = {
    "profile": {
        "mail": {"type": "string", "labels": ["I1"]},
        "health": {"type": {"code": "string", "since": "date"}, "labels": ["RHD"]},
        "pages": {"type": "string[]", "labels": ["C3"]},
        "points": "integer",
        "orders[]": {"price": "number", "note": {"type": "string", "labels": ["RHD"]}},
    }
}
POLICIES = [
    {"name": "Health", "status": "ENABLED", "marketingActionRefs": ["crossSiteTargeting"], "deny": {"label": "RHD"}},
    {
        "name": "Combining",
        "status": "ENABLED",
        "marketingActionRefs": ["crossSiteTargeting", "dataScience"],
        "deny": {"operator": "AND", "operands": [{"label": "C3"}, {"label": "I1"}]},
    },
    {"name": "Stitched", "status": "ENABLED", "marketingActionRefs": ["emailTargeting"], "deny": {"label": "C10"}},
]
DESTINATION = {"id": "d", "marketingActions": ["crossSiteTargeting"], "fields": ["points"], "segments": ["s"]}


def made(folder: Path, where: str, **files: Any) -> Made:
    write(
        folder,
        {"schema.yaml": SCHEMA, "policies/p.yaml": POLICIES, "segments.pql": f"segment s {{ {where} }}\n", **files},
    )
    return judge(folder)


def ways(project: Made) -> list[str]:
    return [
        h.removeprefix("way out: ")
        for d in project.found
        if d.code == "PQL0520"
        for h in d.help
        if h.startswith("way out")
    ]


def test_leave_a_condition_out(tmp_path: Path) -> None:
    files = {"destinations/d.yaml": DESTINATION}
    offered = ways(made(tmp_path, 'where points > 3 and health.code = "x"', **files))
    assert offered[0] == "leave out of the segment what reads `health.code`"
    assert made(tmp_path, "where points > 3", **files).codes == []


def test_leave_a_condition_inside_a_filter_out(tmp_path: Path) -> None:
    files = {"destinations/d.yaml": DESTINATION}
    offered = ways(made(tmp_path, 'where orders[price > 3 and note = "x"].count() > 1', **files))
    assert offered[0] == "leave out of the segment what reads `orders.note`"
    assert made(tmp_path, "where orders[price > 3].count() > 1", **files).codes == []


def test_one_field_of_two_is_not_enough(tmp_path: Path) -> None:
    files = {"destinations/d.yaml": DESTINATION}
    where = 'where points > 3 and health.code = "x" and orders.note.count() > 1'
    offered = ways(made(tmp_path, where, **files))
    assert [w for w in offered if w.startswith("leave")] == [
        "leave out of the segment what reads `health.code` and `orders.note`"
    ]


def test_nothing_would_be_left(tmp_path: Path) -> None:
    offered = ways(made(tmp_path, 'where health.code = "x"', **{"destinations/d.yaml": DESTINATION}))
    assert [w for w in offered if w.startswith("leave")] == []


def test_do_not_map_a_field(tmp_path: Path) -> None:
    own = {**DESTINATION, "fields": ["points", "mail"]}
    offered = ways(made(tmp_path, 'where points > 3 and pages.includes("x")', **{"destinations/d.yaml": own}))
    assert offered[:2] == ["do not map `mail` to `d`", "leave out of the segment what reads `pages`"]
    assert (
        made(tmp_path, 'where points > 3 and pages.includes("x")', **{"destinations/d.yaml": DESTINATION}).codes == []
    )
    assert made(tmp_path, "where points > 3", **{"destinations/d.yaml": own}).codes == []


def test_another_action_must_be_free_of_every_policy(tmp_path: Path) -> None:
    own = {**DESTINATION, "fields": ["points", "mail"]}
    offered = ways(made(tmp_path, 'where points > 3 and pages.includes("x")', **{"destinations/d.yaml": own}))
    (action,) = [w for w in offered if "meant for something else" in w]
    assert "`dataScience`" not in action and "`analytics`" in action
    free = {**own, "marketingActions": ["analytics"]}
    assert made(tmp_path, 'where points > 3 and pages.includes("x")', **{"destinations/d.yaml": free}).codes == []


def test_another_merge_policy(tmp_path: Path) -> None:
    merge = "[{name: all, identityGraph: {type: pdg}, default: true}, {name: graph, identityGraph: {type: pdg}}, {name: one, identityGraph: {type: none}}]"
    offered = ways(made(tmp_path, "purpose: [emailTargeting] where points > 3", **{"merge.yaml": merge}))
    assert [w for w in offered if "merge policy" in w] == [
        "use the merge policy `one`: `mergePolicy: one` in the segment"
    ]
    assert (
        made(tmp_path, "purpose: [emailTargeting] mergePolicy: one where points > 3", **{"merge.yaml": merge}).codes
        == []
    )


def test_a_merge_policy_that_leaves_the_dataset_out(tmp_path: Path) -> None:
    files = {
        "destinations/d.yaml": DESTINATION,
        "sources/app.yaml": "dataset: {name: app, labels: [RHD]}\nmapping: {points: p}",
        "sources/shop.yaml": "dataset: {name: shop}\nmapping: {points: p}",
        "merge.yaml": "[{name: all, default: true}, {name: shop_only, attributeMerge: {type: dataSetPrecedence, data: {order: [shop]}}}]",
    }
    offered = ways(made(tmp_path, "where points > 3", **files))
    assert [w for w in offered if "merge policy" in w] == [
        "use the merge policy `shop_only`: `mergePolicy: shop_only` in the segment"
    ]
    assert made(tmp_path, "mergePolicy: shop_only where points > 3", **files).codes == []


def test_a_way_out_adds_no_other_violation(tmp_path: Path) -> None:
    """The other merge policy would bring a dataset in that another policy forbids."""
    files = {
        "destinations/d.yaml": {**DESTINATION, "fields": ["points", "mail"]},
        "sources/app.yaml": "dataset: {name: app, labels: [RHD]}\nmapping: {points: p}",
        "sources/web.yaml": "dataset: {name: web, labels: [C3]}\nmapping: {points: p}",
        "merge.yaml": "[{name: app_only, default: true, attributeMerge: {type: dataSetPrecedence, order: [app]}}, {name: web_only, attributeMerge: {type: dataSetPrecedence, order: [web]}}]",
    }
    project = made(tmp_path, "where points > 3", **files)
    assert [d.message.split("`")[1] for d in project.found if d.code == "PQL0520"] == ["Health"]
    assert [w for w in ways(project) if "merge policy" in w] == []


def test_impact_of_a_policy_and_of_a_label(tmp_path: Path) -> None:
    files = {"destinations/d.yaml": DESTINATION}
    before = made(tmp_path, 'purpose: [emailTargeting] where points > 3 and pages.includes("x")', **files)
    more = [
        *POLICIES,
        {"name": "Mail", "status": "ENABLED", "marketingActionRefs": ["emailTargeting"], "deny": {"label": "C3"}},
    ]
    after = made(
        tmp_path,
        'purpose: [emailTargeting] where points > 3 and pages.includes("x")',
        **{**files, "policies/p.yaml": more},
    )
    (change,) = compare(before.governed, after.governed)
    assert (change.kind, change.segment, change.use) == ("stopped", "s", "purpose emailTargeting")
    assert change.trail == ("`C3` on the field `pages` → the rule",)
    (back,) = compare(after.governed, before.governed)
    assert back.kind == "allowed" and back.why[0].startswith("no longer: the policy `Mail`")
    relabelled = {"profile": {**SCHEMA["profile"], "points": {"type": "integer", "labels": ["RHD"]}}}
    write(tmp_path, {"schema.yaml": relabelled, "policies/p.yaml": POLICIES})
    labelled = judge(tmp_path)
    assert [(c.kind, c.use) for c in compare(before.governed, labelled.governed)] == [("stopped", "d")]
