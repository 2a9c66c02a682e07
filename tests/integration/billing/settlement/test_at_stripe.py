"""Refunds, disputes and reversals at the stand-in for Stripe, and everything that goes wrong."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from billing.gateway import gateway
from billing.models import (
    Dispute,
    DisputeState,
    EventState,
    Order,
    OrderState,
    Payout,
    PayoutState,
    Refund,
    RefundState,
    StripeEvent,
    TransferReversal,
)
from billing.payouts.executing import execute
from billing.settlement import jobs as settlement_jobs
from billing.settlement.evidence import submit_evidence
from billing.settlement.refunds import request_refund
from billing.settlement.release import release_due
from billing.settlement.sales import post_sale
from marketplace.core import jobs
from marketplace.core.database import db
from tests.factories.payouts import make_account, make_approved_run
from tests.factories.settlement import (
    PUBLISHER,
    assert_sound,
    books,
    buy,
    purse,
)
from tests.factories.stripe import StripeStandIn, stripe, stripe_server

__all__ = ["stripe", "stripe_server"]
RunJobs = Callable[[], int]


class Killed(BaseException):
    """The worker's process ends here."""


def order_of(order_id: int) -> Order:
    db.session.expire_all()
    return db.session.get_one(Order, order_id)


def refund(order_id: int, amount: int) -> int:
    found = request_refund(order_of(order_id), amount, reason="Not needed", by_user_id=1).id
    db.session.commit()
    return found


def refunds() -> list[Refund]:
    db.session.expire_all()
    return list(db.session.scalars(select(Refund).order_by(Refund.id)))


def pay_partner(stripe: StripeStandIn, run_jobs: RunJobs) -> Payout:
    """Release what is held and pay it out by a run; the payout."""
    stripe.fund(100_000)
    make_account(PUBLISHER, stripe_id=stripe.new_account())
    release_due()
    run = make_approved_run()
    execute(run.id, by_user_id=3)
    db.session.commit()
    run_jobs()
    payout = db.session.scalars(select(Payout)).one()
    assert payout.state is PayoutState.TRANSFERRED
    return payout


def check_refunded(stripe: StripeStandIn, order_id: int, amount: int) -> None:
    """Stripe gave back that much, and the ledger knows it."""
    made = [each for each in stripe.all("refund") if each["status"] == "succeeded"]
    assert sum(each["amount"] for each in made) == amount
    assert order_of(order_id).refunded_total == amount
    assert books().get("refund_clearing", 0) == 0
    assert_sound()


