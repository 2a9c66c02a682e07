"""Approving a run, by somebody who did not compute it, as it was when they saw it.

The approval moves each payout's money from the partner's account into payout_clearing, so that
nothing else can use it. Who cannot be paid any more is left out, with the reason; a payout bears
what a refund, a freeze or a void took from the partner's account since the run was computed.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import func, insert, select, update

from billing.accounts import PARTNER_PAYABLE, PAYOUT_CLEARING
from billing.ledger import Posting, credit, debit, post_all
from billing.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Payout,
    PayoutItem,
    PayoutRun,
    PayoutState,
    RunState,
    Side,
)
from billing.payouts.candidates import known_of
from billing.payouts.computing import totals_of
from billing.payouts.digest import digest_of
from billing.payouts.eligibility import decide
from billing.payouts.payable import as_credit, payable_entries
from billing.settlement.receivables import net_some
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError
from marketplace.core.facts import record_fact

BATCH = 500
CHANGED = "Its balance has changed since the run was computed."


class _Row(NamedTuple):
    """What is reserved for a payout, in minor units."""

    id: int
    partner_id: int
    currency: str
    amount: int
    carried: int


def approve(run_id: int, *, by_user_id: int, digest: str, own: Collection[int] = ()) -> PayoutRun:
    """Approve a computed run. `digest` is that of what the approver saw (digest_of), `own` are the
    organizations that the approver has a part in.

    Raises ForbiddenError for whoever computed it, or has a part in somebody whom it pays;
    ConflictError when it does not wait for approval any more, is not what was seen, or pays nobody.
    """
    run = db.session.get(PayoutRun, run_id, populate_existing=True)
    if run is None or run.state is not RunState.COMPUTED:
        raise ConflictError("This run does not wait for approval.")
    if run.computed_by_id == by_user_id:
        raise ForbiddenError("Whoever computes a run does not approve it. Ask a colleague.")
    if _pays_any_of(run_id, own):
        raise ForbiddenError(
            "This run pays an organization that you belong to. A colleague approves it."
        )
    _claim(run_id, by_user_id)
    if digest_of(run_id) != digest:
        raise ConflictError("The run is not the one that you looked at. Look again.")
    _lock_accounts(run_id)
    left_out = _leave_out_what_changed(run_id)
    reserved = _reserve(run_id)
    if not reserved:
        raise ConflictError("Nobody is left to be paid. Cancel the run and compute a new one.")
    db.session.refresh(run)
    run.approved_digest = digest
    run.totals = totals_of(run_id)
    db.session.flush()
    record_fact(
        "payout_run.approved",
        subject=("payout_run", run.id),
        actor_user_id=by_user_id,
        data={"digest": digest, "payouts": reserved, "left_out": left_out},
    )
    return run


def _pays_any_of(run_id: int, organization_ids: Collection[int]) -> bool:
    if not organization_ids:
        return False
    found = db.session.scalar(
        select(Payout.id)
        .where(
            Payout.run_id == run_id,
            Payout.state == PayoutState.COMPUTED,
            Payout.partner_id.in_(organization_ids),
        )
        .limit(1)
    )
    return found is not None


def _claim(run_id: int, by_user_id: int) -> None:
    """Of two who approve, or one who approves and one who cancels, one gets it."""
    claimed = db.session.scalar(
        update(PayoutRun)
        .where(PayoutRun.id == run_id, PayoutRun.state == RunState.COMPUTED)
        .values(
            state=RunState.APPROVED,
            open_slot=None,
            approved_by_id=by_user_id,
            approved_at=clock.now(),
        )
        .returning(PayoutRun.id)
        .execution_options(synchronize_session=False)
    )
    if claimed is None:
        raise ConflictError("This run does not wait for approval.")


def _lock_accounts(run_id: int) -> None:
    """What ledger.lock_partner() does, for all partners of the run, always in the same order."""
    db.session.execute(
        select(LedgerAccount.id)
        .join(
            Payout,
            (Payout.partner_id == LedgerAccount.owner)
            & (Payout.currency == LedgerAccount.currency),
        )
        .where(
            LedgerAccount.code == PARTNER_PAYABLE,
            Payout.run_id == run_id,
            Payout.state == PayoutState.COMPUTED,
        )
        .order_by(LedgerAccount.id)
        .with_for_update(of=LedgerAccount)
    ).all()


def _leave_out_what_changed(run_id: int) -> int:
    """Hold what is not payable any more; how many."""
    left_out, after = 0, 0
    while True:
        rows = db.session.scalars(
            select(Payout)
            .where(Payout.run_id == run_id, Payout.state == PayoutState.COMPUTED, Payout.id > after)
            .order_by(Payout.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return left_out
        after = rows[-1].id
        known = known_of(sorted({row.partner_id for row in rows}))
        net_some({(row.partner_id, row.currency) for row in rows})
        balances = _balances(rows)
        for row in rows:
            whole = row.amount + row.carried
            if balances.get((row.partner_id, row.currency), 0) < whole:
                whole = _bear_what_was_taken(row, whole)
            decision = decide(known.candidate(row.partner_id, row.currency, whole))
            if reason := decision.reason if whole > 0 else CHANGED:
                _leave_out(row, reason)
                left_out += 1
            else:
                row.amount, row.carried = decision.amount, decision.carried
                row.destination = known.accounts[row.partner_id].stripe_id
        db.session.flush()
        # Bounded memory; what the caller holds stays.
        for row in rows:
            db.session.expunge(row)


def _bear_what_was_taken(row: Payout, whole: int) -> int:
    """Let a payout pay less by what was taken from its partner's account since it was computed;
    what is left of it, in minor units."""
    taken = db.session.execute(
        payable_entries(LedgerEntry.id, LedgerEntry.amount).where(
            LedgerAccount.owner == row.partner_id,
            LedgerAccount.currency == row.currency,
            LedgerEntry.side == Side.DEBIT,
        )
    ).all()
    db.session.add_all(
        PayoutItem(payout_id=row.id, entry_id=entry_id, amount=-amount, is_live=True)
        for entry_id, amount in taken
    )
    db.session.flush()
    return whole - sum(int(amount) for _, amount in taken)


def _balances(rows: Sequence[Payout]) -> dict[tuple[int, str], int]:
    found = db.session.execute(
        select(LedgerAccount.owner, LedgerAccount.currency, func.sum(as_credit()))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(
            LedgerAccount.code == PARTNER_PAYABLE,
            LedgerAccount.owner.in_({row.partner_id for row in rows}),
        )
        .group_by(LedgerAccount.owner, LedgerAccount.currency)
    )
    return {(owner, currency): int(total) for owner, currency, total in found}


def _leave_out(row: Payout, reason: str) -> None:
    row.state, row.reason = PayoutState.HELD, reason
    db.session.execute(
        update(PayoutItem)
        .where(PayoutItem.payout_id == row.id)
        .values(is_live=False)
        .execution_options(synchronize_session=False)
    )


def _reserve(run_id: int) -> int:
    """Move the money of each payout into payout_clearing; how many payouts."""
    reserved = 0
    while True:
        found = db.session.execute(
            select(Payout.id, Payout.partner_id, Payout.currency, Payout.amount, Payout.carried)
            .where(Payout.run_id == run_id, Payout.state == PayoutState.COMPUTED)
            .order_by(Payout.id)
            .limit(BATCH)
        )
        rows = [_Row(*each) for each in found]
        if not rows:
            return reserved
        post_all(
            [
                Posting(
                    "payout_reserve",
                    ("payout", row.id),
                    f"payout:{row.id}:reserve",
                    [
                        debit(PARTNER_PAYABLE, row.amount, row.currency, row.partner_id),
                        credit(PAYOUT_CLEARING, row.amount, row.currency),
                    ],
                )
                for row in rows
            ]
        )
        _carry([row for row in rows if row.carried])
        db.session.execute(
            update(Payout)
            .where(Payout.id.in_([row.id for row in rows]))
            .values(state=PayoutState.RESERVED)
            .execution_options(synchronize_session=False)
        )
        reserved += len(rows)


def _carry(rows: Sequence[_Row]) -> None:
    """Set what is less than a whole unit apart: off this payout, payable by the next one."""
    if not rows:
        return
    by_key = {f"payout:{row.id}:carry": row for row in rows}
    post_all(
        [
            Posting(
                "carry",
                ("payout", row.id),
                key,
                [
                    debit(PARTNER_PAYABLE, row.carried, row.currency, row.partner_id),
                    credit(PARTNER_PAYABLE, row.carried, row.currency, row.partner_id),
                ],
                memo="Less than a whole unit is left for the next payout",
            )
            for key, row in by_key.items()
        ]
    )
    entries = db.session.execute(
        select(LedgerTransaction.idem_key, LedgerEntry.id)
        .join(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .where(LedgerTransaction.idem_key.in_(by_key), LedgerEntry.side == Side.DEBIT)
    )
    db.session.execute(
        insert(PayoutItem),
        [
            {
                "payout_id": by_key[key].id,
                "entry_id": entry_id,
                "amount": -by_key[key].carried,
                "is_live": True,
            }
            for key, entry_id in entries
        ],
    )
