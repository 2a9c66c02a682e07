"""Paid orders to settle, and Stripe's objects about them, without Stripe."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.accounts import CHART
from billing.ledger import balance, credit, debit, post
from billing.models import (
    Earning,
    EarningKind,
    Funder,
    LedgerAccount,
    LedgerEntry,
    Order,
    OrderKind,
    OrderLine,
    OrderState,
    Payout,
    PayoutItem,
    PayoutRun,
    PayoutState,
    RunState,
)
from billing.payouts.payable import as_credit, payable_entries
from billing.public_ids import new_public_id
from billing.sandbox_stripe import cards, payments
from billing.settlement.sales import post_sale
from billing.split import Split, Terms, split
from billing.verify import verify
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.stripe import StripeStandIn

_numbers = itertools.count(1)
PUBLISHER, RESELLER, AFFILIATE = 101, 102, 103
CUSTOMER = 201


@dataclass(frozen=True)
class LineTerms:
    """What one line costs and how it is divided; amounts in minor units."""

    price: int = 10_000
    discount: int = 0
    by_platform: int = 0
    tax_bps: int = 0
    fee_bps: int = 1_500
    floor: int | None = None
    commission: int = 0
    funder: Funder | None = None
    hold_days: int = 14
    hold_reason: str = ""
    publisher: int | None = PUBLISHER
    affiliate: int = AFFILIATE

    def split(self) -> Split:
        """As the order freezes it."""
        return split(
            Terms(
                list_amount=self.price,
                discount=self.discount,
                discount_by_platform=self.by_platform,
                fee_bps=self.fee_bps if self.publisher is not None else 10_000,
                floor=self.floor,
                commission=self.commission,
                commission_funder=self.funder,
            )
        )


def make_order(
    *lines: LineTerms, currency: str = "EUR", paid_at: datetime | None = None, **fields: Any
) -> Order:
    """A paid order whose sale is not posted yet."""
    number = next(_numbers)
    rows = [_line(place, terms) for place, terms in enumerate(lines or (LineTerms(),), 1)]
    values: dict[str, Any] = {
        "public_id": new_public_id("ord"),
        "kind": OrderKind.PURCHASE,
        "state": OrderState.PAID,
        "organization_id": CUSTOMER,
        "currency": currency,
        "subtotal": sum(row.list_amount for row in rows),
        "discount_total": sum(row.discount_amount for row in rows),
        "tax_total": sum(row.tax_amount for row in rows),
        "total": sum(row.total_amount for row in rows),
        "paid_at": paid_at or clock.now(),
        "charge_id": f"ch_{number}",
        "payment_intent_id": f"pi_{number}",
        "lines": rows,
    }
    order = Order(**{**values, **fields})
    db.session.add(order)
    db.session.flush()
    return order


def sell(*lines: LineTerms, **fields: Any) -> tuple[Order, list[Earning]]:
    """A paid and posted order, and its earnings."""
    order = make_order(*lines, **fields)
    return order, post_sale(order)


def buy(stripe: StripeStandIn, terms: LineTerms | None = None, *, is_posted: bool = True) -> int:
    """An order that was paid at Stripe; its id. Committed."""
    order = make_order(terms or LineTerms(hold_days=0))
    with stripe.store.transaction():
        intent = payments.new_intent(
            stripe.store, order.total, order.currency.lower(), customer=None, data={}
        )
        method = cards.new_method(stripe.store, "4242424242424242", None, None)
        charge, _ = payments.pay_intent(stripe.store, intent, method)
    order.charge_id, order.payment_intent_id = str(charge["id"]), str(intent["id"])
    if is_posted:
        post_sale(order)
    else:
        order.state = OrderState.PENDING
    db.session.commit()
    return order.id


def earning_of(earnings: Sequence[Earning], kind: EarningKind) -> Earning:
    """The one earning of that kind."""
    (found,) = [each for each in earnings if each.kind is kind]
    return found


def _line(place: int, terms: LineTerms) -> OrderLine:
    parts = terms.split()
    tax = (parts.net * terms.tax_bps + 5_000) // 10_000
    is_resale = terms.floor is not None
    return OrderLine(
        position=place,
        description="Tide tables, yearly",
        publisher_id=terms.publisher,
        unit_amount=terms.price,
        list_amount=terms.price,
        discount_amount=terms.discount,
        discount_platform_amount=terms.by_platform,
        net_amount=parts.net,
        tax_bps=terms.tax_bps,
        tax_amount=tax,
        total_amount=parts.net + tax,
        fee_base=parts.fee_base,
        fee_bps=terms.fee_bps,
        fee_amount=parts.fee,
        publisher_amount=parts.publisher,
        publisher_hold_days=terms.hold_days,
        reseller_id=RESELLER if is_resale else None,
        floor_amount=terms.floor or 0,
        margin_amount=parts.margin,
        margin_hold_days=terms.hold_days,
        affiliate_organization_id=terms.affiliate if terms.funder else None,
        commission_base=parts.net,
        commission_amount=parts.commission,
        commission_funder=terms.funder,
        commission_hold_days=terms.hold_days,
        commission_hold_reason=terms.hold_reason,
    )


def stripe_refund(order: Order, amount: int, name: str, **fields: Any) -> dict[str, Any]:
    """A refund as Stripe gives it, with its balance transaction."""
    made = int(clock.now().timestamp())
    values: dict[str, Any] = {
        "id": name,
        "object": "refund",
        "amount": amount,
        "currency": order.currency.lower(),
        "charge": order.charge_id,
        "payment_intent": order.payment_intent_id,
        "status": "succeeded",
        "created": made,
        "metadata": {},
        "reason": None,
        "balance_transaction": balance_txn(f"txn_{name}", -amount, order.currency),
        "failure_balance_transaction": None,
    }
    return {**values, **fields}


def stripe_dispute(
    order: Order, amount: int, name: str, status: str = "needs_response", **fields: Any
) -> dict[str, Any]:
    """A dispute as Stripe gives it: the money taken, and given back when it is won."""
    rows = []
    if not status.startswith("warning"):
        rows.append(balance_txn(f"txn_{name}_out", -amount, order.currency, fee=1_500))
    if status == "won":
        rows.append(balance_txn(f"txn_{name}_back", amount, order.currency))
    values: dict[str, Any] = {
        "id": name,
        "object": "dispute",
        "amount": amount,
        "currency": order.currency.lower(),
        "charge": order.charge_id,
        "payment_intent": order.payment_intent_id,
        "status": status,
        "reason": "fraudulent",
        "created": int(clock.now().timestamp()),
        "evidence_details": {"due_by": int(clock.now().timestamp()) + 604_800},
        "balance_transactions": rows,
    }
    return {**values, **fields}


def stripe_charge(order: Order, *, fee: int = 175, **fields: Any) -> dict[str, Any]:
    """The order's charge as Stripe gives it."""
    values: dict[str, Any] = {
        "id": order.charge_id,
        "object": "charge",
        "amount": order.total,
        "currency": order.currency.lower(),
        "payment_intent": order.payment_intent_id,
        "balance_transaction": balance_txn(
            f"txn_{order.charge_id}", order.total, order.currency, fee=fee
        ),
    }
    return {**values, **fields}


