"""A balance in a currency that was replaced: converted by two people, once, at a told rate."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from billing.models import BalanceConversion, ConvertedSide, Earning, LedgerTransaction
from billing.settlement.charges import record_charge
from billing.settlement.conversions import (
    FIXED_RATES,
    balance_to_convert,
    conversion_of,
    decide_conversion,
    gain_of,
    page_of_retired_balances,
    preview,
    request_conversion,
)
from billing.settlement.parts import SettlementError
from billing.settlement.refunds import request_refund, settle_refund
from billing.settlement.release import release_due
from billing.statements import statement, statement_lines
from billing.verify import verify
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.races import at_once
from tests.factories.settlement import (
    PUBLISHER,
    LineTerms,
    assert_sound,
    balance_txn,
    books,
    purse,
    sell,
    stripe_charge,
    stripe_refund,
)

RATE, SOURCE = FIXED_RATES["BGN"]
PAYABLE, OWED = ConvertedSide.PAYABLE, ConvertedSide.OWED


def sold_in_leva(settled: int | None = None) -> Earning:
    """лв85.00 are payable; the charge of лв100.00 became `settled` cents at Stripe."""
    order, (earning,) = sell(LineTerms(10_000, hold_days=0), currency="BGN")
    if settled is not None:
        txn = balance_txn("txn_1", settled, "EUR", fee=0, rate=settled / 10_000)
        assert record_charge(order.id, stripe_charge(order, balance_transaction=txn))
    release_due()
    assert purse(PUBLISHER, "BGN") == (0, 8_500, 0)
    return earning


def ask(side: ConvertedSide = PAYABLE, rate: str = RATE, by: int = 1) -> BalanceConversion:
    seen = preview(PUBLISHER, "BGN", side, rate).to_amount
    return request_conversion(PUBLISHER, "BGN", side, rate, SOURCE, seen=seen, by_user_id=by)


def test_two_people_convert_what_is_payable(app: Flask) -> None:
    earning = sold_in_leva()
    row = ask()
    assert (row.amount, row.to_amount, row.to_currency) == (8_500, 4_346, "EUR")
    # Nothing moves before the second person agrees.
    assert purse(PUBLISHER, "BGN") == (0, 8_500, 0)
    with pytest.raises(SettlementError, match="Somebody else"):
        decide_conversion(row.id, approve=True, by_user_id=1)
    assert conversion_of(earning) is None
    decide_conversion(row.id, approve=True, by_user_id=2)
    assert purse(PUBLISHER, "BGN") == (0, 0, 0)
    assert purse(PUBLISHER, "EUR") == (0, 4_346, 0)
    # Nothing was exchanged at Stripe yet, so nothing is won or lost.
    assert row.gain == 0
    assert books("BGN") == {
        "stripe_pending": 10_000,
        "platform_fee": 1_500,
        "fx_clearing": -8_500,
    }
    assert books("EUR") == {"fx_clearing": 4_346}
    with pytest.raises(SettlementError, match="decided already"):
        decide_conversion(row.id, approve=True, by_user_id=2)
    found = conversion_of(earning)
    assert found is not None
    assert found.id == row.id
    assert_sound()


@pytest.mark.parametrize(
    ("settled", "worth", "gain"),
    [(5_000, 4_250, -96), (5_300, 4_505, 159), (5_113, 4_346, 0)],
)
def test_what_such_sales_brought_at_stripe_makes_our_gain_or_loss(
    app: Flask, settled: int, worth: int, gain: int
) -> None:
    sold_in_leva(settled)
    row = ask()
    assert gain_of(row) == gain
    decide_conversion(row.id, approve=True, by_user_id=2)
    assert row.gain == gain
    assert books("BGN") == {"platform_fee": 1_500, "fx_clearing": 1_500}
    assert books("EUR") == {
        code: amount
        for code, amount in (
            ("stripe_pending", settled),
            ("fx_clearing", worth - settled),
            ("fx_gain_loss", -gain),
        )
        if amount
    }
    assert_sound()


def test_what_is_refunded_afterwards_is_owed_and_converted_back(app: Flask) -> None:
    earning = sold_in_leva(5_000)
    decide_conversion(ask().id, approve=True, by_user_id=2)
    order = earning.line.order
    refund = request_refund(order, 10_000, reason="Broken", by_user_id=1)
    txn = balance_txn("txn_2", -5_000, "EUR", rate=0.5)
    told = stripe_refund(order, 10_000, "re_1", balance_transaction=txn)
    settle_refund({**told, "metadata": {"refund_id": refund.public_id}})
    assert purse(PUBLISHER, "BGN") == (0, 0, 8_500)
    assert balance_to_convert(PUBLISHER, "BGN", PAYABLE) == 0
    row = ask(OWED)
    decide_conversion(row.id, approve=True, by_user_id=2)
    # It is netted against what was payable in the new currency.
    assert purse(PUBLISHER, "BGN") == (0, 0, 0)
    assert purse(PUBLISHER, "EUR") == (0, 0, 0)
    assert books("BGN") == {}
    assert "fx_clearing" not in books("EUR")
    assert_sound()


def test_it_stands_on_the_statements_of_both_currencies(app: Flask) -> None:
    sold_in_leva()
    decide_conversion(ask().id, approve=True, by_user_id=2)
    now = clock.now()
    month = f"{now:%Y-%m}"
    for currency, sums in (
        ("BGN", {"earned": 8_500, "converted": -8_500}),
        ("EUR", {"converted": 4_346}),
    ):
        found = statement(PUBLISHER, currency, month, as_of=now)
        assert found.sums == sums
        assert found.is_balanced
        last = list(statement_lines(PUBLISHER, currency, month, as_of=now))[-1]
        assert last.kind == "conversion"
        assert f"{RATE} BGN for 1 EUR" in last.memo


def test_only_what_was_seen_is_asked_for_and_one_at_a_time(app: Flask) -> None:
    sold_in_leva()
    with pytest.raises(SettlementError, match="another amount now"):
        request_conversion(PUBLISHER, "BGN", PAYABLE, "2", SOURCE, seen=4_346, by_user_id=1)
    with pytest.raises(SettlementError, match="where the rate"):
        request_conversion(PUBLISHER, "BGN", PAYABLE, RATE, " ", seen=4_346, by_user_id=1)
    ask()
    with pytest.raises(SettlementError, match="waits already"):
        ask(by=2)
    with pytest.raises(SettlementError, match="nothing to convert"):
        request_conversion(PUBLISHER, "BGN", OWED, RATE, SOURCE, seen=0, by_user_id=1)
    with pytest.raises(SettlementError, match="money still"):
        preview(PUBLISHER, "EUR", PAYABLE, RATE)


@pytest.mark.parametrize(
    "rate", ["", "x", "0", "-1", "1e3", "nan", "inf", "1" * 21, "1000001", "０.5", "0.0000001"]
)
def test_what_is_no_rate(app: Flask, rate: str) -> None:
    with pytest.raises(SettlementError, match="rate"):
        preview(PUBLISHER, "BGN", PAYABLE, rate)


def test_a_refused_one_moves_nothing_and_another_can_be_asked_for(app: Flask) -> None:
    sold_in_leva()
    row = decide_conversion(ask().id, approve=False, by_user_id=2)
    assert (row.is_approved, row.gain) == (False, None)
    assert purse(PUBLISHER, "BGN") == (0, 8_500, 0)
    ask(rate="2")
    page = page_of_retired_balances(1, 25)
    assert list(page.items) == [(PUBLISHER, "BGN", PAYABLE, 8_500)]


def test_what_was_taken_back_meanwhile_is_not_converted(app: Flask) -> None:
    earning = sold_in_leva()
    row = ask()
    request_refund(earning.line.order, 4_000, reason="A part", by_user_id=1)
    with pytest.raises(SettlementError, match="ask anew"):
        decide_conversion(row.id, approve=True, by_user_id=2)
    assert row.decided_at is None


def test_approved_twice_at_once_it_is_posted_once(app: Flask) -> None:
    sold_in_leva()
    row = ask()
    db.session.commit()
    row_id = row.id

    def approve(by: int) -> None:
        decide_conversion(row_id, approve=True, by_user_id=by)
        db.session.commit()

    raised = at_once(app, [lambda: approve(2), lambda: approve(3)])
    assert len(raised) == 1
    db.session.rollback()
    posted = db.session.scalars(
        select(LedgerTransaction).where(LedgerTransaction.kind == "conversion")
    ).all()
    assert len(posted) == 1
    assert posted[0].posted_at <= clock.now() + timedelta(seconds=1)
    assert purse(PUBLISHER, "EUR") == (0, 4_346, 0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"amount": 8_499}, "8499 was approved, 8500 was posted"),
        ({"is_approved": False}, "it is not approved, 8500 was posted"),
    ],
)
def test_a_conversion_that_says_otherwise_than_the_ledger_is_named(
    app: Flask, change: dict[str, int], expected: str
) -> None:
    sold_in_leva(5_100)
    row = decide_conversion(ask().id, approve=True, by_user_id=2)
    assert_sound()
    db.session.execute(update(BalanceConversion).values(**change))
    assert [str(each) for each in verify(["decisions_are_posted"])] == [
        f"decisions_are_posted: balance_conversion {row.id}: {expected}"
    ]
