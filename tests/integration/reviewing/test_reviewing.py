"""The reviewers' verbs."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.catalogue.models import Listing, Revision, RevisionEvent, RevisionState
from marketplace.catalogue.publishing.sensitivity import is_sampled
from marketplace.catalogue.reviewing import mails, queries, services
from marketplace.catalogue.reviewing.checklist import checks_for
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError, PorticoError
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role, User
from tests.factories.listings import make_listing
from tests.factories.people import make_organization, make_platform, make_user
from tests.integration.publishing.desk import Desk, actor_for, member

pytestmark = pytest.mark.usefixtures("app")
NEW_SCOPES = [
    {"scope": "events.write", "reason": "To add the tides to your calendar"},
    {"scope": "mail.send", "reason": "To warn you of storms"},
]


@pytest.fixture
def platform(app: Flask) -> Organization:
    return make_platform()


@pytest.fixture
def desk(platform: Organization) -> Desk:
    partner = make_organization()
    desk = Desk(make_listing(partner), member(partner, name="Mara Lind"))
    db.session.commit()
    return desk


@pytest.fixture
def reviewer(platform: Organization) -> Actor:
    return member(platform, Role.REVIEWER, "Noor Haddad")


@pytest.fixture
def colleague(platform: Organization) -> Actor:
    return member(platform, Role.REVIEWER, "Ivo Brand")


def everything(revision: Revision) -> list[str]:
    return [check.key for check in checks_for(revision.review_reasons)]


def approve(revision: Revision, actor: Actor, expected: int | None = None) -> services.Decision:
    return services.approve(revision, everything(revision), expected=expected, actor=actor)


def renamed(desk: Desk) -> Revision:
    desk.save(name="Tide Almanac")
    desk.submit()
    return desk.open()


def letters() -> list[str]:
    jobs = db.session.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))
    return [job.payload["subject"] for job in jobs]


def test_an_approval_publishes_indexes_and_tells_the_editors(desk: Desk, reviewer: Actor) -> None:
    revision = renamed(desk)
    assert approve(revision, reviewer).published
    assert desk.listing.name == "Tide Almanac"
    assert revision.state is RevisionState.PUBLISHED
    assert revision.reviewer_id == reviewer.user_id
    assert letters() == ["Tide Almanac has its changes published"]
    db.session.commit()
    kinds = db.session.scalars(select(Fact.kind).order_by(Fact.id)).all()
    assert kinds[-3:] == ["revision.review_started", "listing.updated", "revision.approved"]
    assert db.session.scalar(select(Job.id).where(Job.kind == "search.index_listing"))


def test_approving_twice_is_harmless(desk: Desk, reviewer: Actor, colleague: Actor) -> None:
    revision = renamed(desk)
    approve(revision, reviewer)
    assert approve(revision, reviewer).repeated
    assert approve(revision, colleague).repeated
    assert len(letters()) == 1


def test_new_scopes_need_two_different_reviewers(
    desk: Desk, reviewer: Actor, colleague: Actor
) -> None:
    desk.save(scopes=NEW_SCOPES)
    desk.submit()
    revision = desk.open()
    assert not approve(revision, reviewer).published
    assert revision.state is RevisionState.APPROVED
    again = approve(revision, reviewer)
    assert again.repeated
    assert not again.published
    assert desk.listing.content["scopes"] != NEW_SCOPES
    assert approve(revision, colleague).published
    assert desk.listing.content["scopes"] == NEW_SCOPES
    assert revision.checklist["first"]["least"] == reviewer.user_id
    assert revision.checklist["last"]["least"] == colleague.user_id


def test_a_revision_withdrawn_after_its_first_approval_begins_anew(
    desk: Desk, reviewer: Actor
) -> None:
    from marketplace.catalogue.publishing.services.submission import withdraw_submission

    desk.save(scopes=NEW_SCOPES)
    desk.submit()
    approve(desk.open(), reviewer)
    withdraw_submission(desk.listing, desk.open(), desk.actor)
    desk.submit()
    assert desk.open().first_approval_by_id is None
    assert not approve(desk.open(), reviewer).published


def test_nobody_reviews_their_own_organizations_listing(desk: Desk, platform: Organization) -> None:
    revision = renamed(desk)
    person = make_user("Both Sides")
    both = actor_for(person, (platform, Role.REVIEWER), (desk.listing.publisher, Role.VIEWER))
    with pytest.raises(ForbiddenError, match="belong to the publisher"):
        approve(revision, both)
    with pytest.raises(ForbiddenError, match="belong to the publisher"):
        services.request_changes(revision, "No", {}, expected=None, actor=both)


def test_who_submitted_cannot_approve(desk: Desk, platform: Organization) -> None:
    revision = renamed(desk)
    # They have left the publisher since, and joined the platform.
    gone = actor_for(make_user("Gone Over"), (platform, Role.REVIEWER))
    revision.submitted_by_id = gone.user_id
    db.session.flush()
    with pytest.raises(ForbiddenError, match="You submitted this"):
        approve(revision, gone)


def test_the_whole_checklist_is_needed(desk: Desk, reviewer: Actor) -> None:
    revision = renamed(desk)
    with pytest.raises(InvalidError) as refused:
        services.approve(revision, ["name"], expected=None, actor=reviewer)
    assert refused.value.fields == {"checklist": "Look at everything on the list first; 2 left."}
    assert revision.state is RevisionState.SUBMITTED


def test_what_changed_since_the_page_was_opened_is_not_approved(
    desk: Desk, reviewer: Actor
) -> None:
    from marketplace.catalogue.publishing.services.submission import withdraw_submission

    seen = renamed(desk).lock_version
    withdraw_submission(desk.listing, desk.open(), desk.actor)
    desk.save(name="Something Else Entirely")
    desk.submit()
    with pytest.raises(ConflictError, match="changed since"):
        approve(desk.open(), reviewer, expected=seen)
    assert desk.listing.name == "Tide Tables"


def test_changes_are_requested_with_notes_at_fields(desk: Desk, reviewer: Actor) -> None:
    revision = renamed(desk)
    notes = {"name": "Too grand", "tagline": " ", "nonsense": "x"}
    assert services.request_changes(revision, "", notes, expected=None, actor=reviewer)
    assert revision.state is RevisionState.CHANGES_REQUESTED
    assert revision.events[-1].field_notes == {"name": "Too grand"}
    assert letters() == ["Tide Tables: changes requested"]
    assert not services.request_changes(revision, "", notes, expected=None, actor=reviewer)
    assert len(letters()) == 1
    desk.save(name="Tide Tables Plus")
    desk.submit()
    assert desk.open().review_reasons == ["sensitive", "sent_back"]


def test_a_request_for_changes_says_what_has_to_change(desk: Desk, reviewer: Actor) -> None:
    revision = renamed(desk)
    for body in ("", "  ", "x" * 4_001):
        with pytest.raises(InvalidError) as refused:
            services.request_changes(revision, body, {}, expected=None, actor=reviewer)
        assert set(refused.value.fields) == {"body"}


def test_a_review_is_taken_given_back_and_given_away(
    desk: Desk, reviewer: Actor, colleague: Actor
) -> None:
    revision = renamed(desk)
    assert services.claim(revision, reviewer)
    assert not services.claim(revision, reviewer)
    with pytest.raises(ConflictError, match="Noor Haddad is reviewing"):
        services.claim(revision, colleague)
    assert colleague.user_id is not None
    services.assign(revision, colleague.user_id, reviewer)
    assert revision.reviewer_id == colleague.user_id
    services.release(revision, colleague)
    services.release(revision, colleague)
    assert revision.state is RevisionState.SUBMITTED
    assert revision.reviewer_id is None


def test_a_review_is_not_given_to_the_publishers_people_or_to_anybody(
    desk: Desk, reviewer: Actor
) -> None:
    revision = renamed(desk)
    for user_id in (0, desk.actor.user_id or 0):
        with pytest.raises(InvalidError):
            services.assign(revision, user_id, reviewer)


def test_an_internal_note_is_not_for_the_partner(desk: Desk, reviewer: Actor) -> None:
    from marketplace.catalogue.publishing.queries import partner_events

    revision = renamed(desk)
    services.add_note(revision, "Looks like a copy", for_partner=False, actor=reviewer)
    services.add_note(revision, "Nice work", for_partner=True, actor=reviewer)
    shown = [event.body for event in partner_events(desk.listing.id)]
    assert shown == ["Nice work", ""]


def test_what_became_public_by_another_path_is_not_overwritten(desk: Desk, reviewer: Actor) -> None:
    from marketplace.catalogue.content import ListingContent
    from marketplace.catalogue.publication import apply_content

    revision = renamed(desk)
    public = {**desk.listing.content, "tags": ["imported"]}
    apply_content(desk.listing, ListingContent.model_validate(public))
    approve(revision, reviewer)
    assert desk.listing.content["tags"] == ["imported"]
    assert desk.listing.name == "Tide Almanac"
    desk.save(name="Tide Annals")
    desk.submit()
    clash = {**desk.listing.content, "name": "Imported Name"}
    apply_content(desk.listing, ListingContent.model_validate(clash))
    with pytest.raises(ConflictError, match="by another path since this draft began: Name"):
        approve(desk.open(), reviewer)


def at_once(app: Flask, acts: list[Callable[[], object]]) -> list[object]:
    """Run these acts in threads that begin together, each in a transaction of its own."""
    gate = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(number: int) -> None:
        with app.app_context():
            try:
                gate.wait()
                with unit_of_work():
                    results[number] = acts[number]()
            except PorticoError as error:
                results[number] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return results


def test_of_two_approvals_at_the_same_moment_one_counts(
    app: Flask, desk: Desk, reviewer: Actor, colleague: Actor
) -> None:
    desk.save(scopes=NEW_SCOPES)
    desk.submit()
    revision_id, seen = desk.open().id, desk.open().lock_version
    db.session.commit()

    def by(actor: Actor) -> Callable[[], object]:
        def act() -> object:
            revision = queries.revision_by_id(revision_id)
            assert revision is not None
            return approve(revision, actor, expected=seen)

        return act

    results = at_once(app, [by(reviewer), by(colleague)])
    assert sum(isinstance(result, ConflictError) for result in results) == 1
    assert sum(isinstance(result, services.Decision) for result in results) == 1
    revision = db.session.get(Revision, revision_id)
    assert revision is not None
    assert revision.state is RevisionState.APPROVED
    steps = db.session.scalars(
        select(RevisionEvent.kind).where(RevisionEvent.revision_id == revision_id)
    ).all()
    assert sorted(steps) == ["first_approval", "review_started", "submitted"]


def test_a_double_click_on_approve_publishes_once(app: Flask, desk: Desk, reviewer: Actor) -> None:
    revision_id, seen = renamed(desk).id, desk.open().lock_version
    db.session.commit()

    def act() -> object:
        revision = queries.revision_by_id(revision_id)
        assert revision is not None
        return approve(revision, reviewer, expected=seen)

    results = at_once(app, [act, act, act])
    published = [r for r in results if isinstance(r, services.Decision) and not r.repeated]
    assert len(published) == 1
    count = db.session.scalar(
        select(func.count()).select_from(Fact).where(Fact.kind == "listing.updated")
    )
    assert count == 1
    assert len(letters()) == 1


def sampled_publication(desk: Desk) -> Revision:
    while not is_sampled(desk.listing.id, (number := next_number(desk))):
        desk.save(tags=[f"tag-{number}"])
        desk.submit()
    desk.save(tagline="The best tide tables of all time")
    revision = desk.open()
    assert desk.submit().sampled
    return revision


def next_number(desk: Desk) -> int:
    from marketplace.catalogue.publishing.queries import next_number as number

    return number(desk.listing.id)


def test_a_sample_is_checked_off_once(desk: Desk, reviewer: Actor) -> None:
    revision = sampled_publication(desk)
    assert queries.queue_counts(None)["samples"] == 1
    services.check_sample(revision, reviewer)
    services.check_sample(revision, reviewer)
    assert queries.queue_counts(None)["samples"] == 0


def test_a_sample_can_be_taken_back_without_touching_later_changes(
    desk: Desk, reviewer: Actor
) -> None:
    revision = sampled_publication(desk)
    desk.save(tags=["later"])
    desk.submit()
    fields = services.revert_sample(revision, "“Of all time” promises too much.", reviewer)
    assert fields == ("tagline",)
    assert desk.listing.content["tagline"] == "Brings tide forecasts into your schedule"
    assert desk.listing.content["tags"] == ["later"]
    assert letters() == ["Tide Tables: a change was taken back"]
    with pytest.raises(ConflictError, match="Nothing of this change is public"):
        services.revert_sample(revision, "Again", reviewer)


def test_what_is_no_sample_cannot_be_taken_back(desk: Desk, reviewer: Actor) -> None:
    revision = renamed(desk)
    with pytest.raises(ConflictError, match="not a sample"):
        services.revert_sample(revision, "Why not", reviewer)


def test_the_parts_of_the_queue_are_counted_in_one_query(
    desk: Desk, reviewer: Actor, colleague: Actor
) -> None:
    renamed(desk)
    other = make_organization("Other")
    new = Desk(make_listing(other, name="Bells", published=False), member(other))
    new.submit()
    services.claim(new.open(), reviewer)
    counts = queries.queue_counts(reviewer.user_id)
    assert counts == {
        "waiting": 2,
        "new": 1,
        "changes": 1,
        "held": 0,
        "second": 0,
        "mine": 1,
        "samples": 0,
    }
    assert queries.queue_counts(colleague.user_id)["mine"] == 0
    for show in queries.SHOWS:
        rows = db.session.scalars(queries.queue(show, reviewer.user_id)).all()
        assert len(rows) == counts[show], show


def test_held_names_are_found_in_the_queue(desk: Desk) -> None:
    make_listing(make_organization("Moon Works"), name="Moonline")
    desk.save(name="M00nline")
    desk.submit()
    assert queries.queue_counts(None)["held"] == 1


def test_reviewers_hear_of_a_queue_that_has_waited_for_a_day_once_a_day(
    desk: Desk, reviewer: Actor
) -> None:
    renamed(desk)
    mails.send_digest({})
    assert letters() == []
    with clock.frozen(clock.now() + timedelta(hours=30)):
        mails.send_digest({})
        mails.send_digest({})
    assert letters() == ["1 listing waiting for review"]


def test_nobody_is_written_to_at_an_address_that_is_not_confirmed(
    desk: Desk, reviewer: Actor
) -> None:
    for actor in (desk.actor, reviewer):
        user = db.session.get(User, actor.user_id)
        assert user is not None
        user.email_verified = False
    approve(renamed(desk), reviewer)
    desk.save(name="Tide Annals")
    desk.submit()
    with clock.frozen(clock.now() + timedelta(hours=30)):
        mails.send_digest({})
    assert letters() == []


def test_the_history_holds_every_submission(desk: Desk, reviewer: Actor) -> None:
    approve(renamed(desk), reviewer)
    desk.save(name="Tide Annals")
    desk.submit()
    states = [revision.state for revision in queries.history()]
    assert states == [RevisionState.PUBLISHED, RevisionState.SUBMITTED]
    assert db.session.scalars(queries.decided()).all()[0].listing.id == desk.listing.id
    assert db.session.scalar(select(func.count()).select_from(Listing)) == 1
