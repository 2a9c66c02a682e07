"""Forms that another site sends in a signed-in person's name."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from marketplace.core.database import db
from marketplace.identity.models import User
from tests.conftest import SignIn
from tests.factories.people import make_member, make_organization


@pytest.fixture
def guarded(app: Flask) -> Iterator[Flask]:
    """The application as in production: forms need their token."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.mark.parametrize(
    "path",
    [
        "/auth/logout",
        "/account",
        "/welcome",
        "/account/email",
        "/account/email/confirmation-mail",
        "/account/email/confirmation",
        "/account/organization",
        "/account/sessions/revocation",
        "/account/sign-ins",
        "/account/sign-ins/refusal",
        "/invitations/acceptance",
        "/organizations/new",
        "/organizations/{slug}/profile",
        "/organizations/{slug}/departure",
        "/organizations/{slug}/invitations",
    ],
)
def test_a_form_without_its_token_is_refused_with_a_page(
    guarded: Flask, sign_in: SignIn, path: str
) -> None:
    organization = make_organization()
    browser = sign_in(make_member(organization), organization)
    response = browser.post(path.format(slug=organization.slug), data={"name": "Mallory"})
    assert response.status_code == 400
    assert "The form has expired" in response.text
    assert browser.get("/account").status_code == 200


def test_a_form_with_its_token_is_taken(guarded: Flask, sign_in: SignIn) -> None:
    organization = make_organization()
    user = make_member(organization)
    browser = sign_in(user, organization)
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/account").text)
    assert found is not None
    answers = {"name": "Ada", "timezone": "UTC", "csrf_token": found[1]}
    assert browser.post("/account", data=answers).status_code == 302
    db.session.expire_all()
    assert db.session.get_one(User, user.id).name == "Ada"
