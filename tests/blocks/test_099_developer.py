"""D confirms an address and has sandbox keys, without a contract or a review."""

import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.installs.models import AccessKey, Environment
from marketplace.program.applications.models import Application
from marketplace.program.standing.reading import place_of
from tests.factories.mails import mails
from tests.factories.people import make_user
from tests.factories.program import make_policy

FORM = {
    "organization_name": "Byte Harbor",
    "website": "",
    "country": "DE",
    "name": "Dee Park",
    "email": "dee@byte-harbor.example",
}


def test_099_developer(client: FlaskClient, sign_in: Any) -> None:
    make_policy()
    sent = client.post("/join/developer", data=FORM)
    assert sent.status_code == 303
    # Nothing exists until the address is confirmed.
    assert db.session.scalars(select(Organization)).all() == []
    mail = next(each for each in mails() if each["to"] == FORM["email"])
    found = re.search(r"http://localhost(/join/finish\?token=(\S+))", mail["body"])
    assert found is not None
    page = client.get(found[1])
    assert page.status_code == 200
    assert "Your address is confirmed" in page.text
    assert "/auth/login?next=" in page.text

    dee = make_user("Dee Park", FORM["email"])
    browser = sign_in(dee)
    assert "become the owner" in browser.get(found[1]).text
    welcome = browser.post("/join/finish", data={"token": found[2]})
    assert welcome.status_code == 200
    assert "Welcome, Byte Harbor" in welcome.text
    organization = db.session.scalars(
        select(Organization).where(Organization.name == "Byte Harbor")
    ).one()
    assert place_of(organization.id).tier == "registered"
    key = db.session.scalars(select(AccessKey)).one()
    assert key.environment is Environment.TEST
    assert key.organization_id == organization.id
    shown = re.search(r"pkp_[A-Za-z0-9_-]+", welcome.text)
    assert shown is not None
    # The key works in the sandbox at once, and no later page shows it.
    headers = {"Authorization": f"Bearer {shown[0]}"}
    answer = client.get("/api/v1/partner/installations", headers=headers)
    assert answer.status_code == 200, answer.text
    assert shown[0] not in browser.get("/partner/keys").text
    # No contract, no review.
    assert db.session.scalars(select(Application)).all() == []
    # The link is used up, and a second click makes nothing.
    assert browser.post("/join/finish", data={"token": found[2]}).status_code == 404


def test_somebody_whose_address_is_proven_joins_at_once(sign_in: Any) -> None:
    make_policy()
    dee = make_user("Dee Park", "dee@byte-harbor.example")
    browser = sign_in(dee)
    first = browser.post("/join/developer", data={**FORM, "organization": "new"})
    assert first.status_code == 200
    assert "Your sandbox key" in first.text
    again = browser.post("/join/developer", data={**FORM, "organization": "new"})
    # A second click finds the organization that the first one made.
    assert again.status_code in (200, 422)
    made = select(Organization).where(Organization.sandbox_of_id.is_(None))
    assert len(db.session.scalars(made).all()) == 1


def test_a_partner_organization_of_the_account_pages_is_in_the_program_too(sign_in: Any) -> None:
    make_policy()
    browser = sign_in(make_user("Dee Park", "dee@byte-harbor.example"))
    for name, kind, tier in (
        ("Byte Harbor", "developer", "registered"),
        ("Link Harbor", "affiliate", "registered"),
        ("Deep Harbor", "technology", ""),
    ):
        made = browser.post(
            "/organizations/new",
            data={"organization_name": name, "kind": "partner", "partner_type": kind},
        )
        assert made.status_code == 302
        organization = db.session.scalars(
            select(Organization).where(Organization.name == name)
        ).one()
        assert place_of(organization.id).tier == tier
    # Who must apply is told so, and may write drafts meanwhile.
    page = browser.get("/partner/start").text
    assert "Apply as Technology partner" in page
    assert browser.get("/partner/listings/new").status_code == 200
