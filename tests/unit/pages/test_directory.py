"""What the directory of partners is asked for."""

import pytest
from werkzeug.datastructures import MultiDict

from marketplace.catalogue.pages.directory import DirectorySearch


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({}, DirectorySearch()),
        ({"q": "  two  words\x00"}, DirectorySearch(text="two words")),
        ({"q": "x" * 10_000}, DirectorySearch(text="x" * 80)),
        ({"type": "agency"}, DirectorySearch(partner_type="agency")),
        ({"type": "wizard"}, DirectorySearch()),
        ({"country": "de"}, DirectorySearch(country="DE")),
        ({"country": "Germany"}, DirectorySearch()),
        ({"category": "crm"}, DirectorySearch(category="crm")),
        ({"category": "'; --"}, DirectorySearch()),
        ({"sort": "name", "page": "2"}, DirectorySearch(sort="name", page=2)),
        ({"sort": "0", "page": "-2"}, DirectorySearch()),
    ],
)
def test_what_cannot_be_used_is_left_out(args: dict[str, str], expected: DirectorySearch) -> None:
    assert DirectorySearch.parse(MultiDict(args)) == expected


def test_a_changed_filter_starts_from_the_first_page() -> None:
    asked = DirectorySearch(text="mail", country="DE", page=4)
    assert asked.args(country="") == {"q": "mail"}
    assert asked.args(page=5) == {"q": "mail", "country": "DE", "page": "5"}
