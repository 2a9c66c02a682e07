"""A month at the stand-in for Stripe: sale, refund, dispute, partner's payout, our own payout, the
bank's file. Everything agrees to the cent, and the month closes."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from billing.bank_files.importing import import_bank_file
from billing.ledger import balance
from billing.models import BreakState, Order, Payout, PayoutState, ReconciliationBreak
from billing.payouts.executing import execute
from billing.periods import checklist, close_period, may_close
from billing.reconciliation.corrections import book_difference
from billing.reconciliation.differences import month_of
from billing.reconciliation.runs import begin, go_on
from billing.sandbox_stripe import cards, payments
from billing.sandbox_stripe.bank import as_camt053, bookings
from billing.settlement.refunds import request_refund
from billing.settlement.release import release_due
from billing.settlement.sales import post_sale
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.payouts import make_account, make_approved_run
from tests.factories.settlement import PUBLISHER, LineTerms, make_order
from tests.factories.stripe import StripeStandIn, stripe, stripe_server

__all__ = ["stripe", "stripe_server"]


@pytest.fixture(autouse=True)
def _in_the_middle_of_a_month() -> Iterator[None]:
    with clock.frozen(datetime(2026, 11, 10, 9, tzinfo=UTC)):
        yield


def buy(stripe: StripeStandIn, price: int, currency: str = "EUR", *, hold_days: int = 0) -> Order:
    order = make_order(LineTerms(price=price, hold_days=hold_days), currency=currency)
    with stripe.store.transaction():
        intent = payments.new_intent(
            stripe.store, order.total, order.currency.lower(), customer=None, data={}
        )
        method = cards.new_method(stripe.store, "4242424242424242", None, None)
        charge, _ = payments.pay_intent(stripe.store, intent, method)
    order.charge_id, order.payment_intent_id = str(charge["id"]), str(intent["id"])
    post_sale(order)
    db.session.commit()
    return order


def reconcile() -> dict[str, int]:
    with unit_of_work():
        run_id = begin()
    return go_on(run_id).figures


def breaks() -> list[ReconciliationBreak]:
    return list(
        db.session.scalars(
            select(ReconciliationBreak)
            .where(ReconciliationBreak.state == BreakState.OPEN)
            .order_by(ReconciliationBreak.id)
        )
    )


def said(found: list[ReconciliationBreak]) -> list[tuple[str, str, dict[str, object]]]:
    return [(each.type.value, each.subject_id, dict(each.details)) for each in found]


def test_a_month_at_the_stand_in_agrees_and_closes(
    app: Flask, stripe: StripeStandIn, run_jobs: Callable[[], int]
) -> None:
    stripe.settle_in("eur", ["eur"], gbp=1.17)
    kept, refunded, disputed = buy(stripe, 10_000), buy(stripe, 7_000), buy(stripe, 5_000)
    # Settled in EUR; what its partner is owed stays GBP, and is held.
    buy(stripe, 9_000, "GBP", hold_days=60)
    request_refund(refunded, 2_500, reason="Half of it", by_user_id=1)
    db.session.commit()
    run_jobs()
    dispute = stripe.dispute(disputed.charge_id or "")
    stripe.deliver()
    stripe.decide(dispute["id"], won=True)
    stripe.deliver()
    stripe.fund(100_000)
    make_account(PUBLISHER, stripe_id=stripe.new_account())
    release_due()
    run = make_approved_run()
    execute(run.id, by_user_id=3)
    db.session.commit()
    run_jobs()
    states = {each.state for each in db.session.scalars(select(Payout))}
    assert states == {PayoutState.TRANSFERRED}
    # Paid out already, so that a part of the transfer comes back.
    request_refund(kept, 3_000, reason="Less of it", by_user_id=1)
    db.session.commit()
    run_jobs()
    stripe.deliver()
    stripe.advance(timedelta(days=3))
    stripe.deliver()
    stripe.pay_out(arrive=True)
    stripe.advance(timedelta(days=2))
    stripe.deliver()
    figures = reconcile()
    # The top-up of the test's own making is all that the ledger did not know.
    (topup,) = breaks()
    assert topup.details["type"] == "topup", said(breaks())
    book_difference(topup, "bank", "Our own money, to pay partners", by_user_id=1)
    db.session.commit()
    with stripe.store.transaction():
        data = as_camt053(bookings(stripe.store, "EUR"), "EUR")
    import_bank_file(data, "statement.xml", currency="EUR")
    db.session.commit()
    reconcile()
    assert said(breaks()) == []
    assert balance("stripe_in_transit", "EUR") == 0
    assert balance("suspense", "EUR") == 0
    assert sum(stripe.balance()) == balance("stripe_available", "EUR") + balance(
        "stripe_pending", "EUR"
    )
    assert figures["balances"]["EUR"]["stripe_pending"] is not None  # type: ignore[index]  # JSON of any shape
    month = month_of(clock.now())
    with clock.frozen(clock.now() + timedelta(days=40)):
        reconcile()
        assert may_close(checklist(month)), checklist(month)
        close_period(month, by_user_id=1)
