"""V applies and gets a status link; a domain that is known leads to the existing organization."""

import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.program.applications.models import Application
from marketplace.program.standing.reading import place_of
from tests.factories.contacts_world import make_staff
from tests.factories.mails import mails
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)
from tests.factories.program import make_policy, make_standing, policy_document

HARBOR = {
    "organization_name": "Harbor Robotics",
    "website": "harbor-robotics.example",
    "country": "NO",
    "name": "Vera Lund",
    "email": "vera@harbor-robotics.example",
    "answer_why": "We build for ports.",
}
OPEN = [{"key": "review", "name": "Review", "reviewers": 0}]


def policy_without_scores() -> None:
    types = policy_document()["types"]
    types[0]["stages"] = OPEN
    types[2] |= {"form": [{"key": "regions", "label": "Where do you sell?"}], "stages": OPEN}
    make_policy(types=types)
    db.session.commit()


def link_in(body: str) -> str:
    found = re.search(r"http://localhost(/\S+)", body)
    assert found is not None
    return found[1]


def test_021_sign_up_form(client: FlaskClient, sign_in: Any) -> None:
    policy_without_scores()
    staff = make_staff(make_platform(), "Daniel Osei")
    db.session.commit()

    # The form branches by type.
    page = client.get("/join").text
    assert "Technology partner" in page
    assert "Affiliate" in page
    assert "Why do you apply?" in client.get("/join/technology").text
    other = client.get("/join/reseller").text
    assert "Where do you sell?" in other
    assert "Why do you apply?" not in other

    sent = client.post("/join/technology", data=HARBOR)
    assert sent.status_code == 303
    assert "Look into your mail" in client.get(sent.location).text
    mail = next(each for each in mails() if each["to"] == HARBOR["email"])
    status = client.get(link_in(mail["body"]), follow_redirects=True)
    assert status.status_code == 200
    assert "Harbor Robotics" in status.text

    application = db.session.scalars(select(Application)).one()
    decided = sign_in(staff).post(
        f"/staff/applications/{application.public_id}/decision",
        data={"decision": "accept", "letter": "Hello {name}, welcome."},
    )
    assert decided.status_code == 303
    db.session.rollback()
    organization = db.session.scalars(
        select(Organization).where(Organization.name == "Harbor Robotics")
    ).one()
    assert place_of(organization.id).tier == "registered"

    # The applicant becomes the owner once they sign in with the address.
    invitation = next(each for each in mails() if "is ready for you" in each["subject"])
    vera = make_user("Vera Lund", HARBOR["email"])
    browser = sign_in(vera)
    token = link_in(invitation["body"]).partition("token=")[2]
    assert browser.post("/invitations/acceptance", data={"token": token}).status_code in (302, 303)
    member = db.session.scalars(
        select(Membership).where(Membership.organization_id == organization.id)
    ).one()
    assert (member.user_id, member.role) == (vera.id, Role.OWNER)

    # Another person of the same domain is offered that organization, never a second one.
    again = client.post(
        "/join/technology",
        data={
            **HARBOR,
            "organization_name": "Harbor Robotics AS",
            "website": "https://www.harbor-robotics.example/about",
            "email": "ole@harbor-robotics.example",
            "name": "Ole Berg",
        },
    )
    assert again.status_code == 409
    assert "Harbor Robotics is here already" in again.text
    assert vera.name not in again.text
    assert str(vera.email) not in again.text
    count = select(func.count()).select_from(Organization)
    assert db.session.scalar(count.where(Organization.name.like("Harbor Robotics%"))) == 1
    assert len(db.session.scalars(select(Application)).all()) == 1

    # "Ask its owner to invite you": the owner accepts with one click.
    signed = re.search(r'name="signed"\s+value="([^"]+)"', again.text)
    assert signed is not None
    for _ in range(2):
        asked = client.post("/join/ask", data={"signed": signed[1]})
        assert asked.status_code == 303
    asks = [each for each in mails() if "asks to join" in each["subject"]]
    assert [each["to"] for each in asks] == [vera.email]
    path = link_in(asks[0]["body"])
    assert "Ole Berg" in browser.get(path).text
    assert browser.post(path, data={"answer": "invite"}).status_code == 303
    assert "ole@harbor-robotics.example" in [each["to"] for each in mails()]


