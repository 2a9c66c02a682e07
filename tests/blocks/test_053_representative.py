"""P books its assigned marketer; reassignment moves open work and tells P."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from marketplace.identity.models import Role
from marketplace.program.contacts.models import ContactRequest, ContactRole
from tests.factories.contacts_world import make_assignment, make_staff
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing


def local(at: datetime, zone: str = "UTC") -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def test_053_representative(sign_in: Any) -> None:
    make_policy()
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    ines = make_staff(platform, "Ines Moreau", Role.REVIEWER)
    samuel = make_staff(platform, "Samuel Adeyemi", Role.REVIEWER)
    partner = make_organization("Tidewater Labs")
    make_standing(partner)
    owner = make_member(partner)
    make_assignment(ines, ContactRole.MARKETING, organization=partner)
    browser = sign_in(owner, partner)

    assert "Ines Moreau" in browser.get("/partner/contacts").text
    first = clock.now().replace(second=0, microsecond=0) + timedelta(days=3)
    asked = browser.post(
        "/partner/contacts/marketing/meeting",
        data={"subject": "Launch plan", "body": "", "minutes": "45", "first": local(first)},
    )
    assert asked.status_code == 303
    request = db.session.scalars(select(ContactRequest)).one()
    assert request.user_id == ines.id

    desk = sign_in(ines)
    assert "Launch plan" in desk.get("/staff/contacts/requests").text
    agreed = desk.post(
        f"/staff/contacts/requests/{request.public_id}/meeting",
        data={"slot": first.isoformat()},
    )
    assert agreed.status_code == 303
    files = [job.payload for job in db.session.scalars(select(Job)) if "attachments" in job.payload]
    assert {each["to"] for each in files} == {owner.email, ines.email}

    # The program manager reassigns: open work moves, and the partner is told.
    manager = sign_in(daniel)
    moved = manager.post(
        "/staff/contacts/assignments/new",
        data={
            "role": "marketing",
            "reach": "partner",
            "partner": partner.slug,
            "user": str(samuel.id),
            "backup": "",
        },
    )
    assert moved.status_code == 303
    db.session.rollback()
    assert db.session.scalars(select(ContactRequest)).one().user_id == samuel.id
    assert "Samuel Adeyemi" in browser.get("/partner/contacts").text
    told = [mail["subject"] for mail in mails() if mail["to"] == owner.email]
    assert "Samuel Adeyemi is your partner marketer now" in told
    assert "Samuel Adeyemi looks after this now: Launch plan" in told
    assert "Launch plan" in sign_in(samuel).get("/staff/contacts/requests").text
    assert desk.get(f"/staff/contacts/requests/{request.public_id}").status_code == 404


def test_the_representative_moves_a_meeting_and_the_partner_cancels_it(sign_in: Any) -> None:
    platform = make_platform()
    ines = make_staff(platform, "Ines Moreau")
    partner = make_organization("Kitewell")
    owner = make_member(partner)
    owner.timezone = "Europe/Berlin"
    browser = sign_in(owner, partner)
    first = clock.now().replace(second=0, microsecond=0) + timedelta(days=3)
    browser.post(
        "/partner/contacts/marketing/meeting",
        data={"subject": "Hello", "first": local(first, "Europe/Berlin"), "minutes": "30"},
    )
    request = db.session.scalars(select(ContactRequest)).one()
    desk, path = sign_in(ines), f"/staff/contacts/requests/{request.public_id}"
    # What was typed in Berlin is the same moment for everybody.
    assert first.isoformat() in desk.get(path).text
    other = first + timedelta(days=1)
    assert desk.post(f"{path}/meeting", data={"other": local(other)}).status_code == 303
    db.session.refresh(request)
    assert request.agreed_at == other
    canceled = browser.post(f"/partner/contacts/requests/{request.public_id}/cancellation")
    assert canceled.status_code == 303
    assert "Canceled: Hello" in [mail["subject"] for mail in mails()]
    assert desk.post(f"{path}/meeting", data={"other": local(other)}).status_code == 303
    db.session.refresh(request)
    assert request.canceled_at is not None


def test_times_that_make_no_sense_are_told_at_their_field(sign_in: Any) -> None:
    platform = make_platform()
    make_staff(platform, "Ines Moreau")
    partner = make_organization()
    browser = sign_in(make_member(partner), partner)
    for first in ("0001-01-01T00:00", "9999-12-31T23:59", "2020-01-01T10:00", "soon", "\0", ""):
        answer = browser.post(
            "/partner/contacts/support/meeting",
            data={"subject": "Hello", "first": first, "minutes": "9" * 30},
        )
        assert answer.status_code == 422, first
