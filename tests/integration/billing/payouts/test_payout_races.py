"""Two workers, and a worker and a person, on the same payout: it is sent once or released."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from billing import operations
from billing.accounts import (
    PARTNER_PAYABLE,
    PARTNER_RECEIVABLE,
    PAYOUT_CLEARING,
    STRIPE_AVAILABLE,
)
from billing.gateway import gateway
from billing.ledger import balance
from billing.models import (
    OperationState,
    Payout,
    PayoutRun,
    PayoutState,
    RunState,
    StripeOperation,
)
from billing.payouts import executing, paying, stripe_events
from billing.payouts.alerts import payout_alerts
from billing.payouts.canceling import abort, cancel_payout, release
from billing.payouts.executing import execute, pay_some, retry
from billing.payouts.payable import payable_balance
from billing.payouts.paying import Outcome, pay, record_transfer
from billing.payouts.settings import freeze
from billing.verify import verify
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.jobs import Job, JobState, RetryLater
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.payouts import make_account, make_approved_run, make_payable
from tests.factories.races import at_once
from tests.factories.stripe import StripeStandIn

assert stripe_events
RunJobs = Callable[[], int]
PARTNER = 1


@pytest.fixture
def account(stripe: StripeStandIn) -> str:
    """The Stripe account of a partner whose 50.00 are about to be sent."""
    found = stripe.new_account()
    make_account(PARTNER, stripe_id=found)
    make_payable(PARTNER, 5_000)
    run = make_approved_run()
    execute(run.id, by_user_id=3)
    db.session.commit()
    return found


def elsewhere(app: Flask, act: Callable[[], Any]) -> Any:
    """What another worker's `act` gives, done to its end while this one waits."""
    given: list[Any] = []

    def work() -> None:
        with app.app_context():
            try:
                given.append(act())
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                given.append(error)
            finally:
                db.session.remove()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return given[0]


