"""Who gets into the portal and the reviewers' pages, route by route."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from marketplace.catalogue.models import Listing, ListingVersion, Revision, RevisionState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from tests.conftest import SignIn
from tests.factories.listings import make_listing
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)
from tests.journeys.publishing.browser import answers_of

pytestmark = pytest.mark.usefixtures("app")
READING = {"portal.listing", "portal.preview", "portal.changes", "portal.versions"}
# What a developer may do as well, and the answer to an empty form.
RELEASING = {
    "portal.add_version": 422,
    "portal.correction": 200,
    "portal.correct_version": 422,
    "portal.version_removal": 200,
    "portal.remove_version": 303,
}


@pytest.fixture
def partner(app) -> Organization:
    return make_organization("Quayside")


@pytest.fixture
def listing(partner: Organization) -> Listing:
    row = make_listing(partner, slug="tides")
    add_version(row)
    return row


def add_version(listing: Listing, version: str = "1.0") -> ListingVersion:
    added = ListingVersion(
        listing_id=listing.id,
        version=version,
        released_on=clock.now().date(),
        changelog=f"- Text of {version}",
    )
    db.session.add(added)
    db.session.flush()
    return added


def version_id() -> str:
    return str(db.session.scalar(select(ListingVersion.id).order_by(ListingVersion.id)))


def portal_routes(app: Flask) -> list[tuple[str, str, str]]:
    """(endpoint, method, path) of every route of one listing."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("portal.") and "<slug>" in rule.rule:
            path = rule.rule.replace("<slug>", "tides").replace("<section>", "basics")
            path = path.replace("<int:version_id>", version_id())
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                found.append((rule.endpoint, method, path))
    assert len(found) > 25
    return found


def review_routes(app: Flask, revision_id: int) -> list[tuple[str, str, str]]:
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("reviewing."):
            path = rule.rule.replace("<int:revision_id>", str(revision_id))
            path = path.replace("<int:version_id>", version_id())
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                found.append((rule.endpoint, method, path))
    assert len(found) > 12
    return found


def test_other_organizations_do_not_find_a_listing_on_any_portal_route(
    app: Flask, sign_in, listing: Listing, client: FlaskClient
) -> None:
    other = make_organization("Other Partner")
    both = make_member(other, Role.OWNER)
    make_member(listing.publisher, Role.OWNER, both)
    platform = make_platform()
    strangers = {
        "another partner's owner": sign_in(make_member(other), other),
        "a customer's owner": sign_in(make_member(place := make_customer()), place),
        "staff": sign_in(make_member(platform, Role.ADMIN), platform),
        "a member who acts for another organization": sign_in(both, other),
        "a person without an organization": sign_in(make_user()),
    }
    for who, browser in strangers.items():
        for endpoint, method, path in portal_routes(app):
            answer = browser.open(path, method=method)
            assert answer.status_code == 404, (who, method, endpoint)
            assert listing.name not in answer.text
    for endpoint, method, path in portal_routes(app):
        for slug in ("tides", "there-is-none"):
            answer = client.open(path.replace("tides", slug), method=method)
            assert answer.status_code in {302, 401}, (endpoint, slug)
    assert db.session.scalar(select(Revision.id).where(Revision.number > 1)) is None


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE, Role.DEVELOPER])
def test_roles_that_read_may_not_write(app: Flask, sign_in, listing: Listing, role: Role) -> None:
    browser = sign_in(make_member(listing.publisher, role), listing.publisher)
    for endpoint, method, path in portal_routes(app):
        status = browser.open(path, method=method).status_code
        if endpoint in READING:
            assert status == 200, endpoint
        elif endpoint in RELEASING and role is Role.DEVELOPER:
            assert status == RELEASING[endpoint], endpoint
        else:
            assert status == 403, (method, endpoint)
    assert browser.get("/partner").status_code == 200
    assert "Your role reads" in browser.get("/partner/listings/new").text
    assert browser.post("/partner/listings/new").status_code == 403


def test_a_developer_adds_a_version(sign_in, listing: Listing, client: FlaskClient) -> None:
    browser = sign_in(make_member(listing.publisher, Role.DEVELOPER), listing.publisher)
    answers = answers_of(browser.get("/partner/listings/tides/versions").text, "changelog")
    answers |= {"version": "1.4.0", "changelog": "- *Faster* tides\n<script>x</script>"}
    assert browser.post("/partner/listings/tides/versions", data=answers).status_code == 303
    assert "Faster" in client.get("/listings/tides").text
    assert "<script>x" not in client.get("/listings/tides").text
    twice = browser.post("/partner/listings/tides/versions", data=answers)
    assert twice.status_code == 422
    assert "Version 1.4.0 is there already." in twice.text
    bad = browser.post(
        "/partner/listings/tides/versions", data={**answers, "version": "x", "released_on": "soon"}
    )
    assert bad.status_code == 422
    assert 'id="version-error"' in bad.text
    assert 'id="released_on-error"' in bad.text


@pytest.fixture
def waiting(listing: Listing) -> Revision:
    revision = Revision(
        listing_id=listing.id,
        number=2,
        state=RevisionState.SUBMITTED,
        content={**listing.content, "name": "Tide Almanac"},
        base_content=listing.content,
        review_reasons=["sensitive"],
        changed_fields=["name"],
        submitted_at=listing.published_at,
    )
    db.session.add(revision)
    db.session.flush()
    return revision


