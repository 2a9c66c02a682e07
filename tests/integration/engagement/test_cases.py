"""Reports of abuse, suspensions and appeals."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.changes import INDEX_LISTING, INDEX_PUBLISHER
from marketplace.catalogue.engagement.services import appeals, cases, follows, suspension, uses
from marketplace.catalogue.models import AbuseCase, AppealState, CaseState, Listing
from marketplace.catalogue.visibility import findable_listings
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.jobs import Job
from marketplace.core.permissions import ANONYMOUS, Actor, can
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, OrganizationKind, Role
from tests.factories.acting import actor_for
from tests.factories.listings import make_listing
from tests.factories.mails import mails as queued_mails
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)
from tests.factories.races import at_once

DETAILS = "It asks for my password in a window of its own."
REASON = "It collects passwords."


def a_reviewer(role: Role = Role.REVIEWER) -> Actor:
    platform = db.session.scalar(
        select(Organization).where(Organization.kind == OrganizationKind.PLATFORM)
    )
    platform = platform or make_platform()
    return actor_for(make_member(platform, role), platform)


def a_case(listing: Listing | None = None) -> AbuseCase:
    listing = listing or make_listing()
    return cases.report_listing(ANONYMOUS, listing, "malware", DETAILS, "eve@people.example")


def mails(to: str | None = None) -> list[dict[str, str]]:
    return [mail for mail in queued_mails() if to is None or mail["to"] == to]


def jobs_of(kind: str) -> int:
    return len(db.session.scalars(select(Job).where(Job.kind == kind)).all())


def test_a_report_without_a_sign_in_is_numbered_and_mailed(app: Flask) -> None:
    case = a_case()
    assert case.number == f"AB-{case.created_at.year}-{case.id:05d}"
    assert case.reporter_id is None
    (mail,) = mails()
    assert mail["to"] == "eve@people.example"
    assert case.number in mail["subject"]


def test_a_signed_in_reporter_needs_no_address(app: Flask) -> None:
    actor = actor_for(make_user())
    case = cases.report_listing(actor, make_listing(), "broken", DETAILS, "")
    assert (case.reporter_id, case.reporter_email) == (actor.user_id, actor.email)


@pytest.mark.parametrize(
    ("reason", "details", "email", "field"),
    [
        ("nonsense", DETAILS, "a@b.example", "reason"),
        ("malware", "short", "a@b.example", "details"),
        ("malware", "x" * 4_001, "a@b.example", "details"),
        ("malware", DETAILS, "", "email"),
        ("malware", DETAILS, "no address", "email"),
        ("malware", DETAILS, "a@b.example\nBcc: c@d.example", "email"),
    ],
)
def test_a_wrong_report_is_told_at_the_field(
    app: Flask, reason: str, details: str, email: str, field: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        cases.report_listing(ANONYMOUS, make_listing(), reason, details, email)
    assert list(caught.value.fields) == [field]


def test_suspending_hides_the_listing_and_tells_publisher_and_reporter(app: Flask) -> None:
    publisher = make_organization()
    owner = make_member(publisher)
    listing = make_listing(publisher)
    case = a_case(listing)
    cases.suspend_for_case(a_reviewer(), case, REASON)
    assert listing.suspended_reason == REASON
    assert db.session.scalars(findable_listings()).all() == []
    assert jobs_of(INDEX_LISTING) == 1
    (told,) = mails(owner.email)
    assert REASON in told["body"]
    assert f"/partner/cases/{case.number}" in told["body"]
    assert "eve@people.example" not in told["body"]
    assert len(mails("eve@people.example")) == 2


def test_everybody_concerned_is_warned_once(app: Flask, run_jobs: Callable[[], int]) -> None:
    publisher = make_organization()
    own = make_member(publisher)
    listing = make_listing(publisher)
    customer = make_customer()
    owner, admin = make_member(customer), make_member(customer, Role.ADMIN)
    make_member(customer, Role.VIEWER)
    uses.declare_use(actor_for(owner, customer), listing)
    follower = make_user()
    for person in (owner, follower, own):
        follows.follow_listing(actor_for(person), listing)
    cases.suspend_for_case(a_reviewer(), a_case(listing), REASON)
    db.session.commit()
    run_jobs()
    warned = [mail["to"] for mail in mails() if mail["subject"].endswith("was suspended")]
    assert sorted(warned) == sorted([owner.email, admin.email, follower.email])


def test_nobody_is_warned_of_what_was_put_right_meanwhile(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    listing = make_listing()
    follows.follow_listing(actor_for(make_user()), listing)
    case = a_case(listing)
    cases.suspend_for_case(a_reviewer(), case, REASON)
    cases.reinstate_case(a_reviewer(), case, "It was a mistake of ours.")
    db.session.commit()
    run_jobs()
    assert not [mail for mail in mails() if mail["subject"].endswith("was suspended")]


def test_a_listing_that_two_cases_suspend_is_shown_when_both_have_ended(app: Flask) -> None:
    listing, reviewer = make_listing(), a_reviewer()
    first, second = a_case(listing), a_case(listing)
    cases.suspend_for_case(reviewer, first, REASON)
    cases.suspend_for_case(reviewer, second, REASON)
    cases.reinstate_case(reviewer, first, "This part was put right.")
    assert listing.suspended_at is not None
    cases.reinstate_case(reviewer, second, "This part was put right too.")
    assert listing.suspended_at is None
    assert db.session.scalars(findable_listings()).all() == [listing]


def test_a_decided_case_cannot_be_decided_again(app: Flask) -> None:
    case, reviewer = a_case(), a_reviewer()
    cases.dismiss_case(reviewer, case, "It is what it says.")
    with pytest.raises(ConflictError):
        cases.suspend_for_case(reviewer, case, REASON)
    cases.take_case(reviewer, case)
    assert case.state is CaseState.INVESTIGATING


def test_two_people_deciding_at_once_decide_once(app: Flask) -> None:
    case, one, two = a_case(), a_reviewer(), a_reviewer()
    case_id = case.id
    db.session.commit()

    def dismiss() -> None:
        with unit_of_work():
            cases.dismiss_case(one, db.session.get_one(AbuseCase, case_id), "It is fine.")

    def suspend() -> None:
        with unit_of_work():
            cases.suspend_for_case(two, db.session.get_one(AbuseCase, case_id), REASON)

    raised = at_once(app, [dismiss, suspend])
    assert [type(error) for error in raised] == [ConflictError]
    db.session.expire_all()
    after = db.session.get_one(AbuseCase, case_id)
    hidden = after.listing.suspended_at is not None
    assert hidden is (after.state is CaseState.SUSPENDED)


def test_the_suspender_does_not_decide_the_appeal_and_somebody_else_does(app: Flask) -> None:
    publisher = make_organization()
    owner = make_member(publisher)
    case = a_case(make_listing(publisher))
    suspender, other = a_reviewer(), a_reviewer()
    cases.suspend_for_case(suspender, case, REASON)
    acting = actor_for(owner, publisher)
    made = appeals.appeal(acting, case, "The window is our own sign-in, see the guide.")
    with pytest.raises(ForbiddenError):
        appeals.grant_appeal(suspender, made, "They are right.")
    with pytest.raises(ConflictError):
        appeals.appeal(acting, case, "We appeal once more, with better words.")
    appeals.grant_appeal(other, made, "They are right.")
    assert case.listing.suspended_at is None
    assert (made.state, case.state) == (AppealState.GRANTED, CaseState.REINSTATED)
    with pytest.raises(ConflictError):
        appeals.deny_appeal(other, made, "They are wrong.")


def test_a_denied_appeal_leaves_the_suspension_and_tells_the_publisher(app: Flask) -> None:
    publisher = make_organization()
    owner = make_member(publisher)
    case = a_case(make_listing(publisher))
    cases.suspend_for_case(a_reviewer(), case, REASON)
    made = appeals.appeal(actor_for(owner, publisher), case, "We see nothing wrong with it at all.")
    appeals.deny_appeal(a_reviewer(), made, "The window still asks for it.")
    assert case.listing.suspended_at is not None
    assert "The window still asks for it." in mails(owner.email)[-1]["body"]


def test_there_is_no_appeal_without_a_suspension(app: Flask) -> None:
    publisher = make_organization()
    acting = actor_for(make_member(publisher), publisher)
    case = a_case(make_listing(publisher))
    assert not can(acting, "case.read", case)
    with pytest.raises(ConflictError):
        appeals.appeal(acting, case, "There is nothing wrong with it at all.")


def test_staff_do_not_decide_about_their_own_organizations_listing(app: Flask) -> None:
    publisher = make_organization()
    case = a_case(make_listing(publisher))
    reviewer = a_reviewer()
    assert can(reviewer, "case.decide", case)
    platform = db.session.get_one(Organization, reviewer.organization_id)
    person = make_member(platform, Role.ADMIN)
    make_member(publisher, Role.VIEWER, person)
    assert not can(actor_for(person, platform), "case.decide", case)


def test_staff_suspend_what_nobody_reported_with_a_case_to_appeal_against(app: Flask) -> None:
    listing = make_listing()
    case = cases.suspend_listing(a_reviewer(), listing, REASON)
    assert (case.state, listing.suspended_reason) == (CaseState.SUSPENDED, REASON)
    with pytest.raises(ConflictError):
        cases.suspend_listing(a_reviewer(), listing, REASON)


def test_suspending_a_publisher_hides_all_it_has(app: Flask) -> None:
    publisher = make_organization()
    owner = make_member(publisher)
    make_listing(publisher)
    manager = a_reviewer(Role.PROGRAM_MANAGER)
    suspension.suspend_publisher(manager, publisher, "It is not who it says it is.")
    assert db.session.scalars(findable_listings()).all() == []
    assert jobs_of(INDEX_PUBLISHER) == 1
    with pytest.raises(ConflictError):
        suspension.suspend_publisher(manager, publisher, "It is not who it says it is.")
    suspension.reinstate_publisher(manager, publisher)
    suspension.reinstate_publisher(manager, publisher)
    assert len(db.session.scalars(findable_listings()).all()) == 1
    assert len(mails(owner.email)) == 2
