"""Finding listings, with the engine and without it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event
from werkzeug.datastructures import MultiDict

from marketplace.catalogue.discovery.parameters import ListingSearch
from marketplace.catalogue.discovery.results import ListingResults
from marketplace.catalogue.discovery.services import find
from marketplace.catalogue.models import ListingStatus
from marketplace.core import clock
from marketplace.core.database import db
from search.engine import SearchUnavailable
from tests.factories.listings import make_category, make_listing
from tests.factories.people import make_organization

Index = Callable[[], None]


class BrokenEngine:
    """An engine that cannot answer."""

    def search(self, _query: object) -> None:
        raise SearchUnavailable("out of order")


@pytest.fixture
def broken_search(app: Flask) -> Iterator[None]:
    """The engine is out of order during the test."""
    before = app.extensions["portico_search"]
    app.extensions["portico_search"] = BrokenEngine()
    yield
    app.extensions["portico_search"] = before


def search(**args: Any) -> ListingResults:
    pairs = [
        (name, value)
        for name, values in args.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return find(ListingSearch.parse(MultiDict(pairs)))


def names(results: ListingResults) -> list[str]:
    return [card.name for card in results.items]


def counts(results: ListingResults, facet: str) -> dict[str, int]:
    found = next(item for item in results.facets if item.name == facet)
    return {value.value: value.count for value in found.values}


@pytest.fixture
def catalogue(app: Flask) -> None:
    """Four listings that differ in all that can be filtered by."""
    crm = make_category("CRM")
    data = make_category("Data")
    quayside = make_organization("Quayside", slug="quayside")
    make_listing(
        quayside,
        name="Pipewise",
        tagline="Keeps deals in step with the ledger",
        category=crm,
        days_old=40,
        listing_fields={
            "popularity": 900,
            "certified_at": clock.now(),
            "rating_count": 10,
            "rating_sum": 46,
            "rating_hundredths": 450,
        },
        works_with=["Jira", "Résumé Hub"],
        languages=["en", "pt-BR"],
    )
    make_listing(
        quayside,
        name="Ledgerly",
        tagline="Books every invoice at once",
        category=data,
        days_old=5,
        listing_fields={"popularity": 50},
        kind="app",
        auth_kinds=["api_key"],
        pricing={"model": "paid", "summary": "", "url": ""},
        data_shared=[{"object": "Invoices", "direction": "two_way", "purpose": ""}],
        languages=["de"],
    )
    make_listing(
        make_organization("Fjord Labs", slug="fjord-labs"),
        name="Pipeline Sync",
        tagline="Moves deals into the warehouse",
        category=data,
        days_old=90,
        listing_fields={
            "popularity": 5,
            "rating_count": 4,
            "rating_sum": 12,
            "rating_hundredths": 330,
        },
        works_with=["Jira"],
    )
    make_listing(
        make_organization("Halden"),
        name="Old Courier",
        tagline="Sent parcels from the order page",
        category=data,
        listing_fields={"status": ListingStatus.WITHDRAWN},
    )


FOUND: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"Pipewise", "Ledgerly", "Pipeline Sync"}),
    ({"q": "pipewise"}, {"Pipewise"}),
    ({"q": "PIPEWISE"}, {"Pipewise"}),
    ({"q": "deals -warehouse"}, {"Pipewise"}),
    ({"q": "invoice"}, {"Ledgerly"}),
    ({"q": "fjord"}, {"Pipeline Sync"}),
    ({"category": "data"}, {"Ledgerly", "Pipeline Sync"}),
    ({"category": ["crm", "data"]}, {"Pipewise", "Ledgerly", "Pipeline Sync"}),
    ({"category": "nowhere"}, set()),
    ({"kind": "app"}, {"Ledgerly"}),
    ({"auth": "api_key"}, {"Ledgerly"}),
    ({"auth": ["api_key", "oauth2"]}, {"Pipewise", "Ledgerly", "Pipeline Sync"}),
    ({"pricing": "paid"}, {"Ledgerly"}),
    ({"direction": "two_way"}, {"Ledgerly"}),
    ({"direction": "read"}, set()),
    ({"rating": "4"}, {"Pipewise"}),
    ({"rating": "3"}, {"Pipewise", "Pipeline Sync"}),
    ({"certified": "true"}, {"Pipewise"}),
    ({"works_with": "Jira"}, {"Pipewise", "Pipeline Sync"}),
    ({"works_with": "Résumé Hub"}, {"Pipewise"}),
    ({"works_with": "%"}, set()),
    ({"language": "pt-BR"}, {"Pipewise"}),
    ({"publisher": "quayside"}, {"Pipewise", "Ledgerly"}),
    ({"publisher": "quayside", "category": "data"}, {"Ledgerly"}),
]

ORDERS = {
    "popular": ["Pipewise", "Ledgerly", "Pipeline Sync"],
    "newest": ["Ledgerly", "Pipewise", "Pipeline Sync"],
    "name": ["Ledgerly", "Pipeline Sync", "Pipewise"],
    "rating": ["Pipewise", "Pipeline Sync", "Ledgerly"],
}
HOSTILE = [
    "x" * 10_000,
    "' OR '1'='1",
    "%",
    "_",
    "\\",
    '"',
    '"""',
    "-",
    "- - -",
    "*:*",
    "AND OR NOT",
    "category:crm",
    "\x00\x01",
    "🙂",
    "<script>",
    "محاسبة",
    "((((((((((",
    "a" * 50 + " " + "b" * 50,
]

