"""What about payouts needs a person. That nobody runs the run is itself an alert."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, case, cast, func, select

from billing.formatting import format_money
from billing.models import (
    AccountState,
    ConnectedAccount,
    LedgerAccount,
    LedgerTransaction,
    Payout,
    PayoutRun,
    PayoutState,
    RunState,
)
from billing.payouts.candidates import BATCH, known_of
from billing.payouts.eligibility import decide
from billing.payouts.payable import as_credit, payable_entries
from billing.payouts.surplus import KIND as SURPLUS
from marketplace.core import clock
from marketplace.core.database import db

# A day late is late.
GRACE = timedelta(days=1)
APPROVE_WITHIN = timedelta(days=2)
ANSWER_WITHIN = timedelta(days=1)
# Computing takes minutes; a draft that is older has lost its job.
COMPUTE_WITHIN = timedelta(hours=1)
SURPLUS_FOR = timedelta(days=14)


# How often a run is expected; the operator says it.
_run_every: list[timedelta] = [timedelta(days=31)]


def configure_run_interval(days: int) -> None:
    """Say how often partners are paid, for this process."""
    _run_every[:] = [timedelta(days=days)]


def run_every() -> timedelta:
    """How often partners are paid."""
    return _run_every[0]


@dataclass(frozen=True)
class PayoutAlert:
    """`kind` is run_not_made, run_not_computed, run_waits, run_stalled, payouts_rejected,
    payouts_unknown or transfers_surplus.

    `run_id` is the public id of the run that it is about; empty for one that is missing.
    """

    kind: str
    title: str
    detail: str
    since: datetime
    run_id: str = ""


def payout_alerts() -> list[PayoutAlert]:
    """All that needs a person now, most urgent first.

    Six statements; while nobody makes a run that is due, four more for each 1,000 partners that it
    would pay.
    """
    return [*_surplus(), *_stalled(), *_stuck(), *_not_made(), *_not_computed(), *_waiting()]


@dataclass(frozen=True)
class Overdue:
    """A run that nobody made. `last` is when one was approved, if ever; `due` when it should have
    been; `sums` how many partners it would pay, and how much in minor units, by currency."""

    last: datetime | None
    due: datetime
    sums: dict[str, tuple[int, int]]


def overdue_run(now: datetime) -> Overdue | None:
    """What could have been paid for as long as a run is late; None when that is nothing.

    Only what a run would pay counts: it waits for nobody but us. What is held (no account, below
    the minimum, frozen, above the cap, in a currency that was replaced) no run takes away.
    """
    late = now - run_every() - GRACE
    last = db.session.scalar(
        select(func.max(PayoutRun.approved_at)).where(PayoutRun.approved_at.is_not(None))
    )
    if last is not None and last > late:
        return None
    first: datetime | None = None
    sums: dict[str, tuple[int, int]] = {}
    for currency, amount, since in _would_be_paid(late):
        partners, so_far = sums.get(currency, (0, 0))
        sums[currency] = (partners + 1, so_far + amount)
        first = min(first or since, since)
    if first is None:
        return None
    return Overdue(last, (last or first) + run_every(), sums)


def _would_be_paid(late: datetime) -> Iterator[tuple[str, int, datetime]]:
    """(currency, amount, since) of each partner that was due at `late`, and is still."""
    then = func.sum(case((LedgerTransaction.posted_at <= late, as_credit()), else_=0))
    now = func.sum(as_credit())
    # Most who are held have no account that works: the database leaves them out.
    rows = db.session.execute(
        payable_entries(
            LedgerAccount.owner,
            LedgerAccount.currency,
            then,
            now,
            func.min(LedgerTransaction.posted_at),
        )
        .join(
            ConnectedAccount,
            (ConnectedAccount.organization_id == LedgerAccount.owner)
            & ConnectedAccount.disconnected_at.is_(None)
            & (ConnectedAccount.state == AccountState.READY),
        )
        .group_by(LedgerAccount.owner, LedgerAccount.currency)
        .having(then > 0, now > 0)
    ).all()
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        known = known_of(sorted({partner_id for partner_id, *_ in part}))
        for partner_id, currency, was, is_now, since in part:
            # Both: what is just above the minimum since today is not late, and what was taken
            # back since is not payable.
            if all(
                decide(known.candidate(partner_id, currency, int(amount))).pays
                for amount in (was, is_now)
            ):
                yield currency, int(min(was, is_now)), since


def _surplus() -> Iterator[PayoutAlert]:
    """Of the last weeks: what was brought back or earned since is not told from what was not."""
    rows = db.session.execute(
        select(
            PayoutRun.public_id,
            func.count(),
            func.min(LedgerTransaction.memo),
            func.min(LedgerTransaction.posted_at),
        )
        .join(Payout, Payout.run_id == PayoutRun.id)
        .join(
            LedgerTransaction,
            (LedgerTransaction.source_type == "payout")
            & (LedgerTransaction.source_id == cast(Payout.id, String)),
        )
        .where(
            LedgerTransaction.kind == SURPLUS,
            LedgerTransaction.posted_at > clock.now() - SURPLUS_FOR,
        )
        .group_by(PayoutRun.public_id)
        .order_by(PayoutRun.public_id)
    )
    for run_id, count, memo, since in rows:
        yield PayoutAlert(
            "transfers_surplus",
            "A transfer was made once too often"
            if count == 1
            else f"{count} transfers were made once too often",
            f"{memo}. Its partner owes it; reverse it in Stripe's dashboard, or let it be netted.",
            since,
            run_id,
        )


def _stalled() -> Iterator[PayoutAlert]:
    for run in db.session.scalars(
        select(PayoutRun).where(
            PayoutRun.state == RunState.EXECUTING,
            PayoutRun.stalled_reason != "",
            # What is being canceled waits for no money.
            PayoutRun.aborted_reason == "",
        )
    ):
        until = (
            "It goes on by itself once there is enough."
            if run.short
            else "It is tried again every half hour."
        )
        yield PayoutAlert(
            "run_stalled",
            "A payout run waits for money" if run.short else "A payout run waits",
            f"{run.stalled_reason} {until}",
            run.stalled_at or run.cutoff_at,
            run.public_id,
        )


def _stuck() -> Iterator[PayoutAlert]:
    long_enough = clock.now() - ANSWER_WITHIN
    rows = db.session.execute(
        select(PayoutRun.public_id, Payout.state, func.count(), func.min(Payout.updated_at))
        .join(PayoutRun, PayoutRun.id == Payout.run_id)
        .where(
            (Payout.state == PayoutState.REJECTED)
            | (
                Payout.state.in_((PayoutState.UNKNOWN, PayoutState.SUBMITTING))
                & (func.coalesce(PayoutRun.started_at, PayoutRun.cutoff_at) < long_enough)
            )
        )
        .group_by(PayoutRun.public_id, Payout.state)
        .order_by(PayoutRun.public_id)
    ).all()
    for run_id, state, count, since in rows:
        payouts = "1 payout" if count == 1 else f"{count} payouts"
        if state is PayoutState.REJECTED:
            yield PayoutAlert(
                "payouts_rejected",
                f"Stripe refused {payouts}",
                "Try again or cancel: the money is set aside until then.",
                since,
                run_id,
            )
        else:
            yield PayoutAlert(
                "payouts_unknown",
                f"Nobody knows whether {payouts} happened",
                "Stripe has not answered for a day. Look for the transfer in its dashboard.",
                since,
                run_id,
            )


def _not_made() -> Iterator[PayoutAlert]:
    found = overdue_run(clock.now())
    if found is None:
        return
    said = ", ".join(
        f"{format_money(amount, currency)} of {partners} partner{'s' if partners != 1 else ''}"
        for currency, (partners, amount) in sorted(found.sums.items())
    )
    yield PayoutAlert(
        "run_not_made",
        "Nobody has run the payouts",
        f"{said} could have been paid. A run is due every {run_every().days} days.",
        found.due,
    )


def _not_computed() -> Iterator[PayoutAlert]:
    """A draft keeps everybody from making another run."""
    for run in db.session.scalars(
        select(PayoutRun).where(
            PayoutRun.state == RunState.DRAFT, PayoutRun.cutoff_at < clock.now() - COMPUTE_WITHIN
        )
    ):
        yield PayoutAlert(
            "run_not_computed",
            "A payout run was not computed",
            "It is tried again every half hour. Until it is computed or canceled, no other can be.",
            run.cutoff_at,
            run.public_id,
        )


def _waiting() -> Iterator[PayoutAlert]:
    long_enough = clock.now() - APPROVE_WITHIN
    for run in db.session.scalars(
        select(PayoutRun).where(
            PayoutRun.state.in_((RunState.COMPUTED, RunState.APPROVED)),
            func.coalesce(PayoutRun.approved_at, PayoutRun.computed_at) < long_enough,
        )
    ):
        waits_for = "approval" if run.state is RunState.COMPUTED else "being paid"
        yield PayoutAlert(
            "run_waits",
            f"A payout run waits for {waits_for}",
            "Somebody else than who computed it has to look at it."
            if run.state is RunState.COMPUTED
            else "It is approved; press Pay on its page.",
            run.approved_at or run.computed_at or run.cutoff_at,
            run.public_id,
        )
