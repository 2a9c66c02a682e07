"""Searching, browsing and suggestions over HTTP."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from search.engine import SearchUnavailable
from tests.factories.listings import make_category, make_listing
from tests.factories.people import make_organization

Index = Callable[[], None]


class BrokenEngine:
    """An engine that cannot answer: the seam where a search server would be gone."""

    def search(self, _query: object) -> None:
        raise SearchUnavailable("out of order")


@pytest.fixture
def broken_search(app: Flask) -> Iterator[None]:
    """The engine is out of order during the test."""
    before = app.extensions["portico_search"]
    app.extensions["portico_search"] = BrokenEngine()
    yield
    app.extensions["portico_search"] = before


@pytest.fixture
def catalogue(index: Index) -> None:
    """A small catalogue, indexed."""
    crm = make_category("CRM")
    data = make_category("Data")
    quayside = make_organization("Quayside", slug="quayside")
    make_listing(
        quayside,
        name="Pipewise",
        slug="pipewise",
        tagline="Keeps deals in step with the ledger",
        category=crm,
        listing_fields={"popularity": 900},
    )
    make_listing(
        quayside,
        name="Ledgerly",
        slug="ledgerly",
        tagline="Books every invoice at once",
        category=data,
        kind="app",
    )
    index()


def page_of(client: FlaskClient, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.text


def cards(html: str) -> list[str]:
    """The names of the listings on a page, in order, without the marks in them."""
    found = re.findall(r'class="listing-name">\s*<a[^>]*>(.*?)</a>', html, re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", name)).strip() for name in found]


@pytest.mark.usefixtures("catalogue")
class TestTheSearchPage:
    def test_it_lists_everything_without_words(self, client: FlaskClient) -> None:
        html = page_of(client, "/search")
        assert cards(html) == ["Pipewise", "Ledgerly"]
        assert "noindex" not in html

    def test_words_are_found_and_marked(self, client: FlaskClient) -> None:
        html = page_of(client, "/search?q=invoice")
        assert cards(html) == ["Ledgerly"]
        assert "<mark>invoice</mark>" in html
        assert 'content="noindex, follow"' in html

    def test_a_facet_is_a_link_that_filters_and_a_chip_that_stops(
        self, client: FlaskClient
    ) -> None:
        html = page_of(client, "/search")
        address = unescape(
            re.search(r'href="(/search\?[^"]*category=crm[^"]*)"', html)[1]  # type: ignore[index]  # no match fails the test
        )
        filtered = page_of(client, address)
        assert cards(filtered) == ["Pipewise"]
        chip = re.search(r'<a class="chip"\s+href="([^"]+)"', filtered)
        assert chip is not None
        assert cards(page_of(client, unescape(chip[1]))) == cards(html)

    def test_the_form_keeps_filters_and_order_without_javascript(self, client: FlaskClient) -> None:
        html = page_of(client, "/search?q=pipewise&category=crm&sort=name")
        for name, value in (("category", "crm"), ("sort", "name")):
            assert re.search(
                rf'<input type="hidden"\s+name="{name}"\s+value="{value}"\s+form="search-form"',
                html,
            )

    def test_htmx_gets_the_changing_part_and_a_clean_address(self, client: FlaskClient) -> None:
        response = client.get(
            "/search?q=pipewise&sort=relevance&page=1",
            headers={"HX-Request": "true", "HX-Target": "search-page"},
        )
        assert "<html" not in response.text
        assert response.headers["HX-Push-Url"] == "/search?q=pipewise"
        assert "HX-Target" in response.headers["Vary"]

    def test_typing_on_replaces_the_address_and_other_words_push_it(
        self, client: FlaskClient
    ) -> None:
        headers = {
            "HX-Request": "true",
            "HX-Target": "search-page",
            "Portico-Typing": "1",
            "HX-Current-URL": "http://localhost/search?q=pipe",
        }
        on = client.get("/search?q=pipew", headers=headers)
        assert on.headers["HX-Replace-Url"] == "/search?q=pipew"
        other = client.get("/search?q=ledger", headers=headers)
        assert other.headers["HX-Push-Url"] == "/search?q=ledger"

    def test_a_page_past_the_end_leads_to_the_last(self, client: FlaskClient) -> None:
        response = client.get("/search?page=900")
        assert response.status_code == 302
        assert response.headers["Location"] == "/search"

    def test_no_results_help_on(self, client: FlaskClient) -> None:
        html = page_of(client, "/search?q=lxdgrly")
        assert "Nothing found" in html
        assert "Did you mean Ledgerly?" in html
        assert 'href="/search?q=Ledgerly"' in html
        assert "/requests/new?name=lxdgrly" in html
        assert "Popular right now" in html

    def test_no_results_because_of_a_filter_say_how_many_there_are_without(
        self, client: FlaskClient
    ) -> None:
        html = page_of(client, "/search?q=ledgerly&category=crm")
        assert "Show 1 without filters" in html

    def test_words_that_were_left_out_are_told(self, client: FlaskClient) -> None:
        html = page_of(client, "/search?q=ledgerly+xylophone")
        assert cards(html) == ["Ledgerly"]
        assert "<q>xylophone</q>" in html
        assert "/requests/new?name=ledgerly+xylophone" in html

    def test_what_is_cut_is_told(self, client: FlaskClient) -> None:
        html = page_of(client, "/search?q=" + "word+" * 2_000)
        assert "Only the first" in html

    @pytest.mark.parametrize(
        "address",
        [
            "/search?q=%00%01%FF%FE",
            "/search?q=%F0%9F%99%82&category=%27%20OR%201=1",
            "/search?kind=&kind=&auth=,,,&sort=;drop",
            "/search?rating=NaN&page=-9e99&per_page=1e9",
            "/search?works_with=" + "x" * 5_000,
            "/search?" + "&".join(f"category=c{n}" for n in range(300)),
            "/search?q=%22unclosed+-",
            "/search?language=../../../etc/passwd&publisher=%3Cscript%3E",
            "/search/suggestions?q=%00&box=%22%3E%3Cscript%3E",
            "/search/suggestions?q=" + "y" * 10_000,
        ],
    )
    def test_hostile_addresses_have_an_answer(self, client: FlaskClient, address: str) -> None:
        response = client.get(address)
        assert response.status_code == 200
        assert "<script>alert" not in response.text
        assert '"><script>' not in response.text

    def test_words_are_escaped_wherever_they_are_shown(self, client: FlaskClient) -> None:
        html = page_of(client, "/search?q=%3Cimg+src=x+onerror=alert(1)%3E")
        assert "<img src=x" not in html


@pytest.mark.usefixtures("catalogue", "broken_search")
class TestWithoutTheEngine:
    def test_the_database_answers_and_the_page_says_so(self, client: FlaskClient) -> None:
        html = page_of(client, "/search?q=ledgerly")
        assert cards(html) == ["Ledgerly"]
        assert "simpler mode" in html

    def test_suggestions_go_on(self, client: FlaskClient) -> None:
        html = page_of(client, "/search/suggestions?q=quay")
        assert "/partners/quayside" in html
        assert "Ledgerly" in html


def test_search_recovers_by_itself(client: FlaskClient, app: Flask, catalogue: None) -> None:
    engine = app.extensions["portico_search"]
    app.extensions["portico_search"] = BrokenEngine()
    try:
        assert "simpler mode" in client.get("/search").text
    finally:
        app.extensions["portico_search"] = engine
    assert "simpler mode" not in client.get("/search").text


@pytest.mark.usefixtures("catalogue")
class TestSuggestions:
    def test_listings_categories_and_publishers_are_grouped(self, client: FlaskClient) -> None:
        html = page_of(client, "/search/suggestions?q=quayside&box=home-search")
        assert 'id="home-search-listbox"' in html
        assert "Publishers" in html
        assert 'href="/partners/quayside"' in html
        assert 'href="/categories/data"' in page_of(client, "/search/suggestions?q=dat")
        assert 'href="/listings/pipewise"' in page_of(client, "/search/suggestions?q=pip")

    def test_nothing_typed_suggests_nothing(self, client: FlaskClient) -> None:
        assert 'role="option"' not in page_of(client, "/search/suggestions?q=+")

    def test_they_may_be_kept_a_minute(self, client: FlaskClient) -> None:
        response = client.get("/search/suggestions?q=pip")
        assert response.headers["Cache-Control"] == "public, max-age=60"


class TestTheSearchLog:
    def test_a_report_from_another_site_is_refused(self, client: FlaskClient) -> None:
        response = client.post(
            "/search/log",
            data={"q": "mail", "total": "3"},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert response.status_code == 403

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"q": "mail"},
            {"q": "mail", "position": "x", "total": "-5"},
            {"q": "mail", "position": "99999999"},
            {"q": "mail", "position": "2", "total": "12"},
        ],
    )
    def test_a_report_is_taken_whatever_it_holds(
        self, client: FlaskClient, data: dict[str, str]
    ) -> None:
        assert client.post("/search/log", data=data).status_code == 204


def test_the_search_page_weighs_less_than_200_kb_without_images(
    client: FlaskClient, app: Flask, index: Index
) -> None:
    """The whole page with a full list: its HTML, styles, scripts and fonts, uncompressed."""
    categories = [make_category(f"Category {n}") for n in range(16)]
    for number in range(60):
        make_listing(
            category=categories[number % 16],
            name=f"A listing with a long name {number}",
            tagline="A tagline that uses most of its hundred and twenty characters, as many do",
            works_with=[f"Product {number}", f"Product {number % 7}"],
            languages=["en", "de", "fr", "es", "ja", "pt-BR", "it", "nl", "pl", "sv"],
            listing_fields={
                "rating_count": 12,
                "rating_sum": 50,
                "rating_hundredths": 410,
                "certified_at": clock.now(),
                "logo_key": f"ab/{number:064x}.png",
            },
        )
    index()
    html = page_of(client, "/search?q=listing")
    assert len(cards(html)) == 18
    total = len(html.encode())
    folder = Path(str(app.static_folder))
    linked = set(re.findall(r'(?:href|src)="/static/([^"?#]+)', html))
    weighed = [name for name in linked if name.endswith((".css", ".js", ".woff2"))]
    assert any(name.endswith(".woff2") for name in weighed)
    for name in weighed:
        total += (folder / name).stat().st_size
    assert total < 200_000, {name: (folder / name).stat().st_size for name in weighed}


def test_a_page_that_is_the_same_for_everybody_may_be_shared(
    client: FlaskClient, catalogue: None
) -> None:
    first = client.get("/search")
    assert first.headers["Cache-Control"].startswith("public, max-age=0")
    again = client.get("/search", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_a_listing_suspended_a_moment_ago_is_gone_from_results(
    client: FlaskClient, catalogue: None
) -> None:
    assert cards(page_of(client, "/search?q=ledgerly")) == ["Ledgerly"]
    db.session.execute(
        db.text("UPDATE listing SET suspended_at = :at WHERE slug = 'ledgerly'"),
        {"at": clock.now()},
    )
    db.session.commit()
    assert "Ledgerly" not in cards(page_of(client, "/search?q=ledgerly"))
    assert "Ledgerly" not in page_of(client, "/search/suggestions?q=ledg")
