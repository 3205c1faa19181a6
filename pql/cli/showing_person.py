"""One person on a screen or as JSON. Read `person_json`, `print_person`."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from pql.cli.masking import Mask
from pql.cli.people import moment, stamp
from pql.identity.merging import at_path
from pql.store.lookup import Node, Person, Seen
from pql.xdm.values import write_value

CHANNELS = (("channel", "_type"), ("channel", "_id"), ("channel", "mediaType"), ("marketing", "trackingCode"))
DEVICES = (("device", "type"), ("device", "model"), ("environment", "type"), ("environment", "operatingSystem"))

UNKNOWN_LEFT_OUT = ("dataset", "since")


def identity_text(mask: Mask, namespace: str, id: str) -> str:
    return f"{namespace}:{mask.identity(namespace, id)}"


def meet(person: Person, mask: Mask) -> None:
    """Let identities that look alike have their numbers first: the same whichever command shows the person."""
    for node in person.nodes:
        mask.identity(node.identity.namespace, node.identity.id)


def attributes(person: Person, mask: Mask) -> list[dict[str, Any]]:
    """Each value with the dataset and the time that it comes from."""
    rows = []
    for path, origin in sorted(person.merged.origins.items()):
        value = mask.attribute(path, at_path(person.merged.values, path), origin.dataset)
        rows.append({"path": ".".join(path), "value": write_value(value), "dataset": origin.dataset, "time": stamp(origin.at),
                     "masked": mask.on and value != at_path(person.merged.values, path)})  # fmt: skip
    return rows


def computed(person: Person, name: str, mask: Mask) -> Any:
    """A computed attribute as a screen may show it: hidden when something that it reads is, by its own labels or those of its dataset."""
    found = person.computed[name]
    datasets: set[str] = set()
    for read in found.reads:
        if read == "xEvent" or read.startswith("xEvent."):
            datasets |= mask.events
        else:
            near = (o.dataset for p, o in person.merged.origins.items() if _overlap(".".join(p), read))
            datasets.update(near)
    return mask.computed(found.value, found.labels, datasets, name)


def _overlap(a: str, b: str) -> bool:
    return a == b or a.startswith(f"{b}.") or b.startswith(f"{a}.")


def nodes_json(nodes: list[Node], mask: Mask) -> list[dict[str, Any]]:
    return [{"namespace": n.identity.namespace, "id": mask.identity(n.identity.namespace, n.identity.id), "state": n.state,
             "first_seen": stamp(n.first_seen), "last_seen": stamp(n.last_seen), "dataset": n.dataset} for n in nodes]  # fmt: skip


def link_json(seen: Seen, mask: Mask) -> dict[str, Any]:
    k = seen.link
    return {"a": identity_text(mask, *k.a), "b": identity_text(mask, *k.b), "dataset": seen.dataset, "first_seen": stamp(k.first_seen),
            "last_seen": stamp(k.last_seen), "last_authenticated": stamp(k.last_authenticated), "seen": k.seen}  # fmt: skip


def person_json(person: Person, mask: Mask) -> dict[str, Any]:
    meet(person, mask)
    rows = attributes(person, mask)
    namespace, _, id = person.name.partition(":")
    return {
        "profile": identity_text(mask, namespace, id) if id else mask.text(person.name),
        "attributes": [r for r in rows if not r["path"].startswith("consents.")],
        "consents": [r for r in rows if r["path"].startswith("consents.")],
        "computed": {k: write_value(computed(person, k, mask)) for k in person.computed},
        "computed_as_of": stamp(person.computed_at),
        "computed_from": person.computed_from if person.computed else None,
        "computed_since": {k: stamp(v.since) for k, v in person.computed.items() if v.since is not None},
        "identities": nodes_json(person.nodes, mask),
        "links": [link_json(s, mask) for s in person.links],
        "refused": [{**link_json(s, mask), "reason": r.reason, "words": r.words} for s, r in person.refused],
        "memberships": [{"segment": m["segment"], "status": m["status"], "since": stamp(m["lastQualificationTime"]),
                         "lastQualificationTime": stamp(m["lastQualificationTime"])} for m in person.memberships],
        "event_count": person.event_count,
        "events": [event_json(e, mask) for e in person.events],
    }  # fmt: skip


def event_json(event: dict[str, Any], mask: Mask) -> dict[str, Any]:
    dataset = str(event.get("_dataset", ""))
    shown: dict[str, Any] = write_value(mask.document({k: v for k, v in event.items() if k != "_dataset"}, dataset))
    return {"timestamp": shown.get("timestamp"), "eventType": shown.get("eventType"), "channel": first(event, CHANNELS),
            "device": first(event, DEVICES), "dataset": dataset, "event": shown}  # fmt: skip


def first(event: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> str | None:
    return next((str(v) for p in paths if (v := at_path(event, p)) is not None), None)


def print_person(person: Person, mask: Mask, console: Console) -> None:
    shown = person_json(person, mask)
    console.print(f"[bold]{_plain(shown['profile'])}[/bold]", highlight=False)
    _table(
        console,
        "attributes",
        ("attribute", "value", "dataset", "since"),
        [(r["path"], r["value"], r["dataset"], _short(r["time"])) for r in shown["attributes"]],
    )
    since = shown["computed_since"]
    columns = ("attribute", "value", *(("since",) if since else ()))
    if shown["computed"]:
        live = ", live," if person.computed_from == "state" else ""
        console.print(
            f"computed attributes{live} as of {_short(shown['computed_as_of'])}", style="bold", highlight=False
        )
    _table(
        console,
        "",
        columns,
        [(k, v, _short(since.get(k)))[: len(columns)] for k, v in shown["computed"].items()],
    )
    _table(
        console,
        "consents",
        ("consent", "value", "dataset", "since"),
        [(r["path"], r["value"], r["dataset"], _short(r["time"])) for r in shown["consents"]],
    )
    print_graph(person, mask, console)
    _table(
        console,
        "segments",
        ("segment", "status", "since"),
        [(m["segment"], m["status"], _short(m["since"])) for m in shown["memberships"]],
    )
    known = {"channel", "device", "timestamp", "eventType", "_id"}
    title = (
        f"events, the latest {len(person.events)} of {person.event_count:,}"
        if len(person.events) < person.event_count
        else "events"
    )
    rows = [
        (
            _short(e.get("timestamp")),
            e.get("eventType"),
            e["channel"],
            e["device"],
            {k: v for k, v in e["event"].items() if k not in known} or "",
            e["dataset"],
        )
        for e in shown["events"]
    ]
    _table(console, title, ("time", "type", "channel", "device", "what", "dataset"), rows)
    hidden = any(r["masked"] for r in (*shown["attributes"], *shown["consents"]))
    if mask.on and (hidden or any(computed(person, k, mask) != v.value for k, v in person.computed.items())):
        console.print(
            "fields with an identity or sensitive label, e-mail addresses and phone numbers are masked: `--unmask` shows them",
            style="dim",
            markup=False,
        )


def print_tree(person: Person, mask: Mask, console: Console) -> None:
    """The graph as a tree: every identity below the one that linked it first."""
    from rich.tree import Tree

    near: dict[Any, list[Seen]] = {}
    for s in person.links:
        for i in s.link.pair:
            near.setdefault(i, []).append(s)
    root = next((n.identity for n in person.nodes if str(n.identity) == person.name), person.nodes[0].identity)
    tree = Tree(_plain(identity_text(mask, *root)))
    todo, done = [(root, tree)], {root}
    while todo:
        node, branch = todo.pop(0)
        for s in near.get(node, []):
            other = s.link.b if s.link.a == node else s.link.a
            if other not in done:
                done.add(other)
                words = f"{identity_text(mask, *other)}  by {s.dataset}, {moment(s.link.first_seen) or 'time unknown'}"
                todo.append((other, branch.add(_plain(words))))
    console.print(tree)


def print_graph(person: Person, mask: Mask, console: Console) -> None:
    _table(console, "identities", ("identity", "first seen", "last seen", "dataset"),
           [(identity_text(mask, *n.identity), moment(n.first_seen), moment(n.last_seen), n.dataset) for n in person.nodes])  # fmt: skip
    _table(console, "linked by", ("identity", "identity", "dataset", "first seen", "last seen", "last login", "seen"),
           [(identity_text(mask, *s.link.a), identity_text(mask, *s.link.b), s.dataset, moment(s.link.first_seen), moment(s.link.last_seen),
             moment(s.link.last_authenticated), s.link.seen) for s in person.links])  # fmt: skip
    _table(console, "links refused", ("identity", "identity", "dataset", "reason"),
           [(identity_text(mask, *s.link.a), identity_text(mask, *s.link.b), s.dataset, r.words) for s, r in person.refused])  # fmt: skip


def _table(console: Console, title: str, columns: tuple[str, ...], rows: list[Any]) -> None:
    if not rows:
        return
    columns, rows = _said(columns, rows)
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    console.print(table)


def _said(columns: tuple[str, ...], rows: list[Any]) -> tuple[tuple[str, ...], list[Any]]:
    """Without the columns that nobody knows anything for: a plain store has no datasets, a stream's state not since when somebody is in."""
    kept = [i for i, c in enumerate(columns) if c not in UNKNOWN_LEFT_OUT or any(row[i] for row in rows)]
    return tuple(columns[i] for i in kept), [[row[i] for i in kept] for row in rows]


def _plain(value: Any) -> str:
    from rich.markup import escape

    text = "" if value is None else value if isinstance(value, str) else _json(value)
    return escape("".join(c if c.isprintable() else "�" for c in text))


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _short(time: str | None) -> str:
    return (time or "").replace("T", " ")
