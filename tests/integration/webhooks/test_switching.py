"""Disabling by itself and by people, enabling with what was missed, watching, forgetting."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import Fact
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role
from marketplace.installs.models import (
    DeliveryAttempt,
    DeliveryState,
    EndpointState,
    Environment,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookSecret,
)
from marketplace.installs.webhooks import fingerprints, jobs, retry
from marketplace.installs.webhooks.services.endpoints import (
    StaleError,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    live_secrets,
    reveal,
    rotate_secret,
)
from marketplace.installs.webhooks.services.sending import send_again, send_test_event
from marketplace.installs.webhooks.services.switching import disable, enable
from tests.factories.acting import actor_for
from tests.factories.answering import Answer, AnsweringServer
from tests.factories.apps import make_app
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization
from tests.factories.webhooks import deliveries_of, make_endpoint, tell

Deliver = Callable[[], int]
Later = Callable[..., None]
W, D, F, C = (
    DeliveryState.WAITING,
    DeliveryState.DELIVERED,
    DeliveryState.FAILED,
    DeliveryState.CANCELED,
)


@pytest.fixture
def actor(partner: Organization) -> Actor:
    return actor_for(make_member(partner, Role.DEVELOPER), partner)


def states(endpoint: WebhookEndpoint) -> list[DeliveryState]:
    return [delivery.state for delivery in deliveries_of(endpoint)]


def watch() -> None:
    with unit_of_work():
        jobs.watch_endpoints({})


def test_after_three_days_of_failing_it_is_disabled_and_its_people_are_told(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, later: Later
) -> None:
    people = [make_member(partner, role) for role in (Role.OWNER, Role.ADMIN, Role.DEVELOPER)]
    make_member(partner, Role.EDITOR)
    endpoint = make_endpoint(partner, hooks.plan("/hook", Answer(500)))
    tell(partner)
    deliver()
    for wait in retry.SCHEDULE:
        later(seconds=wait.total_seconds() * 1.11)
        tell(partner)
        assert deliver() == 1
        watch()
    assert endpoint.state is EndpointState.DISABLED
    assert states(endpoint) == [F] + [C] * len(retry.SCHEDULE)
    found = mails()
    expected = sorted(str(person.email) for person in people)
    failing = [mail for mail in found if "is failing" in mail["subject"]]
    disabled = [mail for mail in found if "was disabled" in mail["subject"]]
    assert sorted(mail["to"] for mail in failing) == expected
    assert sorted(mail["to"] for mail in disabled) == expected
    assert f"/partner/webhooks/{endpoint.public_id}" in disabled[0]["body"]
    assert "webhook_endpoint.disabled" in set(db.session.scalars(select(Fact.kind)))


def test_an_endpoint_that_works_now_and_then_is_neither_warned_of_nor_disabled(
    hooks: AnsweringServer, partner: Organization, deliver: Deliver, later: Later
) -> None:
    make_member(partner)
    endpoint = make_endpoint(partner, hooks.plan("/hook", *[Answer(500), Answer(200)] * 20))
    for _day in range(5):
        tell(partner)
        deliver()
        later(hours=23)
        deliver()
        watch()
    db.session.refresh(endpoint)
    assert endpoint.state is EndpointState.ACTIVE
    assert mails() == []


def test_what_waits_for_an_endpoint_that_a_person_disabled_is_canceled(
    partner: Organization, actor: Actor, deliver: Deliver
) -> None:
    endpoint = make_endpoint(partner)
    tell(partner)
    db.session.commit()
    disable(actor, endpoint)
    disable(actor, endpoint)
    db.session.commit()
    assert states(endpoint) == [C]
    assert endpoint.disabled_reason == f"Disabled by {actor.name}."
    assert mails() == []
    tell(partner)
    db.session.commit()
    assert states(endpoint) == [C]


def test_enabling_sends_what_was_missed_since_then_once_and_in_order(
    hooks: AnsweringServer, partner: Organization, actor: Actor, deliver: Deliver, later: Later
) -> None:
    endpoint = make_endpoint(
        partner, hooks.url("/hook"), event_types=["review.posted", "listing.approved"]
    )
    tell(partner)
    assert deliver() == 1
    later(hours=1)
    tell(partner)
    too_early = clock.now()
    later(hours=1)
    since = clock.now()
    canceled = tell(partner)
    db.session.commit()
    disable(actor, endpoint)
    db.session.commit()
    missed = [tell(partner), tell(partner, "inst_2", "listing.approved")]
    tell(partner, kind="listing.rejected")  # it does not listen to this
    tell(make_organization("Rivals"))
    db.session.commit()
    before = len(hooks.received)
    assert too_early < since
    assert enable(actor, endpoint, since=since) == 3
    assert deliver() == 3
    found = [received.headers["webhook-id"] for received in hooks.received[before:]]
    assert sorted(found) == sorted([canceled, *missed])
    assert [event for event in found if event != missed[1]] == [canceled, missed[0]]
    with pytest.raises(ConflictError):
        enable(actor, endpoint)
    assert (endpoint.failing_since, endpoint.disabled_at) == (None, None)


def test_enabling_without_a_time_sends_nothing_old(
    hooks: AnsweringServer, partner: Organization, actor: Actor, deliver: Deliver
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    tell(partner)
    db.session.commit()
    disable(actor, endpoint)
    assert enable(actor, endpoint) == 0
    assert deliver() == 0
    assert states(endpoint) == [C]


@pytest.mark.parametrize("days", [-1, 32])
def test_what_was_missed_is_of_the_last_days(
    partner: Organization, actor: Actor, days: int
) -> None:
    endpoint = make_endpoint(partner, state=EndpointState.DISABLED)
    with pytest.raises(InvalidError):
        enable(actor, endpoint, since=clock.now() - timedelta(days=days))
    assert endpoint.state is EndpointState.DISABLED


def test_a_test_event_goes_to_its_endpoint_alone_and_is_tried_once(
    hooks: AnsweringServer, partner: Organization, actor: Actor, deliver: Deliver, later: Later
) -> None:
    endpoint = make_endpoint(
        partner, hooks.plan("/hook", Answer(500)), event_types=["review.posted"]
    )
    other = make_endpoint(partner, hooks.url("/other"))
    send_test_event(actor, endpoint)
    assert deliver() == 1
    later(days=1)
    assert deliver() == 0
    assert states(endpoint) == [F]
    assert states(other) == []
    disable(actor, endpoint)
    with pytest.raises(ConflictError):
        send_test_event(actor, endpoint)


def test_sending_again_is_one_more_try_under_the_same_id(
    hooks: AnsweringServer, partner: Organization, actor: Actor, deliver: Deliver, later: Later
) -> None:
    url = hooks.plan("/hook", Answer(200), Answer(500), Answer(200))
    endpoint = make_endpoint(partner, url)
    event_id = tell(partner)
    deliver()
    for expected in (500, 200):
        send_again(actor, deliveries_of(endpoint)[0])
        assert deliver() == 1
        later(days=1)
        assert deliver() == 0
        (delivery,) = deliveries_of(endpoint)
        # Delivered once, it stays so.
        assert (delivery.state, delivery.last_status) == (D, expected)
    assert [received.headers["webhook-id"] for received in hooks.received] == [event_id] * 3
    made = db.session.scalars(select(DeliveryAttempt).order_by(DeliveryAttempt.number)).all()
    assert [(attempt.number, attempt.is_manual) for attempt in made] == [
        (1, False),
        (2, True),
        (3, True),
    ]


def test_a_waiting_delivery_sent_again_keeps_its_other_tries_and_its_place(
    hooks: AnsweringServer, partner: Organization, actor: Actor, deliver: Deliver, later: Later
) -> None:
    url = hooks.plan("/hook", Answer(500), Answer(500), Answer(200))
    endpoint = make_endpoint(partner, url)
    tell(partner)
    tell(partner)
    deliver()
    head, follower = deliveries_of(endpoint)
    with pytest.raises(ConflictError, match="earlier"):
        send_again(actor, follower)
    send_again(actor, head)
    assert deliver() == 1
    assert states(endpoint) == [W, W]
    later(minutes=6)
    assert deliver() == 2
    assert states(endpoint) == [D, D]


def test_endpoints_are_made_and_changed_within_rules(partner: Organization, actor: Actor) -> None:
    app_row = make_app(publisher=partner)
    foreign = make_app(publisher=make_organization("Rivals"))
    values = {"organization_id": partner.id, "environment": Environment.LIVE}
    for wrong, field in (
        ({"url": "http://hooks.tides.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "https://hooks.tides.example/" + "a" * 1_000}, "url"),
        ({"url": "https://h.example", "event_types": ["nothing.happened"]}, "event_types"),
        ({"url": "https://h.example", "event_types": ["webhook.test"]}, "event_types"),
        ({"url": "https://h.example", "description": "x" * 121}, "description"),
        ({"url": "https://h.example", "app": foreign}, "app"),
    ):
        with pytest.raises(InvalidError) as refused:
            create_endpoint(actor, **{**values, **wrong})
        assert field in refused.value.fields
    endpoint = create_endpoint(
        actor,
        url=" https://hooks.tides.example/a ",
        app=app_row,
        event_types=["review.posted", "listing.approved", "review.posted"],
        description="  Our  hook ",
        **values,
    )
    assert endpoint.url == "https://hooks.tides.example/a"
    assert (endpoint.description, endpoint.app_id) == ("Our hook", app_row.id)
    assert sorted(endpoint.event_types) == ["listing.approved", "review.posted"]
    (secret,) = live_secrets(endpoint)
    clear = reveal(secret)
    assert clear is not None
    assert clear.startswith("whsec_")
    assert clear not in secret.sealed
    change_endpoint(
        actor,
        endpoint,
        seen=fingerprints.of_endpoint(endpoint),
        url="https://hooks.tides.example/b",
        app=None,
        event_types=(),
        description="",
    )
    assert (endpoint.url, endpoint.app_id, endpoint.event_types) == (
        "https://hooks.tides.example/b",
        None,
        [],
    )
    for _number in range(19):
        make_endpoint(partner)
    with pytest.raises(ConflictError, match="20"):
        create_endpoint(actor, url="https://h.example", **values)


def rotate(actor: Actor, endpoint: WebhookEndpoint) -> str:
    return rotate_secret(actor, endpoint, seen=fingerprints.of_secrets(live_secrets(endpoint)))


def test_a_rotated_secret_signs_beside_the_new_one_for_a_day(
    hooks: AnsweringServer, partner: Organization, actor: Actor, deliver: Deliver, later: Later
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    old = reveal(live_secrets(endpoint)[0])
    new = rotate(actor, endpoint)
    assert [reveal(row) for row in live_secrets(endpoint)] == [new, old]
    later(hours=1)
    # No more than two sign: the oldest ends.
    newest = rotate(actor, endpoint)
    assert [reveal(row) for row in live_secrets(endpoint)] == [newest, new]
    tell(partner)
    assert deliver() == 1
    assert len(hooks.received[0].headers["webhook-signature"].split()) == 2
    with pytest.raises(StaleError):
        rotate_secret(actor, endpoint, seen="of another time")
    later(hours=25)
    assert [reveal(row) for row in live_secrets(endpoint)] == [newest]


def test_a_deleted_endpoint_gets_nothing_and_keeps_no_secret(
    hooks: AnsweringServer, partner: Organization, actor: Actor, deliver: Deliver
) -> None:
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    tell(partner)
    db.session.commit()
    delete_endpoint(actor, endpoint)
    delete_endpoint(actor, endpoint)
    assert deliver() == 0
    assert states(endpoint) == [C]
    assert db.session.scalar(select(func.count()).select_from(WebhookSecret)) == 0


def test_what_began_to_wait_for_a_disabled_endpoint_is_canceled_by_the_watch(
    partner: Organization, deliver: Deliver
) -> None:
    endpoint = make_endpoint(partner)
    tell(partner)
    endpoint.state = EndpointState.DISABLED
    db.session.commit()
    watch()
    assert states(endpoint) == [C]


def test_events_are_forgotten_after_90_days_unless_they_wait(
    hooks: AnsweringServer,
    partner: Organization,
    deliver: Deliver,
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 3)
    endpoint = make_endpoint(partner, hooks.url("/hook"))
    for number in range(7):
        tell(partner, f"inst_{number}")
    assert deliver() == 7
    waiting = make_endpoint(partner)
    db.session.add(
        WebhookDelivery(
            event_id=db.session.scalars(select(WebhookEvent.id).order_by(WebhookEvent.id)).first(),
            endpoint_id=waiting.id,
            ordering_key="inst_0",
            next_attempt_at=clock.now(),
        )
    )
    db.session.commit()
    later(days=91)
    recent = tell(partner, "inst_new")
    db.session.commit()
    for _run in range(4):
        with unit_of_work():
            jobs.prune({})
    left = list(db.session.scalars(select(WebhookEvent.public_id).order_by(WebhookEvent.id)))
    assert left[-1] == recent
    assert len(left) == 2
    assert states(endpoint) == [D, W]
    assert states(waiting)[0] is W
