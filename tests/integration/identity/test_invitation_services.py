"""Invitations: sent, sent again, taken back, declined, accepted once."""

import re
import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Identity, Invitation, Membership, Organization, Role, User
from marketplace.identity.services.invitations import (
    InvitationClosedError,
    OtherAddressError,
    accept,
    decline,
    find_by_token,
    invite,
    resend,
    revoke,
)
from tests.factories.people import make_member, make_organization, make_user
from tests.integration.identity.test_member_services import actor_for

pytestmark = pytest.mark.usefixtures("app")
ADDRESS = "ben@bluekite.example"


def send(
    organization: Organization, owner: User, email: str = ADDRESS, role: str = "editor"
) -> Invitation:
    invitation = invite(
        actor_for(owner, organization, Role.OWNER),
        organization,
        email=email,
        role=role,
        public_url="https://market.example",
    )
    db.session.commit()
    return invitation


def mailed_tokens() -> list[str]:
    """The tokens of the mails in the order in which they were queued."""
    jobs = db.session.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))
    return [
        found[1]
        for job in jobs
        if (found := re.search(r"/invitations\?token=([\w-]+)", job.payload["body"]))
    ]


def setup() -> tuple[Organization, User]:
    organization = make_organization()
    return organization, make_member(organization)


def test_the_mailed_token_opens_the_invitation_and_only_its_hash_is_in_its_row() -> None:
    organization, owner = setup()
    invitation = send(organization, owner, " Ben@BlueKite.example ")
    token = mailed_tokens()[0]
    assert invitation.email == ADDRESS
    assert find_by_token(token) is invitation
    assert token not in invitation.token_hash
    assert find_by_token(invitation.token_hash) is None
    assert find_by_token("") is None


def test_accepting_gives_the_role_once() -> None:
    organization, owner = setup()
    invitation = send(organization, owner)
    ben = make_user(email=ADDRESS)
    actor = Actor(user_id=ben.id)

    assert accept(actor, invitation).role is Role.EDITOR
    db.session.commit()
    with pytest.raises(InvitationClosedError, match="accepted already"):
        accept(actor, invitation)
    db.session.rollback()
    kinds = list(db.session.scalars(select(Fact.kind).order_by(Fact.id)))
    assert kinds == ["invitation.sent", "invitation.accepted"]


def test_an_address_that_is_not_proven_cannot_accept() -> None:
    organization, owner = setup()
    invitation = send(organization, owner)
    claimant = make_user(email=ADDRESS)
    claimant.email_verified = False
    db.session.commit()
    for user in (claimant, make_user(email="other@bluekite.example")):
        with pytest.raises(OtherAddressError, match=ADDRESS):
            accept(Actor(user_id=user.id), invitation)
        with pytest.raises(OtherAddressError):
            decline(Actor(user_id=user.id), invitation)
    assert invitation.accepted_at is None


def test_an_address_proven_by_a_linked_identity_can_accept() -> None:
    organization, owner = setup()
    invitation = send(organization, owner)
    ben = make_user(email="private@ben.example")
    db.session.add(
        Identity(
            user_id=ben.id,
            provider="acme",
            issuer="https://acme.example",
            subject="ben-2",
            email=ADDRESS,
            email_verified=True,
        )
    )
    db.session.flush()
    assert accept(Actor(user_id=ben.id), invitation).user_id == ben.id


def test_after_seven_days_it_is_closed_and_can_be_sent_again() -> None:
    organization, owner = setup()
    invitation = send(organization, owner)
    ben = make_user(email=ADDRESS)
    db.session.commit()
    with clock.frozen(clock.now() + timedelta(days=7, seconds=1)):
        with pytest.raises(InvitationClosedError, match="seven days"):
            accept(Actor(user_id=ben.id), invitation)
        db.session.rollback()
        resend(
            actor_for(owner, organization, Role.OWNER), invitation, public_url="https://m.example"
        )
        db.session.commit()
        first, second = mailed_tokens()
        assert find_by_token(first) is None
        assert find_by_token(second) is invitation
        assert accept(Actor(user_id=ben.id), invitation).role is Role.EDITOR


