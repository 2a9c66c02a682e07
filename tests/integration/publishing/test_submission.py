"""What becomes of a submission."""

import contextlib
import threading

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.content import ListingContent
from marketplace.catalogue.models import Listing, Revision, RevisionEvent, RevisionState
from marketplace.catalogue.publication import apply_content
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.services import drafts, submission
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.jobs import Job
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.listings import make_listing
from tests.factories.people import make_organization
from tests.integration.publishing.desk import Desk, member

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def desk(app: Flask) -> Desk:
    partner = make_organization()
    desk = Desk(make_listing(partner), member(partner))
    db.session.commit()
    return desk


def test_a_harmless_change_is_public_at_once_and_indexed(desk: Desk) -> None:
    desk.save(tagline="Another line about the tides")
    revision = desk.open()
    result = desk.submit()
    assert result.published
    assert desk.listing.tagline == "Another line about the tides"
    assert desk.listing.published_revision_id == revision.id
    assert revision.state is RevisionState.PUBLISHED
    assert "search.index_listing" in db.session.scalars(select(Job.kind)).all()


def test_a_sensitive_change_waits_and_the_public_page_stays(desk: Desk) -> None:
    desk.save(name="Tide Almanac", tagline="Another line about the tides")
    assert not desk.submit("Renamed").published
    revision = desk.open()
    assert revision.state is RevisionState.SUBMITTED
    assert revision.review_reasons == ["sensitive"]
    assert revision.changed_fields == ["name", "tagline"]
    assert revision.note_to_reviewer == "Renamed"
    assert desk.listing.name == "Tide Tables"
    assert desk.listing.content["tagline"] != "Another line about the tides"


def test_submitting_twice_is_harmless(desk: Desk) -> None:
    desk.save(name="Tide Almanac")
    revision = desk.open()
    desk.submit()
    assert submission.submit(desk.listing, revision, desk.actor).repeated
    assert [event.kind for event in revision.events] == ["submitted"]


def test_of_two_submissions_at_the_same_moment_one_is_told(desk: Desk) -> None:
    desk.save(name="Tide Almanac")
    revision = desk.open()
    stale = revision.lock_version
    drafts.advance(revision, stale, note_to_reviewer="somebody saved")
    with pytest.raises(ConflictError, match="changed since"):
        submission.submit(desk.listing, revision, desk.actor, expected=stale)
    assert desk.open().state is RevisionState.DRAFT


def test_an_incomplete_draft_is_refused_with_every_problem(desk: Desk) -> None:
    desk.save(name="", tagline="Short", website_url="htp:/x", categories=[])
    with pytest.raises(InvalidError) as refused:
        desk.submit()
    assert set(refused.value.fields) == {"name", "tagline", "website_url", "categories"}
    assert desk.open().state is RevisionState.DRAFT


def test_a_category_that_does_not_exist_is_refused(desk: Desk) -> None:
    desk.save(categories=["nowhere"])
    with pytest.raises(InvalidError) as refused:
        desk.submit()
    assert set(refused.value.fields) == {"categories"}


def test_an_image_of_another_organization_is_refused(desk: Desk) -> None:
    desk.save(logo={"key": "ab/" + "0" * 64 + ".png", "width": 200, "height": 200})
    with pytest.raises(InvalidError) as refused:
        desk.submit()
    assert set(refused.value.fields) == {"logo"}


def test_a_draft_that_changes_nothing_is_refused(desk: Desk) -> None:
    desk.save(tagline="Another line about the tides")
    desk.save(tagline=desk.listing.content["tagline"])
    with pytest.raises(InvalidError, match="Nothing has changed"):
        desk.submit()


def test_a_name_close_to_anothers_is_held_with_the_reason(desk: Desk) -> None:
    other = make_organization("Moon Works")
    make_listing(other, name="Moonline")
    desk.save(aliases=["M00nline"])
    desk.submit()
    revision = desk.open()
    assert revision.review_reasons == ["close_name"]
    held = [event for event in revision.events if event.kind == "held"]
    assert held[0].body == "The name is close to “Moonline” (Moon Works)."
    assert held[0].for_partner