def test_a_customer_of_the_domain_is_not_named_to_a_stranger(client: FlaskClient) -> None:
    policy_without_scores()
    customer = make_customer("Quiet Harbour Holdings")
    customer.website = "https://quiet-harbour.example"
    db.session.commit()
    data = {**HARBOR, "website": "quiet-harbour.example", "email": "x@quiet-harbour.example"}
    answer = client.post("/join/technology", data=data)
    assert answer.status_code == 409
    assert "Quiet Harbour Holdings" not in answer.text


def test_a_free_mail_address_says_nothing_about_the_organization(client: FlaskClient) -> None:
    policy_without_scores()
    other = make_organization("Somebody")
    make_member(other, Role.OWNER, make_user("Sam", "sam@gmail.com"))
    db.session.commit()
    answer = client.post("/join/technology", data={**HARBOR, "email": "vera@gmail.com"})
    assert answer.status_code == 303


def test_whether_an_address_applied_before_is_told_to_the_address_alone(
    client: FlaskClient,
) -> None:
    policy_without_scores()
    first = client.post("/join/technology", data=HARBOR)
    second = client.post("/join/technology", data=HARBOR)
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert len(db.session.scalars(select(Application)).all()) == 1
    assert {each["to"] for each in mails()} == {HARBOR["email"]}


def test_a_partner_that_is_here_applies_as_a_type_and_keeps_its_organization(
    sign_in: Any,
) -> None:
    policy_without_scores()
    staff = make_staff(make_platform(), "Daniel Osei")
    partner = make_organization("Tidewater Labs", country="NL", partner_type="affiliate")
    make_standing(partner, "silver")
    owner = make_member(partner, user=make_user("Tove Lie", "tove@tidewater.example"))
    browser = sign_in(owner, partner)
    applied = browser.post(
        "/join/technology", data={"organization": str(partner.id), "answer_why": "We build now."}
    )
    assert applied.status_code == 303
    assert "/join/status/" in applied.location
    application = db.session.scalars(select(Application)).one()
    assert application.organization_id == partner.id
    decided = sign_in(staff).post(
        f"/staff/applications/{application.public_id}/decision",
        data={"decision": "accept", "letter": "Welcome."},
    )
    assert decided.status_code == 303, decided.text
    db.session.rollback()
    assert db.session.get_one(Organization, partner.id).partner_type == "technology"
    assert place_of(partner.id).tier == "silver"
    assert db.session.scalar(select(func.count()).select_from(User)) == 2


def test_no_input_breaks_the_form_and_what_was_typed_is_kept(client: FlaskClient) -> None:
    policy_without_scores()
    odd = {
        "organization": "9" * 40,
        "organization_name": "\0" + "x" * 10_000,
        "website": "http://[::1",
        "country": "\0",
        "name": "\0",
        "email": "no",
        "invite": "y" * 10_000,
        "answer_why": "z" * 10_000,
    }
    assert client.post("/join/technology", data=odd).status_code == 422
    assert client.post("/join/technology", data={}).status_code == 422
    kept = client.post("/join/technology", data={**HARBOR, "country": ""})
    assert kept.status_code == 422
    assert "Harbor Robotics" in kept.text
    assert client.post("/join/nothing", data=HARBOR).status_code == 404
    for path in ("/join/finish?token=x", "/join/finish", "/join/finish?token=" + "y" * 5_000):
        assert client.get(path).status_code == 404
    assert client.post("/join/ask", data={"signed": "\0"}).status_code == 404
    assert client.post("/join/ask", data={"signed": "x.y"}).status_code == 404
