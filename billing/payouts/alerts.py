"""What about payouts needs a person. That nobody runs the run is itself an alert."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, cast, func, select

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
from billing.payouts.eligibility import RETIRED, default_minimum
from billing.payouts.payable import as_credit, payable_entries
from billing.payouts.surplus import KIND as SURPLUS
from marketplace.core import clock
from marketplace.core.database import db

# A day late is late.
GRACE = timedelta(days=1)
APPROVE_WITHIN = timedelta(days=2)
ANSWER_WITHIN = timedelta(days=1)
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
    """`kind` is run_not_made, run_waits, run_stalled, payouts_rejected, payouts_unknown or
    transfers_surplus.

    `run_id` is the public id of the run that it is about; empty for one that is missing.
    """

    kind: str
    title: str
    detail: str
    since: datetime
    run_id: str = ""


def payout_alerts() -> list[PayoutAlert]:
    """All that needs a person now, most urgent first. Five statements."""
    return [*_surplus(), *_stalled(), *_stuck(), *_not_made(), *_waiting()]


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
            PayoutRun.state == RunState.EXECUTING, PayoutRun.stalled_reason != ""
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
    late = clock.now() - run_every() - GRACE
    last = db.session.scalar(
        select(func.max(PayoutRun.approved_at)).where(PayoutRun.approved_at.is_not(None))
    )
    if last is not None and last > late:
        return
    total = func.sum(as_credit())
    rows = db.session.execute(
        payable_entries(
            LedgerAccount.currency,
            LedgerAccount.owner,
            total,
            func.min(LedgerTransaction.posted_at),
            until=late,
        )
        .join(
            ConnectedAccount,
            (ConnectedAccount.organization_id == LedgerAccount.owner)
            & ConnectedAccount.disconnected_at.is_(None)
            & (ConnectedAccount.state == AccountState.READY),
        )
        .group_by(LedgerAccount.currency, LedgerAccount.owner)
        .having(total > 0)
    )
    sums: dict[str, tuple[int, int, datetime]] = {}
    for currency, _, amount, since in rows:
        if amount < default_minimum(currency) or currency in RETIRED:
            continue
        partners, so_far, first = sums.get(currency, (0, 0, since))
        sums[currency] = (partners + 1, so_far + int(amount), min(first, since))
    if not sums:
        return
    said = ", ".join(
        f"{format_money(amount, currency)} of {partners} partner{'s' if partners != 1 else ''}"
        for currency, (partners, amount, _) in sorted(sums.items())
    )
    yield PayoutAlert(
        "run_not_made",
        "Nobody has run the payouts",
        f"{said} could have been paid. A run is due every {run_every().days} days.",
        (last or min(first for _, _, first in sums.values())) + run_every(),
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
