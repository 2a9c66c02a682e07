"""What happens beside a delivery that is on its way: resets, errors of ours, a locked database."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert, select, text

from marketplace.core import clock, database
from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role
from marketplace.installs.developer.services.sandbox import ensure_sandbox, reset_sandbox
from marketplace.installs.models import (
    DeliveryAttempt,
    DeliveryState,
    Environment,
    WebhookDelivery,
    WebhookEndpoint,
)
from marketplace.installs.webhooks import leases, retry
from marketplace.installs.webhooks.delivery import deliver_head
from marketplace.installs.webhooks.dispatcher import Dispatcher, deliver_due
from marketplace.installs.webhooks.events import emit
from marketplace.installs.webhooks.services.switching import disable, enable
from tests.factories.acting import actor_for
from tests.factories.answering import Answer, AnsweringServer
from tests.factories.people import make_member
from tests.factories.races import at_once
from tests.factories.webhooks import deliveries_of, make_endpoint, tell

Deliver = Callable[[], int]
Later = Callable[..., None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
FAILS = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def actor(partner: Organization) -> Actor:
    return actor_for(make_member(partner, Role.DEVELOPER), partner)


def meanwhile(app: Flask, act: Callable[[], object], answer: bytes = OK) -> Answer:
    """An answer that is given after `act` was done, in a transaction of its own."""

    def write(out: Any) -> None:
        with app.app_context(), unit_of_work():
            act()
        out.write(answer)

    return Answer(raw=write)


def reset(partner_id: int, actor: Actor) -> None:
    reset_sandbox(db.session.get_one(Organization, partner_id), actor)


@contextmanager
def breaking(statement: str, part: str) -> Iterator[None]:
    """Let statements that begin and are filled in like this fail, as by an error of ours."""

    def refuse(_connection: Any, _cursor: Any, sent: str, values: Any, *_rest: Any) -> None:
        if sent.startswith(statement) and part in str(values):
            raise RuntimeError("broken for the test")

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


@pytest.mark.parametrize("answer", [OK, FAILS])
def test_a_delivery_that_a_reset_deleted_is_forgotten_and_the_endpoint_goes_on(
    app: Flask,
    hooks: AnsweringServer,
    partner: Organization,
    actor: Actor,
    deliver: Deliver,
    answer: bytes,
) -> None:
    partner_id = partner.id
    ensure_sandbox(partner, actor)

    def reset_and_go_on() -> None:
        reset(partner_id, actor)
        emit(
            "review.posted",
            organization_id=partner_id,
            environment=Environment.TEST,
            data={},
            ordering_key="inst_1",
        )

    hooks.plan("/hook", meanwhile(app, reset_and_go_on, answer), Answer(200))
    endpoint = make_endpoint(partner, hooks.url("/hook"), environment=Environment.TEST)
    for _number in range(2):
        emit(
            "review.posted",
            organization_id=partner.id,
            environment=Environment.TEST,
            data={},
            ordering_key="inst_1",
        )
    assert deliver() == 2
    (delivery,) = deliveries_of(endpoint)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 1)
    assert (endpoint.lease_id, endpoint.failing_since) == (None, None)


def test_a_reset_waits_for_an_answer_that_is_being_written_down(
    app: Flask, partner: Organization, actor: Actor
) -> None:
    ensure_sandbox(partner, actor)
    endpoint = make_endpoint(partner, environment=Environment.TEST)
    emit("review.posted", organization_id=partner.id, environment=Environment.TEST, data={})
    (delivery,) = db.session.scalars(select(WebhookDelivery))
    partner_id, endpoint_id, delivery_id = partner.id, endpoint.id, delivery.id
    db.session.commit()
    written = threading.Event()

    def write_down() -> None:
        with unit_of_work() as session:
            session.execute(
                select(WebhookEndpoint.id)
                .where(WebhookEndpoint.id == endpoint_id)
                .with_for_update(key_share=True)
            )
            session.execute(
                insert(DeliveryAttempt).values(
                    delivery_id=delivery_id,
                    number=1,
                    started_at=clock.now(),
                    duration_ms=1,
                    request_headers={},
                    response_headers={},
                )
            )
            written.set()
            time.sleep(0.2)

    def start_over() -> None:
        written.wait(5)
        with unit_of_work():
            reset(partner_id, actor)

    assert at_once(app, [write_down, start_over]) == []
    assert deliveries_of(endpoint) == []


def test_an_error_of_ours_holds_up_its_own_key_alone(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, later: Later
) -> None:
    url = hooks.plan("/hook", Answer(body=b"breaks"), Answer())
    endpoint = make_endpoint(partner, url, last_success_at=clock.now())
    tell(partner, "inst_broken")
    told = [tell(partner, f"inst_{number % 3}") for number in range(6)]
    db.session.commit()
    with breaking("INSERT INTO delivery_attempt", "breaks"):
        assert deliver() == 6
        assert deliver() == 0
    states = [delivery.state for delivery in deliveries_of(endpoint)]
    assert states == [DeliveryState.WAITING] + [DeliveryState.DELIVERED] * 6
    assert endpoint.lease_id is None
    told.append(tell(partner))
    assert deliver() == 1
    later(seconds=61)
    assert deliver() == 1
    assert {d.state for d in deliveries_of(endpoint)} == {DeliveryState.DELIVERED}


def test_a_recovered_delivery_keeps_its_tries_whatever_the_former_request_met(
    app: Flask, hooks: AnsweringServer, partner: Organization, actor: Actor, deliver: Deliver
) -> None:
    endpoint = make_endpoint(partner)
    endpoint_id, since = endpoint.id, clock.now()
    tell(partner)
    (delivery,) = db.session.scalars(select(WebhookDelivery))
    delivery.attempts = retry.MAX_TRIES - 1

    def start_anew() -> None:
        mine = db.session.get_one(WebhookEndpoint, endpoint_id)
        disable(actor, mine)
        assert enable(actor, mine, since=since) == 1

    endpoint.url = hooks.plan("/hook", meanwhile(app, start_anew, FAILS), Answer(200))
    began = time.monotonic()
    assert deliver() == 2
    # Its lease was lost; the next is taken at once.
    assert time.monotonic() - began < 2
    assert [row.state for row in deliveries_of(endpoint)] == [DeliveryState.DELIVERED]


def test_a_lease_of_before_the_clock_was_set_back_holds_nobody_up(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, later: Later
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    db.session.commit()
    assert leases.take(endpoint.id) is not None
    later(hours=-1)
    tell(partner)
    assert deliver() == 1


def test_a_lease_is_renewed_before_a_request_that_might_outlast_it(
    hooks: AnsweringServer, partner: Organization, later: Later
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    tell(partner)
    db.session.commit()
    lease_id = leases.take(endpoint.id)
    assert lease_id is not None
    later(seconds=7)
    before = clock.now()
    assert deliver_head(endpoint.id, "inst_1", lease_id).delivered
    db.session.refresh(endpoint)
    assert endpoint.lease_until is not None
    assert endpoint.lease_until >= before + leases.LEASE


@contextmanager
def locked(app: Flask) -> Iterator[None]:
    """Nobody else can write to the SQLite database meanwhile."""
    path = app.extensions["portico_settings"].database_url.removeprefix("sqlite:///")
    other = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.fixture
def impatient(app: Flask, database_kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections that wait for a lock for a moment only."""
    if database_kind != "sqlite":
        pytest.skip("one writer at a time is how SQLite works")
    monkeypatch.setattr(database, "SQLITE_BUSY_TIMEOUT_MS", 50)
    db.session.rollback()
    db.engine.dispose()
    yield
    db.session.remove()
    db.engine.dispose()


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_comes_while_the_database_is_locked_is_written_down_after(
    app: Flask, hooks: AnsweringServer, partner: Organization, deliver: Deliver
) -> None:
    unlocked = threading.Event()

    def answer(out: Any) -> None:
        with locked(app):
            out.write(OK)
            out.flush()
            time.sleep(0.3)
        unlocked.set()

    endpoint = make_endpoint(partner, hooks.plan("/hook", Answer(raw=answer)))
    tell(partner)
    assert deliver() == 1
    assert unlocked.wait(5)
    assert [row.state for row in deliveries_of(endpoint)] == [DeliveryState.DELIVERED]


@pytest.mark.usefixtures("impatient")
def test_the_engine_goes_on_after_the_database_was_locked(
    app: Flask, hooks: AnsweringServer, partner: Organization
) -> None:
    make_endpoint(partner, hooks.url("/hook"))
    tell(partner)
    db.session.commit()
    assert db.session.scalar(text("SELECT 1")) == 1
    db.session.rollback()
    stop = threading.Event()
    thread = threading.Thread(target=Dispatcher(app, threads=2).run, args=(stop,))
    with locked(app):
        thread.start()
        time.sleep(0.4)
    until = time.monotonic() + 10
    while not hooks.received and time.monotonic() < until:
        time.sleep(0.02)
    stop.set()
    thread.join()
    assert len(hooks.received) == 1
    assert deliver_due(app, threads=1) == 0
