"""What every search engine must do, demanded of each in the same words."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from search import (
    And,
    Capability,
    Eq,
    In,
    IndexState,
    Not,
    Or,
    Range,
    SearchEngine,
    SearchPage,
    SearchQuery,
    SearchUnavailable,
    Ticket,
    UnknownFacet,
    UnknownIndex,
    UnknownSort,
    WriteFailed,
    fingerprint,
)
from search.indexing import verify
from tests.contract.conftest import ENGINES, PUBLIC, SERVER, Bench, document, spec_named


def counts(page: SearchPage, facet: str) -> dict[str, int]:
    return {item.value: item.count for item in page.facets[facet]}


@pytest.mark.skipif(
    SERVER is None,
    # A skip even in CI: no package registry has the server.
    reason="the contract on Meilisearch needs a server: set MEILISEARCH_TEST_URL and _KEY",
)
def test_the_contract_is_demanded_of_meilisearch_too(engine: SearchEngine) -> None:
    assert engine.name in ENGINES
    assert len(ENGINES) == 2


# 1. Writes


def test_a_write_is_visible_after_waiting(bench: Bench) -> None:
    bench.put(document("a", "Slack"))
    assert bench.ids("slack") == ["a"]


def test_a_second_write_replaces_the_whole_document(bench: Bench) -> None:
    bench.put(document("a", "Slack", summary="Channels"))
    bench.put(document("a", "Teams"))
    assert bench.ids("slack") == []
    assert bench.ids("channels") == []
    assert bench.ids("teams") == ["a"]
    assert bench.ask().total == 1


def test_the_last_of_two_documents_with_one_id_in_a_batch_counts(bench: Bench) -> None:
    bench.put(document("a", "Slack"), document("a", "Teams"))
    assert bench.ids("teams") == ["a"]
    assert bench.ask().total == 1


def test_a_deleted_document_is_gone_and_deleting_it_again_is_no_error(bench: Bench) -> None:
    bench.put(document("a", "Slack"), document("b", "Teams"))
    for _ in range(2):
        bench.engine.wait(bench.engine.delete(bench.index, ["a", "never-there"]), 30)
    assert bench.ids() == ["b"]


@pytest.mark.parametrize("bad", [{"name": "no id"}, {"id": "", "name": "empty id"}])
def test_a_document_without_an_id_fails_and_nothing_of_its_batch_is_written(
    bench: Bench, bad: dict[str, Any]
) -> None:
    def write() -> None:
        ticket = bench.engine.upsert(bench.index, [document("good", "Good"), bad])
        bench.engine.wait(ticket, 30)

    with pytest.raises(WriteFailed):
        write()
    assert bench.ask().total == 0


def test_an_index_nobody_made_known_is_a_mistake_of_the_caller(engine: SearchEngine) -> None:
    query = SearchQuery(index="nobody_made_this", scope=PUBLIC)
    with pytest.raises(UnknownIndex):
        engine.search(query)


def test_making_an_index_known_twice_leaves_its_documents(bench: Bench) -> None:
    bench.put(document("a", "Slack"))
    assert bench.engine.ensure_index(bench.spec) is IndexState.READY
    assert bench.ids() == ["a"]


# 2. Counts


@pytest.fixture
def shelf(bench: Bench) -> Bench:
    bench.put(
        document("a", "Alpha", category=["crm", "sales"], kind="app", band=[4, 3], certified=True),
        document("b", "Beta", category=["crm"], kind="app", band=[3], certified=False, rating=3.5),
        document("c", "Gamma", category=["mail"], kind="template", certified=True, rating=4.5),
        document("d", "Delta", category=["crm", "crm"], kind="template", rating=5),
    )
    return bench


def test_totals_and_counts_are_exact(shelf: Bench) -> None:
    page = shelf.ask(facets=("category", "kind", "band", "certified"), per_page=1)
    assert page.total == 4
    assert len(page.hits) == 1
    assert counts(page, "category") == {"crm": 3, "mail": 1, "sales": 1}
    assert counts(page, "kind") == {"app": 2, "template": 2}
    assert counts(page, "band") == {"3": 2, "4": 1}
    assert counts(page, "certified") == {"true": 2, "false": 1}


def test_values_are_listed_by_count_then_value(shelf: Bench) -> None:
    values = [item.value for item in shelf.ask(facets=("category",)).facets["category"]]
    assert values == ["crm", "mail", "sales"]


def test_choosing_a_value_does_not_collapse_its_own_facet(shelf: Bench) -> None:
    page = shelf.ask(
        filters=And((In("category", ("mail",)), Eq("certified", True))),
        facets=("category", "kind", "certified"),
    )
    assert page.total == 1
    assert counts(page, "category") == {"crm": 1, "mail": 1, "sales": 1}
    assert counts(page, "kind") == {"template": 1}
    assert counts(page, "certified") == {"true": 1}


def test_every_count_is_what_choosing_the_value_gives(shelf: Bench) -> None:
    for item in shelf.ask(facets=("category",)).facets["category"]:
        assert shelf.ask(filters=Eq("category", item.value)).total == item.count


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        (Eq("kind", "app"), "ab"),
        (Eq("certified", True), "ac"),
        (Eq("certified", "false"), "b"),
        (Eq("band", 3), "ab"),
        (Eq("band", "3"), "ab"),
        (Eq("band", "three"), ""),
        (In("category", ("mail", "sales")), "ac"),
        (In("category", ()), ""),
        (Range("rating", low=4), "cd"),
        (Range("rating", low=3.5, high=4.5), "bc"),
        (Range("rating", high=4), "b"),
        (Range("band", low=4), "a"),
        (Range("band", low=3.5), "a"),
        (Range("band", high=1e30), "ab"),
        (Range("rating", low=5, high=3), ""),
        (Range("rating"), "bcd"),
        (Not(Eq("kind", "app")), "cd"),
        (Or((Eq("category", "mail"), Eq("band", 4))), "ac"),
        (Or(()), ""),
        (And(()), "abcd"),
        (And((Eq("kind", "template"), Not(Range("rating", low=5)))), "c"),
        (Not(Or((Eq("kind", "app"), Eq("category", "mail")))), "d"),
        (Eq("category", 'x" OR kind = "app'), ""),
        (Eq("category", "it's \\ odd"), ""),
    ],
)
def test_filters_are_trees_of_values(shelf: Bench, tree: Any, found: str) -> None:
    assert sorted(shelf.ids(filters=tree)) == list(found)


def test_filters_and_words_count_together(shelf: Bench) -> None:
    page = shelf.ask("alpha", filters=Eq("kind", "template"), facets=("kind",))
    assert page.total == 0
    assert counts(page, "kind") == {"app": 1}


def test_choosing_a_filter_never_finds_more(bench: Bench) -> None:
    docs = [document(f"d{at}", f"Mail merge {at}", kind="app") for at in range(12)]
    bench.put(*docs, document("x", "Mail", kind="template"), document("y", "Mail", kind="template"))
    page = bench.ask("mail merge", facets=("kind",))
    for kind in ("app", "template"):
        chosen = bench.ask("mail merge", filters=Eq("kind", kind))
        assert chosen.total == counts(page, "kind").get(kind, 0)


def test_values_of_a_facet_are_found_by_their_beginning(shelf: Bench) -> None:
    query = SearchQuery(index=shelf.index, scope=PUBLIC)
    found = shelf.engine.facet_values(query, "category", "C")
    assert [(item.value, item.count) for item in found] == [("crm", 3)]
    assert len(shelf.engine.facet_values(query, "category", "", limit=2)) == 2


def test_pages_do_not_overlap_and_miss_nothing(bench: Bench) -> None:
    bench.put(*(document(f"d{at:03}", "Mail", popularity=at % 7) for at in range(130)))
    for more in ({"text": "mail"}, {}, {"sort": "popular"}):
        seen = [hit for page in range(1, 8) for hit in bench.ids(page=page, **more)]
        assert len(seen) == 130
        assert len(set(seen)) == 130
    assert bench.ids("mail", page=8) == []
    assert bench.ids("mail", page=10_000) == []


# 3. Mistakes


def test_an_unknown_facet_raises(bench: Bench) -> None:
    with pytest.raises(UnknownFacet):
        bench.ask(facets=("colour",))
    with pytest.raises(UnknownFacet):
        bench.ask(filters=Eq("colour", "red"))


def test_an_unknown_sort_raises(bench: Bench) -> None:
    with pytest.raises(UnknownSort):
        bench.ask(sort="colour")


# 4. Typos


@pytest.mark.parametrize(
    ("name", "asked", "found"),
    [
        ("Slack", "slcak", True),  # a swap
        ("Slack", "slackk", True),  # one too many
        ("Twilio", "twlio", True),  # one too few
        ("Slack", "slick", True),  # another letter
        ("Slack", "slikc", False),  # two in five letters
        ("Jira", "jiar", False),  # none in four
        ("Salesforce", "sealsforce", True),  # two in ten
        ("Salesforce", "saelsforec", True),
        ("Salesforce", "sxlxsfxrce", False),  # three
        ("Slack", "glack", False),  # the first letter counts as two
        ("Salesforce", "galesforce", True),
        ("Salesforce", "galesfroce", False),
        ("20245", "20246", False),  # none in numbers
        ("1234567890", "1234567891", False),
    ],
)
def test_typos_have_a_budget(bench: Bench, name: str, asked: str, found: bool) -> None:
    bench.put(document("a", name))
    # A closed word: what is open may be a prefix as well, which is pinned below.
    assert bench.strict(f'{asked} -"never there"') == (["a"] if found else [])


def test_only_the_last_word_is_a_prefix(bench: Bench) -> None:
    bench.put(document("a", "Power Automate"))
    assert bench.strict("power aut") == ["a"]
    assert bench.strict("pow automate") == []


def test_a_typo_may_sit_inside_the_prefix(bench: Bench) -> None:
    bench.put(document("a", "Salesforce"))
    assert bench.strict("sales") == ["a"]
    assert bench.strict("saels") == ["a"]


# 5. Split and joined names


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Node.js", "nodejs"),
        ("Node.js", "node js"),
        ("HubSpot", "hub spot"),
        ("database", "data base"),
        ("Power Automate", "powerautomate"),
        ("HubSpot CRM", "hub spot crm"),
    ],
)
def test_split_and_joined_names_are_the_same(bench: Bench, name: str, asked: str) -> None:
    bench.put(document("a", name), document("b", "Something else"))
    assert bench.strict(asked) == ["a"]


# 6. Order


def test_an_exact_name_is_first_whatever_is_more_popular(bench: Bench) -> None:
    bench.put(
        document("longer", "Slack Approvals", popularity=20),
        document("beside", "Bot for Slack", popularity=25),
        document("exact", "Slack", popularity=0),
        document("text", "Other", summary="slack slack slack", popularity=30),
    )
    assert bench.ids("slack") == ["exact", "longer", "beside", "text"]
    assert bench.ids("Slack ")[0] == "exact"


def test_an_exact_name_of_several_words_is_first(bench: Bench) -> None:
    bench.put(
        document("more", "Google Sheets Sync", popularity=30),
        document("exact", "Google Sheets"),
        document("turned", "Sheets Google", popularity=30),
    )
    assert bench.ids("google sheets") == ["exact", "more", "turned"]


def test_a_typo_never_beats_what_was_typed(bench: Bench) -> None:
    bench.put(
        document("typo", "Slack", popularity=30),
        document("typed", "Other", description="a slick tool"),
    )
    assert bench.ids("slick") == ["typed", "typo"]


def test_a_heavier_field_goes_first_then_popularity_then_id(bench: Bench) -> None:
    bench.put(
        document("d", "One", description="invoices", popularity=30),
        document("c", "Two", summary="invoices", popularity=9),
        document("b", "Three", summary="invoices", popularity=3),
        document("a", "Four", summary="invoices", popularity=3),
        document("e", "Good Invoices"),
    )
    assert bench.ids("invoices") == ["e", "c", "a", "b", "d"]


# 7. Grammar, accents, signs, sorts


def test_a_phrase_stands_together_and_a_minus_leaves_out(bench: Bench) -> None:
    bench.put(
        document("a", "One", summary="sync your sales data"),
        document("b", "Two", summary="data about sales"),
        document("c", "Three", summary="sales data for mail"),
    )
    # As sets: where in a text the words stand may order them, and engines differ in that.
    assert set(bench.ids('"sales data"')) == {"a", "c"}
    assert set(bench.ids("sales -mail")) == {"a", "b"}
    assert bench.ids('sales -"sales data"') == ["b"]
    assert bench.ids('"sales data" mail') == ["c"]
    assert bench.ids('"data sales"') == []
    assert set(bench.ids("-mail")) == {"a", "b"}


def test_accents_are_folded_both_ways(bench: Bench) -> None:
    bench.put(document("a", "Café Müller"), document("b", "Resume"))
    assert bench.strict("cafe muller") == ["a"]
    assert bench.strict("résumé") == ["b"]


def test_signs_that_tell_languages_apart_are_kept(bench: Bench) -> None:
    bench.put(document("cpp", "C++"), document("cs", "C#"), document("c", "C"))
    assert bench.ids("c++") == ["cpp"]
    assert bench.ids("C#") == ["cs"]
    assert bench.ids("c")[0] == "c"


def test_an_empty_query_lists_by_popularity_then_id(bench: Bench) -> None:
    bench.put(
        document("b", "B", popularity=3),
        document("a", "A", popularity=3),
        document("c", "C", popularity=11),
        document("d", "D", popularity=0),
    )
    for empty in ("", "   ", "?!", '""'):
        assert bench.ids(empty) == ["c", "a", "b", "d"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("popular", "cabed"),
        ("rating", "bcdea"),
        ("oldest", "edbca"),
        ("name", "bcead"),
    ],
)
def test_a_sort_is_strict_with_missing_values_last(bench: Bench, sort: str, order: str) -> None:
    bench.put(
        document("a", "mail m", name_sort="m", popularity=5, rating=None, published=None),
        document("b", "mail", name_sort="alpha", popularity=5, rating=4.5, published=30),
        document("c", "mail c", name_sort="beta", popularity=9, rating=4.5, published=30),
        document("d", "mail d", name_sort=None, popularity=0, rating=-1, published=2),
        document("e", "mail e", name_sort="beta", popularity=5, rating=-2.5, published=-7),
    )
    assert bench.ids(sort=sort) == list(order)
    assert bench.ids("mail", sort=sort) == list(order)
    assert bench.ids("mail", sort=sort, page=2, per_page=2) == list(order[2:4])


def test_synonyms_are_a_table_that_can_be_changed(bench: Bench) -> None:
    bench.put(
        document("a", "Pipeline", summary="customer relationship management"),
        document("b", "CRM Lite"),
    )
    assert bench.strict("crm") == ["b"]
    groups = [("crm", "customer relationship management")]
    bench.engine.wait(bench.engine.set_synonyms(bench.index, groups), 30)
    assert bench.strict("crm") == ["b", "a"]
    assert "b" in bench.strict("customer relationship management")
    bench.engine.wait(bench.engine.set_synonyms(bench.index, ()), 30)
    assert bench.strict("crm") == ["b"]


def test_words_drop_until_there_is_enough(bench: Bench) -> None:
    bench.put(
        *(document(f"c{at}", f"Thing {at}", summary="connect to anything") for at in range(12)),
        document("h", "HubSpot"),
    )
    page = bench.ask("connect to hubspot")
    assert page.ids[0] == "h"
    assert bench.strict("connect to zendesk hubspot") == []
    assert bench.ids("zendesk hubspot")[0] == "h"
    assert "zendesk" in bench.ask("zendesk hubspot").dropped


def test_a_word_that_nothing_has_is_put_right_by_a_name(bench: Bench) -> None:
    bench.put(document("a", "Slack"), document("b", "Jira"))
    for asked, found, meant in (("glack", "a", "slack"), ("jiar", "b", "jira")):
        page = bench.ask(asked)
        assert page.ids == (found,)
        assert page.corrected == meant
    assert bench.ask("slack").corrected == ""


# 8. Anything is a query


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000,
        "slack " * 2_000,
        "\x00\x01\x1b[31m",
        "🚀🔥",
        "!!! ??? ...",
        "'; DROP TABLE listings; --",
        "category = crm OR kind = app",
        "name:(foo AND bar) ^2 ~3 [a TO b] {x} \\ /re.*/",
        '"unclosed phrase',
        '"" -"" - -- "-" -\'',
        "\u202eevil\u202c \ufeff \u200b",
        "\ud800",
        "%00 %s {} {{7*7}} <script>alert(1)</script>",
        "-slack -mail",
        "٣٤٥ ½ ² Ⅷ",
        "ÀÉÎÕÜ" * 300,
        " ".join("abcdefghij"),
    ],
)
def test_anything_is_a_query(bench: Bench, text: str) -> None:
    bench.put(document("a", "Slack", category=["crm"]), document("b", "Mail"))
    page = bench.ask(text, facets=("category",), highlight=("name", "summary"))
    assert page.total >= 0
    query = SearchQuery(index=bench.index, scope=PUBLIC, text=text)
    assert bench.engine.facet_values(query, "category", text[:50]) is not None


# 9. Anything is a document


@pytest.mark.parametrize(
    "fields",
    [
        {"category": [f"tag {at}" for at in range(5_000)]},
        {"name": "", "summary": "", "category": [], "aliases": []},
        {"name": None, "summary": None, "category": None, "aliases": None, "band": None},
        {"summary": "a" * 100_000},
        {"summary": "word " * 20_000},
        {"description": "تكامل المبيعات مع البريد"},
        {"summary": "\x00 control \x1b and \ud83d half a sign"},
        {"category": ["", " ", "🚀", 'quo"te', "back\\slash", "new\nline", "x" * 3_000]},
        {"popularity": 10**9},
        {"rating": 1e300},
        {"unknown": {"nested": [1, {"deep": True}]}},
    ],
)
def test_anything_is_a_document(bench: Bench, fields: dict[str, Any]) -> None:
    bench.put(document("a", "Slack") | fields, document("b", "Mail"))
    assert sorted(bench.ids(facets=("category", "band"), highlight=("summary",))) == ["a", "b"]
    assert bench.ids("mail") == ["b"]


def test_right_to_left_text_is_found(bench: Bench) -> None:
    bench.put(document("a", "مرحبا بالعالم"), document("b", "שלום"))
    assert bench.ids("بالعالم") == ["a"]
    assert bench.ids("שלום") == ["b"]


def test_words_inside_text_without_spaces_are_found(bench: Bench) -> None:
    if Capability.CJK not in bench.engine.capabilities:
        pytest.skip("this engine does not cut text without spaces")
    bench.put(document("a", "東京データ連携"), document("b", "京都ツール"))
    assert bench.ids("東京") == ["a"]
    assert bench.ids("京都") == ["b"]


def test_highlights_are_spans_of_the_text(bench: Bench) -> None:
    bench.put(document("a", "Node.js Café", summary="Connects " + "x " * 300 + "café nodes here"))
    hit = bench.ask("nodejs cafe", highlight=("name", "summary", "publisher")).hits[0]
    name = hit.highlights["name"]
    assert [name.text[start:end] for start, end in name.spans] == ["Node.js", "Café"]
    assert "publisher" not in hit.highlights
    long = bench.ask("cafe", highlight=("summary",)).hits[0].highlights["summary"]
    assert [long.text[start:end] for start, end in long.spans] == ["café"]
    assert long.cut_before
    assert len(long.text) <= 250
    assert bench.ask("", highlight=("name",)).hits[0].highlights == {}


# 10. Scope


@pytest.fixture
def guarded(bench: Bench) -> Bench:
    bench.put(
        document("open", "Slack", category=["chat"], publisher="Alpha"),
        document("secret", "Slackware", category=["hidden"], audiences=["staff"]),
        document("both", "Slack Bot", category=["chat"], audiences=["staff", "public"]),
        document("none", "Slack None", category=["lost"], audiences=[]),
    )
    return bench


def test_what_is_hidden_is_in_no_hit_no_count_no_facet_no_suggestion(guarded: Bench) -> None:
    for text in ("", "slack", "slackware", "slakcware", '"slackware"', "-bot", "none"):
        page = guarded.ask(text, facets=("category",))
        assert set(page.ids) <= {"open", "both"}
        assert page.total == len(page.ids)
        assert set(counts(page, "category")) <= {"chat"}
        assert page.corrected not in {"slackware", "none"}
    query = SearchQuery(index=guarded.index, scope=PUBLIC)
    assert {item.value for item in guarded.engine.facet_values(query, "category")} == {"chat"}


def test_a_hidden_document_does_not_change_what_others_find(bench: Bench) -> None:
    bench.put(document("open", "Mailer", summary="sends mail"))
    before = bench.ask("zebra mail")
    bench.put(document("secret", "Zebra", audiences=["staff"]))
    after = bench.ask("zebra mail")
    assert (before.ids, before.total, before.dropped) == (after.ids, after.total, after.dropped)
    assert bench.ask("xebra").corrected == ""


def test_each_audience_sees_its_own(guarded: Bench) -> None:
    assert set(guarded.ids(scope=("staff",))) == {"secret", "both"}
    assert set(guarded.ids(scope=("staff", "public"))) == {"open", "secret", "both"}
    assert guarded.ids(scope=("nobody",)) == []
    assert guarded.ids(scope=('x" OR audiences = "staff',)) == []


def test_a_query_without_a_scope_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="scope"):
        SearchQuery(index="x", scope=())


# Rebuilding, verifying, many at once


def test_a_rebuild_swaps_and_replays_what_came_meanwhile(bench: Bench) -> None:
    bench.put(document("old", "Old"), document("gone", "Gone"))
    late: list[Any] = []

    def docs() -> Iterable[dict[str, Any]]:
        yield document("kept", "Kept")
        yield document("gone", "Gone")
        assert bench.ids("old") == ["old"], "searches go on while the new index is filled"
        late.extend([document("late", "Late"), "gone"])

    report = bench.engine.rebuild(bench.spec, docs(), catch_up=lambda: late)
    assert sorted(bench.ids()) == ["kept", "late"]
    assert report.documents == 2
    assert report.rejected == {}


def test_one_bad_document_does_not_hold_up_a_rebuild(bench: Bench) -> None:
    docs = [document(f"d{at}", f"Name {at}") for at in range(20)]
    report = bench.engine.rebuild(bench.spec, [*docs[:10], {"id": "", "name": "x"}, *docs[10:]])
    assert report.documents == 20
    assert list(report.rejected) == [""]


def test_an_index_of_another_schema_says_so_until_it_is_rebuilt(bench: Bench) -> None:
    bench.put(document("a", "Slack"))
    newer = spec_named(bench.index, version=2)
    assert bench.engine.ensure_index(newer) is IndexState.STALE
    assert not bench.engine.health().ok
    with pytest.raises(SearchUnavailable) as caught:
        bench.ask("slack")
    assert caught.value.rebuild
    bench.engine.rebuild(newer, [document("a", "Slack")])
    assert bench.engine.health().ok
    assert bench.ids("slack") == ["a"]


def test_synonyms_survive_a_rebuild(bench: Bench) -> None:
    bench.engine.wait(bench.engine.set_synonyms(bench.index, [("crm", "pipeline")]), 30)
    bench.engine.rebuild(bench.spec, [document("a", "Pipeline")])
    assert bench.strict("crm") == ["a"]


def test_fingerprints_tell_what_was_written(bench: Bench) -> None:
    docs = [document(f"d{at}", f"Name {at}") for at in range(30)]
    bench.put(*docs)
    assert dict(bench.engine.fingerprints(bench.index)) == {
        doc["id"]: fingerprint(doc) for doc in docs
    }
    assert verify(bench.engine, bench.index, docs).clean


def test_stats_and_health_tell_the_number_of_documents(bench: Bench) -> None:
    bench.put(document("a", "A"), document("b", "B"))
    assert bench.engine.stats(bench.index).documents == 2
    health = bench.engine.health()
    assert health.ok
    assert [item.documents for item in health.indexes if item.index == bench.index] == [2]


def test_threads_may_read_and_write_at_once(bench: Bench) -> None:
    bench.put(document("a", "Slack"))
    errors: list[BaseException] = []
    tickets: list[Ticket] = []

    def read() -> None:
        try:
            for _ in range(25):
                assert "a" in bench.ids("slack")
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            errors.append(error)

    def write(number: int) -> None:
        try:
            for at in range(3):
                doc = document(f"w{number}-{at}", secrets.token_hex(8))
                tickets.append(bench.engine.upsert(bench.index, [doc]))
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    threads += [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ticket in tickets:
        bench.engine.wait(ticket, 30)
    assert errors == []
    assert bench.ask().total == 7
