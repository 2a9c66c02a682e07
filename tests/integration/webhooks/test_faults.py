"""The engine beside the worker: killed, stopped, and with slow partners."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import select, update

from marketplace.config import ROOT
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from marketplace.installs.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from marketplace.installs.webhooks.dispatcher import Dispatcher
from tests.conftest import OUTBOUND_NETWORKS
from tests.factories.answering import Answer, AnsweringServer
from tests.factories.webhooks import deliveries_of, event_ids, make_endpoint, tell

PATIENCE_SECONDS = 90
Deliver = Callable[[], int]


@contextmanager
def worker(app: Flask) -> Iterator[subprocess.Popen[bytes]]:
    settings = app.extensions["portico_settings"]
    environment = {
        **os.environ,
        "PORTICO_ENV": "test",
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_url,
        "DATA_DIR": str(settings.data_dir),
        "PUBLIC_URL": settings.public_url,
        "MAIL_BACKEND": "file",
        "REDIS_URL": "",
        "OUTBOUND_ALLOWED_NETWORKS": OUTBOUND_NETWORKS,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "work"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@contextmanager
def running(app: Flask, threads: int = 16) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Dispatcher(app, threads=threads).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if happened():
            return
        time.sleep(0.02)
    raise AssertionError(f"it did not happen within {PATIENCE_SECONDS} s")


def test_a_worker_killed_in_the_middle_of_deliveries_loses_none(
    app: Flask, hooks: AnsweringServer, partner: Organization
) -> None:
    url = hooks.plan("/hook", Answer(delay=0.4))
    endpoint = make_endpoint(partner, url, last_success_at=clock.now())
    for number in range(12):
        tell(partner, f"inst_{number % 6}")
    told = event_ids()
    db.session.commit()
    with worker(app) as process:
        wait_until(lambda: len(hooks.received) >= 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    time.sleep(0.5)  # what the dead worker had sent is still being read by the server
    at_the_kill = {received.headers["webhook-id"] for received in hooks.received}
    waiting = [d for d in deliveries_of(endpoint) if d.state is DeliveryState.WAITING]
    assert waiting
    # What was on its way had been received, and is not marked as delivered.
    with unit_of_work() as session:  # the lease of the dead runs out
        session.execute(update(WebhookEndpoint).values(lease_until=clock.now()))
    hooks.plan("/hook", Answer())
    with running(app):
        wait_until(lambda: {d.state for d in deliveries_of(endpoint)} == {DeliveryState.DELIVERED})
    found = [received.headers["webhook-id"] for received in hooks.received]
    assert set(found) == set(told)
    # At least once: what was in flight at the kill came again under the same id.
    twice = {event for event in found if found.count(event) > 1}
    assert twice
    assert twice <= at_the_kill
    assert max(found.count(event) for event in found) == 2
    for key in range(6):
        mine = told[key::6]
        firsts = [event for event in dict.fromkeys(found) if event in mine]
        assert firsts == mine


def test_the_worker_sends_at_once_and_stops_while_a_request_hangs(
    app: Flask, hooks: AnsweringServer, partner: Organization
) -> None:
    fine = make_endpoint(partner, hooks.url("/fine"), event_types=["listing.approved"])
    hooks.plan("/hang", Answer(delay=30))
    hanging = make_endpoint(partner, hooks.url("/hang"), event_types=["review.posted"])
    db.session.commit()
    with worker(app) as process:
        with unit_of_work():
            tell(partner, kind="listing.approved")
        wait_until(lambda: deliveries_of(fine)[0].state is DeliveryState.DELIVERED)
        began = time.monotonic()
        with unit_of_work():
            tell(partner, "inst_2", kind="listing.approved")
            tell(partner, "inst_3", kind="review.posted")
        wait_until(lambda: len(hooks.to("/fine")) == 2)
        assert time.monotonic() - began < 2
        wait_until(lambda: len(hooks.to("/hang")) == 1)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        process.wait(timeout=20)
        assert time.monotonic() - began < 8
    assert deliveries_of(hanging)[0].state is DeliveryState.WAITING


def test_slow_and_hanging_endpoints_do_not_delay_fine_ones(
    app: Flask, hooks: AnsweringServer, partner: Organization
) -> None:
    hooks.plan("/slow", Answer(delay=4))
    for _number in range(20):
        make_endpoint(
            partner, hooks.url("/slow"), event_types=["review.posted"], last_success_at=clock.now()
        )
    fine = make_endpoint(
        partner, hooks.url("/fine"), event_types=["listing.approved"], last_success_at=clock.now()
    )
    for number in range(10):
        tell(partner, f"inst_{number}", "review.posted")
    db.session.commit()
    with running(app):
        wait_until(lambda: len(hooks.to("/slow")) >= 8)
        time.sleep(1.2)  # the slow ones are known as such while they are still on their way
        ages = []
        for number in range(3):
            began = time.monotonic()
            with unit_of_work():
                tell(partner, f"inst_f{number}", "listing.approved")
            wait_until(lambda count=number: len(hooks.to("/fine")) > count)  # type: ignore[misc]  # a lambda's default has no type
            ages.append(time.monotonic() - began)
        hooks.stopped.set()
    assert max(ages[1:]) < 1.5, ages
    assert {d.state for d in deliveries_of(fine)} == {DeliveryState.DELIVERED}


def test_an_endpoint_with_much_to_send_does_not_keep_others_waiting(
    app: Flask, hooks: AnsweringServer, partner: Organization
) -> None:
    hooks.plan("/busy", Answer(delay=0.02))
    busy = make_endpoint(
        partner, hooks.url("/busy"), event_types=["review.posted"], last_success_at=clock.now()
    )
    make_endpoint(
        partner, hooks.url("/other"), event_types=["listing.approved"], last_success_at=clock.now()
    )
    for number in range(400):
        tell(partner, f"inst_{number}", "review.posted")
    db.session.commit()
    with running(app):
        wait_until(lambda: len(hooks.to("/busy")) >= 10)
        began = time.monotonic()
        with unit_of_work():
            tell(partner, kind="listing.approved")
        wait_until(lambda: len(hooks.to("/other")) == 1)
        assert time.monotonic() - began < 1.5
        assert len(hooks.to("/busy")) < 400
        assert hooks.most_at_once <= 5
        hooks.plan("/busy", Answer())  # the rest is quick
        wait_until(lambda: len(hooks.to("/busy")) == 400)
    assert {d.state for d in deliveries_of(busy)} == {DeliveryState.DELIVERED}


def test_an_endpoint_disabled_while_its_events_are_sent_gets_no_more(
    app: Flask, hooks: AnsweringServer, partner: Organization
) -> None:
    from marketplace.installs.webhooks.services.switching import switch_off

    hooks.plan("/hook", Answer(delay=0.05))
    endpoint = make_endpoint(partner, hooks.url("/hook"), last_success_at=clock.now())
    for number in range(60):
        tell(partner, f"inst_{number}")
    db.session.commit()
    with running(app):
        wait_until(lambda: len(hooks.received) >= 5)
        with unit_of_work():
            switch_off(endpoint.id, "For the test.")
        time.sleep(0.3)  # what was begun before ends
        seen = len(hooks.received)
        time.sleep(0.7)  # longer than the scheduler takes to look again
        assert len(hooks.received) == seen < 60
    states = [d.state for d in deliveries_of(endpoint)]
    assert set(states) == {DeliveryState.DELIVERED, DeliveryState.CANCELED}
    assert states.count(DeliveryState.DELIVERED) == seen


def test_an_address_that_is_none_any_more_is_a_failure_like_any_other(
    app: Flask, hooks: AnsweringServer, partner: Organization
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"), last_success_at=clock.now())
    tell(partner)
    db.session.commit()
    with unit_of_work() as session:
        session.execute(update(WebhookEndpoint).values(url="https://[broken/"))
    with running(app):
        wait_until(lambda: deliveries_of(endpoint)[0].attempts == 1)
    assert deliveries_of(endpoint)[0].last_error == "This is not a valid address."
    assert db.session.scalars(select(WebhookDelivery.state)).one() is DeliveryState.WAITING
