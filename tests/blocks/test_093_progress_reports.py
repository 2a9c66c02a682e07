"""93 Progress reports: both see both sides' obligations; a late operator shows red too."""

import re
from datetime import timedelta

from flask import Flask

from marketplace.accreditation.credentials.services.issuing import issue
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.standing.joining import join
from tests.conftest import SignIn
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document


def test_093_progress_reports(app: Flask, sign_in: SignIn) -> None:
    document = policy_document()
    kind = {
        **document["types"][0],
        "playbook": [
            {"key": "profile", "title": "Fill in the profile", "due_days": 3},
            {"key": "kick_off", "title": "Kick-off call", "due_days": 7, "side": "operator"},
            {"key": "review", "title": "First review", "due_days": 90, "side": "operator"},
        ],
    }
    make_policy(types=[kind, *document["types"][1:]])
    partner = make_organization("Quayside")
    owner = make_member(partner)
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    began = clock.now() - timedelta(days=20)
    with clock.frozen(began):
        join(partner, by_user_id=owner.id)
    db.session.commit()

    own = sign_in(owner, partner).get("/partner/scorecard/progress").text
    staff = sign_in(manager).get(f"/staff/standings/{partner.slug}/progress").text
    for page in (own, staff):
        rows = {
            title: row
            for row in re.findall(r"<tr.*?</tr>", page, re.S)
            for title in ("Fill in the profile", "Kick-off call", "First review")
            if title in row
        }
        assert set(rows) == {"Fill in the profile", "Kick-off call", "First review"}
        # Both are late and red, the operator's like the partner's.
        for title in ("Fill in the profile", "Kick-off call"):
            assert "score-late" in rows[title]
            assert "badge-danger" in rows[title]
        assert "score-late" not in rows["First review"]
        due = began + timedelta(days=7)
        assert f"{due.day} {due:%b %Y}" in rows["Kick-off call"]


def test_a_credential_that_expires_soon_is_something_to_renew(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    partner = make_organization("Quayside")
    owner = make_member(partner)
    make_standing(partner)
    for days, title in ((40, "Harbor API expert"), (200, "Harbor sales expert")):
        issue(
            f"manual:{days}",
            organization_id=partner.id,
            user_id=owner.id,
            recipient_name=owner.name,
            title=title,
            description="",
            expires_at=clock.now() + timedelta(days=days),
            evidence=[],
            key=f"test:{days}",
        )
    db.session.commit()
    page = sign_in(owner, partner).get("/partner/scorecard/progress").text
    assert f"Renew Harbor API expert of {owner.name}" in page
    assert "Harbor sales expert" not in page
