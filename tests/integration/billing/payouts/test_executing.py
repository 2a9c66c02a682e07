"""Paying an approved run, whatever goes wrong: nothing is lost and nothing is paid twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from billing import operations
from billing.accounts import PARTNER_PAYABLE, PAYOUT_CLEARING, STRIPE_AVAILABLE
from billing.connect import disconnect
from billing.ledger import balance
from billing.models import (
    AccountState,
    ConnectedAccount,
    OperationState,
    Payout,
    PayoutRun,
    PayoutState,
    RunState,
    StripeOperation,
)
from billing.operations import settle_by_hand
from billing.payouts import executing, paying, stripe_events
from billing.payouts.canceling import abort, cancel_payout
from billing.payouts.computing import COMPUTE, start_run_later
from billing.payouts.executing import execute, pay_some, retry
from billing.payouts.payable import payable_balance
from billing.payouts.paying import Outcome, pay
from billing.payouts.settings import freeze
from billing.verify import CHECKS
from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.payouts import make_account, make_approved_run, make_payable
from tests.factories.races import at_once
from tests.factories.stripe import StripeStandIn

assert stripe_events
RunJobs = Callable[[], int]


class Killed(BaseException):
    """The worker's process ends here."""


@pytest.fixture
def partners(stripe: StripeStandIn) -> dict[int, str]:
    """Three partners with 50.00 each to be paid, and enough money at Stripe; id to account."""
    stripe.fund(1_000_000)
    found = {}
    for partner in (1, 2, 3):
        found[partner] = stripe.new_account()
        make_account(partner, stripe_id=found[partner])
        make_payable(partner, 5_000)
    db.session.commit()
    return found


def begin() -> PayoutRun:
    run = make_approved_run()
    execute(run.id, by_user_id=3)
    db.session.commit()
    return run


def payouts() -> dict[int, Payout]:
    db.session.expire_all()
    return {row.partner_id: row for row in db.session.scalars(select(Payout).order_by(Payout.id))}


def run_state() -> RunState:
    db.session.expire_all()
    return db.session.scalars(select(PayoutRun).order_by(PayoutRun.id.desc())).first().state  # type: ignore[union-attr]  # there is one


def sent(stripe: StripeStandIn) -> dict[str, int]:
    """What arrived at each account; a second transfer to one would be in the sum."""
    found: dict[str, int] = {}
    for transfer in stripe.all("transfer"):
        found[transfer["destination"]] = found.get(transfer["destination"], 0) + transfer["amount"]
    return found


def later(stripe: StripeStandIn, run_jobs: RunJobs, by: timedelta) -> None:
    stripe.advance(by)
    run_jobs()


def check_books(stripe: StripeStandIn, partners: dict[int, str]) -> None:
    """What the ledger says was transferred is what Stripe transferred; the rest is payable."""
    transferred = sum(sent(stripe).values())
    assert balance(STRIPE_AVAILABLE, "EUR") == 15_000 - transferred
    assert balance(PAYOUT_CLEARING, "EUR") == 0
    left = sum(balance(PARTNER_PAYABLE, "EUR", partner) for partner in partners)
    assert left + transferred == 15_000
    assert [*CHECKS["balanced"](), *CHECKS["payouts_are_whole"]()] == []