def test_nobody_but_staff_finds_the_reviewers_pages(
    app: Flask, sign_in, waiting: Revision, client: FlaskClient
) -> None:
    platform, publisher = make_platform(), waiting.listing.publisher
    browsers = {
        "publisher": (sign_in(make_member(publisher), publisher), {403, 404}),
        "customer": (sign_in(make_member(place := make_customer()), place), {403, 404}),
        "finance": (sign_in(make_member(platform, Role.FINANCE), platform), {403, 404}),
        "nobody": (client, {302, 401}),
    }
    for who, (browser, expected) in browsers.items():
        for endpoint, method, path in review_routes(app, waiting.id):
            status = browser.open(path, method=method).status_code
            assert status in expected, (who, method, endpoint)


def test_a_program_manager_reads_but_does_not_decide(
    app: Flask, sign_in, waiting: Revision
) -> None:
    platform = make_platform()
    browser = sign_in(make_member(platform, Role.PROGRAM_MANAGER), platform)
    for endpoint, method, path in review_routes(app, waiting.id):
        status = browser.open(path, method=method).status_code
        assert status == (200 if method == "GET" else 403), endpoint


def test_a_reviewer_who_belongs_to_the_publisher_is_kept_out(
    app: Flask, sign_in, waiting: Revision
) -> None:
    platform = make_platform()
    person = make_member(platform, Role.REVIEWER)
    make_member(waiting.listing.publisher, Role.VIEWER, person)
    browser = sign_in(person, platform)
    for endpoint, method, path in review_routes(app, waiting.id):
        if "/reviews/" + str(waiting.id) in path or "/reviews/versions/" in path:
            answer = browser.open(path, method=method)
            assert answer.status_code == 403, (method, endpoint)
    queue = browser.get("/staff/reviews").text
    assert "Your organization: a colleague reviews it" in queue
    assert f"/staff/reviews/{waiting.id}" not in queue
    versions = browser.get("/staff/reviews/versions").text
    assert "Text of 1.0" in versions
    assert "Another reviewer decides this" in versions
    assert "It is fine" not in versions


def test_drafts_are_not_for_reviewers(sign_in, listing: Listing) -> None:
    platform = make_platform()
    draft = Revision(listing_id=listing.id, number=2, content=listing.content)
    db.session.add(draft)
    db.session.flush()
    browser = sign_in(make_member(platform, Role.REVIEWER), platform)
    assert browser.get(f"/staff/reviews/{draft.id}").status_code == 404
    assert browser.post(f"/staff/reviews/{draft.id}/approval").status_code == 404


def test_partners_without_an_organization_are_guided(sign_in, partner: Organization) -> None:
    customer = make_customer()
    alone = sign_in(make_user())
    page = alone.get("/partner").text
    assert "You are not with a partner yet" in page
    assert "/partner/deals" not in page
    assert "Become a partner" in page
    person = make_member(customer)
    make_member(partner, Role.EDITOR, person)
    elsewhere = sign_in(person, customer)
    assert "Work as Quayside" in elsewhere.get("/partner").text
    empty = sign_in(make_member(partner, Role.OWNER), partner)
    assert "No listings yet" in empty.get("/partner").text


@pytest.mark.parametrize(
    "path", ["/partner", "/partner/listings", "/staff/reviews", "/staff/reviews/versions"]
)
def test_a_page_costs_as_many_queries_for_thirty_as_for_three(
    sign_in, partner: Organization, path: str
) -> None:
    platform = make_platform()
    place, role = (platform, Role.REVIEWER) if "staff" in path else (partner, Role.OWNER)
    browser = sign_in(make_member(place, role), place)

    def add(count: int) -> None:
        for number in range(count):
            row = make_listing(partner, name=f"Listing {number}")
            add_version(row)
            db.session.add(
                Revision(
                    listing_id=row.id,
                    number=2,
                    state=RevisionState.SUBMITTED,
                    content=row.content,
                    review_reasons=["sensitive"],
                    submitted_at=row.published_at,
                )
            )
        db.session.commit()

    def count() -> int:
        statements: list[str] = []
        listener = lambda *arguments: statements.append(arguments[2])  # noqa: E731 - removed below
        event.listen(db.engine, "before_cursor_execute", listener)
        try:
            assert browser.get(path).status_code == 200
        finally:
            event.remove(db.engine, "before_cursor_execute", listener)
        return len(statements)

    add(3)
    few = count()
    add(27)
    assert count() == few


@pytest.mark.parametrize(
    "query", ["q=%00", "q=" + "x" * 10_000, "show=nonsense", "page=-1", "page=99999999999", "q=%25"]
)
def test_hostile_queries_are_answered(sign_in, partner: Organization, query: str) -> None:
    browser = sign_in(make_member(partner), partner)
    assert browser.get(f"/partner/listings?{query}").status_code == 200
    platform = make_platform()
    staff = sign_in(make_member(platform, Role.REVIEWER), platform)
    assert staff.get(f"/staff/reviews?{query}").status_code == 200
    assert staff.get(f"/staff/reviews/decided?{query}").status_code == 200
    assert staff.get(f"/staff/reviews/versions?{query}").status_code == 200


def test_the_menu_leads_only_where_a_role_may_go(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    editor = make_member(partner, Role.EDITOR)
    owner = make_member(partner)
    shown = sign_in(editor, partner).get("/partner").text
    assert "/partner/listings" in shown
    for hidden in ("/partner/earnings", "/partner/plans", "/partner/passport"):
        assert f'href="{hidden}"' not in shown
    assert 'href="/partner/earnings"' in sign_in(owner, partner).get("/partner").text
