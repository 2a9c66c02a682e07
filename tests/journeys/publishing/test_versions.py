"""Versions over HTTP: corrected and removed by their publisher, looked at by staff."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.models import Listing, ListingVersion
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.identity.models import Role
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.journeys.publishing.browser import answers_of

pytestmark = pytest.mark.usefixtures("app")
BASE = "/partner/listings/tides/versions"
STAFF = "/staff/reviews/versions"


@pytest.fixture
def listing(app) -> Listing:
    return make_listing(make_organization("Quayside"), slug="tides")


@pytest.fixture
def developer(sign_in, listing: Listing) -> FlaskClient:
    browser = sign_in(make_member(listing.publisher, Role.DEVELOPER), listing.publisher)
    answers = answers_of(browser.get(BASE).text, "changelog")
    answers |= {"version": "1.4.0", "changelog": "- Faster tides"}
    assert browser.post(BASE, data=answers).status_code == 303
    return browser


@pytest.fixture
def reviewer(sign_in) -> FlaskClient:
    platform = make_platform()
    return sign_in(make_member(platform, Role.REVIEWER), platform)


def stored() -> ListingVersion | None:
    db.session.rollback()
    return db.session.scalar(select(ListingVersion))


def kinds() -> list[str]:
    db.session.rollback()
    return list(
        db.session.scalars(
            select(Fact.kind).where(Fact.kind.startswith("listing.version")).order_by(Fact.id)
        )
    )


def link(page: str, end: str) -> str:
    found = re.search(rf'(?:href|action)="([^"]*/versions/\d+/{end})"', page)
    assert found is not None
    return found[1]


def test_a_version_is_corrected(
    developer: FlaskClient, reviewer: FlaskClient, client: FlaskClient
) -> None:
    page = reviewer.get(STAFF).text
    assert reviewer.post(link(page, "check"), data=answers_of(page)).status_code == 303
    path = link(developer.get(BASE).text, "correction")
    answers = answers_of(developer.get(path).text, "changelog")
    assert answers["changelog"] == ["- Faster tides"]
    bad = developer.post(path, data={"released_on": "2999-01-01", "changelog": "Kept text"})
    assert bad.status_code == 422
    assert 'id="released_on-error"' in bad.text
    assert "Kept text" in bad.text
    answers |= {"changelog": "- Calmer tides"}
    for told in ("Version 1.4.0 is corrected.", "That is what it says already."):
        answer = developer.post(path, data=answers, follow_redirects=True)
        assert told in answer.text
    assert kinds() == [
        "listing.version_added",
        "listing.version_checked",
        "listing.version_corrected",
    ]
    assert "Calmer tides" in client.get("/listings/tides").text
    assert "Calmer tides" in reviewer.get(STAFF).text


def test_a_version_is_removed_after_a_question(developer: FlaskClient, client: FlaskClient) -> None:
    path = link(developer.get(BASE).text, "removal")
    assert "Remove version 1.4.0 of Tide Tables?" in developer.get(path).text
    assert stored() is not None
    for told in ("Version 1.4.0 is removed.", "The listing has no such version any more."):
        assert told in developer.post(path, follow_redirects=True).text
    assert stored() is None
    assert kinds() == ["listing.version_added", "listing.version_removed"]
    assert "Faster tides" not in client.get("/listings/tides").text


def test_a_version_of_another_listing_is_not_reached_through_ones_own(
    developer: FlaskClient, listing: Listing, sign_in
) -> None:
    other = make_listing(make_organization("Moon Works"), name="Moonline", slug="moonline")
    stranger = sign_in(make_member(other.publisher, Role.OWNER), other.publisher)
    path = link(developer.get(BASE).text, "removal").replace("/tides/", "/moonline/")
    assert stranger.post(path).status_code == 303
    assert stored() is not None


def test_a_reviewer_finds_a_new_version_and_says_that_it_is_fine(
    developer: FlaskClient, reviewer: FlaskClient
) -> None:
    assert f'href="{STAFF}"' in reviewer.get("/staff/reviews").text
    page = reviewer.get(STAFF).text
    assert "<li>Faster tides</li>" in page
    path, answers = link(page, "check"), answers_of(page)
    for told in ("is checked.", "It was checked already."):
        assert told in reviewer.post(path, data=answers, follow_redirects=True).text
    assert "Faster tides" not in reviewer.get(STAFF).text
    assert kinds() == ["listing.version_added", "listing.version_checked"]
    version = stored()
    assert version is not None
    assert version.checked_by_id is not None


def test_what_was_corrected_meanwhile_is_not_checked_unseen(
    developer: FlaskClient, reviewer: FlaskClient
) -> None:
    page = reviewer.get(STAFF).text
    path = link(developer.get(BASE).text, "correction")
    answers = answers_of(developer.get(path).text, "changelog") | {"changelog": "Other text"}
    assert developer.post(path, data=answers).status_code == 303
    assert reviewer.post(link(page, "check"), data=answers_of(page)).status_code == 409
    version = stored()
    assert version is not None
    assert version.checked_at is None


def test_a_reviewer_removes_a_version_with_a_reason_that_its_editors_read(
    developer: FlaskClient, reviewer: FlaskClient, listing: Listing, client: FlaskClient
) -> None:
    make_member(listing.publisher, Role.EDITOR, make_user("Mara Lind"))
    db.session.commit()
    page = reviewer.get(STAFF).text
    path = link(page, "removal")
    version = stored()
    assert version is not None
    name = f"version-{version.id}-body"
    answers = answers_of(page, name)
    refused = reviewer.post(path, data=answers)
    assert refused.status_code == 422
    assert f'id="{name}-error"' in refused.text
    answers[name] = ["It advertises another product."]
    for told in ("The version is removed.", "That version was removed already."):
        assert told in reviewer.post(path, data=answers, follow_redirects=True).text
    assert stored() is None
    assert kinds() == ["listing.version_added", "listing.version_removed"]
    assert "Faster tides" not in client.get("/listings/tides").text
    mails = db.session.scalars(select(Job.payload).where(Job.kind == "mail.send")).all()
    assert len(mails) == 1
    assert "It advertises another product." in str(mails[0])


def test_a_version_that_is_not_there_is_no_error(reviewer: FlaskClient) -> None:
    for number in ("0", "9" * 30):
        assert reviewer.post(f"{STAFF}/{number}/check").status_code in {303, 404}
