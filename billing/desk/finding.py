"""Finding what belongs to an id: ours, an invoice's number, or one of Stripe's."""

from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import ColumnElement, or_, select

from billing.models import (
    BalanceTransaction,
    ConnectedAccount,
    Dispute,
    Earning,
    LedgerTransaction,
    Order,
    Payout,
    ReconciliationBreak,
    Refund,
    StripeCustomer,
    StripeEvent,
    StripePayout,
    Subscription,
    TransferReversal,
)
from marketplace.core.database import db

T = TypeVar("T")
MOST = 20
MIN_LENGTH = 3


@dataclass
class Found:
    """What an id belongs to. Orders are there for refunds, disputes and earnings too."""

    orders: list[Order] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)
    transactions: list[LedgerTransaction] = field(default_factory=list)
    balance_transactions: list[BalanceTransaction] = field(default_factory=list)
    stripe_payouts: list[StripePayout] = field(default_factory=list)
    breaks: list[ReconciliationBreak] = field(default_factory=list)
    events: list[StripeEvent] = field(default_factory=list)
    # Organizations: whose Stripe account or customer it is.
    organization_ids: list[int] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not any(vars(self).values())


def find(text: str) -> Found:
    """What `text` belongs to, as a whole id; nothing of texts that are too short to be one.

    A constant number of queries, each by an index.
    """
    found = Found()
    if len(text) < MIN_LENGTH:
        return found
    found.refunds = _all(Refund, Refund.public_id == text, Refund.stripe_id == text)
    found.disputes = _all(Dispute, Dispute.stripe_id == text)
    found.payouts = _all(
        Payout,
        Payout.public_id == text,
        Payout.transfer_id == text,
        Payout.partner_payout_id == text,
        Payout.id.in_(select(TransferReversal.payout_id).where(TransferReversal.stripe_id == text)),
    )
    found.balance_transactions = _all(
        BalanceTransaction,
        BalanceTransaction.stripe_id == text,
        BalanceTransaction.source_id == text,
    )
    found.stripe_payouts = _all(
        StripePayout, StripePayout.stripe_id == text, StripePayout.trace_id == text
    )
    found.breaks = _all(ReconciliationBreak, ReconciliationBreak.subject_id == text)
    found.events = _all(StripeEvent, StripeEvent.event_id == text, StripeEvent.object_id == text)
    found.transactions = _all(
        LedgerTransaction,
        LedgerTransaction.idem_key == text,
        *([LedgerTransaction.source_id == text] if not text.isdigit() else []),
    )
    order_ids = {each.order_id for each in found.refunds}
    order_ids |= {each.order_id for each in found.disputes}
    order_ids |= set(
        db.session.scalars(select(Earning.order_id).where(Earning.public_id == text).limit(MOST))
    )
    subscriptions = select(Subscription.id).where(
        or_(Subscription.public_id == text, Subscription.stripe_id == text)
    )
    found.orders = _all(
        Order,
        Order.public_id == text,
        Order.invoice_number == text.upper(),
        Order.charge_id == text,
        Order.payment_intent_id == text,
        Order.checkout_session_id == text,
        Order.stripe_invoice_id == text,
        Order.subscription_id.in_(subscriptions),
        *([Order.id.in_(order_ids)] if order_ids else []),
    )
    found.organization_ids = [
        *db.session.scalars(
            select(ConnectedAccount.organization_id).where(ConnectedAccount.stripe_id == text)
        ),
        *db.session.scalars(
            select(StripeCustomer.organization_id).where(StripeCustomer.stripe_id == text)
        ),
    ]
    return found


def _all(model: type[T], *conditions: ColumnElement[bool]) -> list[T]:
    query = select(model).where(or_(*conditions)).limit(MOST)
    return list(db.session.scalars(query))
