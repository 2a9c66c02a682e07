"""P does the thing; its step ticks itself."""

from typing import Any

from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.onboarding.reading import progress_of
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing, policy_document

STEPS = [
    {"key": "profile", "title": "Describe yourselves", "done_by": "organization.profile_changed"},
    {"key": "listing", "title": "Publish a listing", "done_by": "measure:listings"},
    {
        "key": "sandbox",
        "title": "Make your sandbox",
        "text": "A made-up customer of your own.",
        "done_by": "sandbox.made",
        "link": "/partner/sandbox",
    },
]  # fmt: skip


def test_020_getting_started(sign_in: Any) -> None:
    types = policy_document()["types"]
    types[0]["getting_started"] = STEPS
    make_policy(types=types)
    partner = make_organization("Tidewater Labs")
    make_standing(partner)
    browser = sign_in(make_member(partner), partner)
    before = browser.get("/partner/start").text
    assert "0 of 3" in before
    assert "Make your sandbox" in before
    assert before.count("start-step-done") == 0
    # All steps done can be put away, and not before.
    browser.post("/partner/start/dismissal")
    assert not progress_of(partner.id).is_dismissed

    assert browser.post("/partner/sandbox/making").status_code == 303
    after = browser.get("/partner/start").text
    assert "1 of 3" in after
    assert after.count("start-step-done") == 1
    third = after[after.index("start-step-done") :]
    assert "Make your sandbox" in third
    progress = progress_of(partner.id)
    assert (progress.done, progress.total) == (1, 3)
    assert progress.next_step is not None
    assert progress.next_step.key == "profile"


def test_finished_steps_are_put_away_by_an_owner(sign_in: Any) -> None:
    types = policy_document()["types"]
    types[0]["getting_started"] = [STEPS[2]]
    make_policy(types=types)
    partner = make_organization("Tidewater Labs")
    make_standing(partner)
    browser = sign_in(make_member(partner), partner)
    viewer = sign_in(make_member(partner, Role.VIEWER, make_user("Bo Lind")), partner)
    browser.post("/partner/sandbox/making")
    assert "All done" in browser.get("/partner/start").text
    assert viewer.post("/partner/start/dismissal").status_code == 403
    assert browser.post("/partner/start/dismissal").status_code == 303
    db.session.rollback()
    assert progress_of(partner.id).is_dismissed
    assert "Make your sandbox" not in browser.get("/partner/start").text
