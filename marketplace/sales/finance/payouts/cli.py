"""`flask --app wsgi billing run …`: the payout run from a terminal, or from a schedule."""

import os

import click
from sqlalchemy import func, select

from billing.formatting import format_money
from billing.models import Payout, PayoutRun, PayoutState, RunState
from billing.payouts.approving import approve
from billing.payouts.computing import compute, start_run
from billing.payouts.digest import digest_of
from billing.payouts.executing import execute, pay_some
from marketplace.core.database import db
from marketplace.core.errors import PorticoError
from marketplace.core.facts import record_fact
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Membership, Organization, OrganizationKind, User

_FINANCE = ("owner", "admin", "finance")
_LEFT = (PayoutState.RESERVED, PayoutState.SUBMITTING, PayoutState.UNKNOWN)


@click.command("run")
@click.option("--compute", "step", flag_value="compute", help="Compute a run of all that is due.")
@click.option("--approve", "step", flag_value="approve", help="Approve the computed run.")
@click.option("--execute", "step", flag_value="execute", help="Pay the approved run.")
@click.option("--as", "email", help="Who does it, by e-mail address. Needed to approve.")
@click.option("--schedule", is_flag=True, help="With --compute: a schedule does it, nobody.")
@click.option("--digest", default="", help="Approve only a run with this digest.")
def run_command(step: str | None, email: str | None, schedule: bool, digest: str) -> None:
    """Compute, approve or pay the payout run. Without a step: show where it is.

    Whoever computes a run does not approve it; a run that a schedule computed (--schedule) may
    be approved by any finance person. Exit 1 when it cannot be done, 2 when a run waits at Stripe.
    """
    if schedule and (step != "compute" or email):
        raise click.UsageError("--schedule goes with --compute, and instead of --as.")
    if step == "compute" and not email and not schedule:
        raise click.UsageError(
            "--compute needs --as: whoever computes a run does not approve it. A schedule says "
            "--schedule."
        )
    try:
        who = finance_person(email)
        if step is None:
            _show(_newest())
        elif step == "compute":
            with unit_of_work():
                made = compute(start_run(who).id)
                _note(made, who, "computed")
            _show(made)
        elif step == "approve":
            _approve(who, digest)
        else:
            _execute(who)
    except PorticoError as error:
        raise click.ClickException(error.detail) from error


def _approve(who: int | None, digest: str) -> None:
    if who is None:
        raise click.UsageError("--approve needs --as: somebody answers for it.")
    found = _newest(RunState.COMPUTED)
    if found is None:
        raise click.ClickException("No run waits for approval.")
    with unit_of_work():
        approved = approve(
            found.id,
            by_user_id=who,
            digest=digest or digest_of(found.id),
            own=_organizations_of(who),
        )
        _note(approved, who, "approved")
    _show(_newest())


def _organizations_of(user_id: int) -> list[int]:
    return list(
        db.session.scalars(
            select(Membership.organization_id)
            .join(Organization, Organization.id == Membership.organization_id)
            .where(Membership.user_id == user_id, Organization.kind != OrganizationKind.PLATFORM)
        )
    )


def _note(run: PayoutRun, who: int | None, step: str) -> None:
    """Whoever has the terminal says whom they act for: the account of the system tells who it was
    that computed and approved."""
    record_fact(
        "payout_run.used_from_terminal",
        subject=("payout_run", run.id),
        actor_user_id=who,
        data={"step": step, "system_user_id": os.getuid()},
    )


def _execute(who: int | None) -> None:
    found = _newest(RunState.APPROVED) or _newest(RunState.EXECUTING)
    if found is None:
        raise click.ClickException("No run is approved.")
    run_id = found.id
    with unit_of_work():
        execute(run_id, by_user_id=who)
    # Here, not in a worker: whoever types the command sees how it ends. Should it be killed, a
    # worker goes on.
    while _state(run_id) is RunState.EXECUTING:
        before = _left(run_id)
        if waits := pay_some(run_id):
            click.echo(f"{waits} A worker goes on with it.", err=True)
            raise SystemExit(2)
        if _state(run_id) is RunState.EXECUTING and _left(run_id) == before:
            click.echo("Some payouts are not known yet. A worker goes on with them.", err=True)
            raise SystemExit(2)
    _show(_newest())


def _left(run_id: int) -> int:
    return (
        db.session.scalar(
            select(func.count()).where(Payout.run_id == run_id, Payout.state.in_(_LEFT))
        )
        or 0
    )


def _state(run_id: int) -> RunState:
    db.session.expire_all()
    return db.session.get_one(PayoutRun, run_id).state


def _newest(state: RunState | None = None) -> PayoutRun | None:
    query = select(PayoutRun).order_by(PayoutRun.id.desc()).limit(1)
    if state is not None:
        query = query.where(PayoutRun.state == state)
    return db.session.scalar(query)


def _show(run: PayoutRun | None) -> None:
    if run is None:
        click.echo("No run was ever computed.")
        return
    click.echo(f"Run {run.public_id}, of {run.cutoff_at:%Y-%m-%d %H:%M} UTC: {run.state.value}.")
    for currency, of in run.totals.items():
        click.echo(
            f"  {format_money(of['amount'], currency)} in {of['payouts']} payouts; "
            f"{of['held']} held ({format_money(of['held_amount'], currency)})"
        )
    if not run.totals:
        click.echo("  Nothing is due.")
    if run.state is RunState.COMPUTED:
        click.echo(f"  Digest {digest_of(run.id)}")


def finance_person(email: str | None) -> int | None:
    """The finance person that the command acts for. Raises click's error for anybody else."""
    if email is None:
        return None
    found = db.session.scalar(
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(
            User.email == email.strip().lower(),
            User.deactivated_at.is_(None),
            Organization.kind == OrganizationKind.PLATFORM,
            Membership.role.in_(_FINANCE),
        )
        .limit(1)
    )
    if found is None:
        raise click.BadParameter(f"{email} is nobody of the finance team", param_hint="--as")
    return found
