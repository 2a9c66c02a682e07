"""Workers that come at the same moment: one call, one row, one effect."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing import events
from billing.events import on_event, receive
from billing.gateway import StripeBusyError, gateway, sign
from billing.models.stripe import EventState, OperationState, StripeEvent, StripeOperation
from billing.operations import perform
from billing.sandbox_stripe.events import body_of
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.stripe import SECRET, StripeStandIn

WORKERS = 6


def at_once(app: Flask, act: Callable[[], Any], workers: int = WORKERS) -> list[Any]:
    """What each of several threads got from `act`, all begun together."""
    ready, outcomes = threading.Barrier(workers), []

    def run() -> None:
        with app.app_context():
            try:
                ready.wait()
                outcomes.append(act())
            except StripeBusyError as busy:
                outcomes.append(busy)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_workers_with_the_same_key_send_one_transfer(app: Flask, stripe: StripeStandIn) -> None:
    stripe.fund(50_000)
    account = stripe.new_account()
    params = {"amount": 1_000, "currency": "EUR", "destination": account}
    outcomes = at_once(app, lambda: perform("payout:1:a1", "transfers.create", params))
    assert len(outcomes) == WORKERS
    (made,) = stripe.all("transfer")
    assert {each["id"] for each in outcomes if isinstance(each, dict)} <= {made["id"]}
    # Whoever was told that another is at it asks again, and gets the same.
    assert perform("payout:1:a1", "transfers.create", params)["id"] == made["id"]
    row = db.session.scalars(select(StripeOperation)).one()
    assert row.state is OperationState.SUCCEEDED


def test_a_webhook_on_several_workers_at_once_is_one_row_and_one_effect(
    app: Flask, stripe: StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})
    seen: list[str] = []

    @on_event("customer.created")
    def note(event: StripeEvent) -> None:
        seen.append(event.event_id)

    gateway().call("customers.create", {"email": "a@people.example"}, idem_key="k")
    (_, event_id) = stripe.waiting()[0]
    with stripe.store.transaction():
        body = body_of(stripe.store, event_id)
    header = sign(body, SECRET, clock.now())

    def arrive() -> bool:
        with unit_of_work():
            return receive(body, header)

    outcomes = at_once(app, arrive)
    assert sorted(outcomes) == [False] * (WORKERS - 1) + [True]
    assert db.session.scalar(select(func.count()).select_from(StripeEvent)) == 1
    row = db.session.scalars(select(StripeEvent)).one()
    row_id = row.id
    db.session.rollback()
    at_once(app, stripe.run_jobs, workers=3)
    assert seen == [event_id]
    db.session.expire_all()
    assert db.session.get_one(StripeEvent, row_id).state is EventState.DONE
