"""Refunds: who gives back what, and from where."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from billing.models import (
    Dispute,
    DisputeState,
    Earning,
    EarningKind,
    EarningState,
    Funder,
    LedgerTransaction,
    Order,
    OrderState,
    Refund,
    RefundState,
    TransferReversal,
)
from billing.settlement import listeners
from billing.settlement.charges import record_charge
from billing.settlement.listeners import on_refund_changed
from billing.settlement.parts import SettlementError
from billing.settlement.receivables import net_debtors
from billing.settlement.refunds import (
    fail_refund,
    preview_refund,
    refundable,
    request_refund,
    settle_refund,
)
from billing.settlement.release import release_due
from billing.settlement.returned import went_back
from billing.settlement.reversals import settle_reversal
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from tests.factories.races import at_once
from tests.factories.settlement import (
    AFFILIATE,
    PUBLISHER,
    RESELLER,
    LineTerms,
    assert_sound,
    balance_txn,
    books,
    pay_out,
    purse,
    sell,
    stripe_charge,
    stripe_refund,
)
from tests.parts import examples

LATER = timedelta(days=15)


def _release() -> None:
    clock.shift(LATER)
    try:
        release_due()
    finally:
        clock.shift(-LATER)


def _refund(order: Order, amount: int) -> Refund:
    return request_refund(order, amount, reason="Not what was promised", by_user_id=1)


def _settle(order: Order, refund: Refund, **fields: object) -> None:
    found = stripe_refund(order, refund.amount, f"re_{refund.id}", **fields)
    settle_refund({**found, "metadata": {"refund_id": refund.public_id}})


def test_a_refund_before_the_release_comes_out_of_what_is_held(app: Flask) -> None:
    order, (earning,) = sell(LineTerms(10_000, tax_bps=2_000))
    refund = _refund(order, 6_000)
    assert purse(PUBLISHER) == (4_250, 0, 0)
    assert books() == {
        "stripe_pending": 12_000,
        "tax_payable": 1_000,
        "platform_fee": 750,
        "refund_clearing": 6_000,
    }
    _settle(order, refund)
    assert books() == {
        "stripe_pending": 12_000,
        "stripe_available": -6_000,
        "tax_payable": 1_000,
        "platform_fee": 750,
    }
    assert (refund.state, order.refunded_total) == (RefundState.SUCCEEDED, 6_000)
    assert (earning.reversed_amount, earning.state) == (4_250, EarningState.HELD)
    assert_sound()


def test_a_refund_after_the_release_is_netted_against_what_is_payable(app: Flask) -> None:
    order, _ = sell()
    _release()
    _settle(order, _refund(order, 4_000))
    assert purse(PUBLISHER) == (0, 5_100, 0)
    assert_sound()


def test_a_refund_after_the_payout_is_owed_and_a_transfer_reversal_is_tried(app: Flask) -> None:
    order, (earning,) = sell()
    _release()
    payout = pay_out(PUBLISHER)
    assert payout is not None
    refund = _refund(order, 4_000)
    assert purse(PUBLISHER) == (0, 0, 3_400)
    (reversal,) = db.session.scalars(select(TransferReversal)).all()
    assert (reversal.amount, reversal.payout_id) == (3_400, payout.id)
    assert (reversal.refund_id, reversal.earning_id) == (refund.id, earning.id)
    kinds = list(db.session.scalars(select(Job.kind)))
    assert "settlement.reverse_transfer" in kinds
    settle_reversal(reversal.id, "trr_1")
    settle_reversal(reversal.id, "trr_1")
    assert purse(PUBLISHER) == (0, 0, 0)
    assert payout.reversed_amount == 3_400
    assert_sound()


def test_what_a_partner_cannot_give_back_is_netted_against_its_next_sale(app: Flask) -> None:
    order, _ = sell()
    _release()
    pay_out(PUBLISHER)
    _settle(order, _refund(order, 10_000))
    (reversal,) = db.session.scalars(select(TransferReversal)).all()
    sell(LineTerms(5_000))
    _release()
    # Nothing is netted while the transfer may still be reversed.
    assert purse(PUBLISHER) == (0, 4_250, 8_500)
    settle_reversal(reversal.id, None, "The account has no balance")
    assert purse(PUBLISHER) == (0, 0, 4_250)
    sell(LineTerms(10_000))
    _release()
    assert purse(PUBLISHER) == (0, 4_250, 0)
    assert net_debtors() == (0, None)
    assert_sound()


def test_a_second_reversal_of_a_transfer_takes_no_more_than_is_left_of_it(app: Flask) -> None:
    order, _ = sell()
    _release()
    payout = pay_out(PUBLISHER)
    assert payout is not None
    _settle(order, _refund(order, 7_000))
    _settle(order, _refund(order, 3_000))
    rows = db.session.scalars(select(TransferReversal).order_by(TransferReversal.id)).all()
    assert [row.amount for row in rows] == [5_950, 2_550]
    settle_reversal(rows[1].id, "trr_2")
    settle_reversal(rows[0].id, "trr_1")
    assert payout.reversed_amount == payout.amount == 8_500
    assert purse(PUBLISHER) == (0, 0, 0)
    assert_sound()


def test_the_whole_ladder_at_once(app: Flask) -> None:
    # Two sales: one is paid out, then the other is released, and then the first is refunded.
    first, _ = sell(LineTerms(10_000))
    _release()
    pay_out(PUBLISHER)
    sell(LineTerms(4_000))
    _release()
    assert purse(PUBLISHER) == (0, 3_400, 0)
    _settle(first, _refund(first, 10_000))
    assert purse(PUBLISHER) == (0, 0, 5_100)
    assert_sound()


def test_every_party_of_a_resale_gives_back_its_part(app: Flask) -> None:
    order, earnings = sell(
        LineTerms(12_000, floor=10_000, commission=600, funder=Funder.PUBLISHER, tax_bps=1_900)
    )
    _settle(order, _refund(order, order.total // 2))
    assert purse(RESELLER)[0] == 1_000
    assert purse(AFFILIATE)[0] == 300
    assert purse(PUBLISHER)[0] == (10_000 - 1_500 - 600) // 2
    _settle(order, _refund(order, refundable(order)))
    assert all(each.state is EarningState.VOID for each in earnings)
    assert books() == {"stripe_pending": order.total, "stripe_available": -order.total}
    assert_sound()


def test_what_the_platform_funded_comes_back_with_a_refund(app: Flask) -> None:
    order, _ = sell(
        LineTerms(10_000, discount=2_000, by_platform=2_000, commission=800, funder=Funder.PLATFORM)
    )
    _settle(order, _refund(order, 4_000))
    assert books() == {
        "stripe_pending": 8_000,
        "stripe_available": -4_000,
        "discount": 1_000,
        "commission_expense": 400,
        "platform_fee": 750,
    }
    assert_sound()


def test_thirty_three_three_times_is_ninety_nine_for_everybody(app: Flask) -> None:
    order, (earning,) = sell(LineTerms(99))
    for _ in range(3):
        _settle(order, _refund(order, 33))
    assert earning.state is EarningState.VOID
    assert books() == {"stripe_pending": 99, "stripe_available": -99}
    assert refundable(order) == 0
    assert_sound()


def test_a_refund_that_fails_gives_everything_back(app: Flask) -> None:
    order, (earning,) = sell(LineTerms(10_000, tax_bps=2_000))
    refund = _refund(order, 12_000)
    assert earning.state is EarningState.VOID
    _settle(order, refund)
    _settle(
        order,
        refund,
        status="failed",
        failure_reason="lost_or_stolen_card",
        failure_balance_transaction=balance_txn("txn_f", 12_000, "EUR"),
    )
    assert (refund.state, refund.failure) == (RefundState.FAILED, "lost_or_stolen_card")
    assert books() == {"stripe_pending": 12_000, "tax_payable": 2_000, "platform_fee": 1_500}
    assert purse(PUBLISHER) == (8_500, 0, 0)
    assert (earning.state, earning.net) == (EarningState.HELD, 8_500)
    assert (order.refunded_total, refundable(order)) == (0, 12_000)
    # What Stripe says again, or said before, changes nothing.
    _settle(order, refund)
    assert refund.state is RefundState.FAILED
    assert_sound()


def test_what_a_failed_refund_gives_back_is_released_again(app: Flask) -> None:
    order, (earning,) = sell()
    _release()
    refund = _refund(order, 4_000)
    fail_refund(refund.id, "The card was closed")
    fail_refund(refund.id, "Once more")
    assert purse(PUBLISHER) == (3_400, 5_100, 0)
    assert refund.failure == "The card was closed"
    _release()
    assert purse(PUBLISHER) == (0, 8_500, 0)
    assert earning.state is EarningState.PAYABLE
    keys = select(LedgerTransaction.idem_key).where(LedgerTransaction.kind == "release")
    assert sorted(db.session.scalars(keys)) == [
        f"earning:{earning.id}:release",
        f"earning:{earning.id}:release:2",
    ]
    assert_sound()


def test_a_refund_made_in_stripes_dashboard_is_taken_over(app: Flask) -> None:
    order, _ = sell()
    made = settle_refund(stripe_refund(order, 2_500, "re_dash", reason="duplicate"))
    again = settle_refund(stripe_refund(order, 2_500, "re_dash"))
    assert made is not None and again is not None  # noqa: PT018 - both for the type checker
    assert made.id == again.id
    assert (made.created_by_id, made.reason, made.number) == (None, "duplicate", 1)
    assert purse(PUBLISHER)[0] == 6_375
    assert order.refunded_total == 2_500
    assert_sound()


def test_a_refund_of_a_payment_that_is_not_here_waits(app: Flask) -> None:
    order, _ = sell()
    stranger = stripe_refund(order, 100, "re_x", charge="ch_x", payment_intent="pi_x")
    assert settle_refund(stranger) is None
    order.state = OrderState.PENDING
    assert settle_refund(stripe_refund(order, 100, "re_y")) is None


def test_a_pending_refund_leaves_the_clearing_account_once_stripe_took_the_money(
    app: Flask,
) -> None:
    order, _ = sell()
    refund = _refund(order, 1_000)
    _settle(order, refund, status="pending", balance_transaction=None)
    assert (refund.state, books()["refund_clearing"]) == (RefundState.PENDING, 1_000)
    _settle(order, refund, status="pending")
    assert "refund_clearing" not in books()
    _settle(order, refund)
    # An older answer that arrives late changes nothing.
    _settle(order, refund, status="pending", balance_transaction=None)
    assert refund.state is RefundState.SUCCEEDED
    assert_sound()


def test_a_refund_in_another_currency_leaves_by_stripes_own_rate(app: Flask) -> None:
    order, _ = sell(currency="USD")
    txn = balance_txn("txn_u", -4_650, "EUR", rate=0.93)
    _settle(order, _refund(order, 5_000), balance_transaction=txn)
    assert books("USD")["fx_clearing"] == -5_000
    assert books("EUR") == {"stripe_available": -4_650, "fx_clearing": 4_650}
    assert_sound()


@pytest.mark.parametrize(("rate_back", "result"), [(9_400, 183), (9_000, -217)])
def test_what_comes_back_whole_at_another_rate_is_a_loss_or_a_gain(
    app: Flask, rate_back: int, result: int
) -> None:
    order, _ = sell(currency="USD")
    charge = balance_txn("txn_c", 9_217, "EUR", rate=0.9217)
    record_charge(order.id, stripe_charge(order, balance_transaction=charge))
    for part in (4_000, 6_000):
        back = balance_txn(f"txn_{part}", -(part * rate_back // 10_000), "EUR")
        _settle(order, _refund(order, part), balance_transaction=back)
    assert books("USD") == {}
    assert books("EUR")["fx_gain_loss"] == result
    assert "fx_clearing" not in books("EUR")
    assert_sound()


def test_what_stripe_takes_for_a_refund_is_an_expense(app: Flask) -> None:
    order, _ = sell()
    txn = balance_txn("txn_r", -5_000, "EUR", fee=20)
    _settle(order, _refund(order, 5_000), balance_transaction=txn)
    assert books()["processing_fee"] == 20
    assert books()["stripe_available"] == -5_020
    assert_sound()


@pytest.mark.parametrize("amount", [0, -1, 10_001])
def test_no_more_than_what_is_left_is_refunded(app: Flask, amount: int) -> None:
    order, _ = sell()
    with pytest.raises(SettlementError, match="more than nothing"):
        _refund(order, amount)
    assert went_back(order.id) == 0


def test_an_order_that_is_not_paid_disputed_or_gone_back_is_not_refunded(app: Flask) -> None:
    order, _ = sell()
    order.state = OrderState.PENDING
    with pytest.raises(SettlementError, match="paid order"):
        preview_refund(order, 100)
    assert refundable(order) == 0
    order.state = OrderState.PAID
    dispute = Dispute(
        stripe_id="du_1",
        order_id=order.id,
        charge_id="ch",
        amount=100,
        currency="EUR",
        state=DisputeState.OPEN,
    )
    db.session.add(dispute)
    with pytest.raises(SettlementError, match="disputed"):
        preview_refund(order, 100)
    dispute.state = DisputeState.WON
    _refund(order, 10_000)
    with pytest.raises(SettlementError, match="Nothing is left"):
        _refund(order, 1)


def test_three_decimal_currencies_are_refunded_in_steps_of_ten(app: Flask) -> None:
    order, _ = sell(LineTerms(9_990), currency="KWD")
    with pytest.raises(SettlementError, match="whole steps"):
        _refund(order, 1_234)
    _settle(order, _refund(order, 1_230))
    _settle(order, _refund(order, refundable(order)))
    assert_sound()


def test_a_preview_says_what_the_refund_then_does(app: Flask) -> None:
    order, _ = sell(
        LineTerms(12_000, floor=10_000, commission=600, funder=Funder.PLATFORM, tax_bps=1_900)
    )
    before = purse(PUBLISHER), purse(RESELLER), purse(AFFILIATE), books()
    parts = preview_refund(order, 3_333)
    assert before == (purse(PUBLISHER), purse(RESELLER), purse(AFFILIATE), books())
    assert (
        parts.tax
        + parts.fee
        - parts.discount
        - parts.commission
        + sum(part.amount for part in parts.partners)
        == 3_333
    )
    _refund(order, 3_333)
    for part in parts.partners:
        assert part.from_held == part.amount
        assert purse(part.earning.partner_id)[0] == part.earning.amount - part.amount


def test_whoever_listens_hears_of_success_and_failure(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[int, str]] = []
    # What the application has connected is put back afterwards.
    monkeypatch.setattr(listeners, "_refunded", [])
    on_refund_changed(lambda order, refund: heard.append((order.refunded_total, refund.state)))
    order, _ = sell()
    refund = _refund(order, 1_000)
    _settle(order, refund)
    _settle(order, refund)
    _settle(order, refund, status="failed")
    assert heard == [(1_000, "succeeded"), (0, "failed")]


def test_refunds_at_the_same_moment_never_give_back_more_than_was_paid(app: Flask) -> None:
    order, _ = sell(LineTerms(10_000))
    order_id = order.id
    db.session.commit()

    def act() -> None:
        _refund(db.session.get_one(Order, order_id), 4_000)
        db.session.commit()

    raised = at_once(app, [act] * 4)
    assert [type(error) for error in raised] == [SettlementError] * 2
    assert went_back(order_id) == 8_000
    numbers = db.session.scalars(select(Refund.number).order_by(Refund.number)).all()
    assert list(numbers) == [1, 2]
    assert_sound()


def test_a_refund_told_on_two_endpoints_at_once_is_one(app: Flask) -> None:
    order, _ = sell()
    found = stripe_refund(order, 1_000, "re_twice")
    db.session.commit()

    def act() -> None:
        settle_refund(found)
        db.session.commit()

    assert at_once(app, [act] * 3) == []
    assert db.session.scalar(select(func.count()).select_from(Refund)) == 1
    assert_sound()


def test_refunds_releases_and_sales_at_once_deadlock_nobody(app: Flask) -> None:
    orders = []
    for _ in range(4):
        order, _ = sell(
            LineTerms(1_000, floor=900, commission=50, funder=Funder.PUBLISHER, hold_days=0)
        )
        orders.append(order.id)
    db.session.commit()

    def refund(order_id: int) -> None:
        for _ in range(4):
            _refund(db.session.get_one(Order, order_id), 100)
            db.session.commit()

    def release() -> None:
        for _ in range(6):
            release_due(2)
            db.session.commit()

    def act(number: int) -> None:
        refund(orders[number])

    raised = at_once(
        app, [release, release, *(lambda number=number: act(number) for number in range(4))]
    )
    assert raised == []
    release_due()
    assert_sound()
    held = select(func.count()).where(Earning.state == EarningState.HELD)
    assert db.session.scalar(held) == 0


@given(
    data=st.data(),
    kind=st.sampled_from([None, *Funder]),
    currency=st.sampled_from(["EUR", "JPY", "HUF"]),
)
@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_the_partial_refunds_the_books_end_where_one_refund_ends(
    app: Flask, data: st.DataObject, kind: Funder | None, currency: str
) -> None:
    step = 100 if currency == "HUF" else 1
    price = data.draw(st.integers(1, 60)) * step
    terms = LineTerms(
        price,
        fee_bps=data.draw(st.integers(0, 3_000)),
        commission=data.draw(st.integers(0, price)),
        funder=kind,
        tax_bps=0,
    )
    order, earnings = sell(terms, LineTerms(7 * step), currency=currency)
    before = books(currency)
    while left := refundable(order):
        amount = data.draw(st.integers(1, max(1, left // step))) * step
        refund = _refund(order, min(left, amount))
        if data.draw(st.booleans()):
            _settle(order, refund)
        else:
            fail_refund(refund.id, "no")
            _settle(order, _refund(order, min(left, amount)))
    assert all(each.net == 0 for each in earnings)
    after = books(currency)
    moved = order.total
    assert after.get("stripe_available", 0) == before.get("stripe_available", 0) - moved
    assert_sound()


def test_refunds_of_a_few_cents_each_leave_no_cent_anywhere(app: Flask, database_kind: str) -> None:
    # Of one cent each, on the database that is faster.
    amount = 1 if database_kind == "sqlite" else 5
    order, earnings = sell(
        LineTerms(127, floor=101, commission=13, funder=Funder.PUBLISHER, tax_bps=1_900)
    )
    while left := refundable(order):
        _refund(order, min(amount, left))
    assert all(each.kind in EarningKind and each.net == 0 for each in earnings)
    assert books() == {"stripe_pending": order.total, "refund_clearing": order.total}
    assert_sound()
