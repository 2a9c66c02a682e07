"""Several sign-ins for one person: only by a signed-in act, never by an address."""

from flask import Flask
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import (
    Identity,
    User,
)
from tests.conftest import SignIn
from tests.factories.people import (
    make_user,
)
from tests.journeys.identity.conftest import ADA, BEN, Journey, RunningProvider


def test_linking_needs_a_proof_and_a_confirmation(
    acme: RunningProvider, journey: Journey, sign_in: SignIn
) -> None:
    user = make_user("Grace Hill")
    browser = Journey(sign_in(user))

    asked = browser.client.get(browser.choose(browser.begin(link="1"), ADA))
    assert asked.location == "/account/sign-ins/new"
    assert db.session.scalars(select(Identity)).all() == []
    page = browser.client.get(asked.location).text
    assert ADA.email in page

    assert browser.client.post("/account/sign-ins").location == "/account/sign-ins"
    assert db.session.scalars(select(Identity.user_id)).one() == user.id
    # The other browser now opens the same account.
    journey.sign_in(ADA)
    assert "Grace Hill" in journey.client.get("/account").text
    # What was confirmed once is not lying around to be confirmed again.
    assert browser.client.post("/account/sign-ins").status_code == 404


def test_an_address_that_has_an_account_is_told_how_to_link(
    acme: RunningProvider, journey: Journey, app: Flask
) -> None:
    user = make_user(email=ADA.email)
    db.session.add(
        Identity(
            user_id=user.id,
            provider="google",
            issuer="https://accounts.google.com",
            subject="1",
            email=ADA.email,
            email_verified=True,
        )
    )
    db.session.commit()
    response = journey.sign_in(ADA)
    assert response.status_code == 409
    assert "Sign in with Google" in response.text
    assert "Choose to add Acme" in response.text
    assert journey.client.get("/account").status_code == 302
    assert len(db.session.scalars(select(User)).all()) == 1


def test_somebody_elses_identity_is_neither_linked_nor_unlinked(
    acme: RunningProvider, journey: Journey, sign_in: SignIn
) -> None:
    journey.sign_in(ADA)
    theirs = db.session.scalars(select(Identity)).one()
    me = make_user("Grace Hill")
    browser = Journey(sign_in(me))

    taken = browser.client.get(browser.choose(browser.begin(link="1"), ADA))
    assert taken.status_code == 409
    assert "belongs to another account" in taken.text
    for method in ("GET", "POST"):
        path = f"/account/sign-ins/{theirs.id}/removal"
        assert browser.client.open(path, method=method).status_code == 404
    assert db.session.scalars(select(Identity.user_id)).one() != me.id


def test_the_last_sign_in_cannot_be_unlinked(acme: RunningProvider, journey: Journey) -> None:
    journey.sign_in(ADA)
    identity = db.session.scalars(select(Identity)).one()
    assert "Your only sign-in stays" in journey.client.get("/account/sign-ins").text
    response = journey.client.post(f"/account/sign-ins/{identity.id}/removal")
    assert response.status_code == 409
    assert "Link another sign-in first" in response.text


def test_a_link_begun_by_one_person_is_not_finished_by_another(
    acme: RunningProvider, journey: Journey, sign_in: SignIn
) -> None:
    browser = Journey(sign_in(make_user("Grace Hill")))
    back = browser.choose(browser.begin(link="1"), BEN)
    other = sign_in(make_user("Heidi Lang"))
    cookie = other.get_cookie("portico_session")
    assert cookie is not None
    browser.client.set_cookie("portico_session", cookie.value)
    response = browser.client.get(back)
    assert response.status_code == 403
    assert "Nothing was linked" in response.text
    assert browser.client.get("/account/sign-ins/new").location == "/account/sign-ins"


def test_linking_needs_somebody_signed_in(acme: RunningProvider, journey: Journey) -> None:
    response = journey.client.get("/auth/acme/login?link=1")
    assert response.status_code == 302
    assert response.location.startswith("/auth/login")
