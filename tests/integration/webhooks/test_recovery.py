"""Enabling an endpoint with what it missed: every event arrives once, in order."""

import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role, User
from marketplace.installs.models import DeliveryState, EndpointState, WebhookEndpoint
from marketplace.installs.webhooks import jobs, retry
from marketplace.installs.webhooks.events import emit
from marketplace.installs.webhooks.services.sending import send_test_event
from marketplace.installs.webhooks.services.switching import disable, enable
from tests.factories.acting import actor_for
from tests.factories.answering import Answer, AnsweringServer
from tests.factories.people import make_member
from tests.factories.webhooks import deliveries_of, make_endpoint, tell

Deliver = Callable[[], int]
Later = Callable[..., None]
SignIn = Callable[..., FlaskClient]


@pytest.fixture
def person(partner: Organization) -> User:
    return make_member(partner, Role.DEVELOPER)


@pytest.fixture
def actor(partner: Organization, person: User) -> Actor:
    return actor_for(person, partner)


@pytest.fixture
def browser(partner: Organization, person: User, sign_in: SignIn) -> FlaskClient:
    db.session.commit()
    return sign_in(person, partner)


def enable_over_http(browser: FlaskClient, endpoint: WebhookEndpoint, missed: str) -> str:
    where = f"/partner/webhooks/{endpoint.public_id}"
    db.session.commit()
    page = browser.get(f"{where}/enabling").get_data(as_text=True)
    assert f'value="{missed}"' in page
    enabled: TestResponse = browser.post(f"{where}/enabling", data={"missed": missed})
    assert enabled.status_code == 303
    db.session.expire_all()
    return browser.get(enabled.location).get_data(as_text=True)


def arrived(hooks: AnsweringServer, since: int) -> list[str]:
    return [received.headers["webhook-id"] for received in hooks.received[since:]]


def test_all_that_did_not_arrive_since_it_began_to_fail_is_sent(
    hooks: AnsweringServer,
    partner: Organization,
    actor: Actor,
    browser: FlaskClient,
    deliver: Deliver,
    later: Later,
) -> None:
    endpoint = make_endpoint(partner, hooks.plan("/hook", Answer(200), Answer(500)))
    tell(partner, "inst_0")
    assert deliver() == 1
    later(minutes=1)
    # Told before the first failure is known, and behind it.
    first = [tell(partner), tell(partner), tell(partner, "inst_2")]
    assert deliver() == 2
    send_test_event(actor, endpoint)
    deliver()
    later(hours=1)
    first.append(tell(partner))
    deliver()
    disable(actor, endpoint)
    db.session.commit()
    later(hours=1)
    missed = [*first, tell(partner), tell(partner, "inst_2")]
    hooks.plan("/hook", Answer(200))
    seen = len(hooks.received)
    assert "6 events that it missed" in enable_over_http(browser, endpoint, "failing")
    assert deliver() == 6
    found = arrived(hooks, seen)
    of_other = [missed[2], missed[5]]
    assert [event for event in found if event not in of_other] == [missed[n] for n in (0, 1, 3, 4)]
    assert [event for event in found if event in of_other] == of_other
    assert deliver() == 0


def test_what_disabling_canceled_is_sent_with_what_happened_since(
    hooks: AnsweringServer,
    partner: Organization,
    actor: Actor,
    browser: FlaskClient,
    deliver: Deliver,
    later: Later,
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    declined = tell(partner)
    db.session.commit()
    disable(actor, endpoint)
    declined = tell(partner)
    enable(actor, endpoint)
    canceled = [tell(partner), tell(partner)]
    db.session.commit()
    later(minutes=1)
    disable(actor, endpoint)
    db.session.commit()
    canceled.append(tell(partner))
    assert "3 events that it missed" in enable_over_http(browser, endpoint, "disabled")
    assert deliver() == 3
    assert arrived(hooks, 0) == canceled
    assert declined not in canceled


@pytest.mark.parametrize("missed", ["failing", "disabled"])
def test_what_410_ended_is_sent_with_the_event_that_it_answered(
    hooks: AnsweringServer,
    partner: Organization,
    browser: FlaskClient,
    deliver: Deliver,
    later: Later,
    missed: str,
) -> None:
    endpoint = make_endpoint(partner, hooks.plan("/hook", Answer(410), Answer(200)))
    told = [tell(partner) for _number in range(3)]
    later(minutes=1)
    assert deliver() == 1
    db.session.refresh(endpoint)
    assert endpoint.state is EndpointState.DISABLED
    told.append(tell(partner))
    assert "4 events that it missed" in enable_over_http(browser, endpoint, missed)
    assert deliver() == 4
    assert arrived(hooks, 1) == told
    assert {row.state for row in deliveries_of(endpoint)} == {DeliveryState.DELIVERED}


def test_after_three_days_of_failing_all_of_them_are_sent(
    hooks: AnsweringServer,
    partner: Organization,
    browser: FlaskClient,
    deliver: Deliver,
    later: Later,
) -> None:
    endpoint = make_endpoint(partner, hooks.plan("/hook", Answer(500)))
    told = [tell(partner), tell(partner)]
    later(minutes=1)
    deliver()
    for wait in retry.SCHEDULE:
        later(seconds=wait.total_seconds() * 1.11)
        told.append(tell(partner))
        deliver()
    with unit_of_work():
        jobs.watch_endpoints({})
    db.session.refresh(endpoint)
    assert endpoint.state is EndpointState.DISABLED
    told.append(tell(partner))
    hooks.plan("/hook", Answer(200))
    seen = len(hooks.received)
    page = enable_over_http(browser, endpoint, "failing")
    assert f"{len(told)} events that it missed" in page
    assert deliver() == len(told)
    assert arrived(hooks, seen) == told


def test_with_nothing_missed_it_says_so(
    hooks: AnsweringServer, partner: Organization, actor: Actor, browser: FlaskClient
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    db.session.commit()
    disable(actor, endpoint)
    assert "It missed nothing." in enable_over_http(browser, endpoint, "disabled")


def test_an_event_that_is_written_while_the_endpoint_is_enabled_is_not_lost(
    app: Flask, partner: Organization, actor: Actor, hooks: AnsweringServer, deliver: Deliver
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    disable(actor, endpoint)
    db.session.commit()
    since = clock.now()
    written = threading.Event()
    told: list[str] = []

    partner_id = partner.id
    db.session.rollback()

    def write() -> None:
        with app.app_context(), unit_of_work():
            told.append(str(emit("review.posted", organization_id=partner_id, data={})))
            written.set()
            time.sleep(0.3)

    thread = threading.Thread(target=write)
    thread.start()
    assert written.wait(5)
    assert enable(actor, endpoint, since=since) == 1
    deliver()
    thread.join()
    assert arrived(hooks, 0) == told