MODES = pytest.mark.parametrize("mode", ["engine", "database"])


@pytest.fixture
def ready(mode: str, catalogue: None, index: Index, request: pytest.FixtureRequest) -> None:
    """The catalogue, searched by the engine or, without it, by the database."""
    if mode == "engine":
        index()
    else:
        db.session.commit()
        request.getfixturevalue("broken_search")


@MODES
@pytest.mark.usefixtures("ready")
class TestBothWays:
    """What the engine and the plain database search agree on."""

    def test_words_and_filters_find_the_same(self, mode: str) -> None:
        """One catalogue, one table: building the index for each row would take a minute."""
        wrong = {}
        for args, expected in FOUND:
            results = search(**args)
            if set(names(results)) != expected or results.total != len(expected):
                wrong[str(args)] = names(results)
            assert results.degraded is (mode == "database")
        assert wrong == {}

    def test_orders_are_strict(self) -> None:
        found = {sort: names(search(sort=sort)) for sort in ORDERS}
        assert found == ORDERS

    def test_counts_of_a_facet_ignore_its_own_choice_and_mind_the_others(self) -> None:
        results = search(category="data", kind="integration")
        assert counts(results, "category") == {"data": 1, "crm": 1}
        assert counts(results, "kind") == {"integration": 1, "app": 1}
        assert counts(results, "pricing") == {"free": 1}

    def test_pages_do_not_overlap(self) -> None:
        first, second = search(per_page="2"), search(per_page="2", page="2")
        assert [*names(first), *names(second)] == ["Pipewise", "Ledgerly", "Pipeline Sync"]
        assert (first.total, first.pages, second.first, second.last) == (3, 2, 3, 3)
        assert names(search(per_page="2", page="3")) == []

    def test_any_words_have_an_answer(self) -> None:
        for text in HOSTILE:
            results = search(q=text)
            assert results.total >= len(results.items) >= 0, text


@pytest.mark.usefixtures("catalogue")
class TestWithTheEngine:
    def test_matches_are_told_as_spans_of_what_is_shown(self, index: Index) -> None:
        index()
        results = search(q="pipew")
        found = results.highlights[results.items[0].id]["name"]
        assert found.text == "Pipewise"
        assert found.spans

    def test_the_database_decides_what_is_seen_whatever_the_index_says(self, index: Index) -> None:
        hidden = make_listing(name="Gone Tomorrow", tagline="Here today and gone tomorrow")
        index()
        assert names(search(q="gone tomorrow")) == ["Gone Tomorrow"]
        hidden.suspended_at = clock.now()
        db.session.commit()
        results = search(q="gone tomorrow")
        assert (names(results), results.total) == ([], 0)

    def test_a_suspended_publisher_takes_its_listings_away_at_once(self, index: Index) -> None:
        index()
        before = search()
        before_total = before.total
        publisher = next(card.publisher for card in before.items if card.name == "Pipewise")
        db.session.execute(
            db.text("UPDATE organization SET suspended_at = :at WHERE id = :id"),
            {"at": clock.now() - timedelta(days=1), "id": publisher.id},
        )
        db.session.commit()
        after = search()
        assert names(after) == ["Pipeline Sync"]
        assert after.total == before_total - 2

    def test_text_that_changed_since_it_was_indexed_is_not_marked_wrongly(
        self, index: Index
    ) -> None:
        listing = make_listing(name="Harbour Bell", tagline="Rings when a ship comes in")
        index()
        listing.name = "A Bell"
        db.session.commit()
        results = search(q="harbour bell")
        assert "name" not in results.highlights.get(results.items[0].id, {})

    def test_a_misspelling_without_results_has_a_suggestion(self, index: Index) -> None:
        index()
        results = search(q="lxdgrly")
        assert results.total == 0
        assert results.did_you_mean == "Ledgerly"

    def test_the_engine_coming_back_is_used_at_once(self, app: Flask, index: Index) -> None:
        index()
        engine = app.extensions["portico_search"]
        app.extensions["portico_search"] = BrokenEngine()
        try:
            assert search(q="pipewise").degraded
        finally:
            app.extensions["portico_search"] = engine
        assert not search(q="pipewise").degraded


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


@pytest.mark.parametrize("mode", ["engine", "database"])
def test_a_search_costs_as_many_queries_for_thirty_as_for_three(
    mode: str, app: Flask, index: Index, statements: list[str], request: pytest.FixtureRequest
) -> None:
    costs = []
    for extra in (3, 27):
        for _ in range(extra):
            make_listing()
        index()
        if mode == "database":
            request.getfixturevalue("broken_search")
        statements.clear()
        db.session.expire_all()
        assert search(per_page="50").total in (3, 30)
        costs.append(len(statements))
        if mode == "database":
            break
    if mode == "engine":
        assert costs[0] == costs[1] <= 4
    else:
        assert costs[0] <= 9