def test_a_name_close_to_ones_own_is_not_held(desk: Desk) -> None:
    make_listing(desk.listing.publisher, name="Moonline")
    desk.save(aliases=["Moonlines"])
    assert desk.submit().published


def test_in_review_nothing_can_be_edited_until_it_is_withdrawn(desk: Desk) -> None:
    desk.save(name="Tide Almanac")
    desk.submit()
    with pytest.raises(drafts.InReviewError, match="Withdraw the submission"):
        desk.save(tags=["sea"])
    submission.withdraw_submission(desk.listing, desk.open(), desk.actor)
    submission.withdraw_submission(desk.listing, desk.open(), desk.actor)
    desk.save(tags=["sea"])
    assert desk.open().state is RevisionState.DRAFT
    assert [event.kind for event in desk.open().events] == ["submitted", "withdrawn"]


def publish_elsewhere(desk: Desk, **fields: object) -> None:
    """What an import does: public content that no draft knows of."""
    content = ListingContent.model_validate({**desk.listing.content, **fields})
    apply_content(desk.listing, content)


def test_what_became_public_meanwhile_in_other_fields_is_kept(desk: Desk) -> None:
    desk.save(tagline="Another line about the tides")
    publish_elsewhere(desk, description="An import brought this description in the meantime.")
    assert submission.drift_of(desk.listing, desk.open()).taken == ("description",)
    desk.submit()
    assert desk.listing.content["description"].startswith("An import")
    assert desk.listing.content["tagline"] == "Another line about the tides"


def test_what_became_public_meanwhile_in_the_same_field_is_told_and_chosen(desk: Desk) -> None:
    desk.save(tagline="Another line about the tides", tags=["sea"])
    publish_elsewhere(desk, tagline="An import's line about tides", tags=["import"])
    with pytest.raises(submission.DriftError):
        desk.submit()
    submission.settle_drift(desk.listing, desk.open(), {"tags"}, desk.actor)
    desk.submit()
    assert desk.listing.content["tagline"] == "Another line about the tides"
    assert desk.listing.content["tags"] == ["import"]


def test_a_revision_that_was_sent_back_is_reviewed_again_even_if_withdrawn_in_between(
    desk: Desk,
) -> None:
    desk.save(name="Tide Almanac")
    desk.submit()
    revision = desk.open()
    drafts.add_event(revision, "changes_requested", desk.actor)
    submission.withdraw_submission(desk.listing, revision, desk.actor)
    desk.save(name="Tide Tables", tags=["sea"])
    desk.submit()
    assert desk.open().review_reasons == ["sent_back"]


def test_the_places_in_the_queue_are_counted_over_all_publishers(desk: Desk) -> None:
    other_partner = make_organization("Other")
    other = Desk(
        make_listing(other_partner, name="Bells", website_url="https://bells.example"),
        member(other_partner),
    )
    other.save(website_url="https://bells.example/new")
    other.submit()
    desk.save(name="Tide Almanac")
    desk.submit()
    assert queries.queue_positions(desk.listing.publisher_id) == {desk.open().id: 2}
    assert queries.queue_positions(other_partner.id) == {other.open().id: 1}


def test_the_open_revision_is_unique(desk: Desk) -> None:
    desk.save(tags=["sea"])
    states = db.session.scalars(
        select(Revision.state).where(Revision.listing_id == desk.listing.id)
    ).all()
    assert sorted(states) == [RevisionState.DRAFT, RevisionState.PUBLISHED]


def test_of_two_clicks_on_submit_at_the_same_moment_one_event_is_left(
    app: Flask, desk: Desk
) -> None:
    desk.save(name="Tide Almanac")
    db.session.commit()
    listing_id, actor = desk.listing.id, desk.actor
    gate = threading.Barrier(3)

    def click() -> None:
        with app.app_context():
            listing = db.session.get(Listing, listing_id)
            revision = queries.open_revision(listing_id)
            assert listing is not None
            assert revision is not None
            gate.wait()
            with contextlib.suppress(ConflictError), unit_of_work():
                submission.submit(listing, revision, actor)
            db.session.remove()

    threads = [threading.Thread(target=click) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    events = db.session.scalars(select(RevisionEvent.kind)).all()
    assert events == ["submitted"]
    assert desk.open().state is RevisionState.SUBMITTED
