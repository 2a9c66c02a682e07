"""What is asked of Stripe happens once, whatever happens to the answer or to us."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import operations
from billing.gateway import (
    StripeBusyError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
    retry_later,
)
from billing.models.stripe import OperationState, StripeOperation
from billing.operations import OperationConflictError, perform, settle_by_hand
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.people import make_user
from tests.factories.stripe import StripeStandIn

KEY = "payout:7:a1"


def transfer_to(account: str, **more: Any) -> dict[str, Any]:
    return {"amount": 1_000, "currency": "EUR", "destination": account, **more}


def pay(account: str, key: str = KEY, **more: Any) -> dict[str, Any]:
    return perform(key, "transfers.create", transfer_to(account, transfer_group="payout_7"), **more)


def row(key: str = KEY) -> StripeOperation:
    db.session.rollback()
    return db.session.scalars(
        select(StripeOperation)
        .where(StripeOperation.idem_key == key)
        .execution_options(populate_existing=True)
    ).one()


@pytest.fixture
def account(stripe: StripeStandIn) -> str:
    """A partner's account, and money to send it."""
    stripe.fund(100_000)
    return stripe.new_account()


def test_what_happened_is_written_down(app: Flask, stripe: StripeStandIn, account: str) -> None:
    done = pay(account)
    found = row()
    assert (found.state, found.stripe_id) == (OperationState.SUCCEEDED, done["id"])
    assert (found.attempt, found.method) == (1, "transfers.create")
    assert found.finished_at is not None


