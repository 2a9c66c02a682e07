"""A README becomes description, setup guide and operations."""

import pytest

from marketplace.catalogue.exchange.readme import (
    Operation,
    first_sentence,
    plain_line,
    shorten,
    split_readme,
)

README = """\
<!-- badges -->
[![Build](https://x.example/b.svg)](https://x.example)
# Tide Tables Connector
[[_TOC_]]
Tide Tables tells high and low water. ![chart](chart.png)<br/>It knows [4,000 ports](https://t.example/ports).

## Publisher: Harbour Works
### Jo Doe

## Prerequisites
You need a plan. See [the notes](docs/notes.md).

## Supported Operations
### Get tides
Returns the tides of a day.

#### Parameters
* port

### When the water is high
Fires at high water.

## Obtaining Credentials
Ask for a key.

## Known Issues and Limitations
There are no known issues at this time.

## Further Support
Write to us.
"""


def test_each_section_goes_where_it_belongs() -> None:
    found = split_readme(README)
    assert found.intro == (
        "Tide Tables tells high and low water.\nIt knows [4,000 ports](https://t.example/ports)."
    )
    assert found.setup == [
        "## Prerequisites\n\nYou need a plan. See the notes.",
        "## Obtaining Credentials\n\nAsk for a key.",
    ]
    assert found.actions == [Operation("Get tides", "Returns the tides of a day.")]
    assert found.triggers == [Operation("When the water is high", "Fires at high water.")]
    assert found.description == ["## Further Support\n\nWrite to us."]


def test_operations_may_be_a_list() -> None:
    found = split_readme("# A\n## Actions\nThese:\n* `Find it`: finds it\n- **Send it**\n3. Stop\n")
    assert found.actions == [
        Operation("Find it", "finds it"),
        Operation("Send it"),
        Operation("Stop"),
    ]


def test_operations_that_are_prose_stay_in_the_description() -> None:
    found = split_readme("# A\n## Supported operations\nIt reads and writes everything.\n")
    assert found.actions == []
    assert found.description == ["## Supported operations\n\nIt reads and writes everything."]


@pytest.mark.parametrize(
    "text",
    [
        "# A\nIntro\n```\n## Prerequisites\nA plan\n## Support\nMail",
        "# A\nIntro\n## Prerequisites\nA plan\n```\n## Support\nMail",
    ],
)
def test_a_code_fence_that_never_ends_swallows_nothing(text: str) -> None:
    found = split_readme(text)
    assert found.setup == ["## Prerequisites\n\nA plan"]
    assert found.description == ["## Support\n\nMail"]


def test_headings_inside_code_are_code() -> None:
    found = split_readme("# A\nIntro\n```sh\n# Prerequisites\nrun\n```\n")
    assert found.setup == []
    assert "# Prerequisites" in found.intro


def test_a_cut_text_loses_its_last_line_and_ends_its_code() -> None:
    found = split_readme("# A\n## Setup\n```\nfirst\nsec", cut=True)
    assert found.setup == ["## Setup\n\n```\nfirst\n```"]


@pytest.mark.parametrize("text", ["", "\n\n", "###", "<br>" * 500, "```", "[" * 3_000, "# \n#\n##"])
def test_any_text_gives_something(text: str) -> None:
    split_readme(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("**Bold** _it_ `code` snake_case", "Bold it code snake_case"),
        ("[label](https://a.example) ![i](u)", "label"),
    ],
)
def test_a_plain_line_has_no_signs(text: str, plain: str) -> None:
    assert plain_line(text) == plain


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Finds tides. Writes them down.", "Finds tides"),
        ("Version 2.0 of the service is here. More.", "Version 2.0 of the service is here"),
        ("E-Sign Anything!", "E-Sign Anything!"),
        ("no end", "no end"),
        ("Test", "Test"),
    ],
)
def test_the_first_sentence(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


def test_shortening_ends_at_a_word() -> None:
    assert shorten("one two three", 9) == "one two…"
    assert shorten("x" * 30, 10) == "x" * 9 + "…"
    assert shorten("short", 10) == "short"
