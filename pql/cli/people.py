"""What `pql profile` and `pql identity` share: settings of the project, finding the person, writing instants. Imports stay inside
functions. Read `one_person`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from pql.cli.inputs import AT_PEOPLE, environment, fail, open_store, project_file, show


def identity_settings(near: Path | None, warn: bool = False) -> Any:
    """The identity settings of the project; exit 2 with the findings when they are wrong. `warn`: say what is doubtful as well."""
    from pql.api import IdentitySettings, read_identity

    path = project_file(near).identity
    if path is None:
        return IdentitySettings()
    settings, found = read_identity(path)
    _stop(found)
    if warn and found:
        show(list(found), "text", err=True)
    return settings


def merge_policies(near: Path | None, schema: Any) -> Any:
    """The merge policies of the project, the default first; exit 2 with the findings when they are wrong."""
    from pql.api import MergePolicy, read_policies

    path = project_file(near).merge
    if path is None:
        return (MergePolicy(),)
    policies, found = read_policies(path, schema)
    _stop(found)
    return policies


def chosen_policy(name: str | None, near: Path | None, schema: Any) -> Any:
    """The merge policy of a name, the default when it is left out; exit 2 when there is no such policy."""
    from pql.diagnostics.suggest import did_you_mean

    policies = merge_policies(near, schema)
    found = [p for p in policies if name is None or p.name == name]
    if not found:
        names = [p.name for p in policies]
        raise fail(
            f"no merge policy `{str(name)[:80]}`", did_you_mean(str(name), names) or "there are: " + ", ".join(names)
        )
    return found[0]


def _stop(found: Any) -> None:
    if any(d.is_error for d in found):
        show(list(found), "text", err=True)
        raise typer.Exit(2)


def opened(
    schema: Path | None, store: Path | None, near: Path | None = None, policy: str | None = None
) -> tuple[Any, Any, Any]:
    """The environment, the store for reading (the profiles of a merge policy), and the identity settings."""
    env = environment(schema, near, AT_PEOPLE)
    return env, open_store(store, env, near, policy=policy), identity_settings(near)


def opened_for_writing(schema: Path | None, store: Path | None, near: Path | None = None) -> tuple[Any, Any, Path]:
    """The environment, the store for writing, and its path."""
    env = environment(schema, near, AT_PEOPLE)
    return env, open_store(store, env, near, write=True), store or project_file(near).store


def one_person(store: Any, text: str, settings: Any, stitched: bool = True) -> tuple[int, str]:
    """The person that a text stands for (`stitched`: by a graph, else every identity is one); exit 1 with near matches, or with the candidates when there are several."""
    from pql.api import StoreError, find_people, near_names

    try:
        if not text.strip():
            raise _none_such(
                "PQL0844: an empty text names no profile", "give an identity, `NAMESPACE:VALUE`, or a name"
            )
        if is_plain(store):
            raise fail(
                "PQL0843: the store was made by `pql store create`: it knows no identities",
                "`pql profile`, `pql why` and `pql run` answer; `pql load` makes a store with identities",
            )
        found = find_people(store, text, settings, stitched)
        if len(found) == 1:
            return found[0]
        if found:
            typer.echo(f"`{text}` is the name of several people:", err=True)
            for _, name in found:
                typer.echo(f"  {name}", err=True)
            raise typer.Exit(1)
        near = near_names(store, text)
    except StoreError as error:
        raise fail(f"{error.code}: {error}", "load the project's sources first") from None
    raise _no_profile(text, near, settings)


def is_plain(store: Any) -> bool:
    """Was it made by `pql store create`? It has profiles by the names that they came with, and knows neither datasets nor identities."""
    if not store.has_names():
        return False
    return not store.has_ledger() or not store.query("SELECT count(*) FROM meta.dataset", {})[0][0]


def unknown_profile(store: Any, text: str, settings: Any) -> typer.Exit:
    """Say that a store has no profile of a name, with those that are near; exit code 1."""
    from pql.store.lookup import near_profiles

    return _no_profile(text, near_profiles(store, text), settings)


def _no_profile(text: str, near: list[str], settings: Any) -> typer.Exit:
    shown = ", ".join(f"`{_half_hidden(n, settings)}`" for n in near)
    return _none_such(f"PQL0844: there is no profile `{text}`", f"near: {shown}" if near else "")


def _none_such(message: str, help: str) -> typer.Exit:
    """What was asked has no answer, which is no failure of the command: exit code 1."""
    fail(message, help)
    return typer.Exit(1)


def _half_hidden(name: str, settings: Any) -> str:
    """An identity as a screen may show it."""
    from pql.cli.masking import HIDDEN, MAIL
    from pql.identity.namespaces import Kind

    code, colon, id = name.partition(":")
    hidden = MAIL.match(id) or (colon and settings.namespace(code).kind in (Kind.EMAIL, Kind.PHONE))
    return f"{code}:{id[:1]}{HIDDEN}{id[-1:]}" if hidden else name


def moment(at: datetime | None) -> str:
    """An instant for a screen."""
    return "" if at is None else at.isoformat(sep=" ", timespec="seconds") + "Z"


def stamp(at: datetime | None) -> str | None:
    """An instant for JSON."""
    return None if at is None else at.isoformat() + "Z"


def unified(store: Any, project: Any) -> Any:
    """Identities stitched and profiles merged after rows came, by the project's settings."""
    from pql.api import unify
    from pql.cli.waiting import waited

    settings, policies = identity_settings(project.folder, warn=True), merge_policies(project.folder, project.schema)
    return waited(store, "stitching and merging", lambda: unify(store, settings, policies))


def unified_words(report: Any) -> str:
    """What stitching and merging did, in a few lines."""
    from pql.diagnostics.suggest import did_you_mean

    lines = [
        f"{report.profiles:,} profiles of {report.identities:,} identities and {report.links:,} links, {report.events:,} events"
    ]
    if not report.changed:
        lines[0] += "; nothing new"
    if report.refused:
        lines.append(
            "links refused: "
            + ", ".join(f"{n:,} {r}" for r, n in sorted(report.refused.items()))
            + " (`pql identity refused`)"
        )
    if report.unusable:
        lines.append(f"{report.unusable:,} identities are junk and were left out")
    if report.crowded:
        lines.append(
            "records with too many identities to link: " + ", ".join(f"{n:,} of {d}" for d, n in report.crowded.items())
        )
    if report.without_identity:
        lines.append(
            "rows without a usable identity, in no profile: "
            + ", ".join(f"{n:,} of {d}" for d, n in report.without_identity.items())
        )
    for policy, names in report.unknown_datasets.items():
        near = [h for n in names if (h := did_you_mean(n, report.rows))]
        named = ", ".join(f"`{n}`" for n in names)
        lines.append(
            f"PQL0846: merge policy `{policy}` orders {named}, and there is no such dataset"
            + "".join(f"; {h}" for h in near)
        )
    if report.merges or report.splits:
        lines.append(
            f"since the last time {report.merges:,} profiles were merged into others and {report.splits:,} split off"
        )
    return "\n".join(lines)
