import pytest

from search.highlight import MAX_SHOWN, Highlighter, cut, merged
from search.ranking import Synonyms, parse


def marked(query: str, text: str, table: tuple[tuple[str, ...], ...] = ()) -> list[str]:
    spans = Highlighter(parse(query), Synonyms(table)).spans(text)
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("slack", "Slack for SLACK users", ["Slack", "SLACK"]),
        ("cafe", "Le Café", ["Café"]),
        ("sales", "Salesforce", ["Salesforce"]),
        ("salse forc", "Sales force", ["Sales", "force"]),
        ("slakc", "Slack, slick", ["Slack"]),
        ("nodejs", "uses Node.js here", ["Node.js"]),
        ("hub spot", "HubSpot", ["HubSpot"]),
        ('"sales data"', "data for sales; sales data", ["sales data"]),
        ("c#", "C and C# and C++", ["C#"]),
        ("slack -bot", "Slack bot", ["Slack"]),
        ("東京", "東京都", ["東京"]),
        ("zebra", "nothing here", []),
    ],
)
def test_matches_are_marked(query: str, text: str, found: list[str]) -> None:
    assert marked(query, text) == found


def test_synonyms_are_marked() -> None:
    assert marked("crm", "a Sales Pipeline", (("crm", "sales pipeline"),)) == ["Sales Pipeline"]


def test_a_value_of_a_list_is_shown_alone() -> None:
    marker = Highlighter(parse("bee"), Synonyms())
    assert marker.fields({"aliases": ["Ant", "Bee", None]}, ["aliases"])["aliases"].text == "Bee"
    assert marker.fields({"aliases": ["Ant"], "name": 4}, ["aliases", "name", "gone"]) == {}


def test_spans_that_touch_are_one() -> None:
    assert merged([(5, 8), (0, 2), (2, 4), (6, 7)]) == ((0, 4), (5, 8))


@pytest.mark.parametrize("at", [0, 30, 200, 600, 995])
def test_a_long_text_is_cut_around_its_first_match(at: int) -> None:
    text = ("word " * 300)[:at] + "MATCH" + " tail" * 300
    shown = cut(text, ((at, at + 5),))
    assert [shown.text[start:end] for start, end in shown.spans] == ["MATCH"]
    assert len(shown.text) <= MAX_SHOWN
    assert shown.cut_after
    assert shown.cut_before == (at > 60)


def test_a_long_text_without_spaces_is_cut_all_the_same() -> None:
    shown = cut("東" * 1000, ((500, 502),))
    assert len(shown.text) <= MAX_SHOWN
    assert shown.spans
