"""Facets as people read them."""

import pytest

from marketplace.catalogue.discovery.facets import (
    active_filters,
    build_facet,
    country_label,
    language_label,
)
from marketplace.catalogue.discovery.parameters import FACETS, ListingSearch

NAMES = {"category": {"crm": "CRM and sales"}, "publisher": {"acme": "Acme"}}


def labels(facet: str, counts: list[tuple[str, int]], search: ListingSearch) -> list[str]:
    return [value.label for value in build_facet(FACETS[facet], counts, search, NAMES).values]


def test_a_value_reads_as_its_name_and_leads_to_itself_being_switched() -> None:
    facet = build_facet(
        FACETS["category"], [("crm", 3), ("data", 1)], ListingSearch(text="mail"), NAMES
    )
    first, second = facet.values
    assert (first.label, first.count, first.selected) == ("CRM and sales", 3, False)
    assert first.args == {"q": ["mail"], "category": ["crm"]}
    assert second.label == "data"


def test_chosen_values_stand_first_and_stay_when_they_are_not_counted() -> None:
    search = ListingSearch(filters={"category": ("gone", "data")})
    assert labels("category", [("crm", 3), ("data", 1)], search) == [
        "gone",
        "data",
        "CRM and sales",
    ]


def test_values_outside_of_the_vocabulary_and_empty_ones_are_left_out() -> None:
    assert labels("kind", [("app", 2), ("robot", 5), ("service", 0)], ListingSearch()) == ["App"]


def test_ratings_keep_their_order_whatever_their_counts() -> None:
    counts = [("2", 9), ("1", 9), ("4", 1), ("3", 5)]
    assert labels("rating", counts, ListingSearch()) == [
        "4 stars and up",
        "3 stars and up",
        "2 stars and up",
    ]


def test_a_facet_of_thousands_of_values_is_bounded() -> None:
    counts = [(f"Product {n}", 5) for n in range(5_000)]
    facet = build_facet(FACETS["works_with"], counts, ListingSearch(), NAMES)
    assert len(facet.values) == FACETS["works_with"].most


def test_each_chosen_value_has_a_chip_that_takes_it_away() -> None:
    search = ListingSearch(
        filters={"category": ("crm",), "works_with": ("Jira",), "publisher": ("acme",)}
    )
    chips = active_filters(search, NAMES)
    assert [chip.label for chip in chips] == ["CRM and sales", "Works with Jira", "By Acme"]
    assert chips[0].search.filters == {"works_with": ("Jira",), "publisher": ("acme",)}


@pytest.mark.parametrize(
    ("code", "label"),
    [("en", "English"), ("pt-BR", "Portuguese (Brazil)"), ("zz-top", "zz-top"), ("xx", "xx")],
)
def test_languages_have_english_names_where_there_are_any(code: str, label: str) -> None:
    assert language_label(code) == label


@pytest.mark.parametrize(("code", "label"), [("DE", "Germany"), ("de", "Germany"), ("Q0", "Q0")])
def test_countries_have_english_names_where_there_are_any(code: str, label: str) -> None:
    assert country_label(code) == label
