"""The account pages: profile, addresses, sign-ins, devices, organizations."""

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.identity.models import Identity, Membership, Organization, Role, User, UserSession
from tests.conftest import SignIn
from tests.factories.people import make_customer, make_member, make_organization, make_user

PAGES = (
    "/welcome",
    "/account",
    "/account/sign-ins",
    "/account/sessions",
    "/account/organizations",
    "/organizations/new",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_an_account_opens_for_its_owner_and_asks_others_to_sign_in(
    sign_in: SignIn, app: Flask, path: str
) -> None:
    assert sign_in(make_user()).get(path).status_code == 200
    assert app.test_client().get(path).location.startswith("/auth/login?next=")


@pytest.mark.parametrize("path", ["profile", "members", "departure"])
def test_every_page_of_an_organization_opens_for_its_owner(sign_in: SignIn, path: str) -> None:
    organization = make_organization()
    owner = make_member(organization)
    page = sign_in(owner).get(f"/organizations/{organization.slug}/{path}")
    assert page.status_code == 200
    assert organization.name in page.text


def test_name_and_time_zone_are_saved_and_shown(sign_in: SignIn) -> None:
    user = make_user()
    browser = sign_in(user)

    response = browser.post("/account", data={"name": "  Ada   O. ", "timezone": "Africa/Lagos"})

    assert response.location == "/account"
    page = browser.get("/account").text
    assert 'value="Ada O."' in page
    assert re.search(r'<option selected value="Africa/Lagos">', page)
    changes = select(Fact.data).where(Fact.kind == "user.profile_changed")
    assert db.session.scalars(changes).all() == [{"fields": ["name", "timezone"]}]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": " ", "timezone": "UTC"}, "Enter your name."),
        ({"name": "x" * 121, "timezone": "UTC"}, "120 characters"),
        ({"name": "Ada", "timezone": "Mars/Base"}, "Choose a time zone from the list."),
    ],
)
def test_a_wrong_answer_is_told_at_its_field_and_nothing_is_lost(
    sign_in: SignIn, data: dict[str, str], message: str
) -> None:
    browser = sign_in(make_user())
    response = browser.post("/account", data=data)
    assert response.status_code == 422
    assert message in response.text
    assert data["name"].strip() in response.text
    assert db.session.scalars(select(User)).one().name == "Ada Okafor"


def test_the_welcome_page_creates_a_partner_organization_of_the_chosen_type(
    sign_in: SignIn,
) -> None:
    user = make_user()
    browser = sign_in(user)

    response = browser.post(
        "/welcome",
        data={
            "name": "Ada",
            "timezone": "UTC",
            "organization_name": "Ocean Data",
            "kind": "partner",
            "partner_type": "agency",
        },
    )

    assert response.status_code == 302
    organization = db.session.scalars(select(Organization)).one()
    assert (organization.slug, organization.partner_type) == ("ocean-data", "agency")
    assert organization.verified_at is None
    membership = db.session.scalars(select(Membership)).one()
    assert (membership.user_id, membership.role) == (user.id, Role.OWNER)
    session = db.session.scalars(select(UserSession)).one()
    assert session.organization_id == organization.id


def test_the_welcome_page_keeps_what_was_typed_when_the_type_is_missing(sign_in: SignIn) -> None:
    browser = sign_in(make_user())
    response = browser.post(
        "/welcome",
        data={
            "name": "Ada L.",
            "timezone": "Europe/Paris",
            "organization_name": "Ocean Data",
            "kind": "partner",
        },
    )
    assert response.status_code == 422
    assert "Choose what kind of partner you are." in response.text
    assert 'value="Ada L."' in response.text
    assert 'value="Ocean Data"' in response.text
    assert db.session.scalars(select(Organization)).all() == []
    assert db.session.scalars(select(User)).one().name == "Ada Okafor"


def test_the_welcome_page_can_be_left_without_an_organization(sign_in: SignIn) -> None:
    browser = sign_in(make_user())
    response = browser.post(
        "/welcome?next=/account/sessions", data={"name": "Ada", "timezone": "UTC"}
    )
    assert response.location == "/account/sessions"
    assert db.session.scalars(select(Organization)).all() == []


