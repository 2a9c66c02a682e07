"""What comes after a transfer: the partner's bank, and money that is taken back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from billing.accounts import PARTNER_PAYABLE, PAYOUT_CLEARING, STRIPE_AVAILABLE
from billing.ledger import balance
from billing.models import AccountState, ConnectedAccount, Payout, PayoutState, TransferReversal
from billing.payouts import listeners, stripe_events
from billing.payouts.executing import execute
from billing.payouts.listeners import on_payout_moved
from billing.payouts.payable import payable_balance
from billing.payouts.returns import TAKE_BACK, take_back
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from tests.factories.payouts import make_account, make_approved_run, make_payable
from tests.factories.stripe import StripeStandIn

assert stripe_events
RunJobs = Callable[[], int]


@pytest.fixture
def account(stripe: StripeStandIn, run_jobs: RunJobs) -> str:
    """The Stripe account of a partner who has just been transferred 50.00."""
    stripe.fund(1_000_000)
    found = stripe.new_account()
    make_account(1, stripe_id=found)
    make_payable(1, 5_000)
    run = make_approved_run()
    execute(run.id, by_user_id=3)
    db.session.commit()
    run_jobs()
    return found


def payout() -> Payout:
    db.session.expire_all()
    return db.session.scalars(select(Payout).order_by(Payout.id.desc())).first()  # type: ignore[return-value]  # there is one


def test_a_payout_that_reaches_the_partner_s_bank_is_paid(
    stripe: StripeStandIn, account: str
) -> None:
    (made,) = stripe.pay_out(account)
    stripe.deliver()
    assert payout().state is PayoutState.TRANSFERRED
    stripe.arrive(made)
    stripe.deliver()
    assert payout().state is PayoutState.PAID
    assert payout().partner_payout_id == made["id"]
    assert balance(STRIPE_AVAILABLE, "EUR") == 0


def test_a_payout_that_the_bank_refuses_has_failed_and_the_money_is_still_the_partner_s(
    stripe: StripeStandIn, account: str
) -> None:
    (made,) = stripe.pay_out(account)
    stripe.fail_payout(made)
    stripe.deliver()
    assert payout().state is PayoutState.FAILED
    assert payout().reason == "The bank account has been closed."
    # It is on the partner's balance at Stripe: no other run may pay it again.
    assert payable_balance(1, "EUR") == 0


@pytest.mark.parametrize("order", ["as sent", "reversed"])
def test_a_payout_that_was_paid_and_then_failed_is_returned_in_whichever_order_we_hear_of_it(
    stripe: StripeStandIn, account: str, order: str
) -> None:
    (made,) = stripe.pay_out(account, arrive=True)
    if order == "as sent":
        stripe.deliver()
        assert payout().state is PayoutState.PAID
    stripe.fail_payout(made)
    stripe.deliver(order=order, repeat=2)
    expected = PayoutState.RETURNED if order == "as sent" else PayoutState.FAILED
    assert payout().state is expected
    assert payout().paid_at is None
    assert payable_balance(1, "EUR") == 0


def test_whoever_is_told_of_payouts_hears_of_each_move(
    stripe: StripeStandIn, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[PayoutState] = []
    # What the application has connected is put back afterwards.
    monkeypatch.setattr(listeners, "_moved", [])
    on_payout_moved(lambda row: heard.append(row.state))
    (made,) = stripe.pay_out(account, arrive=True)
    stripe.deliver(repeat=2)
    stripe.fail_payout(made)
    stripe.deliver(repeat=2)
    assert heard == [PayoutState.PAID, PayoutState.RETURNED]


def test_a_transfer_that_is_taken_back_is_payable_again(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs
) -> None:
    with pytest.raises(InvalidError):
        take_back(payout().id, by_user_id=3, reason=" ")
    take_back(payout().id, by_user_id=3, reason="To the wrong company")
    with pytest.raises(ConflictError):
        take_back(payout().id, by_user_id=3, reason="Again")
    db.session.commit()
    run_jobs()
    stripe.deliver()
    assert payout().state is PayoutState.REVERSED
    assert payout().reversed_amount == 5_000
    assert payable_balance(1, "EUR") == balance(PARTNER_PAYABLE, "EUR", 1) == 5_000
    assert balance(STRIPE_AVAILABLE, "EUR") == 5_000
    # The next run pays the very same entries.
    run = make_approved_run()
    execute(run.id, by_user_id=3)
    db.session.commit()
    run_jobs()
    assert payout().state is PayoutState.TRANSFERRED
    assert balance(PAYOUT_CLEARING, "EUR") == 0
    assert stripe.balance("eur", account)[1] == 5_000


def test_a_lost_answer_takes_a_transfer_back_once(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs
) -> None:
    stripe.fault("transfers.reversals.create", "lost")
    take_back(payout().id, by_user_id=3, reason="A mistake")
    db.session.commit()
    run_jobs()
    assert payout().state is PayoutState.REVERSING
    stripe.deliver()
    stripe.advance(timedelta(minutes=2))
    run_jobs()
    assert payout().state is PayoutState.REVERSED
    assert balance(STRIPE_AVAILABLE, "EUR") == 5_000


def test_an_answer_that_was_lost_more_than_a_day_ago_is_looked_up(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs
) -> None:
    stripe.fault("transfers.reversals.create", "lost")
    take_back(payout().id, by_user_id=3, reason="A mistake")
    db.session.commit()
    run_jobs()
    # No worker was there meanwhile, and Stripe has forgotten the key.
    stripe.advance(timedelta(hours=25))
    run_jobs()
    assert payout().state is PayoutState.REVERSED
    assert [each["amount_reversed"] for each in stripe.all("transfer")] == [5_000]
    assert balance(STRIPE_AVAILABLE, "EUR") == payable_balance(1, "EUR") == 5_000


@pytest.mark.parametrize("fails", [False, True])
def test_what_the_bank_says_while_a_transfer_is_taken_back_is_not_lost(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs, fails: bool
) -> None:
    take_back(payout().id, by_user_id=3, reason="A mistake")
    db.session.commit()
    (made,) = stripe.pay_out(account, arrive=True)
    taking = db.session.scalars(select(jobs.Job).where(jobs.Job.kind == TAKE_BACK)).one()
    taking.run_at = clock.now() + timedelta(minutes=5)
    db.session.commit()
    stripe.deliver()
    assert payout().state is PayoutState.REVERSING
    stripe.advance(timedelta(minutes=6))
    run_jobs()
    # It was too late to take it back.
    assert payout().state is PayoutState.PAID
    assert payout().partner_payout_id == made["id"]
    assert payout().paid_at is not None
    if fails:
        stripe.fail_payout(made)
        stripe.deliver()
        assert payout().state is PayoutState.RETURNED


def test_what_the_partner_has_spent_cannot_be_taken_back(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs
) -> None:
    stripe.pay_out(account, arrive=True)
    stripe.deliver()
    take_back(payout().id, by_user_id=3, reason="A mistake")
    db.session.commit()
    run_jobs()
    assert payout().state is PayoutState.PAID
    assert payout().reason.startswith("It could not be taken back: Insufficient funds")
    assert payable_balance(1, "EUR") == 0


def test_a_reversal_in_stripe_s_dashboard_is_booked_once(
    stripe: StripeStandIn, account: str
) -> None:
    transfer = stripe.all("transfer")[0]
    stripe.reverse_transfer(transfer, 1_500)
    stripe.deliver(repeat=2)
    assert payout().reversed_amount == 1_500
    assert payout().state is PayoutState.TRANSFERRED
    assert payable_balance(1, "EUR") == 1_500
    stripe.reverse_transfer(transfer, 500)
    stripe.deliver(order="reversed")
    assert payout().reversed_amount == 2_000
    assert balance(STRIPE_AVAILABLE, "EUR") == payable_balance(1, "EUR") == 2_000
    assert len(db.session.scalars(select(TransferReversal)).all()) == 2


def test_a_whole_reversal_in_the_dashboard_takes_the_payout_back(
    stripe: StripeStandIn, account: str
) -> None:
    stripe.reverse_transfer(stripe.all("transfer")[0])
    stripe.deliver(repeat=2)
    assert payout().state is PayoutState.REVERSED
    assert payable_balance(1, "EUR") == 5_000


def test_an_account_whose_owner_takes_our_access_away_is_disconnected(
    stripe: StripeStandIn, account: str
) -> None:
    stripe.deauthorize(account)
    stripe.deliver()
    row = db.session.scalars(select(ConnectedAccount)).one()
    assert row.state is AccountState.DISCONNECTED
    assert row.disconnected_at is not None


def test_an_account_that_stripe_restricts_says_so_and_comes_back(
    stripe: StripeStandIn, account: str
) -> None:
    stripe.restrict(account)
    stripe.deliver()
    row = db.session.scalars(select(ConnectedAccount)).one()
    assert (row.state, row.restriction) == (AccountState.RESTRICTED, "information is missing")
    assert row.requirements == ["individual.verification.document"]
    stripe.onboard(account)
    stripe.deliver()
    db.session.expire_all()
    assert row.state is AccountState.READY
    assert row.requirements == []