def test_a_run_pays_everybody_once(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    begin()
    run_jobs()
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
    assert run_state() is RunState.COMPLETED
    assert {row.state for row in payouts().values()} == {PayoutState.TRANSFERRED}
    transfer = stripe.all("transfer")[0]
    first = payouts()[1]
    assert transfer["transfer_group"] == f"payout_{first.public_id}"
    assert transfer["metadata"]["payout"] == first.public_id
    assert first.transfer_id == transfer["id"]
    check_books(stripe, partners)


def test_only_an_approved_run_is_paid(stripe: StripeStandIn, partners: dict[int, str]) -> None:
    run = make_approved_run()
    abort(run.id, by_user_id=1, reason="No")
    with pytest.raises(ConflictError):
        execute(run.id, by_user_id=3)


@pytest.mark.parametrize("kind", ["lost", "error_after", "dropped", "error"])
def test_a_lost_response_is_asked_for_again_and_pays_once(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs, kind: str
) -> None:
    stripe.fault("transfers.create", kind)
    begin()
    run_jobs()
    assert payouts()[1].state is PayoutState.UNKNOWN
    assert payouts()[2].state is PayoutState.TRANSFERRED
    assert run_state() is RunState.EXECUTING
    later(stripe, run_jobs, timedelta(minutes=11))
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
    assert run_state() is RunState.COMPLETED
    check_books(stripe, partners)


def test_a_cached_error_under_the_same_key_is_looked_up_after_a_day_before_it_is_sent_again(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    stripe.fault("transfers.create", "error", cached=True)
    begin()
    run_jobs()
    for _ in range(3):
        later(stripe, run_jobs, timedelta(minutes=11))
    assert payouts()[1].state is PayoutState.UNKNOWN
    later(stripe, run_jobs, timedelta(hours=25))
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
    assert run_state() is RunState.COMPLETED
    check_books(stripe, partners)


def test_what_happened_is_found_by_its_transfer_group_after_the_key_is_forgotten(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    stripe.fault("transfers.create", "lost")
    begin()
    run_jobs()
    # Nobody worked for two days: Stripe would take the same key for a new request.
    stripe.advance(timedelta(hours=48))
    run_jobs()
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
    assert payouts()[1].transfer_id is not None
    check_books(stripe, partners)


def test_a_storm_of_429_pays_everybody_once_in_the_end(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    stripe.fault("transfers.create", "rate_limited", times=9, seconds=2)
    begin()
    for _ in range(15):
        run_jobs()
        stripe.advance(timedelta(seconds=5))
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
    assert run_state() is RunState.COMPLETED
    assert {row.attempt for row in payouts().values()} == {1}
    check_books(stripe, partners)


@pytest.mark.parametrize("commit", range(1, 9))
def test_a_worker_killed_at_any_commit_loses_nothing_and_pays_nothing_twice(
    stripe: StripeStandIn,
    partners: dict[int, str],
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
    commit: int,
) -> None:
    run = begin()
    run_id, seen = run.id, [0]
    session = db.session()
    really = session.commit

    def killed_after() -> None:
        really()
        seen[0] += 1
        if seen[0] == commit:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(session, "commit", killed_after)
        with pytest.raises(Killed):
            pay_some(run_id)
    db.session.remove()
    pay_some(run_id)
    run_jobs()
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
    assert run_state() is RunState.COMPLETED
    check_books(stripe, partners)


def test_a_worker_killed_before_it_knew_the_answer_goes_on_under_the_same_key(
    stripe: StripeStandIn,
    partners: dict[int, str],
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_id = begin().id
    really = operations._note

    def killed(*args: Any, **more: Any) -> None:
        raise Killed

    monkeypatch.setattr(operations, "_note", killed)
    with pytest.raises(Killed):
        pay_some(run_id)
    monkeypatch.setattr(operations, "_note", really)
    db.session.remove()
    assert len(stripe.all("transfer")) == 1
    pay_some(run_id)
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
    check_books(stripe, partners)


def test_two_workers_on_the_same_run_pay_it_once(
    app: Flask, stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    run_id = begin().id

    def work() -> None:
        pay_some(run_id)

    assert at_once(app, [work, work, work]) == []
    for _ in range(5):
        run_jobs()
        stripe.advance(timedelta(minutes=6))
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
    assert run_state() is RunState.COMPLETED
    check_books(stripe, partners)


def test_money_that_runs_out_stops_the_run_and_it_goes_on_later(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    stripe.book(-990_000, kind="payout_minimum_balance_hold")
    begin()
    run_jobs()
    assert len(stripe.all("transfer")) == 2
    run = db.session.scalars(select(PayoutRun)).one()
    assert run.stalled_reason == "The balance at Stripe does not suffice in EUR."
    assert payouts()[3].state is PayoutState.RESERVED
    assert payouts()[3].attempt == 2
    executing.resume({})
    db.session.commit()
    run_jobs()
    # It waits without a job, so that nobody's "go on now" is one too many.
    assert db.session.scalars(select(jobs.Job).where(jobs.Job.state == "ready")).all() == []
    stripe.fund(100_000)
    executing.resume({})
    db.session.commit()
    run_jobs()
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
    assert run_state() is RunState.COMPLETED
    assert db.session.scalars(select(PayoutRun)).one().stalled_reason == ""
    check_books(stripe, partners)


def swap(account: ConnectedAccount) -> None:
    disconnect(account, by_user_id=1)
    make_account(account.organization_id, stripe_id="acct_another")


def restrict(account: ConnectedAccount) -> None:
    account.state = AccountState.RESTRICTED


def freeze_it(account: ConnectedAccount) -> None:
    freeze(account.organization_id, reason="Under review", by_user_id=1)


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (lambda account: disconnect(account, by_user_id=1), "No Stripe account is connected."),
        (restrict, "Stripe has restricted the account."),
        (swap, "The partner's Stripe account is another one than when the run was approved."),
        (freeze_it, "Frozen by finance: Under review"),
    ],
    ids=["deauthorised", "restricted", "swapped", "frozen"],
)
def test_an_account_that_changed_mid_run_is_not_paid_and_its_money_stays_payable(
    stripe: StripeStandIn,
    partners: dict[int, str],
    run_jobs: RunJobs,
    happens: Callable[[ConnectedAccount], None],
    said: str,
) -> None:
    begin()
    happens(db.session.scalars(select(ConnectedAccount).filter_by(organization_id=2)).one())
    db.session.commit()
    run_jobs()
    assert sent(stripe) == {partners[1]: 5_000, partners[3]: 5_000}
    assert (payouts()[2].state, payouts()[2].reason) == (PayoutState.CANCELED, said)
    assert payable_balance(2, "EUR") == 5_000
    assert run_state() is RunState.COMPLETED_WITH_ERRORS
    check_books(stripe, partners)


@pytest.mark.parametrize("how", ["restrict", "deauthorize"])
def test_an_account_that_only_stripe_knows_to_be_changed_is_not_paid_either(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs, how: str
) -> None:
    begin()
    getattr(stripe, how)(partners[2])
    run_jobs()
    assert sent(stripe) == {partners[1]: 5_000, partners[3]: 5_000}
    assert payouts()[2].state is PayoutState.CANCELED
    assert payable_balance(2, "EUR") == 5_000
    # We have asked what the account can do now.
    account = db.session.scalars(select(ConnectedAccount).filter_by(organization_id=2)).one()
    assert account.state in {AccountState.RESTRICTED, AccountState.DISCONNECTED}
    check_books(stripe, partners)


def test_a_definite_refusal_is_tried_again_under_a_new_key(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    stripe.fault("transfers.create", "refused", code="transfer_failed", message="Not today.")
    begin()
    run_jobs()
    refused = payouts()[1]
    assert (refused.state, refused.reason) == (
        PayoutState.REJECTED,
        "Stripe refused it: Not today.",
    )
    assert run_state() is RunState.COMPLETED_WITH_ERRORS
    retry(refused.id, by_user_id=3)
    db.session.commit()
    run_jobs()
    assert payouts()[1].state is PayoutState.TRANSFERRED
    assert run_state() is RunState.COMPLETED
    keys = db.session.scalars(
        select(StripeOperation.idem_key).where(StripeOperation.idem_key.like("payout:1:%"))
    )
    assert set(keys) == {"payout:1:a1", "payout:1:a2"}
    check_books(stripe, partners)


def test_a_refused_payout_that_is_canceled_is_payable_again(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    stripe.fault("transfers.create", "refused", code="transfer_failed", message="Not today.")
    begin()
    run_jobs()
    cancel_payout(payouts()[1].id, by_user_id=3, reason="Paid by hand")
    db.session.commit()
    with pytest.raises(ConflictError):
        retry(payouts()[1].id, by_user_id=3)
    assert payable_balance(1, "EUR") == 5_000
    check_books(stripe, partners)


def test_a_currency_that_is_retired_between_approval_and_payment_is_not_sent(
    stripe: StripeStandIn,
    partners: dict[int, str],
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin()
    monkeypatch.setattr("billing.payouts.eligibility.RETIRED", {"EUR": "XAU"})
    run_jobs()
    assert sent(stripe) == {}
    assert payouts()[1].reason == "EUR was replaced by XAU and cannot be transferred."
    check_books(stripe, partners)


def test_a_run_that_is_canceled_while_it_pays_finishes_what_may_have_left_and_no_more(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    stripe.fault("transfers.create", "lost")
    run_id = begin().id
    assert pay(payouts()[1].id) is Outcome.UNKNOWN
    with unit_of_work():
        abort(run_id, by_user_id=2, reason="Stop")
    assert run_state() is RunState.EXECUTING
    later(stripe, run_jobs, timedelta(minutes=11))
    assert sent(stripe) == {partners[1]: 5_000}
    assert run_state() is RunState.ABORTED
    assert [row.state for row in payouts().values()] == [
        PayoutState.TRANSFERRED,
        PayoutState.CANCELED,
        PayoutState.CANCELED,
    ]
    check_books(stripe, partners)


def test_paying_and_canceling_at_once_does_one_of_the_two_for_each_payout(
    app: Flask, stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    run_id = begin().id

    def cancel() -> None:
        with unit_of_work():
            abort(run_id, by_user_id=2, reason="Stop")

    raised = at_once(app, [lambda: pay_some(run_id), cancel])
    assert all(isinstance(error, ConflictError) for error in raised), raised
    for _ in range(3):
        later(stripe, run_jobs, timedelta(minutes=11))
    for partner, account in partners.items():
        row = payouts()[partner]
        assert (row.state is PayoutState.TRANSFERRED) == (account in sent(stripe))
        assert row.state in {PayoutState.TRANSFERRED, PayoutState.CANCELED}
    check_books(stripe, partners)


def test_a_key_of_ours_that_carries_another_request_stops_that_payout_alone(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    begin()
    db.session.add(
        StripeOperation(
            idem_key="payout:1:a1",
            method="transfers.create",
            request_hash="0" * 64,
            state=OperationState.INTENDED,
        )
    )
    db.session.commit()
    run_jobs()
    assert payouts()[1].state is PayoutState.UNKNOWN
    assert payouts()[1].reason.startswith("Somebody must look:")
    assert sent(stripe) == {partners[2]: 5_000, partners[3]: 5_000}


def test_a_run_whose_job_died_is_found_and_goes_on(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    begin()
    db.session.execute(update(jobs.Job).values(state=jobs.JobState.DEAD, dedupe_key=None))
    db.session.commit()
    executing.resume({})
    db.session.commit()
    run_jobs()
    assert run_state() is RunState.COMPLETED
    assert paying.key_of(payouts()[1]) == "payout:1:a1"
    check_books(stripe, partners)


def test_a_draft_whose_job_died_is_computed(run_jobs: RunJobs) -> None:
    make_account(1)
    make_payable(1, 5_000)
    run_id = start_run_later(1).id
    db.session.commit()
    # One that has its job is left to it.
    executing.resume({})
    db.session.commit()
    assert db.session.scalars(select(jobs.Job.kind)).all() == [COMPUTE]
    db.session.execute(update(jobs.Job).values(state=jobs.JobState.DEAD, dedupe_key=None))
    db.session.commit()
    executing.resume({})
    db.session.commit()
    run_jobs()
    run = db.session.get_one(PayoutRun, run_id)
    assert run.state is RunState.COMPUTED
    assert run.totals["EUR"]["payouts"] == 1


def test_what_a_person_said_did_not_happen_is_looked_up_before_it_is_sent_again(
    stripe: StripeStandIn, partners: dict[int, str], run_jobs: RunJobs
) -> None:
    stripe.fault("transfers.create", "lost")
    begin()
    run_jobs()
    (lost,) = [row for row in payouts().values() if row.state is PayoutState.UNKNOWN]
    operation = db.session.scalars(
        select(StripeOperation).where(StripeOperation.idem_key == f"payout:{lost.id}:a1")
    ).one()
    # They were wrong, or it arrived at Stripe only after they had looked.
    with unit_of_work():
        settle_by_hand(operation.id, happened=False, stripe_id="", user_id=3)
    with unit_of_work():
        db.session.execute(
            update(Payout).where(Payout.id == lost.id).values(state=PayoutState.REJECTED)
        )
        retry(lost.id, by_user_id=3)
    assert pay(lost.id) is Outcome.TRANSFERRED
    assert payouts()[lost.partner_id].state is PayoutState.TRANSFERRED
    assert sent(stripe) == dict.fromkeys(partners.values(), 5_000)
