"""What lands on money that a payout under way pays: it is left out, taken back or netted."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from billing.models import (
    EarningKind,
    EarningState,
    Funder,
    LedgerTransaction,
    Order,
    Payout,
    PayoutRun,
    PayoutState,
    RunState,
    TransferReversal,
)
from billing.payouts.approving import approve
from billing.payouts.canceling import abort, cancel_payout, release
from billing.payouts.digest import digest_of
from billing.payouts.executing import execute
from billing.payouts.returns import take_back
from billing.settlement.disputes import settle_dispute
from billing.settlement.freezing import freeze, unfreeze, void
from billing.settlement.jobs import reverse_transfer
from billing.settlement.receivables import net_debtors
from billing.settlement.refunds import request_refund
from billing.settlement.release import release_due
from marketplace.core.database import db
from tests.factories.payouts import (
    make_account,
    make_approved_run,
    make_computed_run,
    make_payable,
)
from tests.factories.settlement import (
    AFFILIATE,
    PUBLISHER,
    LineTerms,
    assert_sound,
    buy,
    earning_of,
    pay_out,
    purse,
    sell,
    set_apart,
    stripe_dispute,
)
from tests.factories.stripe import StripeStandIn

RunJobs = Callable[[], int]
# Somebody else, so that a run is never empty.
OTHER = 9_001


@pytest.fixture
def order(app: Flask, stripe: StripeStandIn) -> Order:
    """A sale whose part of the publisher, 85.00, is payable now."""
    stripe.fund(100_000)
    sold = db.session.get_one(Order, buy(stripe))
    release_due()
    make_account(PUBLISHER, stripe_id=stripe.new_account())
    make_account(OTHER, stripe_id=stripe.new_account())
    make_payable(OTHER, 5_000)
    db.session.commit()
    stripe.advance(timedelta(minutes=1))
    return sold


def refund(order: Order, amount: int) -> None:
    request_refund(order, amount, reason="Not needed", by_user_id=1)
    db.session.commit()


def approve_it(run: PayoutRun) -> None:
    approve(run.id, by_user_id=2, digest=digest_of(run.id))
    db.session.commit()


def send(run: PayoutRun, run_jobs: RunJobs) -> None:
    execute(run.id, by_user_id=3)
    db.session.commit()
    run_jobs()
    db.session.expire_all()


def payout_of(partner: int = PUBLISHER) -> Payout:
    """The newest."""
    query = select(Payout).where(Payout.partner_id == partner).order_by(Payout.id.desc())
    return db.session.scalars(query.limit(1)).one()


def reversals() -> list[tuple[int, str]]:
    db.session.expire_all()
    return [
        (row.amount, row.state)
        for row in db.session.scalars(select(TransferReversal).order_by(TransferReversal.id))
    ]


def sent_to(stripe: StripeStandIn, partner: int = PUBLISHER) -> int:
    """What reached the partner at Stripe and was not taken back."""
    destination = payout_of(partner).destination
    return sum(
        each["amount"] - each["amount_reversed"]
        for each in stripe.all("transfer")
        if each["destination"] == destination
    )


def test_a_refund_before_the_approval_makes_the_payout_smaller(
    order: Order, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    run = make_computed_run()
    refund(order, 4_000)
    # Nothing is set apart yet: it comes from what is payable, and nobody owes anything.
    assert purse(PUBLISHER) == (0, 5_100, 0)
    assert_sound()
    approve_it(run)
    assert (payout_of().state, payout_of().amount) == (PayoutState.RESERVED, 5_100)
    send(run, run_jobs)
    assert sent_to(stripe) == 5_100
    assert (purse(PUBLISHER), reversals()) == ((0, 0, 0), [])
    assert_sound()


def test_a_refund_before_the_approval_that_newer_earnings_cover_changes_nothing(
    order: Order, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    run = make_computed_run()
    sell(LineTerms(hold_days=0))
    release_due()
    refund(order, 4_000)
    assert purse(PUBLISHER) == (0, 13_600, 0)
    approve_it(run)
    send(run, run_jobs)
    assert sent_to(stripe) == 8_500
    assert purse(PUBLISHER) == (0, 5_100, 0)
    assert_sound()


def test_a_refund_after_the_approval_is_taken_off_before_the_transfer(
    order: Order, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    run = make_approved_run()
    refund(order, 4_000)
    run_jobs()
    assert (purse(PUBLISHER), reversals()) == ((0, 0, 3_400), [(3_400, "intended")])
    # It is about to come back: nothing else pays it meanwhile.
    make_payable(PUBLISHER, 1_000)
    net_debtors()
    assert purse(PUBLISHER) == (0, 1_000, 3_400)
    send(run, run_jobs)
    run_jobs()
    # Nothing left that would have to be brought back.
    assert reversals() == [(3_400, "rejected")]
    assert (payout_of().amount, payout_of().reversed_amount) == (5_100, 0)
    assert (sent_to(stripe), purse(PUBLISHER)) == (5_100, (0, 1_000, 0))
    assert_sound()


@pytest.mark.parametrize("kind", ["lost", "error"])
def test_a_refund_while_nobody_knows_of_the_transfer_is_taken_back_later(
    order: Order, stripe: StripeStandIn, run_jobs: RunJobs, kind: str
) -> None:
    stripe.fault("transfers.create", kind, times=1)
    send(make_approved_run(), run_jobs)
    assert PayoutState.UNKNOWN in {payout_of(OTHER).state, payout_of().state}
    refund(order, 10_000)
    for _ in range(3):
        stripe.advance(timedelta(minutes=61))
        run_jobs()
    assert payout_of().state is PayoutState.TRANSFERRED
    assert (sent_to(stripe), purse(PUBLISHER)) == (0, (0, 0, 0))
    assert reversals() == [(8_500, "succeeded")]


def test_a_refund_after_the_approval_is_netted_when_the_run_is_canceled(
    order: Order, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    run = make_approved_run()
    refund(order, 4_000)
    abort(run.id, by_user_id=1, reason="A mistake")
    assert (purse(PUBLISHER), reversals()) == ((0, 5_100, 0), [(3_400, "rejected")])
    db.session.commit()
    run_jobs()
    send(make_approved_run(), run_jobs)
    assert sent_to(stripe) == 5_100
    assert (purse(PUBLISHER), reversals()) == ((0, 0, 0), [(3_400, "rejected")])
    assert_sound()


def test_a_reversal_planned_for_a_payout_that_is_over_is_netted_by_its_job(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_approved_run()
    refund(order, 4_000)
    # Whoever gives a payout back nets at once; the job does not rely on it.
    monkeypatch.setattr("billing.payouts.canceling.money_came_back", lambda _payout: None)
    cancel_payout(payout_of().id, by_user_id=1, reason="A mistake")
    row = db.session.scalars(select(TransferReversal)).one()
    reverse_transfer({"reversal_id": row.id})
    assert (purse(PUBLISHER), row.state) == ((0, 5_100, 0), "rejected")


@pytest.mark.parametrize("is_approved", [False, True])
def test_a_commission_voided_before_its_transfer_stays_with_nobody(
    app: Flask, stripe: StripeStandIn, run_jobs: RunJobs, is_approved: bool
) -> None:
    stripe.fund(100_000)
    _, earnings = sell(LineTerms(commission=2_000, funder=Funder.PLATFORM, hold_days=0))
    commission = earning_of(earnings, EarningKind.AFFILIATE_COMMISSION)
    for partner in (AFFILIATE, PUBLISHER):
        make_account(partner, stripe_id=stripe.new_account())
    release_due()
    db.session.commit()
    stripe.advance(timedelta(minutes=1))
    run = make_computed_run()
    if is_approved:
        approve_it(run)
    void(commission, "Fraud", by_user_id=7)
    db.session.commit()
    if not is_approved:
        approve_it(run)
    send(run, run_jobs)
    run_jobs()
    assert (sent_to(stripe, AFFILIATE), sent_to(stripe, PUBLISHER)) == (0, 8_500)
    assert purse(AFFILIATE) == (0, 0, 0)
    assert_sound()


def test_what_is_frozen_before_the_approval_is_held_again_and_not_paid(
    order: Order, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    run = make_computed_run()
    settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    assert purse(PUBLISHER) == (8_500, 0, 0)
    assert_sound()
    approve_it(run)
    send(run, run_jobs)
    assert sent_to(stripe) == 0
    assert purse(PUBLISHER) == (8_500, 0, 0)


def test_what_is_frozen_after_the_approval_is_held_again_when_it_comes_back(
    app: Flask, stripe: StripeStandIn
) -> None:
    _, (earning,) = sell(LineTerms(hold_days=0))
    release_due()
    make_account(PUBLISHER, stripe_id=stripe.new_account())
    db.session.commit()
    stripe.advance(timedelta(minutes=1))
    make_approved_run()
    freeze(earning, "Looks strange")
    assert (purse(PUBLISHER), earning.state) == ((0, 0, 0), EarningState.PAYABLE)
    cancel_payout(payout_of().id, by_user_id=1, reason="Looks strange")
    assert (purse(PUBLISHER), earning.state) == ((8_500, 0, 0), EarningState.HELD)
    assert_sound()
    unfreeze(earning)
    release_due()
    assert purse(PUBLISHER) == (0, 8_500, 0)
    assert_sound()


def test_freezing_what_was_voided_while_it_was_set_apart_holds_nothing_of_other_earnings(
    app: Flask,
) -> None:
    line = LineTerms(commission=2_000, funder=Funder.PLATFORM, hold_days=0)
    _, earnings = sell(line, line)
    voided, other = [each for each in earnings if each.kind is EarningKind.AFFILIATE_COMMISSION]
    release_due()
    payout = set_apart(AFFILIATE)
    assert payout is not None
    void(voided, "Fraud")
    assert purse(AFFILIATE) == (0, 0, 2_000)
    assert release(payout.id, "The run was canceled.")
    assert purse(AFFILIATE) == (0, 2_000, 0)

    freeze(voided, "Looks strange")
    assert (purse(AFFILIATE), voided.state) == ((0, 2_000, 0), EarningState.VOID)
    assert_sound()
    freeze(other, "Looks strange")
    assert (purse(AFFILIATE), other.state) == ((2_000, 0, 0), EarningState.HELD)
    assert_sound()


def test_a_refund_while_a_transfer_is_taken_back_whole_is_netted(
    order: Order, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    send(make_approved_run(), run_jobs)
    take_back(payout_of().id, by_user_id=3, reason="A mistake")
    refund(order, 4_000)
    run_jobs()
    assert payout_of().state is PayoutState.REVERSED
    assert purse(PUBLISHER) == (0, 5_100, 0)
    assert reversals() == [(8_500, "succeeded"), (3_400, "rejected")]
    assert_sound()


@pytest.mark.parametrize("state", [PayoutState.FAILED, PayoutState.RETURNED])
def test_what_came_back_to_the_partners_balance_can_be_reversed(
    app: Flask, state: PayoutState
) -> None:
    sold, _ = sell(LineTerms(hold_days=0))
    release_due()
    payout = pay_out(PUBLISHER)
    assert payout is not None
    payout.state = state
    refund(sold, 4_000)
    assert reversals() == [(3_400, "intended")]


def test_a_run_that_only_pays_what_was_refunded_pays_nobody(app: Flask) -> None:
    sold, _ = sell(LineTerms(hold_days=0))
    release_due()
    make_account(PUBLISHER)
    run = make_computed_run()
    request_refund(sold, 10_000, reason="", by_user_id=1)
    with pytest.raises(Exception, match="Nobody is left"):
        approve(run.id, by_user_id=2, digest=digest_of(run.id))
    db.session.rollback()
    assert db.session.scalar(select(PayoutRun.state)) in {None, RunState.COMPUTED}


def test_partners_that_owe_are_netted_batch_by_batch(app: Flask) -> None:
    for partner in range(1, 6):
        sold, _ = sell(LineTerms(hold_days=0, publisher=partner))
        release_due()
        pay_out(partner)
        request_refund(sold, 4_000, reason="", by_user_id=1)
        for row in db.session.scalars(select(TransferReversal)):
            row.state = "rejected"
        make_payable(partner, 10_000)
    changed, last = net_debtors(limit=2)
    assert (changed, last) == (2, (2, "EUR"))
    assert last is not None
    assert net_debtors(last, limit=2) == (2, (4, "EUR"))
    assert net_debtors((4, "EUR"), limit=2) == (1, None)
    assert [purse(partner)[2] for partner in range(1, 6)] == [0] * 5
    kinds = select(LedgerTransaction.source_id).where(LedgerTransaction.kind == "netting")
    assert len(set(db.session.scalars(kinds))) == 5
    assert_sound()
