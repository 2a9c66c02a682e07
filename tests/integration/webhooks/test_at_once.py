"""Two people at once: endpoints, changes and secrets."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role
from marketplace.installs.models import Environment, WebhookEndpoint
from marketplace.installs.webhooks import fingerprints
from marketplace.installs.webhooks.services.endpoints import (
    MOST_ENDPOINTS,
    StaleError,
    change_endpoint,
    create_endpoint,
    live_secrets,
    rotate_secret,
)
from tests.factories.acting import actor_for
from tests.factories.people import make_member
from tests.factories.races import at_once
from tests.factories.webhooks import make_endpoint


@pytest.fixture
def actor(partner: Organization) -> Actor:
    return actor_for(make_member(partner, Role.DEVELOPER), partner)


def test_people_who_add_endpoints_at_once_do_not_get_beyond_the_most(
    app: Flask, partner: Organization, actor: Actor
) -> None:
    for _number in range(MOST_ENDPOINTS - 2):
        make_endpoint(partner)
    partner_id = partner.id
    db.session.commit()

    def add() -> None:
        with unit_of_work():
            create_endpoint(
                actor,
                organization_id=partner_id,
                url="https://hooks.tides.example/",
                environment=Environment.LIVE,
            )

    raised = at_once(app, [add] * 6)
    assert [type(error) for error in raised] == [ConflictError] * 4
    assert db.session.scalar(select(func.count()).select_from(WebhookEndpoint)) == MOST_ENDPOINTS


def test_of_two_who_change_an_endpoint_at_once_one_is_told(
    app: Flask, partner: Organization, actor: Actor
) -> None:
    endpoint = make_endpoint(partner)
    endpoint_id, seen = endpoint.id, fingerprints.of_endpoint(endpoint)
    db.session.commit()

    def change(name: str) -> Callable[[], None]:
        def act() -> None:
            with unit_of_work():
                change_endpoint(
                    actor,
                    db.session.get_one(WebhookEndpoint, endpoint_id),
                    seen=seen,
                    url=f"https://{name}.tides.example/",
                    app=None,
                    event_types=(),
                    description="",
                )

        return act

    raised = at_once(app, [change("a"), change("b")])
    assert [type(error) for error in raised] == [StaleError]


def test_a_second_click_rotates_nothing(app: Flask, partner: Organization, actor: Actor) -> None:
    endpoint = make_endpoint(partner)
    endpoint_id, seen = endpoint.id, fingerprints.of_secrets(live_secrets(endpoint))
    db.session.commit()

    def rotate() -> None:
        with unit_of_work():
            rotate_secret(actor, db.session.get_one(WebhookEndpoint, endpoint_id), seen=seen)

    raised = at_once(app, [rotate] * 3)
    assert [type(error) for error in raised] == [StaleError] * 2
    assert len(live_secrets(endpoint)) == 2
