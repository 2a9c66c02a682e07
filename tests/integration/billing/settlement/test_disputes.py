"""Disputes: the money waits, and goes where the bank decides."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.models import (
    Dispute,
    DisputeState,
    EarningKind,
    EarningState,
    Funder,
    Order,
    TransferReversal,
)
from billing.money import TWO_DECIMAL
from billing.settlement import listeners
from billing.settlement.disputes import settle_dispute
from billing.settlement.evidence import submit_evidence
from billing.settlement.freezing import freeze
from billing.settlement.listeners import on_dispute_changed
from billing.settlement.parts import SettlementError
from billing.settlement.refunds import settle_refund
from billing.settlement.release import release_due
from billing.settlement.returned import went_back
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from tests.factories.races import at_once
from tests.factories.settlement import (
    AFFILIATE,
    PUBLISHER,
    LineTerms,
    assert_sound,
    balance_txn,
    books,
    earning_of,
    pay_out,
    purse,
    sell,
    stripe_dispute,
    stripe_refund,
)

LATER = timedelta(days=15)


def _release() -> None:
    clock.shift(LATER)
    try:
        release_due()
    finally:
        clock.shift(-LATER)


def test_a_disputed_payment_waits_and_its_earnings_are_frozen(app: Flask) -> None:
    order, (earning,) = sell()
    dispute = settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    assert dispute is not None
    assert (dispute.state, dispute.fee) == (DisputeState.OPEN, 1_500)
    assert dispute.evidence_due_at is not None
    assert books() == {
        "stripe_pending": 10_000,
        "stripe_available": -11_500,
        "dispute_hold": 10_000,
        "dispute_fee": 1_500,
        "platform_fee": 1_500,
    }
    assert earning.frozen_reason == "The customer's bank disputes the payment."
    _release()
    assert purse(PUBLISHER) == (8_500, 0, 0)
    # Told again, nothing happens again.
    settle_dispute(stripe_dispute(order, 10_000, "du_1", "under_review"))
    assert books()["dispute_fee"] == 1_500
    assert_sound()


def test_what_was_payable_and_unpaid_is_held_again(app: Flask) -> None:
    order, (earning,) = sell()
    _release()
    assert purse(PUBLISHER) == (0, 8_500, 0)
    settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    assert purse(PUBLISHER) == (8_500, 0, 0)
    assert earning.state is EarningState.HELD
    assert pay_out(PUBLISHER) is None
    assert_sound()


def test_a_dispute_that_is_won_leaves_everything_as_it_was_but_the_fee(app: Flask) -> None:
    order, (earning,) = sell()
    _release()
    settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    dispute = settle_dispute(stripe_dispute(order, 10_000, "du_1", "won"))
    assert dispute is not None
    assert dispute.state is DisputeState.WON
    assert dispute.decided_at is not None
    assert earning.frozen_at is None
    _release()
    assert purse(PUBLISHER) == (0, 8_500, 0)
    assert books() == {
        "stripe_pending": 10_000,
        "stripe_available": -1_500,
        "dispute_fee": 1_500,
        "platform_fee": 1_500,
    }
    assert_sound()


def test_a_fee_that_the_bank_gives_back_is_no_expense(app: Flask) -> None:
    order, _ = sell()
    settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    won = stripe_dispute(order, 10_000, "du_1", "won")
    won["balance_transactions"][1]["fee"] = -1_500
    settle_dispute(won)
    assert books() == {"stripe_pending": 10_000, "platform_fee": 1_500}
    assert_sound()


def test_a_dispute_that_is_lost_is_like_a_refund(app: Flask) -> None:
    order, (earning,) = sell(LineTerms(10_000, tax_bps=2_000))
    settle_dispute(stripe_dispute(order, 12_000, "du_1"))
    settle_dispute(stripe_dispute(order, 12_000, "du_1", "lost"))
    assert earning.state is EarningState.VOID
    assert order.refunded_total == 12_000
    assert books() == {
        "stripe_pending": 12_000,
        "stripe_available": -13_500,
        "dispute_fee": 1_500,
    }
    assert_sound()


def test_a_part_that_is_lost_leaves_the_rest_to_be_released(app: Flask) -> None:
    order, (earning,) = sell()
    settle_dispute(stripe_dispute(order, 4_000, "du_1"))
    settle_dispute(stripe_dispute(order, 4_000, "du_1", "lost"))
    assert purse(PUBLISHER) == (5_100, 0, 0)
    assert earning.frozen_reason == ""
    _release()
    assert purse(PUBLISHER) == (0, 5_100, 0)
    assert_sound()


def test_a_dispute_of_more_than_the_charge_is_bad_debt_above_it(app: Flask) -> None:
    order, _ = sell()
    settle_dispute(stripe_dispute(order, 10_300, "du_1"))
    settle_dispute(stripe_dispute(order, 10_300, "du_1", "lost"))
    assert books()["bad_debt"] == 300
    assert purse(PUBLISHER) == (0, 0, 0)
    assert order.refunded_total == 10_000
    assert_sound()


def test_a_loss_after_the_payout_is_owed_and_a_reversal_is_tried(app: Flask) -> None:
    order, _ = sell()
    _release()
    pay_out(PUBLISHER)
    settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    assert purse(PUBLISHER) == (0, 0, 0)
    dispute = settle_dispute(stripe_dispute(order, 10_000, "du_1", "lost"))
    assert dispute is not None
    assert purse(PUBLISHER) == (0, 0, 8_500)
    (row,) = db.session.scalars(select(TransferReversal)).all()
    assert (row.amount, row.dispute_id, row.refund_id) == (8_500, dispute.id, None)
    assert_sound()


def test_a_dispute_won_after_the_clawback_gives_it_all_back(app: Flask) -> None:
    order, (earning,) = sell()
    _release()
    pay_out(PUBLISHER)
    settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    settle_dispute(stripe_dispute(order, 10_000, "du_1", "lost"))
    dispute = settle_dispute(stripe_dispute(order, 10_000, "du_1", "won"))
    assert dispute is not None
    assert dispute.state is DisputeState.WON
    # Held, and netted against what was taken back as soon as it is released.
    assert purse(PUBLISHER) == (8_500, 0, 8_500)
    assert (earning.net, earning.state) == (8_500, EarningState.HELD)
    assert order.refunded_total == 0
    # A late answer that says it was lost does not bring that back.
    settle_dispute(stripe_dispute(order, 10_000, "du_1", "lost"))
    assert dispute.state is DisputeState.WON
    assert_sound()


def test_an_inquiry_moves_nothing(app: Flask) -> None:
    order, (earning,) = sell()
    dispute = settle_dispute(stripe_dispute(order, 10_000, "du_1", "warning_needs_response"))
    assert dispute is not None
    assert dispute.state is DisputeState.WARNING
    assert earning.frozen_at is None
    assert books() == {"stripe_pending": 10_000, "platform_fee": 1_500}
    settle_dispute(stripe_dispute(order, 10_000, "du_1", "warning_closed", balance_transactions=[]))
    assert dispute.state is DisputeState.WON
    assert_sound()


def test_a_freeze_of_a_person_outlasts_the_dispute(app: Flask) -> None:
    order, (earning,) = sell()
    freeze(earning, "Looks strange")
    settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    settle_dispute(stripe_dispute(order, 10_000, "du_1", "won"))
    assert earning.freezes == {"hold": "Looks strange"}
    _release()
    assert purse(PUBLISHER) == (8_500, 0, 0)


def test_disputes_of_a_payment_that_is_not_here_wait(app: Flask) -> None:
    order, _ = sell()
    stranger = stripe_dispute(order, 10_000, "du_1", charge="ch_x", payment_intent=None)
    assert settle_dispute(stranger) is None


def test_a_dispute_in_another_currency_takes_the_whole_order(app: Flask) -> None:
    order, _ = sell(currency="USD")
    out = balance_txn("txn_out", -9_500, "EUR", fee=1_500)
    for status in ("needs_response", "lost"):
        found = stripe_dispute(order, 9_400, "du_1", status, balance_transactions=[out])
        settle_dispute({**found, "currency": "eur"})
    assert books("USD") == {"stripe_pending": 10_000, "fx_clearing": -10_000}
    assert books("EUR") == {
        "stripe_available": -10_900,
        "dispute_fee": 1_500,
        "fx_clearing": 9_400,
    }
    assert_sound()


def _events(order: Order, name: str) -> list[dict[str, Any]]:
    """Everything that Stripe may say of an order, each as it stands in the end or before."""
    return [
        {"refund": stripe_refund(order, 3_000, f"re_1_{name}")},
        {"refund": stripe_refund(order, 2_000, f"re_2_{name}", status="failed")},
        {"dispute": stripe_dispute(order, 8_000, f"du_{name}", "needs_response")},
        {"dispute": stripe_dispute(order, 8_000, f"du_{name}", "lost")},
    ]


def _handle(event: dict[str, Any]) -> None:
    if "refund" in event:
        settle_refund(event["refund"])
    else:
        settle_dispute(event["dispute"])


def test_every_order_of_the_same_events_converges_to_the_same_ledger(
    app: Flask, database_kind: str
) -> None:
    # A currency of its own for each order of events: 24 ledgers beside each other. The rules are
    # the same on PostgreSQL, which takes longer: there, some of the orders.
    currencies = sorted(TWO_DECIMAL)
    every = 1 if database_kind == "sqlite" else 5
    terms = LineTerms(9_000, commission=900, funder=Funder.PUBLISHER, tax_bps=1_900)
    for place, sequence in list(enumerate(itertools.permutations(range(4))))[::every]:
        currency = currencies[place]
        order, earnings = sell(terms, currency=currency)
        events = _events(order, currency)
        for number in (*sequence, *sequence):
            _handle(events[number])
        # 11000 of 10710 went back.
        assert went_back(order.id) == 11_000
        assert books(currency) == {
            "stripe_pending": 10_710,
            "stripe_available": -12_500,
            "dispute_fee": 1_500,
            "bad_debt": 290,
        }
        assert purse(PUBLISHER, currency) == purse(AFFILIATE, currency) == (0, 0, 0)
        assert [each.net for each in earnings] == [0, 0]
    assert_sound()


def test_a_refund_and_a_loss_at_the_same_moment_take_no_more_than_there_is(app: Flask) -> None:
    order, _ = sell()
    refund = stripe_refund(order, 6_000, "re_1")
    lost = stripe_dispute(order, 10_000, "du_1", "lost")
    db.session.commit()

    def act(event: dict[str, Any]) -> None:
        _handle(event)
        db.session.commit()

    raised = at_once(app, [lambda: act({"refund": refund}), lambda: act({"dispute": lost})] * 2)
    assert raised == []
    assert books()["bad_debt"] == 6_000
    assert purse(PUBLISHER) == (0, 0, 0)
    assert db.session.scalar(select(func.count()).select_from(Dispute)) == 1
    assert_sound()


def test_whoever_listens_hears_of_each_change_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    # What the application has connected is put back afterwards.
    monkeypatch.setattr(listeners, "_disputed", [])
    on_dispute_changed(lambda _order, dispute: heard.append(dispute.state))
    order, _ = sell()
    for status in ("needs_response", "under_review", "lost", "lost"):
        settle_dispute(stripe_dispute(order, 10_000, "du_1", status))
    assert heard == ["open", "lost"]


def test_evidence_is_sent_once(app: Flask) -> None:
    order, _ = sell()
    dispute = settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    assert dispute is not None
    for wrong in ({}, {"product_description": " "}, {"invented": "x"}):
        with pytest.raises(SettlementError, match="Tell the bank"):
            submit_evidence(dispute.id, wrong, 1)
    with pytest.raises(SettlementError, match="At most"):
        submit_evidence(dispute.id, {"uncategorized_text": "x" * 150_001}, 1)
    submit_evidence(dispute.id, {"product_description": "Tide tables"}, 1)
    assert dispute.evidence == {"product_description": "Tide tables"}
    assert "settlement.submit_evidence" in list(db.session.scalars(select(Job.kind)))
    with pytest.raises(SettlementError, match="once"):
        submit_evidence(dispute.id, {"product_description": "Tide tables"}, 1)
    settle_dispute(stripe_dispute(order, 10_000, "du_1", "lost"))
    with pytest.raises(SettlementError, match="decided already"):
        submit_evidence(dispute.id, {"product_description": "Tide tables"}, 1)
    with pytest.raises(SettlementError, match="no such"):
        submit_evidence(99, {"product_description": "Tide tables"}, 1)


def test_a_commission_is_frozen_with_the_sale(app: Flask) -> None:
    order, earnings = sell(LineTerms(commission=500, funder=Funder.PLATFORM))
    settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    assert earning_of(earnings, EarningKind.AFFILIATE_COMMISSION).frozen_at is not None
