"""Checks of `billing verify` about payouts: no transfer of ours is unknown to the ledger."""

import re
from collections.abc import Iterator

from sqlalchemy import String, and_, case, cast, func, or_, select

from billing.accounts import PAYOUT_CLEARING
from billing.broken import Broken
from billing.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from billing.models.payout import Payout, PayoutState
from billing.models.stripe import OperationState, StripeOperation
from billing.payouts.payable import as_credit
from billing.payouts.surplus import key_of_surplus
from marketplace.core.database import db

BATCH = 500
# The money is in payout_clearing, and a transfer may be made or be written down any moment.
_SET_APART = (
    PayoutState.RESERVED,
    PayoutState.SUBMITTING,
    PayoutState.UNKNOWN,
    PayoutState.REJECTED,
)
_NOT_SENT = (*_SET_APART, PayoutState.COMPUTED, PayoutState.HELD, PayoutState.CANCELED)
_KEY = re.compile(r"payout:(\d+):a\d+")


def transfers_are_booked() -> Iterator[Broken]:
    """Every transfer that Stripe made for a payout is that payout's, or booked as a surplus; and
    nothing may still be under way for a payout whose money was given back."""
    after = 0
    while True:
        rows = db.session.execute(
            select(
                StripeOperation.id,
                StripeOperation.idem_key,
                StripeOperation.state,
                StripeOperation.stripe_id,
            )
            .where(
                StripeOperation.id > after,
                StripeOperation.method == "transfers.create",
                StripeOperation.state.in_(
                    (OperationState.SUCCEEDED, OperationState.SENT, OperationState.UNKNOWN)
                ),
            )
            .order_by(StripeOperation.id)
            .limit(BATCH)
        ).all()
        if not rows:
            break
        after = rows[-1][0]
        asked = [
            (int(found[1]), state, stripe_id or "")
            for _, key, state, stripe_id in rows
            if (found := _KEY.fullmatch(key))
        ]
        yield from _unbooked(asked)
    lost = db.session.execute(
        select(Payout.id, Payout.transfer_id, Payout.state)
        .where(Payout.transfer_id.is_not(None), Payout.state.in_(_NOT_SENT))
        .order_by(Payout.id)
    )
    for payout_id, transfer_id, state in lost:
        detail = f"it has the transfer {transfer_id}, but it is {state.value}"
        yield Broken("transfers_are_booked", f"payout {payout_id}", detail)


def _unbooked(asked: list[tuple[int, OperationState, str]]) -> Iterator[Broken]:
    payouts = {
        payout_id: (state, transfer_id)
        for payout_id, state, transfer_id in db.session.execute(
            select(Payout.id, Payout.state, Payout.transfer_id).where(
                Payout.id.in_({payout_id for payout_id, _, _ in asked})
            )
        )
    }
    surplus = set(
        db.session.scalars(
            select(LedgerTransaction.idem_key).where(
                LedgerTransaction.idem_key.in_([key_of_surplus(each) for _, _, each in asked])
            )
        )
    )
    for payout_id, operation, made in asked:
        state, transfer_id = payouts.get(payout_id, (PayoutState.CANCELED, None))
        if operation is not OperationState.SUCCEEDED:
            if state is PayoutState.CANCELED:
                detail = "it was given back, although its transfer may have been made"
                yield Broken("transfers_are_booked", f"payout {payout_id}", detail)
        elif (
            made != transfer_id
            and key_of_surplus(made) not in surplus
            and (transfer_id is not None or state not in _SET_APART)
        ):
            detail = f"Stripe made {made} for it, but it is {state.value}"
            yield Broken("transfers_are_booked", f"payout {payout_id}", detail)


def clearing_is_explained() -> Iterator[Broken]:
    """What of each payout is in payout_clearing is what it pays until it is sent or given back,
    and nothing afterwards."""
    total = func.coalesce(func.sum(case((LedgerAccount.id.is_not(None), as_credit()), else_=0)), 0)
    expected = case((Payout.state.in_(_SET_APART), Payout.amount), else_=0)
    rows = db.session.execute(
        select(Payout.id, Payout.state, total, expected)
        .outerjoin(
            LedgerTransaction,
            and_(
                LedgerTransaction.source_type == "payout",
                LedgerTransaction.source_id == cast(Payout.id, String),
            ),
        )
        .outerjoin(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .outerjoin(
            LedgerAccount,
            and_(LedgerAccount.id == LedgerEntry.account_id, LedgerAccount.code == PAYOUT_CLEARING),
        )
        .group_by(Payout.id, Payout.state, Payout.amount)
        .having(or_(total != expected))
        .order_by(Payout.id)
    )
    for payout_id, state, found, wanted in rows:
        detail = f"it is {state.value}, and {found} of it is set apart instead of {wanted}"
        yield Broken("clearing_is_explained", f"payout {payout_id}", detail)
