"""`pql labels`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pql.cli.inputs import SchemaOption, fail, instant, show

if TYPE_CHECKING:
    from pql.cli.governing import Judged
    from pql.policies.carrying import Carried


def labels(
    what: Annotated[
        str | None, typer.Argument(help="A segment, attribute or definition, a path, or a `.pql` file.")
    ] = None,
    project: Annotated[Path, typer.Option("--project", "-p", help="The project's folder.")] = Path("."),
    schema: SchemaOption = None,
    all_: Annotated[bool, typer.Option("--all", help="What each label means, instead.")] = False,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Labels that fields without any might need, with reasons.")
    ] = False,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Show data usage labels and where each comes from: of a segment, a path, a file, or all that the project gives.

    Example: pql labels gift_buyers -p examples/governance

    Example: pql labels personalEmail.address -p examples/governance

    Example: pql labels --suggest -p examples/governance
    """
    from pql.cli.governing import judged

    if format not in ("text", "json"):
        raise fail(f"no format `{format}`", "use text or json")
    near = Path(what).parent if what is not None and what.endswith(".pql") and Path(what).is_file() else project
    made = judged(near, schema, instant(None))
    if all_:
        _meanings(made, format)
    elif suggest:
        _suggestions(made, what, format)
    else:
        answers = _answers(made, what)
        _say(answers, format)
        if made.unsound:
            show(
                [d for d in made.found if d.is_error and d.code in ("PQL0521", "PQL0523", "PQL0524")], "text", err=True
            )
            raise typer.Exit(1)


def _meanings(made: Judged, format: str) -> None:
    known = made.governance.labels.values()
    if format == "json":
        keys = ("name", "category", "friendlyName", "description")
        rows = [dict(zip(keys, (x.name, x.category, x.friendly_name, x.description), strict=True)) for x in known]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for x in known:
        typer.echo(f"{x.name:12} {x.category:10} {x.friendly_name}: {x.description}")


def _suggestions(made: Judged, what: str | None, format: str) -> None:
    from pql.policies.suggest import suggestions

    found = [
        s
        for s in suggestions(made.environment.schema)
        if what is None or s.path == what or s.path.startswith(what + ".")
    ]
    if format == "json":
        typer.echo(json.dumps([{"path": s.path, "label": s.label, "reason": s.reason} for s in found], indent=2))
        return
    width = max((len(s.path) for s in found), default=0)
    for s in found:
        typer.echo(f"{s.path:{width}}  {s.label:4} {s.reason}")
    if not found:
        typer.echo("nothing to suggest")


def _answers(made: Judged, what: str | None) -> list[tuple[str, str, list[Carried]]]:
    """What was asked for: kind, name and what it carries."""
    from pql.diagnostics.suggest import did_you_mean
    from pql.policies.model import Place
    from pql.xdm.catalog import look_up

    judge, project = made.governed.judge, made.project
    segments = {i: s for i, s in project.segments.items() if s.ok}
    if what is None or Path(what).is_file():
        chosen = {
            i: s for i, s in segments.items() if what is None or Path(s.source.name).resolve() == Path(what).resolve()
        }
        return [("segment", i, list(judge.carried(judge.segment(i)))) for i in chosen]
    if what in segments:
        return [("segment", what, list(judge.carried(judge.segment(what))))]
    merge = made.governance.default_merge_policy
    for kind, named in (("attribute", project.attributes), ("definition", project.definitions)):
        if what in named:
            return [(kind, what, list(judge.carrier.items(named[what], merge, Place(project.homes[what]))))]
    if what in made.governance.destinations:
        destination = made.governance.destinations[what]
        own = made.governance.merge_policies.get(destination.merge_policy, merge)
        found = [
            c
            for e in judge.exports(destination)
            if e.expression is not None
            for c in judge.carrier.items(e.expression, own, e.home, "export")
        ]
        return [("destination", what, found)]
    profile = made.environment.schema.profile
    if look_up(profile, what) is None and look_up(profile, f"xEvent.{what}") is not None:
        what = f"xEvent.{what}"
    if look_up(profile, what) is None:
        known = [
            *segments,
            *project.attributes,
            *project.definitions,
            *made.governance.destinations,
            *made.environment.schema.profile.fields,
        ]
        raise fail(f"`{what}` is no segment, attribute, definition, destination or path", did_you_mean(what, known))
    from pql.policies.carrying import Carried, Step

    path = what.replace("[*]", "").replace("[]", "")
    carried = [
        Carried(label, origin, path, (Step("identity", identity),) if identity else (), "rule")
        for label, origin, identity in judge.carrier.origins(path, False, merge)
    ]
    return [("path", path, carried)]


def _say(answers: list[tuple[str, str, list[Carried]]], format: str) -> None:
    from pql.cli.governing import where_given
    from pql.labels import closed
    from pql.policies.enforcement import trail_json
    from pql.policies.report import trail_words

    if format == "json":
        out: list[Any] = [
            {
                "kind": kind,
                "name": name,
                "labels": sorted({c.label for c in carried}),
                "trail": [trail_json(c) for c in carried],
            }
            for kind, name, carried in answers
        ]
        typer.echo(json.dumps(out, ensure_ascii=False, indent=2))
        return
    for kind, name, carried in answers:
        have = frozenset(c.label for c in carried)
        implied = closed(have) - have
        more = f" (implies {' '.join(sorted(implied))})" if implied else ""
        typer.echo(f"{kind} {name}: {' '.join(sorted(have)) or 'no labels'}{more}")
        lines = dict.fromkeys((trail_words(c).removesuffix(" → the rule"), where_given(c)) for c in carried)
        for said, place in lines:
            typer.echo(f"  {said}" + (f"  [{place}]" if place else ""))
