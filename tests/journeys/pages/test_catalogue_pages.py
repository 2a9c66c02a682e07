"""The public pages over HTTP: what they show, and what they never show."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from marketplace.catalogue.models import (
    Category,
    Collection,
    CollectionItem,
    Listing,
    ListingStatus,
    ListingVersion,
    SlugRedirect,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, OrganizationKind, Role
from tests.factories.listings import make_category, make_listing
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
)

Index = Callable[[], None]
SECRET = "Hidden Treasure"


def text_of(client: FlaskClient, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.text


def json_ld_of(html: str) -> list[dict[str, Any]]:
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    return [json.loads(part) for part in found]


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """The SELECTs of the test, as they come."""
    found: list[str] = []

    def note(_c: Any, _cu: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def make_collection(title: str, listings: list[Listing], **fields: Any) -> Collection:
    collection = Collection(
        slug=title.lower().replace(" ", "-"), title=title, **{"is_published": True, **fields}
    )
    db.session.add(collection)
    db.session.flush()
    for position, listing in enumerate(listings):
        db.session.add(
            CollectionItem(collection_id=collection.id, listing_id=listing.id, position=position)
        )
    db.session.flush()
    return collection


class TestAListing:
    def test_it_shows_what_its_publisher_wrote(self, client: FlaskClient) -> None:
        listing = make_listing(
            slug="tide-tables",
            description="## Heading\n\nTide Tables writes **high water** into your calendar.",
            setup_guide="1. Choose a harbour.",
            triggers=[{"name": "New tide", "description": "When the water turns"}],
            security={"data_location": "In Hamburg"},
            compliance=["gdpr"],
            regions=["eu"],
            languages=["pt-BR"],
            listing_fields={"use_count": 1_234, "certified_at": clock.now()},
        )
        db.session.add(
            ListingVersion(
                listing_id=listing.id,
                version="2.1.0",
                released_on=date(2026, 3, 1),
                changelog="- Faster",
            )
        )
        db.session.commit()
        html = text_of(client, "/listings/tide-tables")
        for part in (
            "Tide Tables",
            "<strong>high water</strong>",
            "To add the tides to your calendar",
            "events.write",
            "New tide",
            "Choose a harbour.",
            "2.1.0",
            "In Hamburg",
            "GDPR",
            "European Union",
            "Portuguese (Brazil)",
            "Used by 1,234 organizations",
            "Certified",
            'rel="nofollow noopener"',
            '<link rel="canonical"',
            'property="og:title"',
        ):
            assert part in html, part

    def test_its_structured_data_has_a_rating_only_when_there_is_one(
        self, client: FlaskClient
    ) -> None:
        make_listing(slug="plain")
        make_listing(
            slug="rated",
            listing_fields={"rating_count": 4, "rating_sum": 18, "rating_hundredths": 430},
        )
        db.session.commit()
        plain, rated = (
            json_ld_of(text_of(client, f"/listings/{slug}"))[0] for slug in ("plain", "rated")
        )
        assert plain["@type"] == "SoftwareApplication"
        assert "aggregateRating" not in plain
        assert rated["aggregateRating"]["ratingCount"] == 4

    def test_hostile_text_stays_text(self, client: FlaskClient) -> None:
        make_listing(
            slug="hostile",
            name="</script><b>x",
            tagline="<img src=x onerror=alert(1)> and more",
            description='<script>alert(1)</script> [a](javascript:alert(1)) <a onclick="x">y</a>',
        )
        db.session.commit()
        html = text_of(client, "/listings/hostile")
        assert "<script>alert" not in html
        assert 'href="javascript:' not in html
        assert "<img src=x" not in html
        assert json_ld_of(html)[0]["name"] == "</script><b>x"

    def test_an_address_it_had_before_leads_to_it_for_ever(self, client: FlaskClient) -> None:
        listing = make_listing(slug="new-name")
        db.session.add(SlugRedirect(slug="old-name", listing_id=listing.id))
        db.session.commit()
        response = client.get("/listings/old-name")
        assert response.status_code == 301
        assert response.headers["Location"] == "/listings/new-name"

    def test_an_old_address_of_a_hidden_listing_is_not_found(self, client: FlaskClient) -> None:
        listing = make_listing(listing_fields={"suspended_at": clock.now()})
        db.session.add(SlugRedirect(slug="old-name", listing_id=listing.id))
        db.session.commit()
        assert client.get("/listings/old-name").status_code == 404

    def test_a_withdrawn_one_is_gone_with_its_reason_and_successor(
        self, client: FlaskClient
    ) -> None:
        successor = make_listing(name="Better Tides", slug="better-tides")
        make_listing(
            slug="gone",
            listing_fields={
                "status": ListingStatus.WITHDRAWN,
                "status_reason": "The harbour closed.",
                "successor_id": successor.id,
            },
        )
        db.session.commit()
        response = client.get("/listings/gone")
        assert response.status_code == 410
        assert "The harbour closed." in response.text
        assert "/listings/better-tides" in response.text
        assert "noindex" in response.text
        assert json_ld_of(response.text) == []

    def test_a_deprecated_one_says_so_and_names_its_successor(self, client: FlaskClient) -> None:
        successor = make_listing(name="Better Tides", slug="better-tides")
        make_listing(
            slug="ageing",
            listing_fields={
                "status": ListingStatus.DEPRECATED,
                "status_reason": "It ends in spring.",
                "successor_id": successor.id,
            },
        )
        db.session.commit()
        html = text_of(client, "/listings/ageing")
        assert "being phased out" in html
        assert "It ends in spring." in html
        assert "/listings/better-tides" in html

    def test_similar_listings_share_its_category(self, client: FlaskClient, index: Index) -> None:
        crm = make_category("CRM")
        make_listing(slug="this", category=crm)
        make_listing(name="Near", slug="near", category=crm)
        make_listing(name="Far", slug="far", category=make_category("Data"))
        index()
        html = text_of(client, "/listings/this")
        assert "/listings/near" in html
        assert "/listings/far" not in html

    def test_what_does_not_exist_is_not_found(self, client: FlaskClient) -> None:
        for address in (
            "/listings/nothing",
            "/listings/" + "x" * 500,
            "/listings/%00",
            "/categories/nothing",
            "/collections/nothing",
            "/partners/nothing",
        ):
            assert client.get(address).status_code == 404, address


class TestWhatIsNotPublic:
    """A listing that is unpublished, suspended or of a suspended publisher is nowhere."""

    HIDDEN = (
        {"published": False},
        {"listing_fields": {"suspended_at": clock.now()}},
        {"publisher_suspended": True},
        {"listing_fields": {"status": ListingStatus.WITHDRAWN, "status_reason": "Ended"}},
    )

    @pytest.mark.parametrize("how", HIDDEN, ids=["draft", "suspended", "publisher", "withdrawn"])
    def test_it_is_on_no_page_in_no_count_and_in_no_feed(
        self, client: FlaskClient, index: Index, how: dict[str, Any]
    ) -> None:
        how = dict(how)
        suspended = how.pop("publisher_suspended", False)
        category = make_category("CRM")
        publisher = make_organization("Quayside", slug="quayside")
        shown = make_listing(
            make_organization("Halden", slug="halden"),
            name="Visible",
            slug="visible",
            category=category,
            works_with=["Common"],
        )
        hidden = make_listing(
            publisher, name=SECRET, slug="secret", category=category, works_with=["Common"], **how
        )
        make_collection("Picks", [hidden, shown])
        if suspended:
            publisher.suspended_at = clock.now()
        index()
        for address in (
            "/",
            "/search",
            "/search?q=hidden+treasure",
            "/search?q=common",
            "/search/suggestions?q=hidden",
            "/categories",
            "/categories/crm",
            "/collections",
            "/collections/picks",
            "/partners",
            "/partners/halden",
            "/compare?l=visible&l=secret",
            "/compare?q=hidden",
            "/listings/visible",
            "/feed.atom",
            "/feed.atom?category=crm",
            "/sitemap.xml",
            "/sitemaps/pages.xml",
            "/sitemaps/listings-1.xml",
        ):
            html = text_of(client, address)
            assert SECRET not in html, address
            assert "listings/secret" not in html, address
        assert "1 listing" in text_of(client, "/categories")
        assert re.search(r"<strong>1</strong>\s*listing", text_of(client, "/search"))
        assert re.search(r'class="facet-count">1<', text_of(client, "/search?category=crm")), (
            "the facet counts what is seen"
        )
        status = client.get("/listings/secret").status_code
        assert status == (410 if hidden.status is ListingStatus.WITHDRAWN else 404)
        publisher_page = client.get("/partners/quayside")
        assert publisher_page.status_code == (404 if suspended else 200)
        assert SECRET not in publisher_page.text
        assert "quayside" not in text_of(client, "/sitemap.xml")

    def test_the_last_listing_leaving_takes_its_publisher_off_the_sitemap(
        self, client: FlaskClient
    ) -> None:
        make_listing(
            make_organization("Quayside", slug="quayside"),
            listing_fields={"suspended_at": clock.now()},
        )
        db.session.commit()
        assert client.get("/sitemaps/publishers-1.xml").status_code == 404

    def test_customers_and_the_platform_have_no_partner_page(self, client: FlaskClient) -> None:
        customer = make_customer()
        platform = make_organization("Harbor", OrganizationKind.PLATFORM)
        db.session.commit()
        for organization in (customer, platform):
            assert client.get(f"/partners/{organization.slug}").status_code == 404
        assert "Blue Kite" not in text_of(client, "/partners")


class TestCollections:
    def test_a_collection_is_shown_in_its_time_only(self, client: FlaskClient) -> None:
        listing = make_listing(name="Tides", slug="tides")
        now, day = clock.now(), timedelta(days=1)
        make_collection("Live One", [listing], starts_at=now - day, ends_at=now + day)
        make_collection("Too Early", [listing], starts_at=now + day)
        make_collection("Too Late", [listing], ends_at=now - day)
        make_collection("Unpublished", [listing], is_published=False)
        make_collection("Empty One", [])
        db.session.commit()
        for address in ("/collections", "/", "/sitemaps/pages.xml"):
            html = text_of(client, address)
            assert "/collections/live-one" in html, address
            for other in ("too-early", "too-late", "unpublished"):
                assert f"/collections/{other}" not in html, address
        assert "/collections/empty-one" not in text_of(client, "/collections")
        assert "Tides" in text_of(client, "/collections/live-one")
        for other in ("too-early", "too-late", "unpublished"):
            assert client.get(f"/collections/{other}").status_code == 404

    def test_its_listings_keep_their_order_and_their_words(self, client: FlaskClient) -> None:
        second, first = make_listing(name="Second"), make_listing(name="First")
        collection = make_collection("Picks", [first, second])
        db.session.get_one(CollectionItem, (collection.id, first.id)).blurb = "Begin with this"
        db.session.commit()
        html = text_of(client, "/collections/picks")
        assert html.index("First") < html.index("Second")
        assert "Begin with this" in html


class TestCategories:
    def test_a_category_is_a_page_with_its_words_and_listings(
        self, client: FlaskClient, index: Index
    ) -> None:
        crm = make_category("CRM", description="Keep track of customers.")
        make_listing(name="Pipewise", category=crm)
        index()
        html = text_of(client, "/categories/crm")
        assert "Keep track of customers." in html
        assert "Pipewise" in html
        assert json_ld_of(html)[0]["@type"] == "BreadcrumbList"

    def test_it_is_paged_and_ordered_within_bounds(self, client: FlaskClient, index: Index) -> None:
        crm = make_category("CRM")
        for number in range(30):
            make_listing(name=f"Listing {number:02}", category=crm)
        index()
        first = text_of(client, "/categories/crm?sort=name")
        second = text_of(client, "/categories/crm?sort=name&page=2")
        assert "Listing 00" in first
        assert "Listing 29" not in first
        assert "Listing 29" in second
        past = text_of(client, "/categories/crm?sort=';--&page=99999")
        assert "page 2 of 2" in past


class TestPartners:
    @pytest.fixture
    def partners(self, app: Flask) -> None:
        crm = make_category("CRM")
        quayside = make_organization(
            "Quayside", slug="quayside", country="DE", partner_type="agency", tagline="Ports"
        )
        make_listing(quayside, name="Tides", category=crm)
        make_organization("Halden", slug="halden", country="NO", about="We *know* fjords.")
        make_organization("Unknown", slug="unknown", verified_at=None)
        db.session.commit()

    @pytest.mark.usefixtures("partners")
    def test_the_directory_searches_and_filters(self, client: FlaskClient) -> None:
        found = {
            address: [
                slug
                for slug in ("quayside", "halden", "unknown")
                if f"/partners/{slug}" in text_of(client, address)
            ]
            for address in (
                "/partners",
                "/partners?q=QUAY",
                "/partners?q=ports",
                "/partners?type=agency",
                "/partners?country=no",
                "/partners?category=crm",
                "/partners?q=%25",
                "/partners?type=%27&country=%00&category=..%2F&sort=x&page=-1",
            )
        }
        assert found == {
            "/partners": ["quayside", "halden"],
            "/partners?q=QUAY": ["quayside"],
            "/partners?q=ports": ["quayside"],
            "/partners?type=agency": ["quayside"],
            "/partners?country=no": ["halden"],
            "/partners?category=crm": ["quayside"],
            "/partners?q=%25": [],
            "/partners?type=%27&country=%00&category=..%2F&sort=x&page=-1": [
                "quayside",
                "halden",
            ],
        }

    @pytest.mark.usefixtures("partners")
    def test_a_partner_has_a_page(self, client: FlaskClient) -> None:
        html = text_of(client, "/partners/halden")
        assert "<em>know</em>" in html
        assert "Norway" in html
        assert "Nothing listed yet" in html
        assert "Tides" in text_of(client, "/partners/quayside")


class TestComparison:
    def test_up_to_four_stand_side_by_side_and_differences_are_marked(
        self, client: FlaskClient
    ) -> None:
        for number in range(5):
            model = "paid" if number else "free"
            make_listing(
                name=f"Candidate {number}",
                slug=f"c{number}",
                pricing={"model": model, "summary": "", "url": ""},
            )
        db.session.commit()
        html = text_of(client, "/compare?" + "&".join(f"l=c{n}" for n in range(5)))
        assert "Candidate 3" in html
        assert "Candidate 4" not in html
        assert "compare-differs" in html
        assert "noindex" in html

    def test_one_can_be_added_and_removed_without_javascript(
        self, client: FlaskClient, index: Index
    ) -> None:
        make_listing(name="Pipewise", slug="pipewise")
        make_listing(name="Ledgerly", slug="ledgerly")
        index()
        html = text_of(client, "/compare?l=pipewise&q=ledgerly")
        assert 'href="/compare?l=pipewise&amp;l=ledgerly"' in html
        both = text_of(client, "/compare?l=pipewise&l=ledgerly")
        assert re.search(r'href="/compare\?l=ledgerly"', both)

    @pytest.mark.parametrize(
        "address",
        ["/compare", "/compare?l=", "/compare?l=%00&l=" + "x" * 900, "/compare?l=nothing&q=%22"],
    )
    def test_nothing_usable_is_an_empty_comparison(
        self, client: FlaskClient, index: Index, address: str
    ) -> None:
        index()
        assert client.get(address).status_code == 200


class TestForPrograms:
    def test_the_sitemap_leads_to_every_page(self, client: FlaskClient) -> None:
        make_listing(make_organization("Quayside", slug="quayside"), slug="tides")
        db.session.commit()
        sitemap = text_of(client, "/sitemap.xml")
        parts = re.findall(r"<loc>http://localhost([^<]+)</loc>", sitemap)
        assert len(parts) == 3
        pages = [
            path
            for part in parts
            for path in re.findall(r"<loc>http://localhost([^<]+)</loc>", text_of(client, part))
        ]
        assert {"/", "/search", "/listings/tides", "/partners/quayside"} <= set(pages)
        for path in pages:
            assert client.get(path).status_code == 200, path

    def test_parts_of_the_sitemap_that_do_not_exist_are_not_found(
        self, client: FlaskClient
    ) -> None:
        for path in ("listings-0", "listings-2", "users-1", "listings-99999999999"):
            assert client.get(f"/sitemaps/{path}.xml").status_code == 404, path

    def test_robots_are_told_where_the_sitemap_is_and_what_is_private(
        self, client: FlaskClient
    ) -> None:
        text = text_of(client, "/robots.txt")
        assert "Sitemap: http://localhost/sitemap.xml" in text
        assert "Disallow: /partner/" in text
        assert "Disallow: /partners" not in text

    def test_the_feed_has_the_newest_listings_first(self, client: FlaskClient) -> None:
        make_listing(name="Older", days_old=9)
        make_listing(name="Newer & better", days_old=1)
        db.session.commit()
        response = client.get("/feed.atom")
        assert response.mimetype == "application/atom+xml"
        assert response.text.index("Newer &amp; better") < response.text.index("Older")
        assert client.get("/feed.atom?category=nothing").status_code == 404

    def test_an_empty_catalogue_has_a_home_a_feed_and_a_sitemap(self, client: FlaskClient) -> None:
        for address in ("/", "/feed.atom", "/sitemap.xml", "/categories", "/collections"):
            assert client.get(address).status_code == 200, address


class TestForEverybodyAndForOne:
    def test_a_page_for_nobody_in_particular_may_be_shared(self, client: FlaskClient) -> None:
        make_listing(slug="tides")
        db.session.commit()
        for address in ("/", "/listings/tides", "/categories", "/partners"):
            response = client.get(address)
            assert response.headers["Cache-Control"].startswith("public"), address
            assert "Set-Cookie" not in response.headers, address
            tag = response.headers["ETag"]
            assert client.get(address, headers={"If-None-Match": tag}).status_code == 304

    def test_a_page_for_somebody_signed_in_may_not(
        self, app: Flask, sign_in: Callable[..., FlaskClient]
    ) -> None:
        customer = make_customer()
        user = make_member(customer)
        make_listing(slug="tides")
        browser = sign_in(user, customer)
        for address in ("/", "/listings/tides", "/search"):
            response = browser.get(address)
            assert response.headers["Cache-Control"] == "private, no-cache", address

    def test_the_style_guide_shows_staff_every_component(
        self, app: Flask, sign_in: Callable[..., FlaskClient]
    ) -> None:
        platform = make_platform()
        html = text_of(sign_in(make_member(platform, Role.SUPPORT)), "/style-guide")
        assert "noindex" in html


PAGES = (
    "/",
    "/search",
    "/categories",
    "/categories/crm",
    "/collections",
    "/collections/picks",
    "/partners",
    "/partners/quayside",
    "/listings/first",
    "/compare?l=first",
    "/feed.atom",
    "/sitemap.xml",
    "/search/suggestions?q=tide",
)


def test_a_page_costs_as_many_queries_for_thirty_as_for_three(
    client: FlaskClient, index: Index, statements: list[str]
) -> None:
    crm = make_category("CRM")
    quayside = make_organization("Quayside", slug="quayside")
    first = make_listing(quayside, slug="first", category=crm)
    picks_id = make_collection("Picks", [first]).id
    first_id, crm_id, quayside_id = first.id, crm.id, quayside.id

    def grow(count: int) -> None:
        quayside = db.session.get_one(Organization, quayside_id)
        crm = db.session.get_one(Category, crm_id)
        for number in range(count):
            listing = make_listing(quayside if number % 2 else make_organization(), category=crm)
            db.session.add(CollectionItem(collection_id=picks_id, listing_id=listing.id))
            db.session.add(
                ListingVersion(
                    listing_id=first_id,
                    version=f"{count}.{number}",
                    released_on=date(2026, 1, 1),
                )
            )
        index()

    costs: dict[str, list[int]] = {address: [] for address in PAGES}
    for count in (2, 27):
        grow(count)
        db.session.remove()
        client.get("/")
        for address in PAGES:
            # The figures of the whole catalogue are read by the first page that needs them.
            statements.clear()
            assert client.get(address).status_code == 200, address
            costs[address].append(len(statements))
    assert {address: cost for address, cost in costs.items() if cost[0] != cost[1]} == {}
    assert {address: cost[1] for address, cost in costs.items() if cost[1] > 12} == {}
