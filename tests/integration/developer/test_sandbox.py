"""The sandbox: made once, put back to its beginning, and never a door to anything live."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import MetaData, func, select, true

from marketplace.core import clock
from marketplace.core.database import Base, db
from marketplace.core.errors import ForbiddenError, InvalidError, NotFoundError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User
from marketplace.installs.developer.services.sandbox import (
    ensure_sandbox,
    find_sandbox,
    reset_sandbox,
)
from marketplace.installs.developer.services.simulations import TYPES, simulate
from marketplace.installs.models import (
    ApiCall,
    App,
    DeliveryAttempt,
    EndpointState,
    Environment,
    ErasureRequest,
    Installation,
    InstallationState,
    InstallPolicy,
    InstallRequest,
    MembersMay,
    OAuthGrant,
    OAuthToken,
    ScopeUse,
    TokenKind,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from marketplace.installs.webhooks.events import emit
from tests.factories.acting import actor_for
from tests.factories.apps import client_of, make_app, make_installation, make_key
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.races import at_once

LIVE, TEST = Environment.LIVE, Environment.TEST


def test_a_sandbox_is_a_customer_of_made_up_people_who_cannot_sign_in(app: Flask) -> None:
    partner = make_organization("Quayside")
    owner = make_member(partner)
    with unit_of_work():
        sandbox = ensure_sandbox(partner, actor_for(owner, partner))
    assert sandbox.kind is OrganizationKind.CUSTOMER
    assert sandbox.sandbox_of_id == partner.id
    members = db.session.scalars(
        select(User).join(User.memberships).where(Membership.organization_id == sandbox.id)
    ).all()
    assert len(members) == 4
    assert not any(user.email_verified or user.identities for user in members)
    assert owner not in members
    assert actor_for(owner).role_in(sandbox.id) is None


def test_asking_for_a_sandbox_at_the_same_time_makes_one(app: Flask) -> None:
    partner = make_organization()
    actor = actor_for(make_member(partner), partner)
    db.session.commit()
    partner_id = partner.id

    def ask() -> None:
        with unit_of_work() as session:
            ensure_sandbox(session.get_one(Organization, partner_id), actor)

    assert at_once(app, [ask] * 4) == []
    db.session.rollback()
    count = db.session.scalar(
        select(func.count())
        .select_from(Organization)
        .where(Organization.sandbox_of_id.is_not(None))
    )
    assert count == 1


def test_only_partners_have_a_sandbox(app: Flask) -> None:
    customer = make_customer()
    with pytest.raises(ForbiddenError):
        ensure_sandbox(customer, actor_for(make_member(customer), customer))
    assert find_sandbox(customer.id) is None


def fill(partner: Organization, app_row: App, customer: Organization, where: Environment) -> None:
    """Everything that an installation in one environment leaves behind."""
    at = clock.now()
    installation = make_installation(app_row, customer, environment=where)
    client = client_of(app_row, where)
    grants = [
        OAuthGrant(client_id=client.id, installation_id=installation.id),
        OAuthGrant(client_id=client.id),
    ]
    endpoint = WebhookEndpoint(
        public_id=f"we_{app_row.public_id}_{where.value}",
        organization_id=partner.id,
        environment=where,
        url="https://hooks.tides.example/",
        state=EndpointState.ACTIVE,
    )
    db.session.add_all([*grants, endpoint])
    db.session.flush()
    db.session.add_all(
        [
            OAuthToken(
                kind=TokenKind.ACCESS,
                token_hash=f"{app_row.id}-{where.value}-{grant.id}",
                grant_id=grant.id,
                scope="",
                expires_at=at + timedelta(hours=1),
            )
            for grant in grants
        ]
    )
    emit(
        "installation.installed",
        organization_id=partner.id,
        environment=where,
        data={},
        app=app_row,
        installation=installation,
    )
    delivery_id = db.session.scalar(select(func.max(WebhookDelivery.id)))
    assert delivery_id is not None
    db.session.add_all(
        [
            DeliveryAttempt(delivery_id=delivery_id, number=1, started_at=at, duration_ms=3),
            ErasureRequest(
                public_id=f"er_{app_row.public_id}_{where.value}",
                installation_id=installation.id,
                app_id=app_row.id,
                environment=where,
                due_at=at,
            ),
            ApiCall(
                organization_id=partner.id,
                environment=where,
                credential="key",
                method="GET",
                path="/",
                status=200,
                duration_ms=1,
                request_id="r",
            ),
            ScopeUse(installation_id=installation.id, scope="events.write", last_used_at=at),
        ]
    )
    db.session.flush()


def all_rows() -> dict[str, set[str]]:
    """Every row of every table as text, by table."""
    metadata: MetaData = Base.metadata
    return {
        table.name: {repr(tuple(row)) for row in db.session.execute(select(table).where(true()))}
        for table in metadata.sorted_tables
    }


def test_a_reset_touches_nothing_live_and_nothing_of_others(app: Flask) -> None:
    partner, rival = make_organization("Quayside"), make_organization("Rival")
    listing = make_listing(partner)
    customer = make_customer()
    owner = make_member(partner)
    actor = actor_for(owner, partner)
    sandbox = ensure_sandbox(partner, actor)
    rivals = ensure_sandbox(rival, actor_for(make_member(rival), rival))
    own, other = make_app(listing), make_app(make_listing(rival))
    make_key(partner, "partner.listings.read", environment=TEST)
    for app_row, of, house in ((own, partner, sandbox), (other, rival, rivals)):
        fill(of, app_row, customer, LIVE)
        fill(of, app_row, house, TEST)
    db.session.commit()
    before = all_rows()

    sandbox.name, sandbox.website = "Renamed", "https://changed.example"
    db.session.add_all(
        [
            InstallPolicy(organization_id=sandbox.id, members_may=MembersMay.NOTHING),
            InstallRequest(
                organization_id=sandbox.id, listing_id=listing.id, requested_by_id=owner.id
            ),
        ]
    )
    member = db.session.scalars(
        select(Membership).where(
            Membership.organization_id == sandbox.id, Membership.role == Role.VIEWER
        )
    ).one()
    db.session.delete(member)
    db.session.commit()
    with unit_of_work():
        reset_sandbox(partner, actor)
    db.session.expire_all()

    test_installation = db.session.scalars(
        select(Installation).where(Installation.app_id == own.id, Installation.environment == TEST)
    ).one()
    assert test_installation.state is InstallationState.UNINSTALLED
    gone: tuple[Any, ...] = (WebhookEvent, ErasureRequest, ApiCall)
    for model in gone:
        left = db.session.scalars(select(model).where(model.environment == TEST)).all()
        assert len(left) == 1, f"{model.__name__}: the rival's alone"
    assert db.session.scalars(select(InstallPolicy)).all() == []
    assert db.session.scalars(select(InstallRequest)).all() == []
    assert (sandbox.name, sandbox.website) == ("Quayside sandbox", "https://sandbox.example")
    grants = db.session.execute(select(OAuthGrant.client_id, OAuthGrant.revoked_reason)).all()
    test_client = client_of(own, TEST).id
    assert {reason for client_id, reason in grants if client_id == test_client} == {"sandbox_reset"}
    assert {reason for client_id, reason in grants if client_id != test_client} == {""}

    # Row by row: what changed or went is of the partner's test environment.
    after = all_rows()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "api_call",
        "delivery_attempt",
        "erasure_request",
        "fact",
        "fact_head",
        "installation",
        "installation_event",
        "membership",
        "oauth_grant",
        "organization",
        "scope_use",
        "user_account",
        "webhook_delivery",
        "webhook_event",
    }
    # In each of these at most the partner's test rows went: those of live and of others are there.
    for name, kept in (
        ("api_call", 3),
        ("delivery_attempt", 3),
        ("erasure_request", 3),
        ("installation", 3),
        ("oauth_grant", 6),
        ("scope_use", 3),
        ("webhook_delivery", 3),
        ("webhook_event", 3),
    ):
        assert len(before[name] & after[name]) == kept, name
    assert before["fact"] < after["fact"]
    assert before["installation_event"] < after["installation_event"]
    # The organization's row differs by the time of its change; a member came back as a new row.
    assert len(before["organization"] - after["organization"]) <= 1
    assert len(before["membership"] - after["membership"]) == 1
    assert before["user_account"] < after["user_account"]


def test_a_second_reset_changes_nothing_more(app: Flask) -> None:
    partner = make_organization()
    actor = actor_for(make_member(partner), partner)
    sandbox = ensure_sandbox(partner, actor)
    fill(partner, make_app(make_listing(partner)), sandbox, TEST)
    db.session.commit()
    with unit_of_work():
        reset_sandbox(partner, actor)
    first = all_rows()
    with unit_of_work():
        reset_sandbox(partner, actor)
    second = all_rows()
    changed = {name for name in first if first[name] != second[name]}
    assert changed <= {"fact", "fact_head", "organization"}


def test_a_reset_needs_a_sandbox(app: Flask) -> None:
    partner = make_organization()
    with pytest.raises(NotFoundError):
        reset_sandbox(partner, actor_for(make_member(partner), partner))


def test_made_up_events_reach_test_endpoints_and_no_live_one(app: Flask) -> None:
    partner = make_organization()
    listing = make_listing(partner)
    row = make_app(listing)
    actor = actor_for(make_member(partner), partner)
    for where in Environment:
        db.session.add(
            WebhookEndpoint(
                public_id=f"we_{where.value}",
                organization_id=partner.id,
                environment=where,
                url="https://hooks.tides.example/",
            )
        )
    db.session.commit()
    with unit_of_work():
        made = simulate(actor, partner, app_id=row.public_id, types=list(TYPES))
    assert made == len(TYPES)
    events = db.session.scalars(select(WebhookEvent).order_by(WebhookEvent.id)).all()
    assert [event.type for event in events] == list(TYPES)
    assert {event.environment for event in events} == {TEST}
    endpoints = db.session.scalars(
        select(WebhookEndpoint.public_id)
        .join(WebhookDelivery, WebhookDelivery.endpoint_id == WebhookEndpoint.id)
        .distinct()
    ).all()
    assert endpoints == ["we_test"]
    first = events[0].data
    assert first["listing"] == {"slug": listing.slug, "name": listing.name}
    assert first["installation"]["environment"] == "test"
    assert first["installation"]["organization"]["name"].endswith("sandbox")


def test_made_up_events_speak_of_the_sandboxs_installation_where_there_is_one(app: Flask) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    actor = actor_for(make_member(partner), partner)
    installation = make_installation(row, ensure_sandbox(partner, actor), environment=TEST)
    db.session.commit()
    with unit_of_work():
        simulate(actor, partner, app_id=row.public_id, types=["installation.paused"])
    event = db.session.scalars(select(WebhookEvent)).one()
    assert event.installation_id == installation.id
    assert event.data["installation"]["id"] == installation.public_id
    assert event.data["installation"]["state"] == "paused"
    db.session.refresh(installation)
    assert installation.state is InstallationState.ACTIVE, "nothing but the event is made"


def test_events_that_do_not_exist_and_apps_of_others_are_refused(app: Flask) -> None:
    partner = make_organization()
    foreign = make_app(make_listing(make_organization("Rival")))
    actor = actor_for(make_member(partner), partner)
    for app_id, types, field in (
        ("", [], "types"),
        ("", ["installation.stolen"], "types"),
        (foreign.public_id, ["installation.installed"], "app"),
        ("app_\0", ["installation.installed"], "app"),
    ):
        with pytest.raises(InvalidError) as refused:
            simulate(actor, partner, app_id=app_id, types=types)
        assert set(refused.value.fields) == {field}
