"""Where a changelog may link."""

import pytest

from marketplace.catalogue.publishing.changelog_links import unknown_hosts

APPROVED = {
    "website_url": "https://Quayside.example/",
    "support_email": "help@quayside.example",
    "pricing": {"url": "https://pay.quayside.example/plans"},
    "description": "See [the docs](https://docs.quayside.example/start).",
    "tagline": "Better than evil.example",
}


@pytest.mark.parametrize(
    ("changelog", "unknown"),
    [
        ("Nothing linked, not even evil.example", ()),
        ("[notes](https://quayside.example/notes?x=1#y)", ()),
        ("[notes](https://QUAYSIDE.example./notes)", ()),
        ("<https://docs.quayside.example> <https://pay.quayside.example>", ()),
        ("[write](mailto:help@quayside.example)", ()),
        ("[a](https://evil.example/)", ("evil.example",)),
        ("[a](https://quayside.example.evil.example/)", ("quayside.example.evil.example",)),
        (
            "[a](https://quayside.example@evil.example/)",
            ("https://quayside.example@evil.example/",),
        ),
        ("[a](mailto:other@evil.example)", ("mailto:other@evil.example",)),
        ("[a][1]\n\n[1]: https://evil.example", ("evil.example",)),
        ("[a](https&#58;//evil.example)", ("evil.example",)),
        ("[a](//evil.example/)", None),
        ('[a](https://evil.example "> a title")', ("evil.example",)),
    ],
)
def test_a_changelog_links_only_where_the_approved_content_does(
    changelog: str, unknown: tuple[str, ...] | None
) -> None:
    found = unknown_hosts(changelog, APPROVED)
    if unknown is None:
        assert any("evil.example" in destination for destination in found)
    else:
        assert found == unknown


def test_a_listing_that_is_not_public_has_no_approved_host() -> None:
    assert unknown_hosts("<https://quayside.example>", {}) == ("quayside.example",)