def test_a_refund_is_made_at_stripe_and_settled(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    refund(order_id, 4_000)
    run_jobs()
    (row,) = refunds()
    assert (row.state, row.stripe_id) == (RefundState.SUCCEEDED, stripe.all("refund")[0]["id"])
    assert books()["stripe_available"] == -4_000
    stripe.deliver(repeat=2)
    check_refunded(stripe, order_id, 4_000)
    # The charge's own event has brought the fee.
    assert books()["processing_fee"] == 175


@pytest.mark.parametrize("kind", ["lost", "dropped", "error", "error_after", "rate_limited"])
def test_a_refund_whose_answer_was_lost_is_made_once(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs, kind: str
) -> None:
    order_id = buy(stripe)
    stripe.fault("refunds.create", kind)
    refund(order_id, 4_000)
    run_jobs()
    assert refunds()[0].state is RefundState.INTENDED
    stripe.advance(timedelta(minutes=10))
    run_jobs()
    check_refunded(stripe, order_id, 4_000)


def test_a_refund_is_sent_again_to_the_letter_when_the_charge_became_known_meanwhile(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    order = order_of(order_id)
    charge, order.charge_id = order.charge_id, None
    db.session.commit()
    stripe.fault("refunds.create", "error_after")
    refund(order_id, 4_000)
    run_jobs()
    assert refunds()[0].state is RefundState.INTENDED
    order_of(order_id).charge_id = charge
    db.session.commit()
    stripe.advance(timedelta(minutes=10))
    run_jobs()
    check_refunded(stripe, order_id, 4_000)


def test_an_error_that_stripe_repeats_for_the_same_key_is_looked_up_after_a_day(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    stripe.fault("refunds.create", "error", cached=True)
    refund(order_id, 4_000)
    run_jobs()
    stripe.advance(timedelta(hours=1))
    run_jobs()
    assert (refunds()[0].state, stripe.all("refund")) == (RefundState.INTENDED, [])
    stripe.advance(timedelta(hours=24))
    run_jobs()
    check_refunded(stripe, order_id, 4_000)


def test_a_refund_that_happened_unseen_a_day_ago_is_found_and_not_made_again(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    stripe.fault("refunds.create", "lost", times=1)
    refund(order_id, 4_000)
    run_jobs()
    stripe.lose()
    stripe.advance(timedelta(hours=25))
    run_jobs()
    assert len(stripe.all("refund")) == 1
    check_refunded(stripe, order_id, 4_000)


def test_a_refund_that_stripe_refuses_gives_everything_back(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    stripe.fault("refunds.create", "refused", code="charge_disputed", message="Disputed.")
    refund(order_id, 10_000)
    run_jobs()
    (row,) = refunds()
    assert (row.state, row.failure) == (RefundState.FAILED, "Disputed.")
    assert purse(PUBLISHER) == (8_500, 0, 0)
    assert order_of(order_id).refunded_total == 0
    assert_sound()


def test_a_refund_that_fails_at_the_bank_gives_everything_back(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    refund(order_id, 10_000)
    run_jobs()
    stripe.fail_refund(stripe.all("refund")[0])
    stripe.deliver(order="reversed", repeat=2)
    assert refunds()[0].state is RefundState.FAILED
    assert purse(PUBLISHER) == (8_500, 0, 0)
    assert "stripe_available" not in books()
    assert_sound()


@pytest.mark.parametrize("order", ["as sent", "reversed", "shuffled"])
def test_webhooks_in_any_order_and_twice_settle_the_same(
    app: Flask, stripe: StripeStandIn, order: str
) -> None:
    order_id = buy(stripe)
    charge = order_of(order_id).charge_id
    assert charge is not None
    stripe.refund(charge, 1_000)
    stripe.refund(charge, 2_000)
    dispute = stripe.dispute(charge, 7_000)
    stripe.decide(dispute, won=False)
    stripe.deliver(order=order, repeat=2, seed=7)
    assert order_of(order_id).refunded_total == 10_000
    assert [row.amount for row in refunds()] in ([1_000, 2_000], [2_000, 1_000])
    assert purse(PUBLISHER) == (0, 0, 0)
    available = books()["stripe_available"]
    assert available == -10_000 - books()["dispute_fee"]
    assert_sound()


def test_a_webhook_that_comes_before_its_order_is_paid_waits_for_it(
    app: Flask, stripe: StripeStandIn
) -> None:
    order_id = buy(stripe, is_posted=False)
    charge = order_of(order_id).charge_id
    assert charge is not None
    stripe.refund(charge, 1_000)
    stripe.deliver()
    states = select(StripeEvent.state).where(StripeEvent.type == "charge.refunded")
    assert db.session.scalar(states) is EventState.DEFERRED
    order = order_of(order_id)
    order.state = OrderState.PAID
    post_sale(order)
    db.session.commit()
    stripe.advance(timedelta(hours=2))
    jobs.run_due()
    jobs.run_due()
    assert order_of(order_id).refunded_total == 1_000
    assert_sound()


def test_a_refund_after_the_payout_takes_the_transfer_back(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    payout = pay_partner(stripe, run_jobs)
    # A second partial reversal of the same transfer, too.
    for amount in (3_000, 3_000):
        refund(order_id, amount)
        run_jobs()
    stripe.deliver(repeat=2)
    db.session.expire_all()
    assert payout.reversed_amount == 5_100
    transfer = stripe.get(payout.transfer_id or "")
    assert transfer["amount_reversed"] == 5_100
    assert purse(PUBLISHER) == (0, 0, 0)
    check_refunded(stripe, order_id, 6_000)


def test_what_stripe_cannot_take_back_is_owed_and_netted_later(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    payout = pay_partner(stripe, run_jobs)
    stripe.pay_out(payout.destination or "", arrive=True)
    refund(order_id, 6_000)
    run_jobs()
    row = db.session.scalars(select(TransferReversal)).one()
    assert (row.state, purse(PUBLISHER)) == ("rejected", (0, 0, 5_100))
    buy(stripe)
    release_due()
    db.session.commit()
    assert purse(PUBLISHER) == (0, 3_400, 0)
    assert_sound()


@pytest.mark.parametrize("kind", ["lost", "error_after"])
def test_a_reversal_whose_answer_was_lost_is_made_once(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs, kind: str
) -> None:
    order_id = buy(stripe)
    payout = pay_partner(stripe, run_jobs)
    stripe.fault("transfers.reversals.create", kind)
    refund(order_id, 6_000)
    run_jobs()
    stripe.advance(timedelta(minutes=10))
    run_jobs()
    assert stripe.get(payout.transfer_id or "")["amount_reversed"] == 5_100
    assert purse(PUBLISHER) == (0, 0, 0)
    assert_sound()


@pytest.mark.parametrize("commit", range(1, 6))
def test_a_worker_killed_at_any_commit_of_a_refund_loses_nothing_and_refunds_once(
    app: Flask,
    stripe: StripeStandIn,
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
    commit: int,
) -> None:
    order_id = buy(stripe)
    pay_partner(stripe, run_jobs)
    refund_id = refund(order_id, 6_000)
    session, seen = db.session(), [0]
    really = session.commit

    def killed_after() -> None:
        really()
        seen[0] += 1
        if seen[0] == commit:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(session, "commit", killed_after)
        try:
            settlement_jobs.send_refund({"refund_id": refund_id})
            really()
            row = db.session.scalars(select(TransferReversal)).one()
            settlement_jobs.reverse_transfer({"reversal_id": row.id})
        except Killed:
            pass
    db.session.remove()
    stripe.advance(timedelta(minutes=10))
    run_jobs()
    stripe.deliver(order="shuffled", seed=commit)
    assert len(stripe.all("refund")) == 1
    assert purse(PUBLISHER) == (0, 0, 0)
    check_refunded(stripe, order_id, 6_000)


def test_a_dispute_won_after_the_clawback(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    pay_partner(stripe, run_jobs)
    charge = order_of(order_id).charge_id
    assert charge is not None
    dispute = stripe.dispute(charge)
    stripe.decide(dispute, won=False)
    stripe.deliver()
    # The transfer was taken back; then the bank changes its mind.
    assert purse(PUBLISHER) == (0, 0, 0)
    stripe.decide(dispute["id"], won=True)
    stripe.deliver(repeat=2)
    row = db.session.scalars(select(Dispute)).one()
    assert row.state is DisputeState.WON
    assert purse(PUBLISHER) == (8_500, 0, 0)
    assert order_of(order_id).refunded_total == 0
    assert_sound()


def test_evidence_reaches_the_bank(app: Flask, stripe: StripeStandIn, run_jobs: RunJobs) -> None:
    order_id = buy(stripe)
    charge = order_of(order_id).charge_id
    assert charge is not None
    dispute = stripe.dispute(charge)
    stripe.deliver()
    row = db.session.scalars(select(Dispute)).one()
    submit_evidence(row.id, {"product_description": "Tide tables"}, 1)
    db.session.commit()
    stripe.fault("disputes.update", "lost")
    run_jobs()
    stripe.advance(timedelta(minutes=10))
    run_jobs()
    db.session.expire_all()
    assert row.evidence_sent_at is not None
    found = gateway().retrieve("disputes", dispute["id"])
    assert found["evidence_details"]["submission_count"] == 1


def test_what_is_frozen_by_a_dispute_is_not_paid_out(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    order_id = buy(stripe)
    release_due()
    db.session.commit()
    charge = order_of(order_id).charge_id
    assert charge is not None
    dispute = stripe.dispute(charge)
    stripe.deliver()
    assert purse(PUBLISHER) == (8_500, 0, 0)
    stripe.decide(dispute, won=True)
    stripe.deliver()
    assert release_due() == 1
    assert purse(PUBLISHER) == (0, 8_500, 0)
    assert_sound()
