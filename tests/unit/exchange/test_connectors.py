"""The mapping of connectors: rules as tables."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from marketplace.catalogue.exchange.connectors import (
    ConnectorFile,
    clean_name,
    mend,
    publisher_key,
    slugify,
    web_address,
)
from marketplace.catalogue.exchange.lines import Line, Problem
from marketplace.catalogue.exchange.records import ListingRecord, parse_record


def connector(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": name,
        "source": f"certified-connectors/{fields.get('id', name)}",
        "kind": "certified",
        "name": name,
        "description": "Tells the tides of four thousand ports. Every day.",
        "publisher": "Harbour Works Ltd",
        "stack_owner": "Harbour Works",
        "categories": ["Data"],
        "website": "https://tides.example.com",
        "privacy_policy": "",
        "support_url": "",
        "auth": ["apiKey"],
        "scopes": [],
        "brand_color": "#1F6F8B",
        "version": "1.0",
        "actions": 1,
        "triggers": 0,
        "readme": "# Tides\n",
        **fields,
    }


def write(path: Path, *lines: object) -> Path:
    file = path / "connectors.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    return file


def listings(path: Path, *lines: object) -> list[ListingRecord]:
    records = []
    for item in ConnectorFile(write(path, *lines)).listings():
        assert isinstance(item, Line), item
        record = parse_record(item.data)
        assert isinstance(record, ListingRecord)
        records.append(record)
    return records


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("https://a.example.com/x", "https://a.example.com/x"),
        ("www.in-d.ai", "https://www.in-d.ai"),
        ("Www.vantage.co.uk", "https://www.vantage.co.uk"),
        ("htpts://www.lassox.com", "https://www.lassox.com"),
        ("hhttps://www.daffy.org/", "https://www.daffy.org/"),
        ("https://https://developer.example.nl/", "https://developer.example.nl/"),
        ("http://old.example", "http://old.example"),
        ("https://a.example/privacy policy.pdf", "https://a.example/privacy%20policy.pdf"),
        ("Not Available", ""),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("mail us", ""),
        ("https://[broken", ""),
        ("https://user@evil.example", ""),
        ("", ""),
    ],
)
def test_addresses_are_mended_or_left_out(written: str, address: str) -> None:
    assert web_address(written) == address


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Snowflake Inc.", "snowflake-inc"),
        ("Fördős András", "fordos-andras"),
        ("The Brønnøysund Registries", "the-bronnoysund-registries"),
        ("C++ & C#", "c-plus-plus-and-c-sharp"),
        ("Raiser's Edge", "raisers-edge"),
        ("}exghts", "exghts"),
        ("日本", "unnamed"),
        ("x" * 200, "x" * 80),
    ],
)
def test_slugs(text: str, slug: str) -> None:
    assert slugify(text) == slug


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Reenhanced LLC", "Reenhanced, LLC"),
        ("luithle + Luithle GmbH", "Luithle + Luithle GmbH"),
        ("FlowJoe", "Flow Joe"),
        ("Snowflake Inc.", "Snowflake"),
    ],
)
def test_spellings_of_one_publisher_have_one_key(one: str, other: str) -> None:
    assert publisher_key(one) == publisher_key(other)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"name": "  Tide   Tables "}, "Tide Tables"),
        ({"name": "Default title", "id": "Tide Tables"}, "Tide Tables"),
        ({"name": "The Br\ufffdnn\ufffdysund", "id": "Brønnøysundregistrene"}, "The Brønnøysund"),
        ({"name": "Alemba\ufffds own", "id": "x"}, "Alemba’s own"),
        (
            {"name": "word " * 20},
            "word word word word word word word word word word word…",
        ),
    ],
)
def test_names_are_mended(data: dict[str, str], name: str) -> None:
    assert clean_name(data) == name
    assert len(clean_name(data)) <= 60


def test_a_lost_character_that_is_nowhere_known_goes() -> None:
    assert mend("caf\ufffd", {"id": "x"}) == "caf"


def test_the_slug_does_not_depend_on_the_order_of_the_lines(tmp_path: Path) -> None:
    lines = [
        connector("Tides", source="b/Tides", publisher="Beta"),
        connector("Tides", source="a/Tides", publisher="Alpha"),
        connector("tides", source="c/Tides", publisher="Beta"),
        connector("TIDES", source="c/Other", publisher="Beta"),
    ]
    expected = {
        "a/Tides": "tides",
        "b/Tides": "tides-beta",
        "c/Other": "tides-beta-other",
        "c/Tides": "tides-beta-tides",
    }
    for seed in range(5):
        random.Random(seed).shuffle(lines)
        found = {
            record.envelope.source.removeprefix("connectors:"): record.envelope.slug
            for record in listings(tmp_path, *lines)
        }
        assert found == expected


def test_a_thousand_connectors_of_one_name_have_a_thousand_valid_slugs(tmp_path: Path) -> None:
    lines = [connector("Tides " * 12, source=f"{number}/Tides") for number in range(1_000)]
    slugs = {record.envelope.slug for record in listings(tmp_path, *lines)}
    assert len(slugs) == 1_000


def test_a_slug_in_use_by_another_listing_is_not_taken(tmp_path: Path) -> None:
    file = ConnectorFile(write(tmp_path, connector("Tides", source="a/Tides")))
    file.settle({}, {"tides": None})
    (line,) = file.listings()
    assert isinstance(line, Line)
    assert line.data["slug"] == "tides-harbour-works-ltd"
    file.settle({"connectors:a/Tides": "renamed"}, {"tides": None})
    (line,) = file.listings()
    assert isinstance(line, Line)
    assert line.data["slug"] == "renamed"


def test_a_missing_publisher_is_found_by_stages(tmp_path: Path) -> None:
    nobody = {"publisher": "", "stack_owner": "", "website": ""}
    records = listings(
        tmp_path,
        connector("Named"),
        connector("Owned", publisher="", stack_owner="Owner", website=""),
        connector("Told", **{**nobody, "readme": "# Told\n## Publisher: Teller\n"}),
        connector("Housed", **{**nobody, "website": "https://tides.example.com/a"}),
        connector("Alone", **nobody),
    )
    assert [record.envelope.publisher for record in records] == [
        "harbour-works-ltd",
        "owner",
        "teller",
        "harbour-works-ltd",
        "alone",
    ]


def test_a_line_becomes_a_listing(tmp_path: Path) -> None:
    (record,), _notes = _records_and_notes(tmp_path)
    content = record.content
    assert content.tagline == "Tells the tides of four thousand ports"
    assert content.categories == ("data", "marketing", "websites")
    assert content.aliases == ("Tide Tables",)
    assert content.auth_kinds == ("api_key", "oauth2")
    assert [scope.scope for scope in content.scopes] == ["read", "write", "last"]
    assert content.brand_color == "#1f6f8b"
    assert record.envelope.certified is True
    assert record.envelope.source == "connectors:certified-connectors/Tides"


def _records_and_notes(tmp_path: Path) -> tuple[list[ListingRecord], list[Problem]]:
    file = write(
        tmp_path,
        connector(
            "Tides",
            id="Tide Tables",
            categories=["Data", "odd", "Social media", "Marketing", "website"],
            scopes=["read write", "{Scope}", "https://x.example/" + "y" * 80 + "/last"],
            auth=["apiKey", "oauth2", "magic"],
            support_url="nowhere",
            source="certified-connectors/Tides",
        ),
    )
    records, notes = [], []
    for item in ConnectorFile(file).listings():
        if isinstance(item, Problem):
            notes.append(item)
            continue
        record = parse_record(item.data)
        assert isinstance(record, ListingRecord)
        records.append(record)
    return records, notes


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    _records, notes = _records_and_notes(tmp_path)
    assert {note.field for note in notes} == {"categories", "scopes", "auth", "support_url"}
    assert not any(note.refused for note in notes)


def test_a_connector_that_needs_no_credentials_says_so(tmp_path: Path) -> None:
    (record,) = listings(
        tmp_path,
        connector("Tides", auth=[], readme="# Tides\nThere are no credentials needed to use this."),
    )
    assert record.content.auth_kinds == ("none",)


def test_a_bare_description_is_filled_up(tmp_path: Path) -> None:
    (record,) = listings(tmp_path, connector("Weather", description="Test", readme=""))
    assert record.content.tagline == "Connects Weather by Harbour Works Ltd"
    assert record.content.description.startswith("Test\n\nWeather is a connector published by")


def test_lines_that_are_no_connector_are_refused_with_the_reason(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        connector("Good"),
        {"source": "a", "readme": ""},
        {"name": "No source"},
        {**connector("X"), "source": ["list"]},
        {**connector("Odd"), "unexpected": 1},
        {**connector("Good"), "name": "Again"},
        connector("Types", categories=5, auth=None, scopes={"a": 1}, actions="many", readme=7),
    )
    found = list(ConnectorFile(file).listings())
    refused = {
        (item.line, item.field) for item in found if isinstance(item, Problem) and item.refused
    }
    assert refused == {(2, "name"), (3, "source"), (4, "source"), (5, "unexpected"), (6, "source")}
    good = [item.number for item in found if isinstance(item, Line)]
    assert good == [1, 7]
