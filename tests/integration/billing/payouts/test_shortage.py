"""Money that is missing at Stripe: what needs it waits, and nothing else does."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from billing.models import Payout, PayoutRun, PayoutState, RunState, StripeOperation
from billing.payouts import executing
from billing.payouts.executing import execute, pay_some
from billing.payouts.shortage import keeps_balance
from billing.verify import verify
from marketplace.core.database import db
from marketplace.core.jobs import Job, JobState
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.payouts import make_account, make_approved_run, make_payable
from tests.factories.stripe import StripeStandIn

RunJobs = Callable[[], int]


def begin(stripe: StripeStandIn, *amounts: tuple[int, str]) -> PayoutRun:
    """A run that is being paid; partners 1, 2, 3… with these amounts."""
    for partner, (amount, currency) in enumerate(amounts, 1):
        make_account(partner, stripe_id=stripe.new_account())
        make_payable(partner, amount, currency)
    run = make_approved_run()
    execute(run.id, by_user_id=3)
    db.session.commit()
    return run


def states() -> list[str]:
    db.session.expire_all()
    return [row.state.value for row in db.session.scalars(select(Payout).order_by(Payout.id))]


def the_run() -> PayoutRun:
    db.session.expire_all()
    return db.session.scalars(select(PayoutRun)).one()


def resume(run_jobs: RunJobs) -> None:
    with unit_of_work():
        executing.resume({})
    run_jobs()


def test_another_currency_is_paid(stripe: StripeStandIn, run_jobs: RunJobs) -> None:
    stripe.fund(1, "eur")
    stripe.fund(100_000, "usd")
    begin(stripe, (5_000, "EUR"), (6_000, "USD"), (4_000, "EUR"), (7_000, "USD"))
    run_jobs()
    assert states() == ["reserved", "transferred", "reserved", "transferred"]
    run = the_run()
    assert run.state is RunState.EXECUTING
    assert run.stalled_reason == "The balance at Stripe does not suffice in EUR."
    assert run.short == {"EUR": {"from": 4_000, "is_kept": True}}
    stripe.fund(100_000, "eur")
    resume(run_jobs)
    assert set(states()) == {"transferred"}
    assert (the_run().state, the_run().stalled_reason, the_run().short) == (
        RunState.COMPLETED,
        "",
        {},
    )
    assert list(verify()) == []


def test_what_needs_less_is_paid_and_what_needs_more_is_not_even_asked_for(
    stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    stripe.fund(10_000)
    begin(stripe, *((amount, "EUR") for amount in (9_000, 5_000, 7_000, 1_000, 6_000, 1_100)))
    run_jobs()
    assert states() == ["transferred", "reserved", "reserved", "transferred", *["reserved"] * 2]
    asked = select(StripeOperation.idem_key).order_by(StripeOperation.id)
    assert db.session.scalars(asked).all() == [
        "payout:1:a1", "payout:2:a1", "payout:4:a1", "payout:6:a1"
    ]  # fmt: skip
    assert the_run().short["EUR"]["from"] == 1_100


def test_a_large_run_without_money_asks_a_few_times_and_ends_its_chain_of_jobs(
    stripe: StripeStandIn, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executing, "BATCH", 5)
    stripe.fund(1)
    begin(stripe, *((amount, "EUR") for amount in range(2_000, 5_000, 100)))
    run_jobs()
    assert db.session.scalar(select(func.count()).select_from(StripeOperation)) == 1
    ready = select(func.count()).where(Job.kind == executing.EXECUTE, Job.state == JobState.READY)
    assert db.session.scalar(ready) == 0
    stripe.fund(1_000_000)
    resume(run_jobs)
    assert the_run().state is RunState.COMPLETED
    assert len(stripe.all("transfer")) == 30


def test_the_command_is_told_what_the_rest_waits_for(stripe: StripeStandIn) -> None:
    stripe.fund(5_000)
    run_id = begin(stripe, (6_000, "EUR"), (5_000, "EUR")).id
    assert pay_some(run_id) == "The balance at Stripe does not suffice in EUR."
    assert states() == ["reserved", "transferred"]


def test_a_currency_that_stripe_converts_says_what_to_do_about_it(
    stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    stripe.settle_in("eur", ["eur"], usd=0.9)
    stripe.fund(100_000)
    begin(stripe, (5_000, "USD"), (5_000, "EUR"))
    run_jobs()
    assert states() == ["reserved", "transferred"]
    assert the_run().short == {"USD": {"from": 5_000, "is_kept": False}}
    assert the_run().stalled_reason.startswith(
        "Stripe keeps no balance in USD for us: what is paid in USD is converted."
    )
    assert "bank account" in the_run().stalled_reason
    # Somebody adds funds in it.
    stripe.fund(100_000, "usd")
    resume(run_jobs)
    assert states() == ["transferred", "transferred"]


def test_a_stripe_that_does_not_tell_its_balance_is_taken_to_have_one(
    stripe: StripeStandIn,
) -> None:
    assert keeps_balance("EUR") is False
    stripe.fault("balance.retrieve", "error")
    assert keeps_balance("EUR") is True
    stripe.fund(1)
    assert keeps_balance("EUR") is True


def test_what_is_tried_again_is_paid_although_others_wait(
    stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    stripe.fund(5_000)
    begin(stripe, (6_000, "EUR"), (5_000, "EUR"))
    stripe.fault("transfers.create", "refused", skip=1, code="x", message="No.")
    run_jobs()
    assert states() == ["reserved", "rejected"]
    rejected = db.session.scalars(select(Payout).where(Payout.state == PayoutState.REJECTED)).one()
    with unit_of_work():
        executing.retry(rejected.id, by_user_id=3)
    run_jobs()
    stripe.advance(timedelta(minutes=31))
    resume(run_jobs)
    assert states() == ["reserved", "transferred"]
