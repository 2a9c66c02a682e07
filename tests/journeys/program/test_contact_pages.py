"""The staff's side of contacts, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.contacts.jobs import ask_managers
from marketplace.program.contacts.models import ContactAssignment, ContactRegion, ContactRequest
from tests.factories.contacts_world import make_assignment, make_region, make_staff
from tests.factories.forms import form_key_of
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing


def test_a_program_manager_makes_regions_and_assigns_people(sign_in: Any) -> None:
    platform = make_platform()
    daniel, ines = make_staff(platform, "Daniel Osei"), make_staff(platform, "Ines Moreau")
    desk = sign_in(daniel)
    made = desk.post(
        "/staff/contacts/regions/new", data={"name": "Nordics", "countries": ["SE", "NO"]}
    )
    assert made.status_code == 303
    region = db.session.scalars(select(ContactRegion)).one()
    assert region.codes == ("NO", "SE")
    twice = desk.post("/staff/contacts/regions/new", data={"name": "Baltics", "countries": ["SE"]})
    assert twice.status_code == 422
    assert "In another region already" in twice.text
    assigned = desk.post(
        "/staff/contacts/assignments/new",
        data={
            "role": "partner_manager",
            "reach": "region",
            "region": region.public_id,
            "user": str(ines.id),
            "backup": str(daniel.id),
        },
    )
    assert assigned.status_code == 303
    page = desk.get("/staff/contacts").text
    assert "Nordics" in page
    assert "Ines Moreau" in page
    row = db.session.scalars(select(ContactAssignment)).one()
    assert (
        "Remove this assignment?"
        in desk.get(f"/staff/contacts/assignments/{row.public_id}/removal").text
    )
    assert desk.post(f"/staff/contacts/assignments/{row.public_id}/removal").status_code == 303
    assert desk.post(f"/staff/contacts/regions/{region.public_id}/removal").status_code == 303
    assert db.session.scalars(select(ContactRegion)).all() == []


def test_a_message_that_is_sent_again_is_sent_once(sign_in: Any) -> None:
    make_staff(make_platform(), "Daniel Osei")
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    browser = sign_in(make_member(partner), partner)
    page = "/partner/contacts/partner_manager/message"
    key = form_key_of(browser.get(page).text)
    data = {"subject": "Hello", "body": "We are stuck.", "form_key": key}
    places = {browser.post(page, data=data).location for _ in range(3)}
    assert len(places) == 1
    assert db.session.scalar(select(func.count()).select_from(ContactRequest)) == 1
    # Who went back and wrote something else is heard.
    assert browser.post(page, data={**data, "body": "And this."}).status_code == 303
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(ContactRequest)) == 2


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "Choose"),
        ({"role": "nonsense", "reach": "everybody"}, "Choose a role."),
        ({"role": "support", "reach": "country", "country": "XX"}, "Choose a country."),
        ({"role": "support", "reach": "region", "region": "\0"}, "Choose a region."),
        ({"role": "support", "reach": "partner", "partner": "x" * 10_000}, "No partner"),
        ({"role": "support", "reach": "everybody", "user": "9" * 40}, "Choose somebody"),
        ({"role": "support", "reach": "\0", "user": "1"}, "Choose one."),
    ],
)
def test_an_assignment_that_makes_no_sense_is_told_at_its_field(
    sign_in: Any, data: dict[str, str], field: str
) -> None:
    desk = sign_in(make_staff(make_platform(), "Daniel Osei"))
    answer = desk.post("/staff/contacts/assignments/new", data=data)
    assert answer.status_code == 422
    assert field in answer.text


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"person": "x", "until": "2030-01-01"},
        {"person": "", "until": "0001-01-01"},
        {"person": "1", "until": "9999-12-31"},
        {"person": "1", "until": "soon"},
    ],
)
def test_an_absence_that_makes_no_sense_changes_nothing(sign_in: Any, data: dict[str, str]) -> None:
    desk = sign_in(make_staff(make_platform(), "Daniel Osei"))
    assert desk.post("/staff/contacts/absences", data=data).status_code == 422


def test_others_of_the_staff_have_an_inbox_and_assign_nobody(sign_in: Any) -> None:
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    mei = make_staff(platform, "Mei Tanaka", Role.SUPPORT)
    make_assignment(daniel)
    partner = make_organization("Tidewater")
    sign_in(make_member(partner), partner).post(
        "/partner/contacts/partner_manager/message", data={"subject": "Ours", "body": "Hello"}
    )
    request = db.session.scalars(select(ContactRequest)).one()
    desk = sign_in(mei)
    assert desk.get("/staff/contacts").status_code == 403
    assert "Ours" not in desk.get("/staff/contacts/requests?whose=all").text
    path = f"/staff/contacts/requests/{request.public_id}"
    assert desk.get(path).status_code == 404
    boss = sign_in(daniel)
    assert "Ours" in boss.get("/staff/contacts/requests?whose=all&q=tide&state=waiting").text
    handed = boss.post(f"{path}/handing-over", data={"person": str(mei.id)})
    assert handed.status_code == 303
    assert "Ours" in desk.get("/staff/contacts/requests").text
    assert desk.post(f"{path}/reply", data={"body": ""}).status_code == 422
    assert desk.post(f"{path}/reply", data={"body": "Here I am."}).status_code == 303
    assert desk.post(f"{path}/closing").status_code == 303
    for person in ("", "x", "9" * 40):
        wrong = desk.post(f"{path}/handing-over", data={"person": person})
        assert wrong.status_code == 422


@pytest.mark.parametrize("query", ["page=-1", "q=%00", "state=odd", "whose=all", "page=9999999"])
def test_odd_questions_to_the_inbox_are_answered(sign_in: Any, query: str) -> None:
    desk = sign_in(make_staff(make_platform(), "Daniel Osei"))
    assert desk.get(f"/staff/contacts/requests?{query}").status_code == 200
    assert desk.get(f"/staff/contacts?{query}").status_code == 200


def test_the_answer_to_a_visitor_comes_by_mail(client: Any, sign_in: Any) -> None:
    platform = make_platform()
    ines = make_staff(platform, "Ines Moreau")
    region = make_region("Nordics", "SE")
    make_assignment(ines, region=region)
    db.session.commit()
    client.post(
        "/contact",
        data={
            "where": "c:SE",
            "name": "Vera Lund",
            "email": "vera@lund.example",
            "subject": "Partnering",
            "body": "How?",
        },
    )
    request = db.session.scalars(select(ContactRequest)).one()
    desk = sign_in(ines)
    path = f"/staff/contacts/requests/{request.public_id}"
    assert "vera@lund.example" in desk.get(path).text
    assert desk.post(f"{path}/reply", data={"body": "Like this."}).status_code == 303
    mail = mails()[-1]
    assert mail["to"] == "vera@lund.example"
    assert "Like this." in mail["body"]
    # No partner sees a visitor's conversation.
    partner = make_organization("Tidewater")
    browser = sign_in(make_member(partner), partner)
    assert browser.get(f"/partner/contacts/requests/{request.public_id}").status_code == 404


def test_the_partners_manager_is_asked_again_before_the_quarter_ends(sign_in: Any) -> None:

    partner = make_organization("Tidewater")
    owner = make_member(partner, user=make_user("Maya", "maya@tide.example"))
    browser = sign_in(owner, partner)
    browser.post("/partner/contacts/manager", data={"member": str(owner.id)})
    browser.post("/partner/contacts/manager/confirmation")
    asked = len([each for each in mails() if "Confirm that you manage" in each["subject"]])
    for days in (80, 86, 87, 93, 94, 120):
        with clock.frozen(clock.now() + timedelta(days=days)):
            ask_managers({})
            db.session.commit()
    subjects = [each["subject"] for each in mails()]
    assert len([each for each in subjects if "Confirm that you manage" in each]) == asked + 1
    assert len([each for each in subjects if "has not confirmed yet" in each]) == 1
