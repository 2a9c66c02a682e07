"""A partner writes, a reviewer approves, the public reads: over HTTP."""

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.models import Revision, RevisionState
from marketplace.core.database import db
from marketplace.core.jobs import Job
from marketplace.identity.models import Role
from tests.factories.listings import listing_content, make_category, make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.journeys.publishing.browser import answers_of, hidden_value

pytestmark = pytest.mark.usefixtures("app")

ALL = {"checklist": ["name", "words", "links", "images", "data", "scopes", "least", "asked"]}


def fill(client, slug, section, **answers):
    """Save one section the way a browser does: load the form, change answers, post it."""
    url = f"/partner/listings/{slug}/edit/{section}"
    form = answers_of(client.get(url).text)
    form.update(answers)
    return client.post(url, data=form)


def test_a_partner_creates_a_listing_and_the_public_reads_it_after_two_reviewers(
    sign_in, client
) -> None:
    platform, partner = make_platform(), make_organization("Quayside")
    make_category("Productivity")
    writer = sign_in(make_member(partner, Role.EDITOR), partner)
    first = sign_in(make_member(platform, Role.REVIEWER), platform)
    second = sign_in(make_member(platform, Role.REVIEWER), platform)
    begun = writer.post(
        "/partner/listings/new",
        data={"name": "Tide Tables", "kind": "integration", "categories": "productivity"},
    )
    assert begun.status_code == 303
    assert begun.location == "/partner/listings/tide-tables/edit/basics"
    assert fill(writer, "tide-tables", "basics", tagline="Brings tides into your calendar").location
    assert fill(
        writer,
        "tide-tables",
        "description",
        description="Writes the day's high and low water into the calendar you use.",
    ).location
    assert fill(
        writer,
        "tide-tables",
        "access",
        **{"scopes-0-scope": "events.write", "scopes-0-reason": "To add the tides"},
    ).location
    assert client.get("/listings/tide-tables").status_code == 404

    page = writer.get("/partner/listings/tide-tables").text
    assert "It is a new listing." in page
    sent = writer.post(
        "/partner/listings/tide-tables/submission",
        data={"version": hidden_value(page, "version"), "note": "Try it with any harbour."},
        follow_redirects=True,
    )
    assert "Number 1 in the queue" in sent.text

    assert "Tide Tables" in first.get("/staff/reviews").text
    revision_id = db.session.scalar(select(Revision.id))
    review = f"/staff/reviews/{revision_id}"
    assert "Try it with any harbour." in first.get(review).text
    version = hidden_value(first.get(review).text, "version")
    approved = first.post(f"{review}/approval", data={**ALL, "version": version})
    assert approved.status_code == 303
    assert client.get("/listings/tide-tables").status_code == 404
    version = hidden_value(second.get(review).text, "version")
    approved = second.post(f"{review}/approval", data={**ALL, "version": version})
    assert approved.status_code == 303
    assert "high and low water" in client.get("/listings/tide-tables").text


def test_an_approved_change_is_public_and_queued_for_search_and_not_before(
    sign_in, client, run_jobs
) -> None:
    platform, partner = make_platform(), make_organization()
    listing = make_listing(partner)
    db.session.commit()
    slug = listing.slug
    writer = sign_in(make_member(partner, Role.EDITOR), partner)
    reviewer = sign_in(make_member(platform, Role.REVIEWER), platform)
    assert fill(writer, slug, "basics", name="Tide Almanac").status_code == 303
    assert "Tide Almanac" not in client.get(f"/listings/{slug}").text
    writer.post(f"/partner/listings/{slug}/submission", data={})
    revision_id = db.session.scalar(
        select(Revision.id).where(Revision.state == RevisionState.SUBMITTED)
    )
    assert "Tide Almanac" not in client.get(f"/listings/{slug}").text
    assert db.session.scalar(select(Job.id).where(Job.kind == "search.index_listing")) is None
    reviewer.post(f"/staff/reviews/{revision_id}/claim")
    assert reviewer.post(f"/staff/reviews/{revision_id}/approval", data=ALL).status_code == 303
    assert "Tide Almanac" in client.get(f"/listings/{slug}").text
    jobs = db.session.scalars(select(Job.payload).where(Job.kind == "search.index_listing")).all()
    assert jobs == [{"listing_id": listing.id}]
    again = reviewer.post(f"/staff/reviews/{revision_id}/approval", data=ALL, follow_redirects=True)
    assert "approved and published already" in again.text


def test_a_harmless_change_is_public_at_once(sign_in, client) -> None:
    partner = make_organization()
    slug = make_listing(partner).slug
    writer = sign_in(make_member(partner, Role.EDITOR), partner)
    fill(writer, slug, "basics", tagline="Tides of every harbour, in your calendar")
    page = writer.get(f"/partner/listings/{slug}").text
    assert "These changes need no review" in page
    done = writer.post(f"/partner/listings/{slug}/submission", data={}, follow_redirects=True)
    assert "Published. Nothing in it needed a review." in done.text
    assert "Tides of every harbour" in client.get(f"/listings/{slug}").text
    twice = writer.post(f"/partner/listings/{slug}/submission", data={}, follow_redirects=True)
    assert "There is no draft to submit." in twice.text


def test_saving_an_untouched_section_begins_no_draft(sign_in, app: Flask) -> None:
    partner = make_organization()
    listing = make_listing(partner, **FULL)
    slug = listing.slug
    writer = sign_in(make_member(partner), partner)
    for section in (
        *("basics", "description", "data", "access", "operations", "pricing", "setup"),
        *("links", "security", "media", "regions"),
    ):
        assert fill(writer, slug, section).status_code == 303, section
        assert (
            db.session.scalar(select(Revision.id).where(Revision.state == RevisionState.DRAFT))
            is None
        ), section


FULL = listing_content(
    aliases=["Tides, moon & more"],
    action_count=3,
    setup_guide="1. Connect\n2. Choose a harbour",
    support_email="help@tides.example",
    video_url="https://www.youtube.com/watch?v=x",
    security={"retention": "Thirty days"},
    compliance=["soc2"],
    languages=["zh-Hant", "en", "ga"],
    regions=["eu"],
    works_with=["Calendar, shared", "Mail"],
)
