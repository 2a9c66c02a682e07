"""P escalates and the sponsor must answer; an overdue quarterly contact is flagged."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.contacts.jobs import remind_of_escalations
from marketplace.program.contacts.models import ContactRequest, ContactRole
from tests.factories.contacts_world import make_assignment, make_staff
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform


def test_082_executive_sponsor(sign_in: Any) -> None:
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    olu = make_staff(platform, "Olu Bankole", Role.OWNER)
    partner = make_organization("Tidewater Labs")
    owner = make_member(partner)
    make_assignment(olu, ContactRole.EXECUTIVE_SPONSOR, organization=partner)
    browser = sign_in(owner, partner)
    sent = browser.post(
        "/partner/contacts/executive_sponsor/message",
        data={"subject": "Certification is stuck", "body": "For six weeks."},
    )
    assert sent.status_code == 303
    request = db.session.scalars(select(ContactRequest)).one()
    assert request.user_id == olu.id
    assert request.due_at is not None
    path = f"/staff/contacts/requests/{request.public_id}"

    # It is not closed without an answer.
    sign_in(olu).post(f"{path}/closing")
    db.session.refresh(request)
    assert request.state.value == "waiting"

    # Overdue, it is flagged and the sponsor reminded, once.
    with clock.frozen(clock.now() + timedelta(days=4)):
        for address in ("/staff/contacts", "/staff/governance"):
            page = sign_in(daniel).get(address).text
            assert "Answer to an escalation" in page
            assert "Tidewater Labs" in page
        remind_of_escalations({})
        remind_of_escalations({})
        db.session.commit()
        reminders = [m for m in mails() if m["subject"] == "Overdue: Certification is stuck"]
        assert [mail["to"] for mail in reminders] == [olu.email]
        answered = sign_in(olu).post(f"{path}/reply", data={"body": "I look into it today."})
        assert answered.status_code == 303
        assert "No contact is overdue." in sign_in(daniel).get("/staff/governance").text
        assert (
            "I look into it today."
            in browser.get(f"/partner/contacts/requests/{request.public_id}").text
        )

    # A quarter later without a word, the contact itself is overdue.
    with clock.frozen(clock.now() + timedelta(days=100)):
        assert "Quarterly contact" in sign_in(daniel).get("/staff/contacts").text
        flagged = sign_in(daniel).get("/staff/governance").text
        assert "Quarterly contact of the executive sponsor" in flagged
        noted = sign_in(olu).post(f"{path}/contact", data={"note": "Called them"})
        assert noted.status_code == 303
        assert "No contact is overdue." in sign_in(daniel).get("/staff/governance").text