def balance_txn(
    name: str, amount: int, currency: str, *, fee: int = 0, rate: float | None = None
) -> dict[str, Any]:
    """A balance transaction, gross of its fee."""
    return {
        "id": name,
        "object": "balance_transaction",
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "currency": currency.lower(),
        "exchange_rate": rate,
        "created": int(clock.now().timestamp()),
    }


def pay_out(partner: int, currency: str = "EUR") -> Payout | None:
    """Pay a partner what is payable, as a payout run does; None when there is nothing."""
    payout = set_apart(partner, currency)
    if payout is not None:
        transfer(payout)
    return payout


def set_apart(partner: int, currency: str = "EUR") -> Payout | None:
    """Set apart what is payable, as the approval of a run does; None when there is nothing."""
    entries = db.session.execute(
        payable_entries(LedgerEntry.id, as_credit()).where(
            LedgerAccount.owner == partner, LedgerAccount.currency == currency
        )
    ).all()
    amount = sum(value for _, value in entries)
    if amount <= 0:
        return None
    run = PayoutRun(public_id=new_public_id("run"), state=RunState.COMPLETED, cutoff_at=clock.now())
    payout = Payout(
        public_id=new_public_id("pay"),
        run=run,
        partner_id=partner,
        currency=currency,
        amount=amount,
        state=PayoutState.RESERVED,
    )
    db.session.add_all([run, payout])
    db.session.flush()
    db.session.add_all(
        PayoutItem(payout_id=payout.id, entry_id=entry_id, amount=value)
        for entry_id, value in entries
    )
    db.session.flush()
    post(
        "payout_reserve",
        source=("payout", payout.id),
        key=f"payout:{payout.id}:reserve",
        legs=[
            debit("partner_payable", amount, currency, partner),
            credit("payout_clearing", amount, currency),
        ],
    )
    return payout


def transfer(payout: Payout) -> None:
    """Stripe has made the transfer of a payout."""
    payout.state, payout.transferred_at = PayoutState.TRANSFERRED, clock.now()
    payout.transfer_id = f"tr_{payout.id}"
    db.session.flush()
    post(
        "payout_transfer",
        source=("payout", payout.id),
        key=f"payout:{payout.id}:transferred",
        legs=[
            debit("payout_clearing", payout.amount, payout.currency),
            credit("stripe_available", payout.amount, payout.currency),
        ],
    )


def purse(partner: int, currency: str = "EUR") -> tuple[int, int, int]:
    """What a partner has held and payable, and what it owes."""
    return (
        balance("partner_held", currency, partner),
        balance("partner_payable", currency, partner),
        balance("partner_receivable", currency, partner),
    )


def books(currency: str = "EUR") -> dict[str, int]:
    """The platform's own balances that are not zero."""
    return {
        code: amount
        for code, kind in CHART.items()
        if not kind.per_partner and (amount := balance(code, currency))
    }


def assert_sound() -> None:
    """Nothing in the whole ledger is broken."""
    db.session.flush()
    assert [str(broken) for broken in verify()] == []