def test_a_device_can_be_signed_out_by_its_owner(sign_in: SignIn) -> None:
    user = make_user()
    here, there = sign_in(user), sign_in(user)
    there_id = db.session.scalars(select(UserSession.id).order_by(UserSession.id.desc())).first()
    there.get("/account", headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"})

    page = here.get("/account/sessions").text
    assert "This device" in page

    assert here.post(f"/account/sessions/{there_id}/revocation").location == "/account/sessions"
    assert there.get("/account").status_code == 302
    assert here.get("/account").status_code == 200


def test_somebody_elses_device_looks_as_if_it_did_not_exist(sign_in: SignIn) -> None:
    theirs = sign_in(make_user())
    their_id = db.session.scalars(select(UserSession.id)).one()
    mine = sign_in(make_user())
    assert mine.post(f"/account/sessions/{their_id}/revocation").status_code == 404
    assert mine.post("/account/sessions/999999999999999999999/revocation").status_code == 404
    assert theirs.get("/account").status_code == 200


def test_signing_out_everywhere_else_keeps_this_device(sign_in: SignIn) -> None:
    user = make_user()
    here, there, stranger = sign_in(user), sign_in(user), sign_in(make_user())
    here.post("/account/sessions/revocation", data={"keep": "current"})
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302
    assert stranger.get("/account").status_code == 200


def test_signing_out_everywhere_ends_this_device_too(sign_in: SignIn) -> None:
    user = make_user()
    here, there = sign_in(user), sign_in(user)
    assert here.post("/account/sessions/revocation").location == "/auth/login"
    assert here.get("/account").status_code == 302
    assert there.get("/account").status_code == 302


def test_an_address_is_confirmed_by_a_mailed_link_and_its_button(
    sign_in: SignIn, app: Flask, run_jobs: object
) -> None:
    user = make_user(email="ada@old.example")
    browser = sign_in(user)

    browser.post("/account/email/confirmation-mail", data={"new_email": "Ada@New.example"})
    assert callable(run_jobs)
    run_jobs()
    link = mailed_link(app, "ada@new.example")

    assert "ada@new.example" in browser.get(link).text
    assert db.session.get_one(User, user.id).email == "ada@old.example"
    token = link.split("token=")[1]
    assert browser.post("/account/email/confirmation", data={"token": token}).status_code == 302
    db.session.expire_all()
    user = db.session.get_one(User, user.id)
    assert (user.email, user.email_verified) == ("ada@new.example", True)


def test_a_confirmation_link_works_for_its_account_alone(
    sign_in: SignIn, app: Flask, run_jobs: object
) -> None:
    browser = sign_in(make_user(email="ada@old.example"))
    browser.post("/account/email/confirmation-mail", data={"new_email": "ada@new.example"})
    assert callable(run_jobs)
    run_jobs()
    token = mailed_link(app, "ada@new.example").split("token=")[1]
    other = sign_in(make_user())

    for given in (token, token[:-2], "", "x" * 5000):
        response = other.post("/account/email/confirmation", data={"token": given})
        assert response.status_code == 422
        assert "not confirmed" in response.text


def test_only_a_confirmed_address_can_be_chosen(sign_in: SignIn) -> None:
    user = make_user(email="ada@one.example")
    db.session.add_all(
        [
            Identity(
                user_id=user.id,
                provider="acme",
                issuer="https://acme.example",
                subject=email,
                email=email,
                email_verified=verified,
            )
            for email, verified in (("ada@two.example", True), ("ada@three.example", False))
        ]
    )
    browser = sign_in(user)

    refused = browser.post("/account/email", data={"email": "ada@three.example"})
    assert refused.status_code == 422
    assert "Choose one of your confirmed addresses." in refused.text
    browser.post("/account/email", data={"email": "ada@two.example"})
    db.session.expire_all()
    assert db.session.get_one(User, user.id).email == "ada@two.example"


def test_switching_to_an_organization_that_one_is_not_in_does_nothing(sign_in: SignIn) -> None:
    mine, theirs = make_customer("Mine"), make_customer("Theirs")
    user = make_member(mine)
    make_member(theirs)
    browser = sign_in(user, mine)
    for given in (str(theirs.id), "0", "", "x", "9" * 30, "-1"):
        response = browser.post("/account/organization", data={"organization_id": given})
        assert response.status_code == 404
    assert "Mine" in browser.get("/account").text


def test_switching_never_leads_to_another_site(sign_in: SignIn) -> None:
    organization = make_customer()
    browser = sign_in(make_member(organization))
    response = browser.post(
        "/account/organization",
        data={"organization_id": organization.id, "next": "//evil.example"},
    )
    assert response.status_code == 302
    assert response.location.startswith("/")
    assert not response.location.startswith("//")


def mailed_link(app: Flask, recipient: str) -> str:
    """The path of the link in the newest mail to that address."""
    folder: Path = app.extensions["portico_settings"].data_dir / "mail"
    for path in sorted(folder.glob("*.eml"), reverse=True):
        text = path.read_bytes().decode().replace("=\n", "").replace("=3D", "=")
        if f"To: {recipient}" in text:
            found = re.search(r"http://localhost(/\S+)", text)
            assert found is not None
            return found[1]
    raise AssertionError(f"no mail to {recipient}")