def test_the_same_key_gives_the_same_object_as_it_is_now(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    done = pay(account)
    stripe.reverse_transfer(done, 400)
    again = pay(account)
    assert (again["id"], again["amount_reversed"]) == (done["id"], 400)
    assert len(stripe.all("transfer")) == 1


def test_a_nested_object_is_found_again_too(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    transfer = pay(account)
    params = {"id": transfer["id"], "amount": 300}
    first = perform("reversal:1", "transfers.reversals.create", params)
    assert perform("reversal:1", "transfers.reversals.create", params)["id"] == first["id"]
    assert len(stripe.all("transfer_reversal")) == 1


def test_other_params_under_the_same_key_are_refused_before_stripe_is_asked(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    pay(account)
    with pytest.raises(OperationConflictError):
        perform(KEY, "transfers.create", transfer_to(account, amount=2_000))
    assert len(stripe.all("transfer")) == 1


@pytest.mark.parametrize("kind", ["lost", "dropped", "error", "error_after"])
def test_an_answer_that_never_came_is_asked_for_again_under_the_same_key(
    app: Flask, stripe: StripeStandIn, account: str, kind: str
) -> None:
    stripe.fault("transfers.create", kind)
    with pytest.raises(StripeUnknownError):
        pay(account)
    assert row().state is OperationState.UNKNOWN
    done = pay(account)
    assert (row().state, row().attempt) == (OperationState.SUCCEEDED, 2)
    assert [each["id"] for each in stripe.all("transfer")] == [done["id"]]


def test_a_rejection_is_final_for_its_key_and_a_new_key_may_succeed(
    app: Flask, stripe: StripeStandIn
) -> None:
    account = stripe.new_account()
    for _time in range(2):
        with pytest.raises(StripeRejectedError, match="balance_insufficient"):
            pay(account)
    assert (row().state, row().attempt) == (OperationState.REJECTED, 1)
    stripe.fund(5_000)
    assert pay(account, "payout:7:a2")["amount"] == 1_000


@pytest.mark.parametrize("kind", ["rate_limited", "conflict"])
def test_a_busy_stripe_is_asked_again_later(
    app: Flask, stripe: StripeStandIn, account: str, kind: str
) -> None:
    stripe.fault("transfers.create", kind, seconds=3)
    with pytest.raises(StripeBusyError) as busy:
        pay(account)
    # 429: nothing happened. 409: it may be happening elsewhere.
    expected = OperationState.INTENDED if kind == "rate_limited" else OperationState.UNKNOWN
    assert row().state is expected
    assert retry_later(busy.value).after >= timedelta(seconds=2)
    assert pay(account)["amount"] == 1_000


def test_after_a_day_it_is_looked_for_before_it_is_sent_again(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    stripe.fault("transfers.create", "lost")
    with pytest.raises(StripeUnknownError):
        pay(account)
    (made,) = stripe.all("transfer")
    stripe.advance(timedelta(hours=23, minutes=1))
    with pytest.raises(StripeUnknownError, match="look at Stripe"):
        pay(account)
    looked: list[int] = []

    def find() -> dict[str, Any] | None:
        looked.append(1)
        return next(gateway().pages("transfers", transfer_group="payout_7"), None)

    assert pay(account, find=find)["id"] == made["id"]
    assert (row().state, row().stripe_id) == (OperationState.SUCCEEDED, made["id"])
    assert (len(looked), len(stripe.all("transfer"))) == (1, 1)


def test_what_is_not_found_after_a_day_is_sent_anew_with_a_new_day(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    stripe.fault("transfers.create", "dropped")
    with pytest.raises(StripeUnknownError):
        pay(account)
    stripe.advance(timedelta(hours=30))
    stripe.fault("transfers.create", "lost")
    with pytest.raises(StripeUnknownError):
        pay(account, find=lambda: None)
    # The key counts again: the answer that was lost is simply asked for once more.
    assert pay(account)["amount"] == 1_000
    assert len(stripe.all("transfer")) == 1


def test_a_worker_killed_before_the_answer_leaves_a_row_that_says_so(
    app: Flask, stripe: StripeStandIn, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    note = "billing.operations._note"

    def die(*_args: object, **_more: object) -> None:
        raise Killed

    monkeypatch.setattr(note, die)
    with pytest.raises(Killed):
        pay(account)
    monkeypatch.undo()
    assert row().state is OperationState.SENT
    assert pay(account)["id"] == stripe.all("transfer")[0]["id"]
    assert len(stripe.all("transfer")) == 1


def test_a_key_of_ours_that_stripe_knows_for_another_request_is_not_taken_for_a_rejection(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    gateway().call("transfers.create", transfer_to(account, amount=5), idem_key=KEY)
    with pytest.raises(OperationConflictError):
        pay(account)
    assert (row().state, row().error_code) == (OperationState.UNKNOWN, "idempotency_error")


def test_nothing_is_open_while_stripe_is_asked(
    app: Flask, stripe: StripeStandIn, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    call = type(gateway()).call

    def watched(self: Any, *args: Any, **more: Any) -> Any:
        seen.append(db.session().in_transaction())
        return call(self, *args, **more)

    monkeypatch.setattr(type(gateway()), "call", watched)
    pay(account)
    assert seen == [False]


@pytest.mark.parametrize("happened", [True, False])
def test_a_person_says_what_became_of_it(
    app: Flask, stripe: StripeStandIn, account: str, happened: bool
) -> None:
    stripe.fault("transfers.create", "lost")
    with pytest.raises(StripeUnknownError):
        pay(account)
    (made,) = stripe.all("transfer")
    user = make_user()
    told = {"happened": happened, "stripe_id": made["id"] if happened else "", "user_id": user.id}
    assert settle_by_hand(row().id, **told)
    db.session.commit()
    assert not settle_by_hand(row().id, **told)
    assert db.session.scalars(select(Fact.kind)).all() == ["stripe_operation.settled"]
    db.session.rollback()
    if happened:
        assert pay(account)["id"] == made["id"]
    else:
        with pytest.raises(StripeRejectedError, match="did_not_happen"):
            pay(account)


def test_an_error_that_stripe_keeps_under_the_key_is_looked_through_after_a_day(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    stripe.fault("transfers.create", "error", cached=True)
    for _hour in range(22):
        with pytest.raises(StripeUnknownError):
            pay(account)
        stripe.advance(timedelta(hours=1))
    assert stripe.all("transfer") == []
    stripe.advance(timedelta(hours=2, minutes=1))
    assert pay(account, find=lambda: None)["amount"] == 1_000
    assert len(stripe.all("transfer")) == 1


def test_a_storm_of_refusals_ends_in_one_transfer(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    stripe.fault("transfers.*", "rate_limited", times=20, seconds=1)
    for _time in range(20):
        with pytest.raises(StripeBusyError):
            pay(account)
    assert row().state is OperationState.INTENDED
    pay(account)
    assert (row().attempt, len(stripe.all("transfer"))) == (21, 1)


@pytest.mark.parametrize("commit", [1, 2, 3])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_killed_at_any_commit_sends_one_transfer(
    app: Flask,
    stripe: StripeStandIn,
    account: str,
    monkeypatch: pytest.MonkeyPatch,
    commit: int,
    when: str,
) -> None:
    class Killed(BaseException):
        pass

    seen: list[int] = []

    @contextmanager
    def mortal() -> Iterator[Session]:
        seen.append(1)
        with unit_of_work() as session:
            yield session
            if len(seen) == commit and when == "before":
                raise Killed
        if len(seen) == commit and when == "after":
            raise Killed

    monkeypatch.setattr(operations, "unit_of_work", mortal)
    with pytest.raises(Killed):
        pay(account)
    monkeypatch.undo()
    db.session.rollback()
    done = pay(account)
    assert [each["id"] for each in stripe.all("transfer")] == [done["id"]]
    assert row().state is OperationState.SUCCEEDED


def test_who_hears_nothing_does_not_speak_for_who_heard_that_it_happened(
    app: Flask, stripe: StripeStandIn, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(gateway()).call

    def slow(self: Any, *args: Any, **named: Any) -> Any:
        monkeypatch.setattr(type(gateway()), "call", real)
        pay(account)
        raise StripeUnknownError("no answer")

    monkeypatch.setattr(type(gateway()), "call", slow)
    with pytest.raises(StripeUnknownError):
        pay(account)
    assert row().state is OperationState.SUCCEEDED
    assert len(stripe.all("transfer")) == 1


def test_what_is_over_is_forgotten_but_for_what_it_was_about(
    app: Flask, stripe: StripeStandIn, account: str
) -> None:
    transfer = pay(account)
    assert row().request == {}
    perform("reversal:1", "transfers.reversals.create", {"id": transfer["id"], "amount": 300})
    assert row("reversal:1").request == {"id": transfer["id"]}
    with pytest.raises(StripeRejectedError):
        perform("customer:1", "customers.create", {"name": "Erika", "nonsense": 1})
    assert row("customer:1").request == {}
