"""What is frozen or taken away between the approval and the transfer is not sent."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from billing.models import (
    Earning,
    EarningState,
    Order,
    Payout,
    PayoutState,
    StripeOperation,
    TransferReversal,
)
from billing.payouts.executing import execute, pay_some
from billing.payouts.payable import payable_balance
from billing.settlement.freezing import freeze, unfreeze
from billing.settlement.refunds import request_refund
from billing.settlement.release import release_due
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.payouts import make_account, make_approved_run
from tests.factories.settlement import PUBLISHER, LineTerms, assert_sound, purse, sell
from tests.factories.stripe import StripeStandIn

Sold = list[tuple[Order, Earning]]


def sell_and_approve(
    stripe: StripeStandIn, count: int = 2, currency: str = "EUR", price: int = 10_000
) -> Sold:
    """Sales of which the publisher has 85 % each, all in one payout that is approved."""
    stripe.fund(10_000_000, currency.lower())
    sold = []
    for _ in range(count):
        order, (earning,) = sell(LineTerms(price=price, hold_days=0), currency=currency)
        sold.append((order, earning))
    clock.shift(timedelta(minutes=1))
    release_due()
    make_account(PUBLISHER, stripe_id=stripe.new_account())
    run = make_approved_run()
    execute(run.id, by_user_id=3)
    db.session.commit()
    return sold


def payout() -> Payout:
    db.session.expire_all()
    return db.session.scalars(select(Payout)).one()


def sent(stripe: StripeStandIn) -> list[int]:
    return [each["amount"] for each in stripe.all("transfer")]


def send() -> None:
    """Pay; whatever else waits to be asked of Stripe does so."""
    run_id = payout().run_id
    pay_some(run_id)


def test_a_frozen_earning_is_taken_off_and_the_rest_is_paid(stripe: StripeStandIn) -> None:
    sold = sell_and_approve(stripe)
    assert payout().amount == 17_000
    freeze(sold[0][1], "Fraud: same card", by_user_id=7)
    db.session.commit()
    send()
    assert (sent(stripe), payout().state) == ([8_500], PayoutState.TRANSFERRED)
    assert (purse(PUBLISHER), sold[0][1].state) == ((8_500, 0, 0), EarningState.HELD)
    assert_sound()
    unfreeze(sold[0][1])
    release_due()
    assert payable_balance(PUBLISHER, "EUR") == 8_500
    assert_sound()


def test_a_payout_of_nothing_but_what_is_frozen_is_given_back(stripe: StripeStandIn) -> None:
    ((_, earning),) = sell_and_approve(stripe, 1)
    freeze(earning, "Fraud: same card", by_user_id=7)
    db.session.commit()
    send()
    assert (sent(stripe), payout().state) == ([], PayoutState.CANCELED)
    assert payout().reason == "What it would have paid is frozen: Fraud: same card"
    assert (purse(PUBLISHER), earning.state) == ((8_500, 0, 0), EarningState.HELD)
    assert_sound()


def test_what_stripe_turned_away_is_lessened_under_a_key_of_its_own(stripe: StripeStandIn) -> None:
    sold = sell_and_approve(stripe)
    stripe.fault("transfers.create", "rate_limited")
    send()
    freeze(sold[0][1], "Fraud", by_user_id=7)
    request_refund(sold[1][0], 2_000, reason="x", by_user_id=1)
    db.session.commit()
    stripe.advance(timedelta(minutes=11))
    send()
    assert sent(stripe) == [6_800]
    keys = select(StripeOperation.idem_key).where(StripeOperation.method == "transfers.create")
    assert db.session.scalars(keys).all() == ["payout:1:a1", "payout:1:a2"]
    assert purse(PUBLISHER) == (8_500, 0, 0)
    assert_sound()


def test_a_refund_of_what_is_frozen_as_well_is_netted_once(stripe: StripeStandIn) -> None:
    sold = sell_and_approve(stripe)
    request_refund(sold[0][0], 4_000, reason="x", by_user_id=1)
    freeze(sold[0][1], "Looks strange", by_user_id=7)
    db.session.commit()
    send()
    assert sent(stripe) == [8_500]
    assert purse(PUBLISHER) == (5_100, 0, 0)
    assert db.session.scalars(select(TransferReversal.state)).all() == ["rejected"]
    assert_sound()


def test_what_is_refunded_whole_is_not_sent(stripe: StripeStandIn) -> None:
    ((order, _),) = sell_and_approve(stripe, 1)
    request_refund(order, 10_000, reason="x", by_user_id=1)
    db.session.commit()
    send()
    assert (sent(stripe), payout().state) == ([], PayoutState.CANCELED)
    assert payout().reason == "What it would have paid was refunded or taken back since."
    assert purse(PUBLISHER) == (0, 0, 0)
    assert_sound()


def test_less_than_a_whole_unit_of_what_is_left_is_carried(stripe: StripeStandIn) -> None:
    sold = sell_and_approve(stripe, 2, "HUF", 1_000_000)
    request_refund(sold[0][0], 1_100, reason="x", by_user_id=1)
    db.session.commit()
    send()
    (amount,) = sent(stripe)
    assert amount % 100 == 0
    held, payable, owed = purse(PUBLISHER, "HUF")
    assert (held, amount + payable - owed) == (0, 1_700_000 - 935)
    assert_sound()


@pytest.mark.parametrize("kind", ["lost", "error"])
def test_what_may_have_left_is_finished_as_it_was_asked_for(
    stripe: StripeStandIn, kind: str
) -> None:
    sold = sell_and_approve(stripe)
    stripe.fault("transfers.create", kind)
    send()
    assert payout().state is PayoutState.UNKNOWN
    freeze(sold[0][1], "Fraud", by_user_id=7)
    db.session.commit()
    for _ in range(3):
        stripe.advance(timedelta(minutes=11))
        send()
    assert (sent(stripe), payout().state) == ([17_000], PayoutState.TRANSFERRED)
    assert_sound()
