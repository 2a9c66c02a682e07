"""The curation pages over HTTP."""

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.curation import search_log
from marketplace.catalogue.models import (
    AbuseCase,
    Category,
    Collection,
    Listing,
    SearchQueryStat,
    SynonymGroup,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.listings import make_category, make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def manager(app: Flask, sign_in: SignIn) -> FlaskClient:
    """A browser of a program manager."""
    platform = make_platform()
    return sign_in(make_member(platform, Role.PROGRAM_MANAGER), platform)


def test_a_collection_from_the_first_word_to_the_public_page(
    app: Flask, manager: FlaskClient, client: FlaskClient
) -> None:
    alpha, beta = make_listing(name="Alpha"), make_listing(name="Beta")
    hidden = make_listing(name="Alpha hidden", published=False)
    db.session.commit()
    assert manager.get("/staff/collections/new").status_code == 200
    wrong = manager.post("/staff/collections", data={"title": "", "description": "Kept text"})
    assert wrong.status_code == 422
    assert "Kept text" in wrong.text
    made = manager.post(
        "/staff/collections",
        data={"title": "Getting started", "description": "Begin here.", "position": "0"},
    )
    url = made.headers["Location"]
    assert manager.post(f"{url}/publication").status_code == 409
    found = manager.get(f"{url}?find=alpha").text
    assert "Alpha" in found
    assert "Alpha hidden" not in found
    for listing in (alpha, beta, alpha):
        sent = manager.post(f"{url}/items", data={"listing_id": listing.id})
        assert sent.status_code == 303
    assert manager.post(f"{url}/items", data={"listing_id": hidden.id}).status_code == 404
    assert manager.post(f"{url}/items", data={"listing_id": "x"}).status_code == 404
    manager.post(f"{url}/items/{beta.id}/place", data={"place": "1"})
    assert manager.post(f"{url}/items/{beta.id}/place", data={"place": "x"}).status_code == 422
    manager.post(f"{url}/items/{alpha.id}/blurb", data={"blurb": "Try it first"})
    long = manager.post(f"{url}/items/{alpha.id}/blurb", data={"blurb": "x" * 201})
    assert long.status_code == 422
    preview = manager.get(f"{url}/preview").text
    assert preview.index("Beta") < preview.index("Alpha")
    assert "Try it first" in preview
    assert client.get("/collections/getting-started").status_code == 404
    assert manager.post(f"{url}/publication").status_code == 303
    assert "Beta" in client.get("/collections/getting-started").text
    manager.post(f"{url}/items/{beta.id}/removal")
    assert "Beta" not in client.get("/collections/getting-started").text
    manager.post(f"{url}/publication/withdrawal")
    assert client.get("/collections/getting-started").status_code == 404
    assert manager.get(f"{url}/deletion").status_code == 200
    assert db.session.scalar(select(Collection)) is not None
    manager.post(f"{url}/deletion")
    assert manager.get(url).status_code == 404


def test_a_collection_is_scheduled_in_utc(app: Flask, manager: FlaskClient) -> None:
    data = {
        "title": "Winter",
        "position": "3",
        "starts_at": "2026-12-01T08:00",
        "ends_at": "2026-12-01T07:00",
    }
    wrong = manager.post("/staff/collections", data=data)
    assert wrong.status_code == 422
    assert "It must end after it starts." in wrong.text
    assert 'value="2026-12-01T08:00"' in wrong.text
    url = manager.post("/staff/collections", data={**data, "ends_at": ""}).headers["Location"]
    made = db.session.scalars(select(Collection)).one()
    assert made.starts_at is not None
    assert made.starts_at.isoformat() == "2026-12-01T08:00:00+00:00"
    assert 'value="2026-12-01T08:00"' in manager.get(f"{url}/edit").text
    bad = {"title": "Winter", "position": "x", "starts_at": "tomorrow"}
    assert manager.post(f"{url}/edit", data=bad).status_code == 422
    good = {"title": "Deep winter", "position": "3"}
    assert manager.post(f"{url}/edit", data=good).status_code == 303
    assert "Deep winter" in manager.get("/staff/collections").text


def test_categories_are_made_ordered_and_deleted_or_merged(
    app: Flask, manager: FlaskClient
) -> None:
    listing = make_listing()
    db.session.commit()
    wrong = manager.post("/staff/categories", data={"name": "", "description": "Kept text"})
    assert wrong.status_code == 422
    assert "Kept text" in wrong.text
    data = {"name": "Support", "description": "Helping people", "icon": "headphones"}
    assert manager.post("/staff/categories", data=data).status_code == 303
    assert manager.get("/staff/categories/support").status_code == 200
    data["name"] = "Help"
    assert manager.post("/staff/categories/support", data=data).status_code == 303
    assert manager.post("/staff/categories/support", data={"name": ""}).status_code == 422
    manager.post("/staff/categories/support/place", data={"place": "1"})
    manager.post("/staff/categories/support/place", data={"place": "x"})
    page = manager.get("/staff/categories").text
    assert page.index(">Help<") < page.index(">Productivity<")
    assert "Merge Productivity" in manager.get("/staff/categories/productivity/deletion").text
    assert manager.post("/staff/categories/productivity/deletion").status_code == 409
    nowhere = manager.post("/staff/categories/productivity/merger", data={"into": "nowhere"})
    assert nowhere.status_code == 422
    itself = manager.post("/staff/categories/productivity/merger", data={"into": "productivity"})
    assert itself.status_code == 422
    done = manager.post("/staff/categories/productivity/merger", data={"into": "support"})
    assert done.status_code == 303
    db.session.expire_all()
    assert listing.content["categories"] == ["support"]
    make_category("Empty")
    db.session.commit()
    assert "Nothing uses it" in manager.get("/staff/categories/empty/deletion").text
    assert manager.post("/staff/categories/empty/deletion").status_code == 303
    assert list(db.session.scalars(select(Category.slug))) == ["support"]


def test_synonyms_are_edited(app: Flask, manager: FlaskClient) -> None:
    wrong = manager.post("/staff/synonyms", data={"terms": "alone"})
    assert wrong.status_code == 422
    assert "Enter two terms or more" in wrong.text
    assert "alone" in wrong.text
    assert manager.post("/staff/synonyms", data={"terms": "crm\nsales tool"}).status_code == 303
    group = db.session.scalars(select(SynonymGroup)).one()
    url = f"/staff/synonyms/{group.id}"
    assert "sales tool" in manager.get("/staff/synonyms?q=CRM").text
    assert "No group holds" in manager.get("/staff/synonyms?q=tax").text
    assert manager.get(url).status_code == 200
    assert manager.post(url, data={"terms": "crm"}).status_code == 422
    assert manager.post(url, data={"terms": "crm\ncontacts"}).status_code == 303
    assert manager.get(f"{url}/deletion").status_code == 200
    assert manager.post(f"{url}/deletion").status_code == 303
    assert manager.get(url).status_code == 404


def test_the_search_log_shows_what_is_searched_and_not_found(
    app: Flask, manager: FlaskClient
) -> None:
    assert "Nobody searched" in manager.get("/staff/search").text
    for _ in range(3):
        search_log.record_search("crm", 10)
    search_log.record_click("crm", 2)
    search_log.record_search("<b>nothing</b>", 0)
    page = manager.get("/staff/search").text
    assert "&lt;b&gt;nothing&lt;/b&gt;" in page
    assert "<svg" in page
    assert 'style="' not in page
    assert "33%" in page
    assert "2.0" in page
    file = manager.get("/staff/search.csv")
    assert "crm,3,0,1,0.3333,2.0" in file.text
    for args in (
        "from=2026-01-01&to=2026-12-31",
        "from=x&to=y",
        "from=0001-01-01",
        "to=9999-12-31",
        "from=2027-01-01&to=2026-01-01",
        "from=2001-01-01",
        "from=%00",
    ):
        assert manager.get(f"/staff/search?{args}").status_code == 200
        assert manager.get(f"/staff/search.csv?{args}").status_code == 200


def test_a_query_from_long_ago_is_outside_of_the_days_asked_for(
    app: Flask, manager: FlaskClient
) -> None:
    db.session.add(SearchQueryStat(day=date(2020, 5, 1), query="ancient", searches=1))
    db.session.commit()
    assert "ancient" not in manager.get("/staff/search").text
    assert "ancient" in manager.get("/staff/search?from=2020-04-20&to=2020-05-10").text


def test_listings_are_found_certified_and_suspended(
    app: Flask, manager: FlaskClient, client: FlaskClient
) -> None:
    listing = make_listing(name="Alpha")
    make_listing(name="Beta", published=False)
    db.session.commit()
    page = manager.get("/staff/listings").text
    assert "Alpha" in page
    assert "Beta" in page
    assert "Beta" not in manager.get("/staff/listings?show=public").text
    assert "Alpha" not in manager.get("/staff/listings?q=bet").text
    assert manager.get("/staff/listings?show=x&page=x&q=%25").status_code == 200
    url = f"/staff/listings/{listing.slug}"
    back = {"next": "/staff/listings?q=alpha"}
    assert manager.post(f"{url}/certification", data=back).headers["Location"] == back["next"]
    assert "Alpha" in manager.get("/staff/listings?show=certified").text
    manager.post(f"{url}/certification/withdrawal")
    db.session.expire_all()
    assert listing.certified_at is None
    assert manager.get(f"{url}/suspension").status_code == 200
    assert manager.post(f"{url}/suspension", data={"reason": ""}).status_code == 422
    assert client.get(f"/listings/{listing.slug}").status_code == 200
    done = manager.post(f"{url}/suspension", data={"reason": "It collects passwords."})
    number = db.session.scalars(select(AbuseCase.number)).one()
    assert done.headers["Location"] == f"/staff/abuse/{number}"
    assert client.get(f"/listings/{listing.slug}").status_code == 404
    again = manager.post(f"{url}/suspension", data={"reason": "It collects passwords."})
    assert again.status_code == 409


def test_publishers_are_verified_and_suspended(
    app: Flask, manager: FlaskClient, client: FlaskClient
) -> None:
    publisher = make_organization("Quayside", verified_at=None)
    listing = make_listing(publisher)
    db.session.commit()
    url = f"/staff/publishers/{publisher.slug}"
    assert "Quayside" in manager.get("/staff/publishers?show=unverified&q=quay").text
    manager.post(f"{url}/verification")
    assert "Quayside" in manager.get("/staff/publishers?show=verified").text
    manager.post(f"{url}/verification/withdrawal")
    db.session.expire_all()
    assert publisher.verified_at is None
    assert manager.get(f"{url}/suspension").status_code == 200
    assert manager.post(f"{url}/suspension", data={"reason": "no"}).status_code == 422
    done = manager.post(f"{url}/suspension", data={"reason": "It is not who it says."})
    assert done.status_code == 303
    assert client.get(f"/listings/{listing.slug}").status_code == 404
    assert "It is not who it says." in manager.get("/staff/publishers?show=suspended").text
    assert manager.post(f"{url}/reinstatement").status_code == 303
    assert client.get(f"/listings/{listing.slug}").status_code == 200


PAGES = {
    "/staff": {"reviewer", "program_manager", "support", "finance", "admin"},
    "/staff/collections": {"program_manager", "admin"},
    "/staff/collections/new": {"program_manager", "admin"},
    "/staff/categories": {"program_manager", "admin"},
    "/staff/categories/new": {"program_manager", "admin"},
    "/staff/synonyms": {"program_manager", "support", "admin"},
    "/staff/search": {"reviewer", "program_manager", "support", "admin"},
    "/staff/search.csv": {"reviewer", "program_manager", "support", "admin"},
    "/staff/listings": {"reviewer", "program_manager", "support", "admin"},
    "/staff/publishers": {"reviewer", "program_manager", "support", "admin"},
    "/staff/jobs": {"support", "admin"},
    "/staff/flags": {"reviewer", "program_manager", "support", "admin"},
    "/staff/abuse": {"reviewer", "program_manager", "support", "admin"},
}


@pytest.mark.parametrize("role", ["reviewer", "program_manager", "support", "finance", "admin"])
def test_each_staff_role_sees_its_pages_and_no_others(
    app: Flask, sign_in: SignIn, role: str
) -> None:
    platform = make_platform()
    client = sign_in(make_member(platform, Role(role)), platform)
    for path, roles in PAGES.items():
        assert client.get(path).status_code == (200 if role in roles else 403), path


@pytest.mark.parametrize("who", ["nobody", "customer", "partner"])
def test_nobody_else_sees_a_staff_page(
    app: Flask, sign_in: SignIn, client: FlaskClient, who: str
) -> None:
    if who != "nobody":
        organization = make_customer() if who == "customer" else make_organization()
        client = sign_in(make_member(organization), organization)
    for path in PAGES:
        assert client.get(path).status_code == (302 if who == "nobody" else 403), path


def test_acts_of_staff_are_hidden_from_those_they_are_not_for(app: Flask, sign_in: SignIn) -> None:
    publisher = make_organization()
    listing = make_listing(publisher)
    collection = Collection(slug="first", title="First")
    group = SynonymGroup(terms=["crm", "sales"])
    db.session.add_all([collection, group])
    platform = make_platform()
    owner = sign_in(make_member(publisher), publisher)
    finance = sign_in(make_member(platform, Role.FINANCE), platform)
    person = make_member(platform, Role.ADMIN)
    make_member(publisher, Role.VIEWER, person)
    insider = sign_in(person, platform)
    slug, partner = listing.slug, publisher.slug
    shared = [
        f"/staff/collections/{collection.id}/edit",
        f"/staff/collections/{collection.id}/publication",
        f"/staff/collections/{collection.id}/publication/withdrawal",
        f"/staff/collections/{collection.id}/items",
        f"/staff/collections/{collection.id}/deletion",
        "/staff/categories/productivity",
        "/staff/categories/productivity/place",
        "/staff/categories/productivity/deletion",
        "/staff/categories/productivity/merger",
        f"/staff/synonyms/{group.id}",
        f"/staff/synonyms/{group.id}/deletion",
    ]
    own = [
        f"/staff/listings/{slug}/certification",
        f"/staff/listings/{slug}/certification/withdrawal",
        f"/staff/listings/{slug}/suspension",
        f"/staff/publishers/{partner}/verification",
        f"/staff/publishers/{partner}/verification/withdrawal",
        f"/staff/publishers/{partner}/suspension",
        f"/staff/publishers/{partner}/reinstatement",
    ]
    for url in shared + own:
        for client in (owner, finance):
            assert client.post(url, data={"reason": "Because."}).status_code == 404, url
    for url in own:
        assert insider.post(url, data={"reason": "Because."}).status_code == 404, url
    db.session.expire_all()
    assert db.session.scalars(select(Listing)).one().suspended_at is None
    assert db.session.scalars(select(Collection)).one().title == "First"


def test_the_number_of_queries_does_not_grow_with_the_lists(
    app: Flask, manager: FlaskClient
) -> None:
    paths = ["/staff/listings", "/staff/publishers", "/staff/categories", "/staff/collections"]

    def add(count: int, tag: str) -> None:
        for number in range(count):
            listing = make_listing(make_organization(f"P {tag}{number}"))
            category = make_category(f"{tag} {number}")
            collection = Collection(slug=f"{tag}-{number}", title="C", created_at=clock.now())
            db.session.add(collection)
            assert listing.id
            assert category.id
        db.session.commit()

    add(3, "a")
    for path in paths:
        manager.get(path)
    few = {path: count_queries(lambda p=path: manager.get(p)) for path in paths}
    add(27, "b")
    assert {path: count_queries(lambda p=path: manager.get(p)) for path in paths} == few
