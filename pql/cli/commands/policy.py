"""`pql policy list|check|test|enforce|diff`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pql.cli.inputs import FormatOption, SchemaOption, exemption_day, fail, instant, replaced, show

if TYPE_CHECKING:
    from datetime import datetime

    from pql.api import Change
    from pql.diagnostics.model import Diagnostic

policy = typer.Typer(no_args_is_help=True, help="Policies: what data may be used for.")
FolderArgument = Annotated[Path, typer.Argument(help="The project's folder.")]
DraftOption = Annotated[bool, typer.Option("--include-draft", help="Judge DRAFT policies too.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="The day on which exemptions are asked about: today, or one to come.")
]


@policy.callback()
def _group() -> None:
    """Policies: what data may be used for."""


@policy.command("list")
def list_(
    folder: FolderArgument = Path("."),
    all_: Annotated[
        bool, typer.Option("--all", help="Those that are not enabled too, and the marketing actions.")
    ] = False,
    schema: SchemaOption = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """List the policies of a project. Example: pql policy list examples/governance --all"""
    from pql.cli.governing import console, policy_table, project_folder
    from pql.policies.evaluation import policy_json
    from pql.policies.expression import words
    from pql.policies.load import load_governance

    _ = schema
    governance, found = load_governance(project_folder(folder))
    chosen = [p for p in governance.policies if all_ or p.hard or p.status == "ENABLED"]
    if format == "json":
        typer.echo(json.dumps([policy_json(p, governance) for p in chosen], ensure_ascii=False, indent=2))
    else:
        console().print(policy_table(chosen, words))
        if all_:
            typer.echo("\nmarketing actions:")
            for a in governance.actions.values():
                typer.echo(f"  {a.name}: {a.description}")
    if found:
        show(found, "text", err=True)
    raise typer.Exit(1 if any(d.is_error for d in found) else 0)


@policy.command("check")
def check(
    folder: FolderArgument = Path("."),
    segment: Annotated[str | None, typer.Option("--segment", help="Only this segment.")] = None,
    destination: Annotated[str | None, typer.Option("--destination", help="Only this destination.")] = None,
    action: Annotated[
        list[str] | None, typer.Option("--action", help="Ask for this marketing action instead; may be repeated.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", help="With --destination: ask as if this were mapped; may be repeated."),
    ] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="Ask for data with these labels, such as C3,I1; with --action.")
    ] = None,
    include_draft: DraftOption = False,
    as_of: AsOfOption = None,
    schema: SchemaOption = None,
    format: FormatOption = "text",
) -> None:
    """Judge segments for their purposes and destinations: a table, then each violation with its trail and ways out.

    `--format json` answers in the published evaluation shape.

    Example: pql policy check examples/governance --destination ads

    Example: pql policy check examples/governance --segment visitors --destination ads --field loyalty.points

    Example: pql policy check examples/governance --labels C3,I1 --action combineDirectlyIdentifiable
    """
    from pql.cli.asking import Wish, allowed, answers, asked, findings
    from pql.cli.governing import console, decision_table, judged

    at = exemption_day(as_of)
    if labels is not None:
        _labels(folder, labels, action or [], include_draft, at)
        return
    made = judged(folder, schema, at, include_draft)
    wish = Wish(segment or "", destination or "", tuple(action or ()), tuple(field or ()))
    found = asked(made, wish)
    fine = allowed(made, found)
    said = findings(made, found, wish)
    if format == "json":
        typer.echo(json.dumps(answers(made, found, at), ensure_ascii=False, indent=2))
    else:
        if format == "text":
            console().print(decision_table([a.decision for a in found]))
            typer.echo("")
        show(said, format)
    raise typer.Exit(1 if not fine or any(d.is_error for d in said) else 0)


def _labels(folder: Path, labels: str, actions: list[str], drafts: bool, at: datetime) -> None:
    from pql.cli.governing import project_folder
    from pql.policies.evaluation import Unknown, evaluate
    from pql.policies.load import load_governance

    if not actions:
        raise fail("no marketing action asked for", "name one with `--action`")
    governance, found = load_governance(project_folder(folder))
    if any(d.is_error for d in found):
        show(found, "text", err=True)
        raise typer.Exit(2)
    names = [n.strip() for n in labels.split(",") if n.strip()]
    try:
        answers = [evaluate(governance, a, names, now=at, drafts=drafts) for a in actions]
    except Unknown as error:
        raise fail(f"{error.code}: {error}", error.help) from None
    typer.echo(json.dumps(answers[0] if len(answers) == 1 else answers, ensure_ascii=False, indent=2))
    raise typer.Exit(1 if any(a["violatedPolicies"] for a in answers) else 0)


@policy.command("test")
def test(
    files: Annotated[list[Path], typer.Argument(help="Files of policy tests.")],
    project: Annotated[
        Path | None, typer.Option("--project", "-p", help="The project's folder; the file's own by default.")
    ] = None,
    schema: SchemaOption = None,
    format: FormatOption = "text",
) -> None:
    """Run policy tests: labels or segments, actions, and the decision that is expected.

    Example: pql policy test examples/governance/policy-tests.yaml
    """
    from pql.cli.governing import judged
    from pql.policies.trials import try_file

    ran = 0
    failures: list[Diagnostic] = []
    broken: list[Diagnostic] = []
    for file in files:
        made = judged(project or file.parent, schema, instant(None))
        tried = try_file(file, made.governed.judge)
        ran += tried.ran
        failures += tried.failures
        broken += [
            *tried.broken,
            *(d for d in made.found if d.is_error and d.code in ("PQL0521", "PQL0522", "PQL0523", "PQL0524")),
        ]
    if failures or broken or format != "text":
        show([*broken, *failures], format)
    if format == "text":
        typer.echo(
            f"{ran - len(failures) - len(broken)} passed, {len(failures)} failed"
            + (", some could not be read" if broken else "")
        )
        if not ran:
            raise fail("no test to run", "write one: {labels: [C3, I1], actions: […], expect: deny}")
    raise typer.Exit(1 if failures or broken else 0)


@policy.command("enforce")
def enforce(
    folder: FolderArgument = Path("."),
    accepted: Annotated[
        Path | None,
        typer.Option(
            "--accepted", help="What was accepted before: compared with, then written anew. Made when it is not there."
        ),
    ] = None,
    schema: SchemaOption = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Ask for every activation whether it may go on, as of today, and say what stopped since it was accepted, and why.

    For a service or CI, before anything is sent. Exit code 1 when anything is refused. Each is judged anew from the files: what was accepted
    allows nothing. `--format json`: the published evaluations with violations, lineage and ways out, and the changes.

    Example: pql policy enforce examples/governance --format json

    Example: pql policy enforce . --accepted accepted.json
    """
    from pql.api import Unknown, evaluate_decision
    from pql.cli.governing import console, decision_table, judged
    from pql.policies.accepted import accepted_json, read_accepted, since, standings

    if format not in ("text", "json"):
        raise fail(f"no format `{format}`", "use text or json")
    at = instant(None)
    try:
        before = read_accepted(accepted) if accepted is not None and accepted.exists() else None
    except Unknown as error:
        raise fail(f"{error.code}: {error}", error.help) from None
    made = judged(folder, schema, at)
    now = standings(made.governed)
    changes = since(before, now) if before is not None else ()
    broken = [d for d in made.found if d.is_error and d.code != "PQL0520"]
    fine = not broken and not made.unsound and all(s.allowed for s in now.values())
    if format == "json":
        answers = [evaluate_decision(made.governed, d, at) for d in made.governed.decisions]
        typer.echo(
            json.dumps(
                {"allowed": fine, "changes": [_row(c) for c in changes], "activations": answers},
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        console().print(decision_table(made.governed.decisions))
        if before is not None:
            _say(changes, STOPPED)
    if broken:
        show(broken, "text", err=True)
    if accepted is not None and not broken:
        with replaced(accepted) as partial:
            partial.write_text(json.dumps(accepted_json(now), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(0 if fine else 1)


def _row(c: Change) -> dict[str, Any]:
    own = {"change": c.kind, "segment": c.segment, "use": c.use}
    return {**own, "why": list(c.why), "trail": list(c.trail), "because": list(c.because)}


@policy.command("diff")
def diff(
    old: Annotated[str, typer.Argument(help="The project as it was: a folder, or a git revision of the new one.")],
    new: Annotated[Path, typer.Argument(help="The project as it would be.")] = Path("."),
    schema: SchemaOption = None,
    as_of: AsOfOption = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Show what a change would stop or allow, over all segments and destinations, and why. Exit code 1 when something stops.

    Example: pql policy diff main examples/governance

    Example: pql policy diff ./as-it-is ./as-planned
    """
    import tempfile

    from pql.api import compare
    from pql.cli.governing import judged

    at = exemption_day(as_of)
    after = judged(new, schema, at)
    with tempfile.TemporaryDirectory() as scratch:
        before = judged(Path(old) if Path(old).is_dir() else _revision(old, new, Path(scratch)), schema, at)
    changes = compare(before.governed, after.governed)
    stopped = any(c.kind in ("stopped", "refused") for c in changes)
    broken = [d for d in after.found if d.is_error and d.code != "PQL0520"]
    if format == "json":
        typer.echo(json.dumps([_row(c) for c in changes], ensure_ascii=False, indent=2))
    else:
        _say(changes)
    if broken:
        show(broken, "text", err=True)
    raise typer.Exit(1 if stopped or broken else 0)


SAID = {
    "stopped": "would stop",
    "refused": "new, and refused",
    "allowed": "would be allowed",
    "reason": "stays forbidden, for other reasons",
    "consent": "goes to other people",
    "new": "new, allowed",
    "gone": "no longer asked for",
}


STOPPED = {**SAID, "stopped": "stopped", "allowed": "allowed again"}


def _say(changes: tuple[Change, ...], said: dict[str, str] = SAID) -> None:
    for c in changes:
        typer.echo(f"{said[c.kind]}: `{c.segment}` → {c.use}")
        for line in c.why:
            typer.echo(f"    {line}")
        for line in c.trail:
            typer.echo(f"    trail: {line}")
        for line in c.because:
            typer.echo(f"    because: {line}")
    counts = [f"{sum(c.kind == k for c in changes)} {w}" for k, w in said.items() if any(c.kind == k for c in changes)]
    typer.echo("; ".join(counts) if counts else "no decision changes")


def _revision(revision: str, folder: Path, scratch: Path) -> Path:
    """The folder as it was at a git revision, written out for a moment."""
    import io
    import subprocess
    import tarfile

    def git(*words: str) -> bytes:
        try:
            done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            raise fail(f"`{revision}` is no folder, and git cannot be asked", "name two folders") from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
            raise fail(f"`{revision}` is neither a folder nor a git revision here", said)
        return done.stdout

    top = Path(git("rev-parse", "--show-toplevel").decode().strip())
    commit = git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    packed = subprocess.run(["git", "-C", str(top), "archive", commit], capture_output=True, timeout=120)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(scratch, filter="data")
    return scratch / folder.resolve().relative_to(top.resolve())