def test_it_is_not_sent_twice_within_a_minute() -> None:
    organization, owner = setup()
    invitation = send(organization, owner)
    actor = actor_for(owner, organization, Role.OWNER)
    with pytest.raises(ConflictError, match="minute"):
        resend(actor, invitation, public_url="https://m.example")


def test_what_was_taken_back_cannot_be_accepted_or_taken_back_again() -> None:
    organization, owner = setup()
    invitation = send(organization, owner)
    actor = actor_for(owner, organization, Role.OWNER)
    ben = make_user(email=ADDRESS)
    revoke(actor, invitation)
    db.session.commit()
    for act in (
        lambda: accept(Actor(user_id=ben.id), invitation),
        lambda: revoke(actor, invitation),
        lambda: decline(Actor(user_id=ben.id), invitation),
        lambda: resend(actor, invitation, public_url="https://m.example"),
    ):
        with pytest.raises(InvitationClosedError):
            act()
        db.session.rollback()


def test_a_member_who_accepts_keeps_the_role_they_have() -> None:
    organization, owner = setup()
    invitation = send(organization, owner, role="viewer")
    ben = make_user(email=ADDRESS)
    make_member(organization, Role.ADMIN, ben)
    db.session.commit()
    assert accept(Actor(user_id=ben.id), invitation).role is Role.ADMIN


@pytest.mark.parametrize(
    ("email", "role", "field"),
    [
        ("", "editor", "email"),
        ("not an address", "editor", "email"),
        ("a@b.example\nBcc: c@d.example", "editor", "email"),
        (ADDRESS, "king", "role"),
        (ADDRESS, "reviewer", "role"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_at_its_field(
    email: str, role: str, field: str
) -> None:
    organization, owner = setup()
    with pytest.raises(InvalidError) as refused:
        send(organization, owner, email, role)
    assert set(refused.value.fields) == {field}


def test_members_and_invited_addresses_are_not_invited_again() -> None:
    organization, owner = setup()
    member = make_member(organization, Role.VIEWER)
    assert member.email is not None
    with pytest.raises(InvalidError, match="member already"):
        send(organization, owner, member.email)
    db.session.rollback()


def test_an_open_invitation_is_sent_again_not_made_again() -> None:
    organization, owner = setup()
    send(organization, owner)
    with pytest.raises(InvalidError, match="Send it again"):
        send(organization, owner, ADDRESS.upper())


def test_an_admin_cannot_invite_an_owner() -> None:
    organization, _owner = setup()
    admin = make_member(organization, Role.ADMIN)
    db.session.commit()
    with pytest.raises(InvalidError, match="Only an owner"):
        invite(
            actor_for(admin, organization, Role.ADMIN),
            organization,
            email=ADDRESS,
            role="owner",
            public_url="https://m.example",
        )


def test_two_tabs_that_accept_at_the_same_moment_make_one_member(app: Flask) -> None:
    organization, owner = setup()
    invitation_id = send(organization, owner).id
    ben_id = make_user(email=ADDRESS).id
    db.session.commit()
    db.session.remove()
    barrier, outcomes = threading.Barrier(2), []

    def go() -> None:
        with app.app_context():
            try:
                with unit_of_work() as session:
                    invitation = session.get_one(Invitation, invitation_id)
                    barrier.wait(timeout=10)
                    accept(Actor(user_id=ben_id), invitation)
                outcomes.append("done")
            except (InvitationClosedError, OperationalError) as error:
                outcomes.append(type(error).__name__)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("done") == 1
    assert (
        len(db.session.scalars(select(Membership).where(Membership.user_id == ben_id)).all()) == 1
    )
