import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine import MAX_WORDS
from search.ranking import (
    Option,
    Parsed,
    Synonyms,
    Word,
    distance,
    joined_forms,
    options,
    parse,
    popularity_factor,
    popularity_level,
    respellings,
    scale,
    spans_within,
    splits,
    typo_budget,
    typo_key,
)


@pytest.mark.parametrize(
    ("text", "words", "phrases", "excluded"),
    [
        ("Hub Spot", ["hub", "spot"], [], []),
        ('"hub spot" crm', ["crm"], [("hub", "spot")], []),
        ("crm -sales", ["crm"], [], [("sales",)]),
        ('crm -"big sales"', ["crm"], [], [("big", "sales")]),
        ("e-mail", ["e", "mail"], [], []),
        ("a - b", ["a", "b"], [], []),
        ('"unclosed phrase', ["unclosed", "phrase"], [], []),
        ("“curly quotes” x", ["x"], [("curly", "quotes")], []),
        ("-", [], [], []),
        ('""', [], [], []),
        ("-node.js", [], [], [("node", "js")]),
        ("?!", [], [], []),
    ],
)
def test_a_query_is_taken_apart(
    text: str, words: list[str], phrases: list[tuple[str]], excluded: list[tuple[str]]
) -> None:
    parsed = parse(text)
    assert [word.text for word in parsed.words] == words
    assert list(parsed.phrases) == phrases
    assert list(parsed.excluded) == excluded


@pytest.mark.parametrize(
    ("text", "open_words"),
    [
        ("hub spot", ["spot"]),
        ("spot ", ["spot"]),
        ('hub "x y"', []),
        ("東京", []),
        ("c++", ["c++"]),
    ],
)
def test_only_the_last_plain_word_is_open(text: str, open_words: list[str]) -> None:
    assert [word.text for word in parse(text).words if word.open] == open_words


def test_a_run_of_signs_is_one_word_that_matches_as_a_phrase() -> None:
    assert parse("東京 data").words == (
        Word("東京", signs=("東", "京")),
        Word("data", open=True),
    )


def test_a_query_has_limits() -> None:
    assert len(parse("word " * 500).words) == MAX_WORDS
    assert parse("x" * 10_000).words


def test_a_lone_phrase_may_be_a_name() -> None:
    assert parse('"google sheets"').whole == "google sheets"
    assert parse("Google  Sheets!").whole == "google sheets"


@given(st.text(max_size=200))
def test_anything_can_be_parsed(text: str) -> None:
    parsed = parse(text)
    assert all(word.text for word in parsed.words)


@pytest.mark.parametrize(
    ("word", "budget"),
    [
        ("jira", 0),
        ("slack", 1),
        ("hubspotx", 1),
        ("snowflake", 2),
        ("12345", 0),
        ("123456789", 0),
        ("pdf4me", 1),
        ("東京タワー", 1),
    ],
)
def test_the_budget_of_typos_grows_with_the_word(word: str, budget: int) -> None:
    assert typo_budget(word) == budget


@pytest.mark.parametrize(
    ("asked", "found", "edits"),
    [
        ("slack", "slack", 0),
        ("slcak", "slack", 1),
        ("slak", "slack", 1),
        ("slackk", "slack", 1),
        ("slick", "slack", 1),
        ("glack", "slack", 2),
        ("lack", "slack", 2),
        ("lsack", "slack", 2),
        ("windows10", "windows11", 3),
        ("pdf4em", "pdf4me", 1),
        ("abcde", "vwxyz", 4),
    ],
)
def test_a_first_letter_counts_as_two_and_a_digit_as_three(
    asked: str, found: str, edits: int
) -> None:
    assert distance(typo_key(asked), typo_key(found), 3) == min(edits, 4)


@pytest.mark.parametrize(
    ("asked", "found", "edits"),
    [("saels", "salesforce", 1), ("sales", "salesforce", 0), ("sxlxs", "salesforce", 2)],
)
def test_a_beginning_may_hold_the_typo(asked: str, found: str, edits: int) -> None:
    assert distance(typo_key(asked), typo_key(found), 2, prefix=True) == edits


@given(st.text("ab", max_size=7), st.text("ab", max_size=7))
def test_distance_is_symmetric_and_limited(one: str, other: str) -> None:
    assert distance(one, other, 2) == distance(other, one, 2) <= 3
    assert (distance(one, other, 2) == 0) == (one == other)


