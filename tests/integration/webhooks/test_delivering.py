"""Deliveries: signed, in order, retried, never to a disabled endpoint."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from standardwebhooks.webhooks import Webhook

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.outbound import configure_outbound
from marketplace.core.sealing import seal
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from marketplace.installs.models import (
    DeliveryAttempt,
    DeliveryState,
    EndpointState,
    Environment,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from marketplace.installs.webhooks import leases, queue, retry
from marketplace.installs.webhooks.delivery import deliver_head
from marketplace.installs.webhooks.events import emit
from marketplace.installs.webhooks.services.switching import switch_off
from marketplace.installs.webhooks.signing import new_signing_secret
from tests.conftest import OUTBOUND_NETWORKS
from tests.factories.answering import Answer, AnsweringServer
from tests.factories.apps import make_app
from tests.factories.people import make_organization
from tests.factories.races import at_once
from tests.factories.webhooks import deliveries_of, make_endpoint, tell

Deliver = Callable[[], int]
Later = Callable[..., None]
Sealed = str | Callable[[], str] | None


def seal_later(secret: str) -> Callable[[], str]:
    return lambda: seal(secret)


def ids(server: AnsweringServer, path: str = "/hook") -> list[str]:
    return [received.headers["webhook-id"] for received in server.to(path)]


def attempts(delivery: WebhookDelivery) -> list[DeliveryAttempt]:
    return list(
        db.session.scalars(
            select(DeliveryAttempt)
            .where(DeliveryAttempt.delivery_id == delivery.id)
            .order_by(DeliveryAttempt.number)
        )
    )


def test_an_event_arrives_signed_and_is_written_down(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver
) -> None:
    url = hooks.plan(
        "/hook", Answer(202, {"Set-Cookie": "a=b", "X-Trace": "9"}, b"thanks token=abc")
    )
    secret = new_signing_secret()
    endpoint = make_endpoint(partner, url, secret=secret)
    event_id = tell(partner)
    assert deliver() == 1
    (received,) = hooks.to("/hook")
    assert received.headers["webhook-id"] == event_id
    assert received.headers["content-type"] == "application/json"
    body = Webhook(secret).verify(received.body, received.headers)
    assert body == json.loads(received.body)
    assert (body["type"], body["data"]) == ("review.posted", {"key": "inst_1"})
    (delivery,) = deliveries_of(endpoint)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 1)
    assert delivery.delivered_at is not None
    (attempt,) = attempts(delivery)
    assert (attempt.number, attempt.response_status, attempt.error) == (1, 202, "")
    assert attempt.request_headers["webhook-signature"] == "v1,***"
    assert attempt.response_headers["x-trace"] == "9"
    assert "set-cookie" not in attempt.response_headers
    assert attempt.response_body == "thanks token=***"
    assert endpoint.last_success_at is not None
    assert endpoint.lease_id is None
    assert deliver() == 0


def test_an_unknown_type_is_not_emitted(partner: Organization) -> None:
    with pytest.raises(ValueError, match="no event type"):
        emit("nothing.happened", organization_id=partner.id, data={})


def test_an_endpoint_gets_what_it_listens_to_and_nothing_else(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver
) -> None:
    app_row = make_app(publisher=partner)
    other = make_organization("Rivals")
    make_endpoint(partner, hooks.url("/all"))
    make_endpoint(partner, hooks.url("/reviews"), event_types=["review.posted"])
    make_endpoint(partner, hooks.url("/app"), app_id=app_row.id)
    make_endpoint(partner, hooks.url("/test"), environment=Environment.TEST)
    make_endpoint(partner, hooks.url("/deleted"), deleted_at=clock.now())
    make_endpoint(other, hooks.url("/rivals"))
    review = tell(partner)
    listing = tell(partner, kind="listing.approved")
    of_app = emit("listing.rejected", organization_id=partner.id, data={}, app=app_row)
    test = emit(
        "listing.approved",
        organization_id=partner.id,
        environment=Environment.TEST,
        data={},
    )
    deliver()
    assert sorted(ids(hooks, "/all")) == sorted([review, listing, str(of_app)])
    assert ids(hooks, "/reviews") == [review]
    assert ids(hooks, "/app") == [of_app]
    assert ids(hooks, "/test") == [test]
    assert hooks.to("/deleted") == hooks.to("/rivals") == []


def test_while_a_secret_is_exchanged_both_sign_and_afterwards_the_new_one(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, later: Later
) -> None:
    old, new = new_signing_secret(), new_signing_secret()
    endpoint = make_endpoint(partner, hooks.url("/hook"), secret=old)
    first = db.session.scalars(select(WebhookSecret)).one()
    first.expires_at = clock.now() + timedelta(hours=24)
    db.session.add(WebhookSecret(endpoint_id=endpoint.id, sealed=seal(new)))
    tell(partner)
    deliver()
    received = hooks.to("/hook")[0]
    for secret in (old, new):
        Webhook(secret).verify(received.body, received.headers)
    later(hours=25)
    tell(partner)
    deliver()
    assert len(hooks.to("/hook")[1].headers["webhook-signature"].split()) == 1


def test_a_failure_is_tried_again_by_the_schedule_under_the_same_id(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, later: Later
) -> None:
    url = hooks.plan("/hook", Answer(500), Answer(302), Answer(200))
    endpoint = make_endpoint(partner, url)
    event_id = tell(partner)
    assert deliver() == 1
    assert deliver() == 0
    (delivery,) = deliveries_of(endpoint)
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, 1)
    assert delivery.last_error == "Answered 500."
    assert endpoint.failing_since is not None
    later(seconds=6)
    assert deliver() == 1
    assert "Redirects" in deliveries_of(endpoint)[0].last_error
    later(seconds=200)
    assert deliver() == 0
    later(minutes=4)
    assert deliver() == 1
    (delivery,) = deliveries_of(endpoint)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 3)
    assert [attempt.number for attempt in attempts(delivery)] == [1, 2, 3]
    assert ids(hooks) == [event_id] * 3
    assert len({received.body for received in hooks.to("/hook")}) == 1
    assert endpoint.failing_since is None


def test_a_429_with_retry_after_waits_as_asked(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, later: Later
) -> None:
    url = hooks.plan("/hook", Answer(429, {"Retry-After": "1800"}), Answer(200))
    make_endpoint(partner, url)
    tell(partner)
    deliver()
    later(minutes=29)
    assert deliver() == 0
    later(minutes=2)
    assert deliver() == 1


def test_order_is_strict_for_a_key_and_other_keys_go_on(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, later: Later
) -> None:
    url = hooks.plan("/hook", Answer(500), Answer(200))
    endpoint = make_endpoint(partner, url)
    first = [tell(partner, "inst_a")]
    assert deliver() == 1
    first += [tell(partner, "inst_a") for _number in range(3)]
    other = [tell(partner, "inst_b") for _number in range(3)]
    assert deliver() == 3
    assert ids(hooks) == [first[0], *other]
    # What waits behind the first is not due: nobody looks at it again and again.
    assert list(queue.due_keys(endpoint.id, 10)) == []
    db.session.rollback()
    later(seconds=6)
    assert deliver() == 4
    assert ids(hooks)[4:] == first


def test_a_delivery_that_is_given_up_lets_the_next_of_its_key_go(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, later: Later
) -> None:
    url = hooks.plan("/hook", *[Answer(500)] * retry.MAX_TRIES, Answer(200))
    endpoint = make_endpoint(partner, url)
    first, second = tell(partner), tell(partner)
    deliver()
    for wait in retry.SCHEDULE:
        assert deliver() == 0
        later(seconds=wait.total_seconds() * 1.11)
        # A warm endpoint in between keeps this from being a continuous failure.
        db.session.execute(WebhookEndpoint.__table__.update().values(failing_since=clock.now()))
        assert deliver() >= 1
    assert ids(hooks) == [first] * retry.MAX_TRIES + [second]
    states = [delivery.state for delivery in deliveries_of(endpoint)]
    assert states == [DeliveryState.FAILED, DeliveryState.DELIVERED]


@pytest.mark.parametrize("path", ["/hook", "/nothing-listens"])
def test_no_answer_is_a_failure_in_plain_words(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, path: str
) -> None:
    url = hooks.plan("/hook", Answer(raw=lambda out: out.write(b"what?\r\n")))
    if path != "/hook":
        url = "http://127.0.0.1:1/"
    endpoint = make_endpoint(partner, url)
    tell(partner)
    deliver()
    (delivery,) = deliveries_of(endpoint)
    assert delivery.last_status is None
    assert delivery.last_error in {"The answer is not HTTP.", "The connection was refused."}
    assert attempts(delivery)[0].request_headers["webhook-id"]


def test_an_endpoint_in_a_private_network_is_not_called(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    tell(partner)
    configure_outbound()
    try:
        deliver()
    finally:
        configure_outbound([OUTBOUND_NETWORKS])
    assert hooks.received == []
    assert "public internet" in deliveries_of(endpoint)[0].last_error


def test_410_disables_the_endpoint_and_cancels_what_waits(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver
) -> None:
    endpoint = make_endpoint(partner, hooks.plan("/hook", Answer(410)))
    for _number in range(3):
        tell(partner)
    assert deliver() == 1
    states = [delivery.state for delivery in deliveries_of(endpoint)]
    assert states == [DeliveryState.FAILED, DeliveryState.CANCELED, DeliveryState.CANCELED]
    assert endpoint.state is EndpointState.DISABLED
    assert "410" in endpoint.disabled_reason
    tell(partner)
    assert deliver() == 0


def test_a_runner_that_holds_the_lease_sends_nothing_once_the_endpoint_is_disabled(
    hooks: AnsweringServer, partner: Organization
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    tell(partner)
    db.session.commit()
    lease_id = leases.take(endpoint.id)
    assert lease_id is not None
    with unit_of_work():
        switch_off(endpoint.id, "For the test.")
        # Even if a delivery were to wait still, and the lease were ours still.
        db.session.execute(
            WebhookDelivery.__table__.update().values(state=DeliveryState.WAITING.value)
        )
        db.session.execute(WebhookEndpoint.__table__.update().values(lease_id=lease_id))
    assert not deliver_head(endpoint.id, "inst_1", lease_id).sent
    assert hooks.received == []


def test_a_runner_whose_lease_was_taken_over_sends_nothing(
    hooks: AnsweringServer, partner: Organization, later: Later
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    tell(partner)
    db.session.commit()
    first = leases.take(endpoint.id)
    assert first is not None
    assert leases.take(endpoint.id) is None
    later(seconds=21)
    second = leases.take(endpoint.id)
    assert second is not None
    assert not deliver_head(endpoint.id, "inst_1", first).sent
    assert not leases.renew(endpoint.id, first)
    assert deliver_head(endpoint.id, "inst_1", second).delivered
    assert len(hooks.received) == 1


def test_a_request_is_begun_only_with_a_lease_that_outlasts_it(
    hooks: AnsweringServer, partner: Organization, later: Later
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    tell(partner)
    db.session.commit()
    lease_id = leases.take(endpoint.id)
    assert lease_id is not None
    later(seconds=10)
    before = clock.now()
    assert deliver_head(endpoint.id, "inst_1", lease_id).delivered
    db.session.refresh(endpoint)
    assert endpoint.lease_until is not None
    assert endpoint.lease_until >= before + leases.SAFE_REST


def test_two_runners_at_once_send_each_event_once_and_in_order(
    app: Flask, hooks: AnsweringServer, partner: Organization, deliver: Deliver
) -> None:
    from marketplace.installs.webhooks.dispatcher import deliver_due

    url = hooks.plan("/hook", Answer(delay=0.01))
    for number in range(3):
        make_endpoint(partner, hooks.plan(f"/hook{number}", Answer(delay=0.01)))
    endpoint = make_endpoint(partner, url)
    told = {key: [tell(partner, key) for _number in range(5)] for key in ("inst_a", "inst_b")}
    db.session.commit()
    assert at_once(app, [lambda: deliver_due(app, threads=4)] * 3) == []
    deliver()  # what the three left to each other
    for path in ("/hook", "/hook0", "/hook1", "/hook2"):
        found = ids(hooks, path)
        assert len(found) == 10
        for events in told.values():
            assert [event for event in found if event in events] == events
    assert {d.state for d in deliveries_of(endpoint)} == {DeliveryState.DELIVERED}


@pytest.mark.parametrize("sealed", ["gAAAAAbroken", seal_later("whsec_"), seal_later("é"), None])
def test_a_lost_secret_is_told_and_nothing_is_sent_unsigned(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, sealed: Sealed
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    row = db.session.scalars(select(WebhookSecret)).one()
    if sealed is None:
        db.session.delete(row)
    else:
        row.sealed = sealed if isinstance(sealed, str) else sealed()
    tell(partner)
    deliver()
    (delivery,) = deliveries_of(endpoint)
    assert delivery.state is DeliveryState.WAITING
    assert "Rotate" in delivery.last_error
    assert hooks.received == []


def test_a_huge_or_odd_answer_is_kept_as_its_begin(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver
) -> None:
    odd = b"\x00\xff\xed\xa0\x80" + b"y" * 3_000_000
    endpoint = make_endpoint(partner, hooks.plan("/hook", Answer(200, {"X-O": "\x01"}, odd)))
    tell(partner)
    deliver()
    (delivery,) = deliveries_of(endpoint)
    assert delivery.state is DeliveryState.DELIVERED
    assert len(attempts(delivery)[0].response_body) < 5_000


def test_what_is_due_is_found_by_the_index_alone(
    app: Flask, partner: Organization, database_kind: str
) -> None:
    if database_kind != "sqlite":
        pytest.skip("PostgreSQL plans by the size of the tables")
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if "webhook_delivery" in statement and not statement.startswith("EXPLAIN"):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.extend(str(row[-1]) for row in rows if "webhook_delivery" in str(row[-1]))

    event.listen(db.engine, "before_cursor_execute", explain)
    try:
        queue.due_endpoints(10, slow=[], suspects=False, but=[])
        queue.due_keys(1, 10)
    finally:
        event.remove(db.engine, "before_cursor_execute", explain)
    assert len(plans) == 2
    assert all("COVERING INDEX ix_webhook_delivery_due" in plan for plan in plans), plans
