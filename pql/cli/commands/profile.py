"""`pql profile`: one person; and `pql profile delete`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pql.cli.commands.run import StoreOption
from pql.cli.consoles import console
from pql.cli.inputs import PolicyOption, SchemaOption, fail

FORMATS = ("text", "json")
FormatOption = Annotated[str, typer.Option("--format", "-f", help="text or json.")]
UnmaskOption = Annotated[
    bool, typer.Option("--unmask", help="Show labelled fields, e-mail addresses and phone numbers.")
]


class _ShowByDefault(TyperGroup):
    """`pql profile PERSON` is `pql profile show PERSON`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


profile = typer.Typer(no_args_is_help=True, cls=_ShowByDefault, help="Show one person, or delete one.")


@profile.callback()
def _group() -> None:
    """Show one person (`pql profile PERSON`), or delete one."""


@profile.command("show")
def show(
    person: Annotated[str, typer.Argument(help="An identity as NAMESPACE:VALUE, or a name.")],
    schema: SchemaOption = None,
    store: StoreOption = None,
    format: FormatOption = "text",
    events: Annotated[int, typer.Option("--events", min=0, max=100_000, help="Most events, the latest.")] = 100,
    unmask: UnmaskOption = False,
    policy: PolicyOption = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="Computed attributes as this stream's state has them; it may be running."),
    ] = None,
) -> None:
    """One person: attributes and consents with their dataset and time, identities, segments, events. Computed attributes are those of the
    last `pql run --save`, or with --state those of a stream; then no store is needed. A store made by
    `pql store create` has profiles by their names alone, without datasets and identities.

    Example: pql profile crmId:4711 --state live

    Example: pql profile Email:sarah.rose@luma.example

    Example: pql profile "Sarah Rose" --format json --unmask

    Example: pql profile crmId:4711 --policy crm_first
    """
    import json

    from pql.api import StoreError, read_person
    from pql.cli.people import chosen_policy, one_person, opened
    from pql.cli.plain_store import plain_person
    from pql.cli.showing_person import person_json, print_person

    if format not in FORMATS:
        raise fail(f"no format `{format}`", "use one of " + ", ".join(FORMATS))
    if state is not None and not _has_store(store):
        found, mask = _from_state(person, state, schema, unmask)
    else:
        env, reading, settings = opened(schema, store, policy=policy)
        by = chosen_policy(policy, None, env.schema)
        try:
            found = plain_person(reading, person, settings, events)
            if found is None:
                pid, _ = one_person(reading, person, settings, by.stitched)
                found = read_person(reading, pid, by, events)
            mask = make_mask(env, reading, unmask)
        except StoreError as error:
            raise fail(f"{error.code}: {error}") from None
        if state is not None:
            found = _live(found, person, state, settings)
    if format == "json":
        typer.echo(json.dumps(person_json(found, mask), ensure_ascii=False, indent=2))
    else:
        print_person(found, mask, console())


def _has_store(store: Path | None) -> bool:
    """Is a store named, or is that of the project there?"""
    from pql.cli.inputs import project_file

    usual = project_file(None).store
    return store is not None or (usual is not None and usual.is_file())


def _from_state(person: str, state: Path, schema: Path | None, unmask: bool) -> tuple[Any, Any]:
    """A person of a state alone, and the mask; exit 1 when it does not know them."""
    from pql.cli.inputs import environment
    from pql.cli.masking import Mask
    from pql.cli.people import identity_settings
    from pql.cli.showing_live import held_of, person_of

    env, settings = environment(schema), identity_settings(None)
    held = held_of(state, [person], settings)
    if held is None:
        typer.echo(f"error: PQL0844: there is no profile `{person}` in `{state}`", err=True)
        raise typer.Exit(1)
    return person_of(held, env), Mask(env.schema.profile, env.schema.event, {}, not unmask, settings)


def _live(found: Any, person: str, state: Path, settings: Any) -> Any:
    """A person of the store, with the computed attributes of a state."""
    from pql.cli.showing_live import held_of, with_state

    names = [found.name, person, *(str(n.identity) for n in found.nodes)]
    held = held_of(state, names, settings)
    if held is None:
        typer.echo(f"the state `{state}` does not know this person: computed attributes are the stored ones", err=True)
        return found
    return with_state(found, held)


def make_mask(env: Any, reading: Any, unmask: bool) -> Any:
    from pql.cli.masking import Mask
    from pql.cli.people import identity_settings

    rows = reading.query("SELECT name, labels, kind FROM meta.dataset", {}) if reading.has_ledger() else []
    labels = {name: frozenset(own or ()) for name, own, _ in rows}
    events = frozenset(name for name, _, kind in rows if kind == "event")
    return Mask(env.schema.profile, env.schema.event, labels, not unmask, identity_settings(None), events)


@profile.command("delete")
def delete(
    person: Annotated[str, typer.Argument(help="An identity as NAMESPACE:VALUE.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    schema: SchemaOption = None,
    store: StoreOption = None,
    format: FormatOption = "text",
) -> None:
    """Remove a person for good: attributes, events, identities, links, memberships, quarantined rows. A reload does not bring them back.

    Example: pql profile delete Email:sarah.rose@luma.example --reason "request 4711" --yes
    """
    import json
    from dataclasses import asdict

    from pql.api import StoreError
    from pql.cli.people import identity_settings, merge_policies, one_person, opened_for_writing
    from pql.store.deletion import delete_person, rewrite

    env, writing, path = opened_for_writing(schema, store)
    settings = identity_settings(None)
    pid, name = one_person(writing, person, settings)
    if not yes and not typer.confirm(f"remove `{name}` and all that is known of them?", err=True):
        raise typer.Exit(1)
    try:
        gone = delete_person(writing, pid, reason, settings, merge_policies(None, env.schema))
        writing.close()
        rewrite(path)
    except StoreError as error:
        raise fail(f"{error.code}: {error}") from None
    if format == "json":
        typer.echo(json.dumps(asdict(gone)))
        return
    rows = ", ".join(f"{n:,} of `{d}`" for d, n in gone.rows.items()) or "none"
    typer.echo(f"removed: rows: {rows}; {gone.identities} identities, {gone.links} links, {gone.memberships} memberships, "
               f"{gone.quarantined} quarantined rows; {gone.identities} tombstones kept")  # fmt: skip
