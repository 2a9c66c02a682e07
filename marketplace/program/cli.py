"""`flask --app wsgi program …`: the policy as code.

`plan` says what a file would change, `apply` publishes it, `export` writes what is in force. What
is applied again changes nothing: the same words have the same digest.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import click
from flask.cli import AppGroup

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import PorticoError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.program.policy import queries
from marketplace.program.policy.difference import differences, grouped
from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import DocumentError
from marketplace.program.policy.references import references
from marketplace.program.policy.removals import removals
from marketplace.program.policy.services import drafting
from marketplace.program.policy.services.publishing import Seen, publish
from marketplace.program.policy.yaml_text import (
    MAX_BYTES,
    TEMPLATES,
    policy_from_yaml,
    policy_to_yaml,
    template,
)
from marketplace.program.scorecards.movers import movers

program_group = AppGroup("program", help="The partner program's policy, as a file.")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@program_group.command("plan")
@click.argument("file", type=_FILE)
@click.option("--at", default="", help="From when on, like 2027-01-01T00:00Z; at once without.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when something would change.")
def plan(file: Path, at: str, detailed_exitcode: bool) -> None:
    """Say what FILE would change, and which partners would move. Changes nothing."""
    policy, moment = _read(file), _moment(at)
    if _tell(policy, moment) and detailed_exitcode:
        raise SystemExit(2)


@program_group.command("apply")
@click.argument("file", type=_FILE)
@click.option("--at", default="", help="From when on, like 2027-01-01T00:00Z; at once without.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--name", default="", help="The version's name; the file's without.")
@click.option(
    "--drop-types",
    "drop",
    is_flag=True,
    help="Publish although partners have a type (or tier) that FILE leaves out.",
)
def apply(file: Path, at: str, yes: bool, name: str, drop: bool) -> None:
    """Publish what FILE says. Does nothing when it is in force (or published for then) already."""
    policy, moment = _read(file), _moment(at)
    seen = _tell(policy, moment)
    if seen is None:
        return
    if seen.gone and not drop:
        raise click.ClickException(
            f"{' '.join(seen.gone)}\nAdd --drop-types to publish it all the same."
        )
    if not yes:
        # Nothing is held while somebody reads.
        db.session.rollback()
        click.confirm("Publish it?", abort=True)
    try:
        with unit_of_work():
            draft = drafting.begin(
                policy,
                by_user_id=None,
                based_on=queries.version_in_force(),
                name=name or file.name[: drafting.MAX_NAME],
            )
            publish(draft, by_user_id=None, effective_at=moment, seen=seen.version, drop=drop)
            number = draft.number
    except PorticoError as error:
        raise click.ClickException(error.detail or str(error)) from error
    click.echo(f"Version {number} is published.")


@program_group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--template", "name", type=click.Choice(sorted(TEMPLATES)), help="A template instead."
)
def export(file: Path | None, name: str | None) -> None:
    """Write the policy in force to FILE, or to the terminal."""
    if name is not None:
        policy = template(name)
    else:
        live = queries.version_in_force()
        if live is None:
            raise click.ClickException(
                "There is no policy in force. Begin with --template and one of: "
                + ", ".join(sorted(TEMPLATES))
            )
        policy = Policy.model_validate(live.document)
    text = policy_to_yaml(policy)
    if file is None:
        click.echo(text, nl=False)
    else:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
        click.echo(f"Written to {file}.")


def _read(file: Path) -> Policy:
    try:
        with file.open("rb") as stream:
            return policy_from_yaml(stream.read(MAX_BYTES + 1))
    except DocumentError as error:
        lines = "\n".join(f"  {each}" for each in error.problems)
        raise click.ClickException(f"{file} is no policy:\n{lines}") from error
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}") from error


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise click.ClickException(f"--at: {text} is no moment like 2027-01-01T00:00Z.") from error


class _Told(NamedTuple):
    """What somebody read: of which versions, and what partners have that would be gone."""

    version: Seen
    gone: list[str]


def _tell(policy: Policy, at: datetime | None) -> _Told | None:
    """Say what would change, and what that was seen of; None when nothing would."""
    moment = at or clock.now()
    if moment < clock.now() - timedelta(minutes=1):
        raise click.ClickException(f"--at: {moment:%Y-%m-%d %H:%M} UTC is past.")
    before = queries.version_in_force_at(moment)
    if before is not None and before.digest == policy.digest():
        click.echo("Nothing changes: this is what is in force.")
        return None
    old = Policy.model_validate(before.document) if before else None
    changes = differences(old, policy)
    against = f"version {before.number}" if before else "nothing"
    click.echo(f"Against {against}, from {moment:%Y-%m-%d %H:%M} UTC on:")
    for part, items in grouped(changes).items():
        click.echo(f"\n{part}")
        for each in items:
            click.echo(f"  {str(each).removeprefix(part).removeprefix(': ').removeprefix(', ')}")
    moves = movers(policy, moment, old)
    many = "1 partner" if len(moves) == 1 else f"{len(moves)} partners"
    click.echo(f"\n{many} would move.")
    for move in moves:
        had, gets = (old.tier(move.from_tier) if old else None), policy.tier(move.to_tier)
        click.echo(
            f"  {move.name}: {had.name if had else move.from_tier or 'no tier'} → "
            f"{gets.name if gets else move.to_tier}" + (" (also without it)" if move.anyway else "")
        )
    gone = [str(each) for each in removals(old, policy)]
    if gone:
        click.echo("\nPartners have what it leaves out:")
        for line in gone:
            click.echo(f"  {line}")
    spoken_of = references(old, policy)
    if spoken_of:
        click.echo("\nElsewhere refers to what it leaves out:")
        for reference in spoken_of:
            click.echo(f"  {reference}")
    return _Told(Seen(policy.digest(), before.public_id if before else ""), gone)
