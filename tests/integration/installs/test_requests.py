"""Requests of members: for whom they stay open and who is told, on both databases."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import delete, select

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.identity.services.members import leave, remove_member
from marketplace.installs.customer.consent import prepare_consent
from marketplace.installs.customer.services.consent import give_consent
from marketplace.installs.customer.services.requests import decline_request, request_install
from marketplace.installs.models import App, InstallRequest, InstallRequestState
from tests.factories.acting import actor_for
from tests.factories.apps import client_of, make_app
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member


@dataclass
class Scene:
    """A member has asked for a listing."""

    listing: Listing
    app: App
    customer: Organization
    admin: User
    member: User
    asked: InstallRequest


@pytest.fixture
def scene(app: Flask) -> Scene:
    listing = make_listing()
    registered = make_app(listing)
    customer = make_customer()
    admin, member = make_member(customer), make_member(customer, Role.EDITOR)
    db.session.commit()
    with unit_of_work():
        asked, _new = request_install(actor_for(member, customer), customer, listing, "Please")
    return Scene(listing, registered, customer, admin, member, asked)


def mails_to(user: User) -> list[str]:
    return [mail["subject"] for mail in mails() if mail["to"] == user.email]


@pytest.mark.parametrize("how", ["leaves", "is removed"])
def test_the_requests_of_whoever_is_gone_are_withdrawn(scene: Scene, how: str) -> None:
    other = make_listing(name="Fog Alerts")
    colleague = make_member(scene.customer, Role.VIEWER)
    db.session.commit()
    with unit_of_work():
        kept, _new = request_install(
            actor_for(colleague, scene.customer), scene.customer, other, "Too"
        )
    with unit_of_work():
        if how == "leaves":
            leave(actor_for(scene.member, scene.customer), scene.customer)
        else:
            admin = actor_for(scene.admin, scene.customer)
            remove_member(admin, scene.customer, scene.member.id)
    db.session.refresh(scene.asked)
    assert scene.asked.state is InstallRequestState.WITHDRAWN
    assert scene.asked.decided_at is not None
    db.session.refresh(kept)
    assert kept.state is InstallRequestState.OPEN


def _decline(scene: Scene) -> None:
    actor = actor_for(scene.admin, scene.customer)
    decline_request(actor, scene.customer, scene.asked, "Our own business")


def _approve(scene: Scene) -> None:
    actor = actor_for(scene.admin, scene.customer)
    consent = prepare_consent(actor, client_of(scene.app), scene.customer, ["events.write"])
    give_consent(actor, consent)


@pytest.mark.parametrize("decide", [_decline, _approve])
@pytest.mark.parametrize("is_member", [True, False])
def test_a_decision_is_mailed_to_members_alone(
    scene: Scene, decide: Callable[[Scene], None], is_member: bool
) -> None:
    if not is_member:
        # Such a request is open when the membership ended behind the services' back.
        db.session.execute(delete(Membership).where(Membership.user_id == scene.member.id))
        db.session.commit()
    with unit_of_work():
        decide(scene)
    state = db.session.scalars(select(InstallRequest.state)).one()
    assert state is not InstallRequestState.OPEN
    assert len(mails_to(scene.member)) == int(is_member)
