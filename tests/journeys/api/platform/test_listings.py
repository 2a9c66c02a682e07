"""A partner's listings over the API: drafts, submissions, versions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.api.v1.platform.changes import ListingChanges
from marketplace.catalogue.models import Asset, Listing, ListingVersion, Revision, RevisionState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from tests.factories.listings import make_category
from tests.factories.queries import count_queries
from tests.journeys.api.platform.conftest import Api, Partner
from tests.journeys.api.platform.test_tokens import problem

Client = Callable[[str | None], Api]


@pytest.fixture
def client(partner: Partner, api: Client) -> Api:
    return api(partner.key())


def path(listing: Listing) -> str:
    return f"/partner/listings/{listing.slug}"


def changed(client: Api, listing: Listing, body: Any, **headers: str) -> Any:
    """Read the listing and change it as it was read."""
    etag = client.get(path(listing)).headers["ETag"]
    return client.patch(path(listing), body, headers={"If-Match": etag, **headers})


def test_own_listings_are_listed_with_their_drafts(partner: Partner, client: Api) -> None:
    public, draft = client.ask("/partner/listings")["items"]
    assert (public["slug"], public["draft"]) == (partner.listing.slug, None)
    assert public["url"] == f"http://localhost/listings/{partner.listing.slug}"
    assert draft["published_at"] is None
    assert draft["draft"]["state"] == "draft"


def test_a_listing_is_begun_written_and_submitted(
    partner: Partner, client: Api, api: Client
) -> None:
    body = {"name": "Moon Phases", "kind": "app", "category": "productivity"}
    made = client.post("/partner/listings", body)
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == "http://localhost/api/v1/partner/listings/moon-phases"
    assert made.json["content"] == {
        "name": "Moon Phases",
        "kind": "app",
        "categories": ["productivity"],
    }
    assert {each["field"] for each in made.json["problems"]} == {"tagline", "description"}
    again = client.get("/partner/listings/moon-phases")
    assert again.headers["ETag"] == made.headers["ETag"]
    early = client.post("/partner/listings/moon-phases/submission")
    assert {each["field"] for each in problem(early, 422, "invalid")["errors"]} == {
        "tagline",
        "description",
    }
    written = client.patch(
        "/partner/listings/moon-phases",
        {
            "tagline": "Shows the moon above your calendar",
            "description": "Moon Phases shows the phase of the moon beside each of your days.",
            "scopes": [{"scope": "events.read", "reason": "To know which days to show"}],
            "security": {"retention": "30 days", "data_location": None},
            "tags": None,
        },
        headers={"If-Match": made.headers["ETag"]},
    )
    assert written.status_code == 200, written.text
    assert written.json["problems"] == []
    assert written.json["draft"]["version"] == 2
    assert written.json["content"]["security"] == {"retention": "30 days"}
    assert written.headers["ETag"] != made.headers["ETag"]
    submitted = client.post("/partner/listings/moon-phases/submission", {"note": "For sailors."})
    assert submitted.json == {"outcome": "in_review", "repeated": False}
    twice = client.post("/partner/listings/moon-phases/submission")
    assert twice.json == {"outcome": "in_review", "repeated": True}
    review = client.ask("/partner/listings/moon-phases/review")
    assert review["draft"]["state"] == "submitted"
    assert review["reasons"] == ["new_listing", "new_scopes"]
    assert [event["kind"] for event in review["events"]] == ["submitted"]
    assert review["events"][0]["body"] == "For sailors."
    assert written.json["content"]["tags"] == []
    locked = client.patch(
        "/partner/listings/moon-phases",
        {"tagline": "Shows another moon above it"},
        headers={"If-Match": client.get("/partner/listings/moon-phases").headers["ETag"]},
    )
    problem(locked, 409, "conflict")
    assert client.send("DELETE", "/partner/listings/moon-phases/submission").status_code == 204
    assert client.send("DELETE", "/partner/listings/moon-phases/submission").status_code == 204
    assert client.ask("/partner/listings/moon-phases/review")["draft"]["state"] == "draft"
    listing = db.session.scalars(select(Listing).where(Listing.slug == "moon-phases")).one()
    revision = db.session.scalars(select(Revision).where(Revision.listing_id == listing.id)).one()
    # An organization's key acts for nobody in person.
    assert (revision.created_by_id, revision.submitted_by_id) == (None, None)
    facts = db.session.scalars(select(Fact.kind).where(Fact.subject_type == "listing")).all()
    assert {"listing.created", "revision.begun", "revision.saved", "revision.submitted"} <= set(
        facts
    )


def test_a_harmless_change_is_public_at_once(partner: Partner, client: Api) -> None:
    done = changed(client, partner.listing, {"tags": ["calendar", "sailing"]})
    assert done.json["draft"]["number"] == 2
    submitted = client.post(f"{path(partner.listing)}/submission")
    assert submitted.json == {"outcome": "published", "repeated": False}
    db.session.expire_all()
    assert partner.listing.content["tags"] == ["calendar", "sailing"]
    problem(client.post(f"{path(partner.listing)}/submission"), 409, "no-draft")


def test_a_personal_key_writes_in_its_persons_name(partner: Partner, api: Client) -> None:
    client = api(partner.key(user=partner.owner))
    changed(client, partner.listing, {"tags": ["sailing"]})
    revision = db.session.scalars(
        select(Revision).where(
            Revision.listing_id == partner.listing.id, Revision.state == RevisionState.DRAFT
        )
    ).one()
    assert revision.created_by_id == partner.owner.id


def test_a_change_says_what_it_changes(partner: Partner, client: Api) -> None:
    body = {"tags": ["sailing"]}
    problem(client.patch(path(partner.listing), body), 428, "precondition-required")
    for etag in ('"other"', "nonsense", 'W/"weak"'):
        response = client.patch(path(partner.listing), body, headers={"If-Match": etag})
        problem(response, 412, "stale")
    first = client.get(path(partner.listing)).headers["ETag"]
    assert changed(client, partner.listing, {"tags": ["tides"]}).status_code == 200
    stale = client.patch(path(partner.listing), body, headers={"If-Match": first})
    problem(stale, 412, "stale")
    assert client.ask(path(partner.listing))["content"]["tags"] == ["tides"]
    # The same again changes nothing and is no conflict.
    assert changed(client, partner.listing, {"tags": ["tides"]}).json["draft"]["version"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tagline": "short"}, "tagline"),
        ({"scopes": [{"scope": "x.read", "reason": "?"}]}, "scopes.0.reason"),
        ({"scopes": [{"scope": "x.read"}]}, "scopes.0.reason"),
        ({"scopes": "x.read"}, "scopes"),
        ({"website_url": "javascript:alert(1)"}, "website_url"),
        ({"categories": ["unheard-of"]}, "categories"),
        ({"brand_color": "blue"}, "brand_color"),
        ({"kind": "spaceship"}, "kind"),
        ({"action_count": 1.5}, "action_count"),
        ({"action_count": "4"}, "action_count"),
        ({"action_count": True}, "action_count"),
        ({"pricing": {"model": "free", "price": 5}}, "pricing.price"),
        ({"slug": "mine-now"}, "slug"),
        ({"publisher_id": 1}, "publisher_id"),
        ({"security": {"passwords": "in clear"}}, "security.passwords"),
        ({"logo": {"key": "someone/elses.png", "width": 10, "height": 10}}, "logo"),
        ({"languages": ["English, mostly"]}, "languages"),
        ({"video_url": "https://evil.example/video"}, "video_url"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_path_and_nothing_is_saved(
    partner: Partner, client: Api, body: Any, field: str
) -> None:
    response = changed(client, partner.listing, {"tags": ["sailing"], **body})
    errors = problem(response, 422, "invalid")["errors"]
    assert [each["field"] for each in errors] == [field]
    assert client.ask(path(partner.listing))["draft"] is None


def test_images_of_ones_own_may_be_set(partner: Partner, client: Api) -> None:
    db.session.add(
        Asset(
            organization_id=partner.organization.id,
            key="ab/cd.png",
            content_type="image/png",
            width=512,
            height=512,
            size_bytes=10,
        )
    )
    db.session.commit()
    image = {"key": "ab/cd.png", "width": 512, "height": 512}
    done = changed(client, partner.listing, {"logo": image})
    assert done.json["content"]["logo"] == image


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b'{"version": "1", "changelog": NaN}', "application/json", 400),
        (b'{"version": "1", "changelog": "\xff"}', "application/json", 400),
        (b'{"version": "1", "changelog": "\\u0000"}', "application/json", 400),
        (b'{"version": "1", "changelog": "\\ud800"}', "application/json", 400),
        (b'{"a":' * 20 + b"1" + b"}" * 20, "application/json", 400),
        (b'{"a":' * 100_000, "application/json", 400),
        (b'{"version": "1.1.0", "changelog": "x"}', "text/plain", 415),
        (b"version=1.1.0", "application/x-www-form-urlencoded", 415),
        (b"", "", 415),
        (b'{"version": 1, "changelog": "x"}', "application/json", 422),
        (b'{"version": "1.1.0"}', "application/json", 422),
        (b'{"version": "one", "changelog": "x"}', "application/json", 422),
        (b'{"version": "1.1.0", "changelog": "x", "released_on": 5}', "application/json", 422),
        (b'{"version": "1.1.0", "changelog": "x", "released_on": "2999-01-01"}', "", 415),
        (
            b'{"version": "1.1.0", "changelog": "x", "released_on": "2999-01-01"}',
            "application/json",
            422,
        ),
        (
            b'{"version": "1.1.0", "changelog": "<https://x.example>"}',
            "application/json",
            422,
        ),
        (b" " * 600_000, "application/json", 413),
    ],
)
def test_bad_bodies_are_refused_in_words(
    partner: Partner, client: Api, data: bytes, kind: str, status: int
) -> None:
    response = client.send(
        "POST",
        f"/listings/{partner.listing.slug}/versions",
        data=data,
        content_type=kind or None,
    )
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert response.json is not None
    assert response.json["code"]
    assert db.session.scalar(select(func.count()).select_from(ListingVersion)) == 1


def test_ci_tells_of_a_version_as_often_as_it_likes(partner: Partner, client: Api) -> None:
    address = f"/listings/{partner.listing.slug}/versions"
    body = {"version": "1.1.0", "changelog": "Faster.\r\n"}
    made = client.post(address, body)
    assert made.status_code == 201
    assert made.json["released_on"] == clock.now().date().isoformat()
    for same in (body, {"version": "v1.1", "changelog": "Faster."}):
        again = client.post(address, same)
        assert (again.status_code, again.json) == (200, made.json)
    day = (clock.now() - timedelta(days=3)).date().isoformat()
    for other in ({"changelog": "Slower."}, {"released_on": day}):
        problem(client.post(address, {**body, **other}), 409, "version-exists")
    found = client.ask(address)["items"]
    assert [each["version"] for each in found] == ["1.1.0", "1.0.0"]
    row = db.session.scalars(select(ListingVersion).where(ListingVersion.version == "1.1.0")).one()
    assert (row.created_by_id, row.checked_at) == (None, None)


@pytest.mark.parametrize("slug", ["nothing", "UPPER", "a%00b", "x" * 200, "%F0%9F%8C%8A"])
def test_a_listing_that_is_not_there_is_not_found(client: Api, slug: str) -> None:
    problem(client.get(f"/partner/listings/{slug}"), 404, "not-found")


def test_a_new_listing_says_what_is_wrong_at_each_field(client: Api) -> None:
    make_category("Sailing")
    db.session.commit()
    body = {"name": " x ", "kind": "app", "category": "sailing"}
    assert problem(client.post("/partner/listings", body), 422, "invalid")["errors"]
    wrong = client.post("/partner/listings", {"name": "Moon", "kind": "app", "category": "no"})
    assert [each["field"] for each in problem(wrong, 422, "invalid")["errors"]] == ["category"]


def test_lists_cost_the_same_queries_for_2_and_for_20(partner: Partner, client: Api) -> None:
    from tests.factories.listings import make_listing

    few = count_queries(lambda: client.ask("/partner/listings?limit=100"))
    for _ in range(18):
        make_listing(partner.organization, published=False)
    db.session.commit()
    assert len(client.ask("/partner/listings?limit=100")["items"]) == 20
    assert count_queries(lambda: client.ask("/partner/listings?limit=100")) == few == 2


@pytest.mark.parametrize("value", [None, ""])
def test_every_field_can_be_taken_away_and_the_listing_still_be_whole_again(
    partner: Partner, client: Api, value: Any
) -> None:
    whole = client.ask(path(partner.listing))["content"]
    fields = dict.fromkeys(ListingChanges.model_fields)
    if value == "":
        fields = {
            name: "" for name in fields if name.endswith(("_url", "_email", "tagline", "_guide"))
        }
    emptied = changed(client, partner.listing, fields)
    assert emptied.status_code == 200, emptied.text
    needed = {each["field"] for each in emptied.json["problems"]}
    assert needed <= {"name", "tagline", "description", "kind", "categories"}
    back = changed(client, partner.listing, whole)
    assert (back.status_code, back.json["problems"]) == (200, [])
