"""`pql identity`: graphs, what guards refused, how graphs came together, and unlinking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pql.cli.commands.profile import FORMATS, FormatOption, UnmaskOption, make_mask
from pql.cli.commands.run import StoreOption
from pql.cli.consoles import console
from pql.cli.inputs import SchemaOption, fail

IdentityArgument = Annotated[str, typer.Argument(help="NAMESPACE:VALUE, or a name.")]
identity = typer.Typer(no_args_is_help=True, help="Identity graphs: who is linked with whom, why, and why not.")


@identity.callback()
def _group() -> None:
    """Identity graphs: who is linked with whom, why, and why not."""


def _person(person: str, schema: Path | None, store: Path | None, format: str, unmask: bool) -> tuple[Any, Any, Any]:
    from pql.api import StoreError, read_person
    from pql.cli.people import merge_policies, one_person, opened
    from pql.cli.showing_person import meet

    if format not in FORMATS:
        raise fail(f"no format `{format}`", "use one of " + ", ".join(FORMATS))
    env, reading, settings = opened(schema, store)
    try:
        pid, _ = one_person(reading, person, settings)
        found = read_person(reading, pid, merge_policies(None, env.schema)[0], 0)
        mask = make_mask(env, reading, unmask)
    except StoreError as error:
        raise fail(f"{error.code}: {error}") from None
    meet(found, mask)
    return found, mask, reading


def _json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


@identity.command("show")
def show(
    person: IdentityArgument,
    schema: SchemaOption = None,
    store: StoreOption = None,
    format: FormatOption = "text",
    unmask: UnmaskOption = False,
) -> None:
    """The graph of an identity: its identities, who linked what and when, and the links that were refused.

    Example: pql identity show ECID:36066287917633773701224504975043484666
    """
    from pql.cli.showing_person import person_json, print_graph, print_tree

    found, mask, _ = _person(person, schema, store, format, unmask)
    if format == "json":
        whole = person_json(found, mask)
        _json({k: whole[k] for k in ("profile", "identities", "links", "refused")})
        return
    print_tree(found, mask, console())
    print_graph(found, mask, console())


@identity.command("history")
def history(
    person: IdentityArgument,
    schema: SchemaOption = None,
    store: StoreOption = None,
    format: FormatOption = "text",
    unmask: UnmaskOption = False,
) -> None:
    """How the graph of an identity came together: each link that made one profile of two, oldest first; and splits.

    Example: pql identity history crmId:970c8c01ed6c42e95f59b3a4cb3401d4
    """
    from pql.cli.people import stamp
    from pql.cli.showing_person import identity_text
    from pql.identity.graph import merge_links
    from pql.identity.history import merges

    found, mask, reading = _person(person, schema, store, format, unmask)
    datasets = {s.link.pair: s.dataset for s in reversed(found.links)}
    rows = [{"kind": "merge", "time": stamp(m.at), "link": [identity_text(mask, *i) for i in m.link.pair], "dataset": datasets[m.link.pair],
             "one": sorted(identity_text(mask, *i) for i in m.one), "other": sorted(identity_text(mask, *i) for i in m.other)}
            for m in merges(merge_links(s.link for s in found.links))]  # fmt: skip
    rows += [{"kind": "split", "time": stamp(s.link.last_seen), "link": [identity_text(mask, *i) for i in s.link.pair], "dataset": s.dataset,
              "because": r.words} for s, r in found.refused]  # fmt: skip
    if format == "json":
        _json({"profile": found.name if unmask else identity_text(mask, *found.name.split(":", 1)), "history": rows})
        return
    for row in rows:
        what = " + ".join(", ".join(row[k]) for k in ("one", "other")) if row["kind"] == "merge" else row["because"]
        typer.echo(
            f"{row['time'] or 'at an unknown time'}  {row['kind']}  {what}  by {' - '.join(row['link'])} in {row['dataset']}"
        )
    if not rows:
        typer.echo("one identity, never linked")


@identity.command("refused")
def refused(
    schema: SchemaOption = None,
    store: StoreOption = None,
    format: FormatOption = "text",
    most: Annotated[int, typer.Option("--most", min=1, help="Most links shown.")] = 100,
    unmask: UnmaskOption = False,
) -> None:
    """What the guards refused: links, with the reason, and records with too many identities.

    Example: pql identity refused --format json
    """
    from pql.cli.people import opened, stamp
    from pql.cli.showing_person import identity_text

    env, reading, _ = opened(schema, store)
    mask = make_mask(env, reading, unmask)
    total = reading.query(
        "SELECT split_part(reason, ':', 1), count(*) FROM graph.link WHERE NOT kept GROUP BY 1 ORDER BY 1", {}
    )
    found = reading.query(f"""SELECT x.namespace, x.id, y.namespace, y.id, k.dataset, k.last_seen, k.reason FROM graph.link AS k
        JOIN graph.node AS x ON x.node = a JOIN graph.node AS y ON y.node = b WHERE NOT kept ORDER BY 1, 2, 3, 4, 5 LIMIT {most}""", {})  # fmt: skip
    rows = [{"a": identity_text(mask, r[0], r[1]), "b": identity_text(mask, r[2], r[3]), "dataset": r[4], "last_seen": stamp(r[5]),
             "reason": r[6].partition(": ")[0], "words": r[6].partition(": ")[2]} for r in found]  # fmt: skip
    if format == "json":
        _json({"counts": dict(total), "refused": rows})
        return
    for row in rows:
        typer.echo(f"{row['a']} - {row['b']}  {row['dataset']}  {row['reason']}: {row['words']}")
    counts = ", ".join(f"{n:,} {reason}" for reason, n in total)
    typer.echo(f"links refused: {counts}" if counts else "nothing was refused", err=True)


@identity.command("unlink")
def unlink(
    one: Annotated[str, typer.Argument(help="NAMESPACE:VALUE.")],
    two: Annotated[str, typer.Argument(help="NAMESPACE:VALUE.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "",
    schema: SchemaOption = None,
    store: StoreOption = None,
) -> None:
    """Say that two identities are not one person: they are kept apart from now on, whatever links them later.

    Example: pql identity unlink Email:family@luma.example crmId:4711 --reason "shared mailbox"
    """
    from pql.api import StoreError, unify
    from pql.cli.people import identity_settings, merge_policies, opened_for_writing
    from pql.store.unlinking import unlink as keep_apart

    env, writing, _ = opened_for_writing(schema, store)
    settings = identity_settings(None)
    try:
        new = keep_apart(writing, one, two, reason, settings)
        report = unify(writing, settings, merge_policies(None, env.schema))
        writing.close()
    except StoreError as error:
        raise fail(f"{error.code}: {error}", "`pql identity show` prints identities") from None
    typer.echo(f"`{one}` and `{two}` are kept apart" + ("" if new else " already") + f": {report.profiles:,} profiles")


@identity.command("list")
def list_(schema: SchemaOption = None, store: StoreOption = None, format: FormatOption = "text") -> None:
    """The namespaces in the order of their priority, with their limits and how many identities the store has.

    Example: pql identity list
    """
    from rich.table import Table

    from pql.cli.people import opened

    _, reading, settings = opened(schema, store)
    counts = dict(reading.query("SELECT namespace, count(*) FROM graph.node GROUP BY 1", {}))
    codes = sorted({*settings.namespaces, *counts}, key=settings.order)
    rows = [{"namespace": c, "type": settings.namespace(c).kind.value, "limit": settings.namespace(c).limit,
             "links": settings.namespace(c).kind.links, "identities": counts.get(c, 0)} for c in codes]  # fmt: skip
    if format == "json":
        _json(rows)
        return
    table = Table(title="namespaces, the highest first")
    for column in ("namespace", "type", "at most in a graph", "links", "identities"):
        table.add_column(column)
    for r in rows:
        table.add_row(
            str(r["namespace"]),
            str(r["type"]),
            str(r["limit"] or ""),
            "yes" if r["links"] else "never",
            f"{r['identities']:,}",
        )
    console().print(table)
