"""Checks of `billing verify` on what two people decide: it is posted as it was approved, and
nothing else is."""

from collections.abc import Iterator

from sqlalchemy import String, and_, case, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

from billing.accounts import PARTNER_PAYABLE, PARTNER_RECEIVABLE
from billing.broken import Broken
from billing.models.conversion import BalanceConversion
from billing.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from billing.models.payout import WriteOff
from billing.payouts.payable import as_credit
from marketplace.core.database import db


def decisions_are_posted() -> Iterator[Broken]:
    """Each approved write-off and conversion took its amount from the partner's balance once; one
    that was refused, or waits, took nothing."""
    yield from _posted(WriteOff, "write_off", WriteOff.currency)
    yield from _posted(BalanceConversion, "conversion", BalanceConversion.from_currency)


def _posted(
    model: type[WriteOff] | type[BalanceConversion], kind: str, currency: InstrumentedAttribute[str]
) -> Iterator[Broken]:
    # Either side of the partner's balance: what is owed is credited, what is payable debited.
    moved = (
        select(
            LedgerTransaction.source_id,
            LedgerAccount.owner,
            LedgerAccount.currency,
            func.abs(func.sum(as_credit())).label("took"),
        )
        .join(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(
            LedgerTransaction.source_type == kind,
            LedgerAccount.code.in_((PARTNER_PAYABLE, PARTNER_RECEIVABLE)),
        )
        .group_by(LedgerTransaction.source_id, LedgerAccount.owner, LedgerAccount.currency)
        .subquery()
    )
    took = func.coalesce(moved.c.took, 0)
    rows = db.session.execute(
        select(model.id, model.amount, model.is_approved, took)
        .outerjoin(
            moved,
            and_(
                moved.c.source_id == cast(model.id, String),
                moved.c.owner == model.partner_id,
                moved.c.currency == currency,
            ),
        )
        .where(took != case((model.is_approved.is_(True), model.amount), else_=0))
        .order_by(model.id)
    )
    for row_id, amount, is_approved, posted in rows:
        said = f"{amount} was approved" if is_approved else "it is not approved"
        what = f"{model.__tablename__} {row_id}"
        yield Broken("decisions_are_posted", what, f"{said}, {posted} was posted")
