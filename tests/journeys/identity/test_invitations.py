"""Invitations over HTTP: from the form through the mail to a member."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.identity.models import (
    Membership,
    Role,
    User,
)
from tests.conftest import SignIn
from tests.factories.people import (
    make_member,
    make_organization,
    make_user,
)
from tests.journeys.identity.conftest import ADA, Journey, RunningProvider
from tests.journeys.identity.test_account import mailed_link
from tests.journeys.identity.test_organizations import make_invitation, state


def test_an_invitation_goes_from_the_form_through_the_mail_to_a_new_member(
    acme: RunningProvider,
    journey: Journey,
    sign_in: SignIn,
    app: Flask,
    run_jobs: Callable[[], int],
) -> None:
    organization = make_organization("Quayside")
    owner = make_member(organization)
    browser = sign_in(owner, organization)

    sent = browser.post(
        f"/organizations/{organization.slug}/invitations",
        data={"email": ADA.email, "role": "editor"},
    )
    assert sent.status_code == 302
    assert ADA.email in browser.get(f"/organizations/{organization.slug}/members").text
    run_jobs()
    link = mailed_link(app, ADA.email)

    page = journey.client.get(link)
    assert "Join Quayside" in page.text
    back = re.search(r'href="/auth/login\?next=([^"]+)"', page.text)
    assert back is not None
    # The person signs in for the first time, and comes back to the invitation.
    signed_in = journey.sign_in(ADA, next=link)
    assert signed_in.location.startswith("/welcome?next=/invitations?token")
    assert "invites you to Quayside" in journey.client.get("/welcome").text
    accepted = journey.client.post(
        "/invitations/acceptance", data={"token": link.split("token=")[1]}
    )
    assert accepted.status_code == 302
    ada = db.session.scalars(select(User).where(User.email == ADA.email)).one()
    membership = db.session.scalars(select(Membership).where(Membership.user_id == ada.id)).one()
    assert membership.role is Role.EDITOR
    closed = journey.client.get(link)
    assert closed.status_code == 410
    assert "accepted already" in closed.text


def test_opening_the_link_changes_nothing(sign_in: SignIn) -> None:
    organization = make_organization()
    make_invitation(organization, "ben@bluekite.example")
    browser = sign_in(make_user(email="ben@bluekite.example"))
    before = state()
    page = browser.get("/invitations?token=ben@bluekite.example")
    assert page.status_code == 200
    assert ">Accept<" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert state() == before


def test_the_link_in_other_hands_says_whose_it_is_and_lets_nobody_in(sign_in: SignIn) -> None:
    organization = make_organization()
    make_invitation(organization, "ben@bluekite.example")
    browser = sign_in(make_user(email="ada@quayside.example"))
    page = browser.get("/invitations?token=ben@bluekite.example").text
    assert "You are signed in with another address" in page
    assert "ben@bluekite.example" in page
    assert ">Accept<" not in page

    response = browser.post("/invitations/acceptance", data={"token": "ben@bluekite.example"})
    assert response.status_code == 403
    assert "It was sent to ben@bluekite.example" in response.text
    assert db.session.scalars(select(Membership)).all() == []


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "%00", "a/b"])
def test_a_link_that_is_none_is_not_found(sign_in: SignIn, token: str) -> None:
    browser = sign_in(make_user())
    assert browser.get("/invitations", query_string={"token": token}).status_code == 404
    assert browser.post("/invitations/acceptance", data={"token": token}).status_code == 404


def test_an_invitation_is_answered_from_the_account_by_its_addressee_alone(
    sign_in: SignIn,
) -> None:
    organization = make_organization()
    invitation = make_invitation(organization, "ben@bluekite.example")
    stranger, ben = sign_in(make_user()), sign_in(make_user(email="ben@bluekite.example"))
    for act in ("acceptance", "refusal"):
        assert stranger.post(f"/account/invitations/{invitation.id}/{act}").status_code == 404
    assert organization.name in ben.get("/account/organizations").text
    assert ben.post(f"/account/invitations/{invitation.id}/refusal").status_code == 302
    assert ben.post(f"/account/invitations/{invitation.id}/acceptance").status_code == 409
    kinds = list(db.session.scalars(select(Fact.kind).order_by(Fact.id)))
    assert kinds == ["invitation.declined"]


def test_a_wrong_invitation_is_told_at_its_field_with_what_was_typed(sign_in: SignIn) -> None:
    organization = make_organization()
    browser = sign_in(make_member(organization))
    response = browser.post(
        f"/organizations/{organization.slug}/invitations",
        data={"email": "ben at bluekite", "role": "editor"},
    )
    assert response.status_code == 422
    assert "Enter an e-mail address, like" in response.text
    assert 'value="ben at bluekite"' in response.text


def test_declining_asks_first_and_who_invited_nobody_is_the_platform(sign_in: SignIn) -> None:
    organization = make_organization("Quayside")
    invitation = make_invitation(organization, "ben@bluekite.example")
    invitation.invited_by_id = None
    db.session.commit()
    ben = sign_in(make_user(email="ben@bluekite.example"))
    token = {"token": "ben@bluekite.example"}
    page = ben.get("/invitations", query_string=token).text
    assert "Somebody" not in page
    assert "invites <strong>ben@bluekite.example" in page
    for path, query in (
        ("/invitations/refusal", token),
        (f"/account/invitations/{invitation.id}/refusal", {}),
    ):
        asked = ben.get(path, query_string=query)
        assert asked.status_code == 200
        assert "Decline the invitation to Quayside?" in asked.text
    assert db.session.scalars(select(Fact.kind)).all() == []
    assert ben.post("/invitations/refusal", data=token).status_code == 302
    assert db.session.scalars(select(Fact.kind)).all() == ["invitation.declined"]
