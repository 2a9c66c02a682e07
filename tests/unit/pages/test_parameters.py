"""What a search address means, hostile ones included."""

import pytest
from werkzeug.datastructures import MultiDict

from marketplace.catalogue.discovery.parameters import (
    MAX_QUERY,
    MAX_VALUES,
    MAX_WORDS,
    ListingSearch,
)


def parse(*pairs: tuple[str, str]) -> ListingSearch:
    return ListingSearch.parse(MultiDict(list(pairs)))


def test_an_empty_address_asks_for_everything() -> None:
    search = parse()
    assert search == ListingSearch()
    assert search.is_plain
    assert search.args() == {}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("slack", "slack"),
        ("  two   words ", "two words"),
        ("tab\tand\nline", "tab and line"),
        ("nul\x00byte", "nulbyte"),
        ("\u202eevil", "evil"),
        ('"a phrase" -not', '"a phrase" -not'),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("日本語 🙂", "日本語 🙂"),
        ("   ", ""),
    ],
)
def test_the_words_are_cleaned_and_kept(given: str, text: str) -> None:
    search = parse(("q", given))
    assert search.text == text
    assert search.cut == ""


def test_a_query_of_ten_thousand_characters_is_cut_at_a_word_and_told() -> None:
    search = parse(("q", "abcdefghi " * 1_000))
    assert len(search.text) <= MAX_QUERY
    assert not search.text.endswith("abc")
    assert search.cut
    assert len(parse(("q", "x" * 10_000)).text) == MAX_QUERY


def test_more_words_than_are_looked_at_are_told() -> None:
    search = parse(("q", "a b c d e f g h i j k l m n o p"))
    assert len(search.text.split()) == MAX_WORDS
    assert "words" in search.cut


@pytest.mark.parametrize(
    ("pairs", "filters"),
    [
        ([("category", "crm")], {"category": ("crm",)}),
        ([("category", "crm"), ("category", "data")], {"category": ("crm", "data")}),
        ([("category", "crm,data")], {"category": ("crm", "data")}),
        ([("category", "crm"), ("category", "crm")], {"category": ("crm",)}),
        ([("category", "CRM'; DROP TABLE listing")], {}),
        ([("kind", "app"), ("kind", "spaceship")], {"kind": ("app",)}),
        ([("rating", "4")], {"rating": ("4",)}),
        ([("rating", "4"), ("rating", "3")], {"rating": ("4",)}),
        ([("rating", "11")], {}),
        ([("certified", "true")], {"certified": ("true",)}),
        ([("certified", "false")], {}),
        ([("works_with", "Acme, Inc.")], {"works_with": ("Acme, Inc.",)}),
        ([("works_with", "x" * 61)], {}),
        ([("language", "pt-BR")], {"language": ("pt-BR",)}),
        ([("language", "../../etc")], {}),
        ([("publisher", "northlane")], {"publisher": ("northlane",)}),
        ([("auth", "oauth2")], {"auth": ("oauth2",)}),
        ([("direction", "two_way")], {"direction": ("two_way",)}),
        ([("pricing", "free,paid")], {"pricing": ("free", "paid")}),
        ([("category", "")], {}),
        ([("colour", "red")], {}),
    ],
)
def test_filters_take_their_values_only(
    pairs: list[tuple[str, str]], filters: dict[str, tuple[str, ...]]
) -> None:
    assert parse(*pairs).filters == filters


def test_what_was_not_understood_is_told_by_name() -> None:
    search = parse(("kind", "spaceship"), ("sort", "random"), ("rating", "4,3"))
    assert {(part.name, part.value) for part in search.ignored} == {
        ("kind", "spaceship"),
        ("sort", "random"),
        ("rating", "3"),
    }


def test_a_filter_has_a_bounded_number_of_values() -> None:
    search = parse(*[("category", f"c{n}") for n in range(1_000)])
    assert len(search.filters["category"]) == MAX_VALUES
    assert search.ignored


@pytest.mark.parametrize(
    ("given", "page"),
    [("2", 2), ("0", 1), ("-1", 1), ("1e9", 1), ("٣", 1), ("999999", 10_000), ("x", 1)],
)
def test_pages_are_numbers_within_bounds(given: str, page: int) -> None:
    assert parse(("page", given)).page == page


@pytest.mark.parametrize(("given", "per_page"), [("10", 10), ("0", 1), ("5000", 100), ("x", 18)])
def test_the_size_of_a_page_is_bounded(given: str, per_page: int) -> None:
    assert parse(("per_page", given)).per_page == per_page


def test_an_address_leads_back_to_the_same_search() -> None:
    search = parse(
        ("q", "mail & more"),
        ("category", "crm"),
        ("works_with", "Acme, Inc."),
        ("sort", "newest"),
        ("page", "3"),
    )
    assert ListingSearch.parse(MultiDict(search.args())) == search


def test_switching_a_value_starts_from_the_first_page() -> None:
    search = parse(("category", "crm"), ("page", "3"))
    more = search.toggled("category", "data")
    assert more.filters == {"category": ("crm", "data")}
    assert more.page == 1
    assert search.toggled("category", "crm").filters == {}


def test_a_single_filter_is_replaced() -> None:
    search = parse(("rating", "4")).toggled("rating", "3")
    assert search.filters == {"rating": ("3",)}
    assert search.toggled("rating", "3").filters == {}
