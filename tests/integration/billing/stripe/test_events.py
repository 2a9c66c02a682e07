"""The inbox: each event once, handled later, in any order, and none lost."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from billing import events
from billing.events import DeferEvent, handled_types, on_event, retry_event, sweep_events
from billing.gateway import StripeSettings, configure_gateway, gateway, sign
from billing.models.payout import AccountState, ConnectedAccount
from billing.models.stripe import EventState, StripeEvent
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.facts import Fact, record_fact
from tests.factories.people import make_organization, make_user
from tests.factories.stripe import CONNECT_SECRET, SECRET, StripeStandIn, stripe_settings

_numbers = itertools.count()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A handler that notes the objects of `customer.created`; no other handlers."""
    monkeypatch.setattr(events, "_handlers", {})
    noted: list[str] = []

    @on_event("customer.created", "account.updated")
    def note(event: StripeEvent) -> None:
        noted.append(event.object_id)

    return noted


def new_customer() -> str:
    params = {"email": "a@people.example"}
    return str(gateway().call("customers.create", params, idem_key=f"k{next(_numbers)}")["id"])


def rows() -> list[StripeEvent]:
    db.session.rollback()
    query = select(StripeEvent).order_by(StripeEvent.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def test_a_webhook_is_kept_answered_and_then_handled(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    customer = new_customer()
    stripe.deliver(client, run=False)
    (row,) = rows()
    assert (row.state, row.object_id, row.type) == (
        EventState.RECEIVED,
        customer,
        "customer.created",
    )
    assert seen == []
    jobs.run_due()
    assert seen == [customer]
    (row,) = rows()
    assert (row.state, row.attempts, row.source) == (EventState.DONE, 1, "webhook")


def test_an_event_that_comes_five_times_is_handled_once(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    customer = new_customer()
    stripe.deliver(client, repeat=5)
    assert (seen, stripe.webhook_answers) == ([customer], [200] * 5)


def test_what_stripe_did_not_sign_is_refused_and_not_kept(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    new_customer()
    (_, event_id), *_rest = stripe.waiting()
    assert stripe.post(client, event_id, secret="whsec_of_somebody_else") == 400
    assert client.post("/webhooks/stripe", data=b"{}").status_code == 400
    body = b'{"not": "an event"}'
    signed = {"Stripe-Signature": sign(body, SECRET, clock.now())}
    assert client.post("/webhooks/stripe", data=body, headers=signed).status_code == 400
    assert rows() == []


def test_an_old_signature_is_refused(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    new_customer()
    event = stripe.all("event")[-1]
    body = json.dumps(event).encode()
    signed = {"Stripe-Signature": sign(body, SECRET, clock.now() - timedelta(minutes=6))}
    assert client.post("/webhooks/stripe", data=body, headers=signed).status_code == 400
    signed = {"Stripe-Signature": sign(body, SECRET, clock.now() - timedelta(minutes=4))}
    assert client.post("/webhooks/stripe", data=body, headers=signed).status_code == 200
    assert len(rows()) == 1


def test_an_event_of_the_other_mode_is_answered_and_ignored(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    new_customer()
    live = stripe_settings(stripe.url)
    configure_gateway(StripeSettings(api_key="sk_live_x1", webhook_secrets=live.webhook_secrets))
    stripe.deliver(client)
    assert (rows(), seen, stripe.webhook_answers) == ([], [], [200])


def test_an_event_that_nobody_handles_is_answered_and_forgotten(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    stripe.event("tax_rate.created", {"id": "txr_1", "object": "tax_rate"})
    stripe.deliver(client)
    assert (rows(), stripe.webhook_answers) == ([], [200])


def test_without_a_key_webhooks_are_not_taken(app: Flask, client: FlaskClient) -> None:
    configure_gateway(StripeSettings(webhook_secrets=(SECRET,)))
    body = (
        b'{"id": "evt_1", "object": "event", "type": "invoice.paid", "livemode": false, '
        b'"created": 1, "data": {"object": {"id": "in_1"}}}'
    )
    signed = {"Stripe-Signature": sign(body, SECRET, clock.now())}
    assert client.post("/webhooks/stripe", data=body, headers=signed).status_code == 503


def test_a_payload_beyond_measure_is_not_read(app: Flask, client: FlaskClient) -> None:
    assert client.post("/webhooks/stripe", data=b"x" * (1024 * 1024 + 1)).status_code == 413


def test_an_event_waits_for_what_it_speaks_of(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})
    here: set[str] = set()
    handled: list[str] = []

    @on_event("customer.created")
    def handle(event: StripeEvent) -> None:
        record_fact("thing.seen", subject=("thing", 1))
        if event.object_id not in here:
            raise DeferEvent("no order yet")
        handled.append(event.object_id)

    customer = new_customer()
    stripe.deliver(client)
    (row,) = rows()
    assert (row.state, row.error, handled) == (EventState.DEFERRED, "no order yet", [])
    here.add(customer)
    stripe.deliver(client)  # not due yet
    assert handled == []
    stripe.advance(timedelta(seconds=6))
    stripe.deliver(client)
    assert (rows()[0].state, rows()[0].error, handled) == (EventState.DONE, "", [customer])


def test_what_never_comes_makes_the_event_dead_after_a_day_and_a_person_may_try_again(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})
    here: list[str] = []

    @on_event("customer.created")
    def handle(event: StripeEvent) -> None:
        if not here:
            raise DeferEvent("no order yet")

    new_customer()
    stripe.deliver(client)
    for _hour in range(26):
        stripe.advance(timedelta(hours=1))
        jobs.run_due()
    (row,) = rows()
    assert (row.state, row.error) == (EventState.DEAD, "no order yet")
    assert row.attempts > 20
    here.append("now")
    user = make_user()
    assert retry_event(row.id, user_id=user.id)
    db.session.commit()
    jobs.run_due()
    assert rows()[0].state is EventState.DONE
    assert not retry_event(row.id, user_id=user.id)


def test_a_handler_that_breaks_leaves_nothing_and_is_tried_again(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})
    calls: list[int] = []

    @on_event("customer.created")
    def write(event: StripeEvent) -> None:
        db.session.add(make_organization("Half done"))

    @on_event("customer.created")
    def explode(event: StripeEvent) -> None:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("not yet")

    new_customer()
    stripe.deliver(client)
    from marketplace.identity.models import Organization

    assert db.session.scalar(select(func.count()).select_from(Organization)) == 0
    assert rows()[0].error == "ValueError: not yet"
    for _time in range(3):
        stripe.advance(timedelta(minutes=1))
        jobs.run_due()
    assert (rows()[0].state, len(calls)) == (EventState.DONE, 3)
    assert db.session.scalar(select(func.count()).select_from(Organization)) == 1


@pytest.mark.parametrize("commit", [1, 2, 3])
def test_a_worker_killed_at_any_commit_loses_nothing_and_writes_nothing_twice(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch,
    commit: int,
) -> None:  # fmt: skip
    class Killed(BaseException):
        pass

    monkeypatch.setattr(events, "_handlers", {})

    @on_event("customer.created")
    def write(event: StripeEvent) -> None:
        record_fact("thing.seen", subject=("thing", event.object_id))

    new_customer()
    stripe.deliver(client, run=False)
    seen: list[int] = []
    real = type(db.session()).commit

    def mortal(session: Any) -> None:
        seen.append(1)
        if len(seen) == commit:
            raise Killed
        real(session)

    (job_id,) = jobs.due_job_ids()
    db.session.rollback()
    with monkeypatch.context() as dying:
        dying.setattr(type(db.session()), "commit", mortal)
        with pytest.raises(Killed):
            jobs.run_job(job_id)
    db.session.remove()
    stripe.advance(timedelta(minutes=6))  # the lease of the dead worker is over
    stripe.deliver(client)
    assert rows()[0].state is EventState.DONE
    assert db.session.scalar(select(func.count()).select_from(Fact)) == 1


def test_a_handler_that_always_breaks_makes_the_event_dead(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})

    @on_event("customer.created")
    def explode(event: StripeEvent) -> None:
        raise ValueError("never")

    new_customer()
    stripe.deliver(client)
    for _time in range(14):
        stripe.advance(timedelta(hours=2))
        jobs.run_due()
    assert (rows()[0].state, rows()[0].attempts) == (EventState.DEAD, events.MAX_ATTEMPTS)


def test_a_busy_stripe_does_not_count_as_a_failed_event(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})

    @on_event("customer.created")
    def refetch(event: StripeEvent) -> None:
        gateway().retrieve("customers", event.object_id)

    new_customer()
    stripe.fault("customers.retrieve", "rate_limited", seconds=30)
    stripe.deliver(client)
    assert rows()[0].state is EventState.RECEIVED
    stripe.advance(timedelta(minutes=2))
    jobs.run_due()
    assert rows()[0].state is EventState.DONE


def test_events_of_connected_accounts_are_handled_for_accounts_of_ours(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    account = stripe.new_account(version=1)
    stripe.deliver(client)
    assert {row.state for row in rows()} == {EventState.DEFERRED}
    assert {row.account for row in rows()} == {account}
    partner = make_organization()
    db.session.add(
        ConnectedAccount(organization_id=partner.id, stripe_id=account, state=AccountState.READY)
    )
    db.session.commit()
    stripe.advance(timedelta(minutes=1))
    stripe.deliver(client)
    assert {row.state for row in rows()} == {EventState.DONE}
    assert set(seen) == {account}


def test_thin_events_of_version_two_name_their_account(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})
    noted: list[tuple[str, str]] = []

    @on_event("v2.core.account[requirements].updated")
    def note(event: StripeEvent) -> None:
        noted.append((event.object_id, event.account))

    account = stripe.new_account(version=2)
    db.session.add(
        ConnectedAccount(
            organization_id=make_organization().id, stripe_id=account, state=AccountState.READY
        )
    )
    db.session.commit()
    stripe.deliver(client)
    assert noted == [(account, account)]


def test_both_endpoints_may_bring_the_same_event(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    customer = new_customer()
    (_, event_id), *_rest = stripe.waiting()
    assert stripe.post(client, event_id, secret=SECRET) == 200
    assert stripe.post(client, event_id, secret=CONNECT_SECRET) == 200
    stripe.deliver(client)
    assert seen == [customer]


def test_a_sweep_finds_the_webhooks_that_were_lost(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    first, second = new_customer(), new_customer()
    stripe.lose()
    third = new_customer()
    stripe.deliver(client)
    assert seen == [third]
    sweep_events({})
    sweep_events({})
    stripe.deliver(client)
    assert seen[0] == third
    assert sorted(seen[1:]) == sorted([first, second])
    assert [row.source for row in rows()] == ["webhook", "sweep", "sweep"]


def test_a_sweep_goes_on_where_the_last_one_began(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    asked: list[dict[str, Any]] = []
    pages = type(gateway()).pages

    def watched(self: Any, resource: str, **params: Any) -> Any:
        asked.append(params)
        return pages(self, resource, **params)

    monkeypatch.setattr(type(gateway()), "pages", watched)
    sweep_events({})
    started = clock.now()
    stripe.advance(timedelta(minutes=10))
    sweep_events({})
    first, second = (call["created"]["gte"] for call in asked)
    assert abs(first - (started - events.FIRST_SWEEP - events.SWEEP_OVERLAP).timestamp()) < 5
    assert abs(second - (started - events.SWEEP_OVERLAP).timestamp()) < 5
    assert asked[0]["types"] == ["account.updated", "customer.created"] == handled_types()


def test_a_sweep_wakes_events_whose_job_is_gone(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str]
) -> None:
    customer = new_customer()
    stripe.deliver(client, run=False)
    db.session.execute(jobs.Job.__table__.delete())  # type: ignore[attr-defined]  # a Table
    db.session.commit()
    stripe.advance(timedelta(hours=3))
    sweep_events({})
    stripe.deliver(client)
    assert seen == [customer]


@pytest.mark.parametrize("order", ["as sent", "reversed", "shuffled"])
def test_the_order_of_delivery_changes_nothing(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str], order: str
) -> None:
    made = {new_customer() for _ in range(6)}
    stripe.deliver(client, order=order, repeat=2, seed=7)
    assert (set(seen), len(seen)) == (made, 6)


def test_a_sweep_looks_at_connected_accounts_in_turn(
    app: Flask, stripe: StripeStandIn, client: FlaskClient, seen: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(events, "ACCOUNTS_AT_ONCE", 1)
    accounts = [stripe.new_account(version=1) for _ in range(3)]
    for account in accounts:
        db.session.add(
            ConnectedAccount(
                organization_id=make_organization().id, stripe_id=account, state=AccountState.READY
            )
        )
    db.session.commit()
    stripe.deauthorize(accounts[1])
    stripe.lose()
    for _time in range(3):
        sweep_events({})
        stripe.advance(timedelta(minutes=10))
    stripe.deliver(client)
    assert set(seen) == {accounts[0], accounts[2]}
    assert {row.account for row in rows()} == {accounts[0], accounts[2]}


def test_stripe_off_leaves_the_sweep_without_work(app: Flask) -> None:
    configure_gateway(StripeSettings())
    sweep_events({})
    assert rows() == []