def test_a_word_may_be_found_as_itself_joined_or_by_a_synonym() -> None:
    table = Synonyms([("crm", "customer relationship management")])
    found = options(parse("hub spot crm"), 1, table)
    assert found[0] == Option(("spot",), exact=True)
    assert {option.words for option in found} == {
        ("spot",),
        ("hubspot",),
        ("hubspotcrm",),
        ("spotcrm",),
    }
    assert ("customer", "relationship", "management") in {
        option.words for option in options(parse("hub spot crm"), 2, table)
    }


def test_synonyms_hold_for_phrases_both_ways() -> None:
    table = Synonyms([("CRM", "Customer Relationship Management"), ("crm", "pipeline")])
    assert table.of(("crm",)) == (("customer", "relationship", "management"), ("pipeline",))
    assert table.of(("customer", "relationship", "management")) == (("crm",),)
    parsed = parse("customer relationship management")
    for at in range(3):
        assert ("crm",) in {option.words for option in options(parsed, at, table)}


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("nodejs", {("no", "dejs"), ("nod", "ejs"), ("node", "js")}),
        ("abc", set()),
        ("c++x", set()),
    ],
)
def test_a_word_may_be_two(word: str, found: set[tuple[str, str]]) -> None:
    assert set(splits(word)) == found


def test_names_are_also_known_by_neighbours_joined() -> None:
    assert joined_forms(["power", "bi", "pro"]) == ("powerbi", "powerbipro", "bipro")


@pytest.mark.parametrize(
    ("word", "other"),
    [("jiar", "jira"), ("jra", "jira"), ("glack", "slack"), ("lack", "slack"), ("xslack", "slack")],
)
def test_a_slip_that_no_budget_forgives_can_be_respelled(word: str, other: str) -> None:
    assert other in respellings(word)
    assert word not in respellings(word)


@pytest.mark.parametrize("word", ["ab", "123", "é́", "snowflakes" * 9])
def test_little_is_guessed_from_what_says_little(word: str) -> None:
    assert len(respellings(word)) < 80


def test_stretches_within_a_query_are_shorter_than_it() -> None:
    assert set(spans_within(3)) == {(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)}
    assert spans_within(1) == ()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("fields", [1, 5, 8])
def test_no_rule_outweighs_a_heavier_one(count: int, fields: int) -> None:
    steps = scale(count, fields)
    best = steps.of(0, 0, exact=True)
    worst = steps.of(fields - 1, 0)
    extras = steps.near + steps.same
    # A typo in one word, against the lightest field in all words and every extra.
    assert count * worst > (count - 1) * best + steps.of(0, 1, exact=True) + extras
    # A whole field step, against popularity.
    assert steps.of(0, 0) > steps.of(0, 0) - 1 > 0
    if count > 1:
        # A word fewer, against everything else.
        assert count * steps.of(fields - 1, 2) > (count - 1) * best + extras
    # A name that is the query, against one that begins with it, against the rest.
    assert steps.name > steps.begins + steps.near
    assert steps.begins - 9 > extras


@pytest.mark.parametrize(
    ("value", "level"),
    [(0, 0), (7, 7), (31, 31), (10**9, 31), (-4, 0), (None, 0), ("9", 0), (True, 0), (2.9, 2)],
)
def test_popularity_has_levels(value: object, level: int) -> None:
    assert popularity_level(value) == level


def test_popularity_never_reaches_a_step_for_up_to_three_words() -> None:
    for count in (1, 2, 3):
        steps = scale(count, 8)
        whole = count * steps.of(0, 0, exact=True) + steps.near + steps.same
        assert whole * (popularity_factor(31) - 1) < 1


@pytest.mark.parametrize(("often", "documents"), [(1, 1000), (500, 1000), (1000, 1000), (1, 1)])
def test_a_dropped_word_is_worth_less_the_more_frequent_it_is(often: int, documents: int) -> None:
    steps = scale(3, 8)
    worth = steps.soften(often, documents) * steps.of(0, 0, exact=True)
    assert 0 <= worth < steps.typo
    assert steps.soften(often, documents) >= steps.soften(documents, documents)


def test_nothing_asked_is_empty() -> None:
    assert Parsed().empty
    assert parse(" ?! ").empty
    assert not parse("-x").empty
