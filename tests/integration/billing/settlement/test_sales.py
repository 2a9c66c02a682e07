"""A paid order enters the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.ledger import balance
from billing.models import Earning, EarningKind, EarningState, Funder, LedgerTransaction, Order
from billing.settlement.charges import record_charge
from billing.settlement.parts import SettlementError
from billing.settlement.sales import post_sale
from marketplace.core.database import db
from tests.factories.races import at_once
from tests.factories.settlement import (
    AFFILIATE,
    PUBLISHER,
    RESELLER,
    LineTerms,
    assert_sound,
    balance_txn,
    books,
    earning_of,
    make_order,
    purse,
    sell,
    stripe_charge,
)

PAID = datetime(2026, 10, 31, 22, 30, tzinfo=UTC)


def test_a_sale_is_split_between_tax_fee_and_publisher(app: Flask) -> None:
    order, earnings = sell(LineTerms(10_000, tax_bps=2_000), paid_at=PAID)
    assert books() == {"stripe_pending": 12_000, "tax_payable": 2_000, "platform_fee": 1_500}
    assert purse(PUBLISHER) == (8_500, 0, 0)
    (earning,) = earnings
    assert (earning.amount, earning.base, earning.rate_bps) == (8_500, 10_000, 8_500)
    assert earning.state is EarningState.HELD
    assert earning.release_at == PAID + timedelta(days=14)
    assert earning.order_id == order.id
    assert_sound()


def test_a_resale_with_an_affiliate_is_exact_to_the_cent(app: Flask) -> None:
    terms = LineTerms(
        12_345, floor=9_999, commission=617, funder=Funder.PUBLISHER, tax_bps=1_900, fee_bps=1_250
    )
    order, _ = sell(terms)
    # The fee is 12.5% of the floor: 1249.875.
    assert books() == {
        "stripe_pending": order.total,
        "tax_payable": 2_346,
        "platform_fee": 1_250,
    }
    assert purse(RESELLER)[0] == 12_345 - 9_999
    assert purse(AFFILIATE)[0] == 617
    assert purse(PUBLISHER)[0] == 9_999 - 1_250 - 617
    assert_sound()


def test_what_the_platform_funds_is_its_own_loss(app: Flask) -> None:
    sell(
        LineTerms(10_000, discount=2_000, by_platform=2_000, commission=800, funder=Funder.PLATFORM)
    )
    assert books() == {
        "stripe_pending": 8_000,
        "discount": 2_000,
        "commission_expense": 800,
        "platform_fee": 1_500,
    }
    assert purse(PUBLISHER)[0] == 8_500
    assert purse(AFFILIATE)[0] == 800
    assert_sound()


def test_a_sale_for_nothing_still_pays_whom_the_platform_promised(app: Flask) -> None:
    sell(LineTerms(5_000, discount=5_000, by_platform=5_000))
    assert books() == {"discount": 5_000, "platform_fee": 750}
    assert purse(PUBLISHER)[0] == 4_250
    order, earnings = sell(LineTerms(5_000, discount=5_000))
    assert (order.total, earnings) == (0, [])
    assert_sound()


def test_what_the_platform_sells_is_its_own(app: Flask) -> None:
    _, earnings = sell(LineTerms(25_000, publisher=None))
    assert earnings == []
    assert books() == {"stripe_pending": 25_000, "platform_fee": 25_000}
    assert_sound()


def test_an_order_of_several_lines_is_one_transaction(app: Flask) -> None:
    _, earnings = sell(
        LineTerms(1_000), LineTerms(2_000, publisher=PUBLISHER), LineTerms(3_000, publisher=999)
    )
    assert len(earnings) == 3
    assert purse(PUBLISHER)[0] == 850 + 1_700
    assert purse(999)[0] == 2_550
    assert db.session.scalar(select(func.count()).select_from(LedgerTransaction)) == 1
    assert_sound()


def test_whoever_is_publisher_and_affiliate_has_two_earnings(app: Flask) -> None:
    _, earnings = sell(LineTerms(1_000, commission=100, funder=Funder.PUBLISHER, affiliate=101))
    assert len(earnings) == 2
    assert purse(PUBLISHER)[0] == 850
    assert_sound()


def test_a_suspicious_commission_begins_frozen(app: Flask) -> None:
    _, earnings = sell(
        LineTerms(1_000, commission=100, funder=Funder.PLATFORM, hold_reason="The same card")
    )
    commission = earning_of(earnings, EarningKind.AFFILIATE_COMMISSION)
    assert (commission.frozen_reason, commission.freezes) == (
        "The same card",
        {"hold": "The same card"},
    )
    assert earning_of(earnings, EarningKind.PUBLISHER_SHARE).frozen_reason == ""


def test_posting_a_sale_again_changes_nothing(app: Flask) -> None:
    order, earnings = sell()
    assert [each.id for each in post_sale(order)] == [each.id for each in earnings]
    assert balance("stripe_pending", "EUR") == 10_000
    assert db.session.scalar(select(func.count()).select_from(Earning)) == 1


def test_two_workers_that_hear_of_a_payment_post_it_once(app: Flask) -> None:
    order_id = make_order(LineTerms(1_000, commission=100, funder=Funder.PLATFORM)).id
    db.session.commit()

    def act() -> None:
        post_sale(db.session.get_one(Order, order_id))
        db.session.commit()

    assert at_once(app, [act] * 3) == []
    assert balance("stripe_pending", "EUR") == 1_000
    assert db.session.scalar(select(func.count()).select_from(Earning)) == 2
    assert_sound()


def test_lines_that_do_not_sum_up_are_posted_by_nobody(app: Flask) -> None:
    order = make_order()
    order.lines[0].fee_amount += 1
    with pytest.raises(SettlementError, match="does not sum up"):
        post_sale(order)
    order.lines[0].fee_amount -= 1
    order.tax_total, order.total = 5, order.total + 5
    with pytest.raises(SettlementError, match="not its total"):
        post_sale(order)
    assert db.session.scalar(select(func.count()).select_from(LedgerTransaction)) == 0


def test_what_stripe_takes_is_an_expense_and_comes_out_of_what_is_pending(app: Flask) -> None:
    order, _ = sell()
    assert record_charge(order.id, stripe_charge(order, fee=175))
    assert record_charge(order.id, stripe_charge(order, fee=175))
    assert books() == {"stripe_pending": 9_825, "processing_fee": 175, "platform_fee": 1_500}
    assert_sound()


def test_a_charge_without_its_balance_transaction_waits(app: Flask) -> None:
    order, _ = sell()
    assert not record_charge(order.id, stripe_charge(order, balance_transaction=None))
    assert not record_charge(order.id, stripe_charge(order, balance_transaction="txn_1"))
    assert "processing_fee" not in books()


def test_a_charge_that_settles_in_another_currency_is_converted_at_stripes_rate(
    app: Flask,
) -> None:
    order, _ = sell(LineTerms(10_000), currency="USD")
    txn = balance_txn("txn_9", 9_217, "EUR", fee=163, rate=0.9217)
    assert record_charge(order.id, stripe_charge(order, balance_transaction=txn))
    assert books("USD") == {"platform_fee": 1_500, "fx_clearing": 10_000}
    assert books("EUR") == {
        "stripe_pending": 9_217 - 163,
        "processing_fee": 163,
        "fx_clearing": -9_217,
    }
    assert_sound()


@pytest.mark.parametrize(
    "wrong", [{"amount": 9_999}, {"currency": "usd"}, {"id": "ch_of_somebody_else"}]
)
def test_a_charge_that_is_not_the_orders_is_refused(app: Flask, wrong: dict[str, object]) -> None:
    order, _ = sell()
    with pytest.raises(SettlementError):
        record_charge(order.id, {**stripe_charge(order), **wrong})
