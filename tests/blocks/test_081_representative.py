"""P's request reaches its named agent; while the agent is away the backup gets it and P is told."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.contacts.models import ContactRequest, ContactRole
from tests.factories.contacts_world import make_assignment, make_staff
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform


def test_081_representative(sign_in: Any) -> None:
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    mei = make_staff(platform, "Mei Tanaka", Role.SUPPORT)
    omar = make_staff(platform, "Omar Haddad", Role.SUPPORT)
    partner = make_organization("Tidewater Labs")
    owner = make_member(partner)
    make_assignment(mei, ContactRole.SUPPORT, organization=partner, backup=omar)
    browser = sign_in(owner, partner)

    def ask(subject: str) -> ContactRequest:
        sent = browser.post(
            "/partner/contacts/support/message",
            data={"subject": subject, "body": "The webhook fails."},
        )
        assert sent.status_code == 303
        db.session.rollback()
        found: ContactRequest = db.session.scalars(
            select(ContactRequest).where(ContactRequest.subject == subject)
        ).one()
        return found

    assert ask("Webhooks").user_id == mei.id
    assert "Webhooks" in sign_in(mei).get("/staff/contacts/requests").text

    until = (clock.now() + timedelta(days=10)).date()
    away = sign_in(daniel).post(
        "/staff/contacts/absences", data={"person": str(mei.id), "until": until.isoformat()}
    )
    assert away.status_code == 303
    # What was open went to the backup, and the partner was told.
    db.session.rollback()
    assert {row.user_id for row in db.session.scalars(select(ContactRequest))} == {omar.id}
    told = [mail for mail in mails() if mail["to"] == owner.email]
    assert any("Mei Tanaka is away" in mail["body"] for mail in told)

    later = ask("OAuth")
    assert later.user_id == omar.id
    page = browser.get(f"/partner/contacts/requests/{later.public_id}").text
    assert "Mei Tanaka is away" in page
    assert "Omar Haddad" in page
    confirmation = [mail for mail in mails() if mail["subject"] == "We have your message: OAuth"]
    assert "Mei Tanaka is away" in confirmation[0]["body"]

    answer = sign_in(omar).post(
        f"/staff/contacts/requests/{later.public_id}/reply", data={"body": "Rotate the secret."}
    )
    assert answer.status_code == 303
    assert "Rotate the secret." in browser.get(f"/partner/contacts/requests/{later.public_id}").text

    # Back again: what is new goes to the named agent.
    sign_in(daniel).post("/staff/contacts/absences", data={"person": str(mei.id), "is_back": "y"})
    assert ask("Scopes").user_id == mei.id


def test_another_partner_never_reads_a_conversation(sign_in: Any) -> None:
    platform = make_platform()
    make_staff(platform, "Mei Tanaka", Role.SUPPORT)
    partner, other = make_organization("Tidewater"), make_organization("Rivals")
    sign_in(make_member(partner), partner).post(
        "/partner/contacts/support/message", data={"subject": "Ours", "body": "Secret."}
    )
    found = db.session.scalars(select(ContactRequest)).one()
    stranger = sign_in(make_member(other), other)
    assert stranger.get(f"/partner/contacts/requests/{found.public_id}").status_code == 404
    path = f"/partner/contacts/requests/{found.public_id}/reply"
    assert stranger.post(path, data={"body": "Hm"}).status_code == 404
