"""P names a manager, who confirms quarterly; after a departure it is amber, then it fails."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.program.contacts.jobs import ask_managers
from marketplace.program.contacts.services.managers import manager_state
from marketplace.program.measures import Measure, Measurement
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing, policy_document

PAGE = "/partner/contacts/manager"


def level(organization: Organization, at: datetime) -> int:
    return (
        db.session.scalar(
            select(func.sum(Measurement.amount)).where(
                Measurement.organization_id == organization.id,
                Measurement.measure == Measure.MANAGERS.value,
                Measurement.counts_at <= at,
            )
        )
        or 0
    )


def test_112_dedicated_human_resources(sign_in: Any) -> None:
    make_policy()
    partner = make_organization("Tidewater Labs")
    make_standing(partner)
    owner = make_member(partner)
    kofi = make_member(partner, Role.EDITOR, make_user("Kofi Mensah"))
    boss, person = sign_in(owner, partner), sign_in(kofi, partner)
    start = clock.now()

    assert boss.post(PAGE, data={"member": str(kofi.id)}).status_code == 303
    assert "Has not confirmed yet" in boss.get(PAGE).text
    # Only the named person confirms.
    boss.post(f"{PAGE}/confirmation")
    assert level(partner, clock.now()) == 0
    assert person.post(f"{PAGE}/confirmation").status_code == 303
    assert person.post(f"{PAGE}/confirmation").status_code == 303
    assert level(partner, clock.now()) == 1
    assert manager_state(partner.id).value == "confirmed"

    # The quarter ends: amber, then, without a confirmation, not met.
    db.session.commit()
    with clock.frozen(start + timedelta(days=93)):
        assert manager_state(partner.id).value == "due"
        ask_managers({})
        ask_managers({})
        db.session.commit()
        boss, person = sign_in(owner, partner), sign_in(kofi, partner)
        assert "A confirmation is due" in boss.get(PAGE).text
        assert person.post(f"{PAGE}/confirmation").status_code == 303
        assert level(partner, clock.now()) == 1
    assert level(partner, start + timedelta(days=150)) == 1
    assert level(partner, start + timedelta(days=300)) == 0

    # The person leaves: amber at once, fourteen days to replace them, then it fails.
    with clock.frozen(start + timedelta(days=100)):
        left = boss.post(f"/organizations/{partner.slug}/members/{kofi.id}/removal")
        assert left.status_code in (302, 303)
        assert manager_state(partner.id).value == "departed"
        assert "left your organization" in boss.get(PAGE).text
        assert f"{partner.name} needs a new program manager" in [m["subject"] for m in mails()]
        assert level(partner, clock.now()) == 1
    with clock.frozen(start + timedelta(days=115)):
        boss = sign_in(owner, partner)
        assert manager_state(partner.id).value == "failed"
        assert "The requirement is not met" in boss.get(PAGE).text
        assert level(partner, clock.now()) == 0
        # Somebody else is named and confirms: met again.
        boss.post(PAGE, data={"member": str(owner.id)})
        boss.post(f"{PAGE}/confirmation")
        assert level(partner, clock.now()) == 1
        assert manager_state(partner.id).value == "confirmed"


def test_only_members_are_named_and_only_by_owners_and_admins(sign_in: Any) -> None:
    partner = make_organization()
    owner, viewer = make_member(partner), make_member(partner, Role.VIEWER, make_user("Bo Lind"))
    stranger = make_user("Eve Roe")
    browser = sign_in(owner, partner)
    for wrong in (str(stranger.id), "", "\0", "9" * 40, "-1"):
        assert browser.post(PAGE, data={"member": wrong}).status_code == 422
    assert sign_in(viewer, partner).post(PAGE, data={"member": str(owner.id)}).status_code == 403


def test_amber_is_seen_wherever_the_requirement_is(sign_in: Any) -> None:
    document = policy_document()
    document["metrics"].append(
        {"key": "managers", "name": "Own manager", "measure": "managers", "how": "level",
         "window_days": None}
    )  # fmt: skip
    document["tiers"][1] = {
        "key": "silver", "name": "Silver", "requirements": [{"metric": "managers", "threshold": 1}]
    }  # fmt: skip
    make_policy(document)
    partner = make_organization("Tidewater Labs", slug="tidewater")
    make_standing(partner)
    owner = make_member(partner)
    boss = sign_in(owner, partner)
    staff = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    start = clock.now()
    boss.post(PAGE, data={"member": str(owner.id)})
    boss.post(f"{PAGE}/confirmation")
    own = ("/partner/scorecard", "/partner/scorecard/progress", "/partner")

    def shows(text: str) -> list[bool]:
        pages = [boss.get(path).text for path in own]
        return [text in page for page in (*pages, staff.get("/staff/standings/tidewater").text)]

    assert shows("Due now") == [False] * 4
    # A week before the quarter ends: amber, though it is met.
    with clock.frozen(start + timedelta(days=87)):
        boss, staff = sign_in(owner, partner), sign_in(make_member(make_platform(), Role.SUPPORT))
        assert shows("Due now") == [True] * 4
        assert shows("The program manager confirms") == [True] * 4
        card = boss.get(own[0]).text
        asked = card.split('class="score-gaps"')[1].split("</ul>")[0]
        assert "Due now" in asked
        assert "Open" not in asked
        boss.post(f"{PAGE}/confirmation")
        assert shows("Due now") == [False] * 4