def once(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, before: Callable[[], object]
) -> None:
    """Let something else happen before a step, the first time that it is reached."""
    really = getattr(module, name)

    def step(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(module, name, really)
        before()
        return really(*args, **more)

    monkeypatch.setattr(module, name, step)


def payout() -> Payout:
    db.session.rollback()
    return db.session.scalars(select(Payout).execution_options(populate_existing=True)).one()


def payout_id() -> int:
    found = payout().id
    db.session.rollback()
    return found


def run_state() -> RunState:
    db.session.expire_all()
    return db.session.scalars(select(PayoutRun)).one().state


def sent(stripe: StripeStandIn) -> list[int]:
    return [each["amount"] for each in stripe.all("transfer")]


def broken() -> list[str]:
    return [str(each) for each in verify()]


def test_a_slow_worker_s_note_says_nothing_about_the_next_attempt(
    app: Flask,
    stripe: StripeStandIn,
    account: str,
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker hears that there is no money. Before it says so, others hear it too, money comes,
    and the next attempt is sent; its own note is written just before that one's."""
    the_payout = payout_id()
    really, recorded = paying._no_money, paying.record_transfer
    said: list[Any] = []

    def slow(number: int, attempt: int) -> Outcome:
        monkeypatch.setattr(paying, "_no_money", really)
        said.append(elsewhere(app, lambda: pay(the_payout)))
        stripe.fund(100_000)

        def record(one: int, transfer: Any) -> None:
            monkeypatch.setattr(paying, "record_transfer", recorded)
            db.session.rollback()
            said.append(really(number, attempt))
            recorded(one, transfer)

        monkeypatch.setattr(paying, "record_transfer", record)
        said.append(elsewhere(app, lambda: pay(the_payout)))
        return really(number, attempt)

    monkeypatch.setattr(paying, "_no_money", slow)
    said.append(pay(the_payout))
    stripe.advance(timedelta(minutes=31))
    with unit_of_work():
        executing.resume({})
    run_jobs()
    assert said == [Outcome.NO_MONEY, Outcome.SKIPPED, Outcome.TRANSFERRED, Outcome.SKIPPED]
    assert sent(stripe) == [5_000]
    assert (payout().state, payout().attempt) == (PayoutState.TRANSFERRED, 2)
    assert broken() == []


@pytest.mark.parametrize("note", ["_rejected", "_account_failed", "_unknown"])
def test_no_note_about_an_attempt_that_is_over_moves_the_payout(
    stripe: StripeStandIn, account: str, note: str
) -> None:
    stripe.fund(100_000)
    the_payout = payout_id()
    stripe.fault("transfers.create", "refused", code="transfer_failed", message="No.")
    assert pay(the_payout) is Outcome.REJECTED
    with unit_of_work():
        retry(the_payout, by_user_id=3)
    error = paying.StripeRejectedError("account_closed", "No.")
    assert getattr(paying, note)(the_payout, 1, "?" if note == "_unknown" else error) is (
        Outcome.SKIPPED
    )
    assert (payout().state, payout().attempt) == (PayoutState.RESERVED, 2)


def freeze_it() -> None:
    with unit_of_work():
        freeze(PARTNER, reason="Look", by_user_id=9)


def test_who_was_about_to_send_does_not_once_it_is_released(
    app: Flask, stripe: StripeStandIn, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker has claimed it. Before it asks Stripe, another finds the partner frozen."""
    stripe.fund(100_000)
    the_payout = payout_id()
    said: list[Any] = []

    def release_it() -> None:
        said.append(elsewhere(app, lambda: (freeze_it(), pay(the_payout))[1]))

    once(monkeypatch, paying, "perform", release_it)
    said.append(pay(the_payout))
    assert said == [Outcome.RELEASED, Outcome.SKIPPED]
    assert (payout().state, sent(stripe)) == (PayoutState.CANCELED, [])
    assert payable_balance(PARTNER, "EUR") == 5_000
    assert broken() == []


def test_who_releases_finds_it_sent_where_the_other_was_faster(
    app: Flask, stripe: StripeStandIn, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round: the call is marked as sent before somebody else looks at it."""
    stripe.fund(100_000)
    the_payout = payout_id()
    said: list[Any] = []

    def look() -> None:
        freeze_it()
        with unit_of_work():
            said.append(release(the_payout, "Frozen", before=tuple(PayoutState)))

    really = operations._mark_sent

    def mark(*args: Any, **more: Any) -> bool:
        monkeypatch.setattr(operations, "_mark_sent", really)
        marked = really(*args, **more)
        elsewhere(app, look)
        return marked

    monkeypatch.setattr(operations, "_mark_sent", mark)
    assert pay(the_payout) is Outcome.TRANSFERRED
    assert said == [False]
    assert (sent(stripe), payout().state) == ([5_000], PayoutState.TRANSFERRED)
    assert balance(PARTNER_PAYABLE, "EUR", PARTNER) == 0
    assert broken() == []


def test_paying_and_releasing_at_once_does_one_of_the_two(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    stripe.fund(100_000)
    the_payout = payout_id()

    def stop() -> None:
        with unit_of_work():
            cancel_payout(the_payout, by_user_id=1, reason="Stop")

    def send() -> None:
        pay(the_payout)

    raised = at_once(app, [send, stop, send, stop])
    assert all(isinstance(error, ConflictError | RetryLater) for error in raised), raised
    if payout().state in (PayoutState.SUBMITTING, PayoutState.UNKNOWN):
        stripe.advance(timedelta(minutes=6))
        pay(the_payout)
    is_sent = payout().state is PayoutState.TRANSFERRED
    assert is_sent or payout().state is PayoutState.CANCELED
    assert sent(stripe) == [5_000] * is_sent
    assert balance(PARTNER_PAYABLE, "EUR", PARTNER) == 5_000 * (not is_sent)
    assert broken() == []


def test_what_stripe_turned_away_is_not_begun(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs
) -> None:
    stripe.fund(100_000)
    stripe.fault("transfers.create", "rate_limited")
    run_jobs()
    operation = db.session.scalars(select(StripeOperation)).one()
    assert (operation.state, payout().state) == (OperationState.INTENDED, PayoutState.SUBMITTING)
    freeze_it()
    stripe.advance(timedelta(minutes=11))
    run_jobs()
    assert (payout().state, payout().reason) == (PayoutState.CANCELED, "Frozen by finance: Look")
    assert (sent(stripe), payable_balance(PARTNER, "EUR")) == ([], 5_000)
    assert db.session.scalars(select(StripeOperation)).one().error_code == "withdrawn"
    assert run_state() is RunState.COMPLETED_WITH_ERRORS


def test_a_canceled_run_sends_nothing_that_stripe_had_turned_away(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs
) -> None:
    stripe.fund(100_000)
    stripe.fault("transfers.create", "rate_limited")
    run_jobs()
    with unit_of_work():
        abort(payout().run_id, by_user_id=2, reason="Stop")
    stripe.advance(timedelta(minutes=11))
    run_jobs()
    assert (payout().state, run_state(), sent(stripe)) == (
        PayoutState.CANCELED,
        RunState.ABORTED,
        [],
    )


def test_a_run_that_is_canceled_while_its_last_payout_lacks_money_ends(
    app: Flask,
    stripe: StripeStandIn,
    account: str,
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_id = payout().run_id

    def cancel() -> None:
        with unit_of_work():
            abort(run_id, by_user_id=5, reason="No")

    db.session.rollback()
    once(monkeypatch, paying, "_no_money", lambda: elsewhere(app, cancel))
    run_jobs()
    assert (run_state(), payout().state) == (RunState.ABORTED, PayoutState.CANCELED)
    assert (balance(PAYOUT_CLEARING, "EUR"), payable_balance(PARTNER, "EUR")) == (0, 5_000)


def test_what_stripe_refuses_of_a_canceled_run_is_given_back_and_not_tried_again(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs
) -> None:
    stripe.fund(100_000)
    stripe.fault("transfers.create", "error")
    run_jobs()
    assert payout().state is PayoutState.UNKNOWN
    with unit_of_work():
        abort(payout().run_id, by_user_id=5, reason="Stop")
    stripe.fault("transfers.create", "refused", code="parameter_invalid", message="No.")
    stripe.advance(timedelta(minutes=11))
    run_jobs()
    assert (run_state(), payout().state) == (RunState.ABORTED, PayoutState.CANCELED)
    assert payable_balance(PARTNER, "EUR") == 5_000
    with pytest.raises(ConflictError):
        retry(payout().id, by_user_id=3)


def test_a_refused_payout_of_a_canceled_run_can_only_be_canceled(
    stripe: StripeStandIn, account: str
) -> None:
    stripe.fund(100_000)
    the_payout = payout_id()
    stripe.fault("transfers.create", "refused", code="x", message="No.")
    assert pay(the_payout) is Outcome.REJECTED
    # As such rows were left by earlier versions.
    run = db.session.scalars(select(PayoutRun)).one()
    run.aborted_reason, run.state = "Stop", RunState.ABORTED
    db.session.commit()
    with pytest.raises(ConflictError, match="Its run was canceled"):
        retry(the_payout, by_user_id=3)
    db.session.rollback()
    cancel_payout(the_payout, by_user_id=3, reason="Stop")
    assert payable_balance(PARTNER, "EUR") == 5_000


def test_a_transfer_that_nothing_waits_for_is_booked_owed_and_named(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs
) -> None:
    stripe.fund(100_000)
    the_payout = payout_id()
    params = paying._params(payout())
    cancel_payout(the_payout, by_user_id=1, reason="Stop")
    db.session.commit()
    made = gateway().call("transfers.create", params, idem_key=f"payout:{the_payout}:a1")
    db.session.add(
        StripeOperation(
            idem_key=f"payout:{the_payout}:a1",
            method="transfers.create",
            request_hash="0" * 64,
            state=OperationState.SUCCEEDED,
            stripe_id=made["id"],
        )
    )
    db.session.commit()
    assert broken() == [
        f"transfers_are_booked: payout {the_payout}: Stripe made {made['id']} for it, but it is"
        " canceled"
    ]
    for _ in range(2):
        with unit_of_work():
            record_transfer(the_payout, made)
    # The partner has it, so that it is not paid again.
    assert balance(STRIPE_AVAILABLE, "EUR") == 0
    assert (payable_balance(PARTNER, "EUR"), balance(PARTNER_RECEIVABLE, "EUR", PARTNER)) == (0, 0)
    assert broken() == []
    assert [alert.kind for alert in payout_alerts()] == ["transfers_surplus"]
    # Somebody brings it back at Stripe.
    stripe.reverse_transfer(made)
    stripe.deliver(repeat=2)
    assert (payable_balance(PARTNER, "EUR"), balance(STRIPE_AVAILABLE, "EUR")) == (5_000, 5_000)
    assert broken() == []


def test_what_may_be_under_way_for_a_payout_that_was_given_back_is_named(
    stripe: StripeStandIn, account: str
) -> None:
    the_payout = payout_id()
    cancel_payout(the_payout, by_user_id=1, reason="Stop")
    db.session.add(
        StripeOperation(
            idem_key=f"payout:{the_payout}:a1",
            method="transfers.create",
            request_hash="0" * 64,
            state=OperationState.SENT,
        )
    )
    db.session.flush()
    assert broken() == [
        f"transfers_are_booked: payout {the_payout}: it was given back, although its transfer may"
        " have been made"
    ]


def test_a_payout_that_says_it_was_sent_while_its_money_is_set_apart_is_named(
    stripe: StripeStandIn, account: str
) -> None:
    row = payout()
    row.state = PayoutState.CANCELED
    db.session.flush()
    assert (
        f"clearing_is_explained: payout {row.id}: it is canceled, and 5000 of it is set apart"
        " instead of 0"
    ) in broken()


def test_a_run_that_waits_has_one_job_at_most_however_long_it_waits(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting() -> int:
        ready = select(Job).where(Job.kind == executing.EXECUTE, Job.state == JobState.READY)
        return len(db.session.scalars(ready).all())

    run_jobs()
    for _ in range(5):
        stripe.advance(timedelta(minutes=31))
        with unit_of_work():
            executing.resume({})
        run_jobs()
        assert waiting() == 0
    # Nor while something of ours is broken, which the job stumbles over again and again.
    with monkeypatch.context() as patch:
        patch.setattr(executing, "pay_some", lambda _run_id: 1 / 0)
        for _ in range(5):
            stripe.advance(timedelta(minutes=31))
            with unit_of_work():
                executing.resume({})
            run_jobs()
            assert waiting() == 1


def test_a_key_that_stripe_does_not_take_stops_the_run_and_cancels_nothing(
    stripe: StripeStandIn, account: str, run_jobs: RunJobs
) -> None:
    stripe.fund(100_000)
    stripe.fault(
        "transfers.create",
        "refused",
        code="",
        message="The provided key does not have the required permissions.",
        status=403,
    )
    run_id = payout().run_id
    assert pay_some(run_id) == "Stripe does not take our key."
    run = db.session.get_one(PayoutRun, run_id, populate_existing=True)
    assert run.stalled_reason.startswith("Stripe does not take our key: The provided key")
    assert [alert.kind for alert in payout_alerts()] == ["run_stalled"]
    assert payout().state is PayoutState.SUBMITTING
    with unit_of_work():
        executing.resume({})
    run_jobs()
    assert (sent(stripe), run_state()) == ([5_000], RunState.COMPLETED)
    assert db.session.scalars(select(PayoutRun)).one().stalled_reason == ""
