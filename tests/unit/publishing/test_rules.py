"""Waiting times, rebasing, versions, addresses and what is wrong with a draft."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.catalogue.publishing.problems import (
    checklist,
    content_problems,
    entered_problems,
    label_of,
)
from marketplace.catalogue.publishing.rebasing import Clash, rebase
from marketplace.catalogue.publishing.sections import SECTIONS, anchor
from marketplace.catalogue.publishing.slugs import free_slug, slug_of, slug_problem
from marketplace.catalogue.publishing.version_numbers import parse_version, version_key
from marketplace.catalogue.publishing.waiting import median_wait, queue_position, wait_text
from tests.factories.listings import listing_content

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def ago(**parts: float) -> datetime:
    return AT - timedelta(**parts)


@pytest.mark.parametrize(
    ("decided", "median"),
    [
        ([], None),
        ([(ago(hours=10), ago(hours=4))], timedelta(hours=6)),
        (
            [(ago(days=3), ago(days=1)), (ago(days=5), ago(days=1)), (ago(days=2), ago(days=1))],
            timedelta(days=2),
        ),
        ([(ago(days=3), ago(days=1)), (ago(days=5), ago(days=1))], timedelta(days=3)),
        ([(ago(days=120), ago(days=91))], None),
        ([(ago(days=91), ago(days=89))], timedelta(days=2)),
        ([(ago(days=1), ago(days=2))], None),
    ],
)
def test_the_median_wait_is_that_of_the_last_ninety_days(
    decided: list[tuple[datetime, datetime]], median: timedelta | None
) -> None:
    assert median_wait(decided, at=AT) == median


def test_the_position_counts_those_who_came_earlier() -> None:
    assert queue_position(ago(hours=2), [ago(hours=3), ago(hours=1), ago(hours=2)]) == 2
    assert queue_position(ago(hours=2), []) == 1


@pytest.mark.parametrize(
    ("wait", "text"),
    [
        (None, "–"),
        (timedelta(minutes=10), "under an hour"),
        (timedelta(minutes=80), "1 hour"),
        (timedelta(hours=30), "30 hours"),
        (timedelta(hours=40), "2 days"),
        (timedelta(days=9), "9 days"),
    ],
)
def test_a_wait_reads_well(wait: timedelta | None, text: str) -> None:
    assert wait_text(wait) == text


@pytest.mark.parametrize(
    ("base", "published", "draft", "merged", "taken", "clashes"),
    [
        ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}, (), ()),
        ({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}, ("a",), ()),
        ({"a": 1}, {"a": 2}, {"a": 2}, {"a": 2}, (), ()),
        ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 3}, (), (Clash("a", 1, 2, 3),)),
        ({"a": 1}, {}, {"a": 1}, {}, ("a",), ()),
        ({}, {"b": 1}, {"a": 1}, {"a": 1, "b": 1}, ("b",), ()),
        ({"a": ""}, {"a": None}, {}, {}, (), ()),
        ({"a": [1]}, {"a": [1, 2]}, {"a": []}, {"a": []}, (), (Clash("a", [1], [1, 2], []),)),
    ],
)
def test_a_draft_is_put_on_top_of_what_became_public_meanwhile(
    base: dict[str, Any],
    published: dict[str, Any],
    draft: dict[str, Any],
    merged: dict[str, Any],
    taken: tuple[str, ...],
    clashes: tuple[Clash, ...],
) -> None:
    result = rebase(base, published, draft)
    assert (result.merged, result.taken, result.clashes) == (merged, taken, clashes)
    assert result.is_needed is bool(taken or clashes)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1.4.0", "1.4.0"),
        (" v2.0 ", "2.0"),
        ("2026", "2026"),
        ("1.2.3.4", "1.2.3.4"),
        ("2.0.0-beta.1", "2.0.0-beta.1"),
        ("1.0.0+build.5", "1.0.0+build.5"),
        ("", None),
        ("one", None),
        ("1..2", None),
        ("1.2.3.4.5", None),
        ("1.0-", None),
        ("١.٢", None),
        ("1.0-" + "a" * 60, None),
        ("<b>1</b>", None),
    ],
)
def test_a_version_number_is_like_semver(given: str, kept: str | None) -> None:
    assert parse_version(given) == kept


def test_versions_are_ordered_as_semver_orders_them() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "1.10"]
    shuffled = [ordered[number] for number in (3, 5, 0, 4, 2, 1)]
    assert sorted(shuffled, key=version_key) == ordered
    assert version_key("1.4") == version_key("v1.4.0")
    with pytest.raises(ValueError, match="not a version"):
        version_key("x")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Tide Tables", "tide-tables"),
        ("C++ & C#", "c-plus-plus-and-c-sharp"),
        ("Crème brûlée", "creme-brulee"),
        ("日本", "listing"),
        ("../../etc/passwd", "etc-passwd"),
        ("x" * 200, "x" * 60),
    ],
)
def test_a_slug_is_made_of_a_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_taken_slug_gets_the_publishers_then_a_number() -> None:
    taken = {"tides"}
    assert free_slug("Tides", taken.__contains__, "quayside") == "tides-quayside"
    taken.add("tides-quayside")
    assert free_slug("Tides", taken.__contains__, "quayside") == "tides-quayside-2"
    assert free_slug("New", set().__contains__) == "new-2"


@pytest.mark.parametrize(
    ("slug", "fine"),
    [
        ("tide-tables", True),
        ("a1", True),
        ("a", False),
        ("Tide", False),
        ("tide--tables", False),
        ("-tide", False),
        ("tide/tables", False),
        ("new", False),
        ("x" * 81, False),
    ],
)
def test_an_address_has_rules(slug: str, fine: bool) -> None:
    assert (slug_problem(slug) is None) is fine


def test_a_complete_content_has_no_problems() -> None:
    assert content_problems(listing_content()) == {}
    assert not [item for item in checklist(listing_content()) if item.required and not item.done]


def test_an_empty_draft_lacks_the_required_fields_but_has_nothing_wrong() -> None:
    assert set(content_problems({})) == {"name", "tagline", "description", "kind", "categories"}
    assert entered_problems({"name": "", "tagline": "  ", "scopes": []}) == {}


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"name": "x" * 10_000}, "name", "Use at most 60 characters; this has 10,000."),
        ({"tagline": "Short"}, "tagline", "Use at least 10 characters."),
        ({"kind": "zeppelin"}, "kind", "Choose one of the options."),
        ({"categories": ["../x"]}, "categories", "Choose one of the options."),
        ({"tags": ["a" * 31]}, "tags", "Use at most 30 characters; this has 31."),
        (
            {"tags": [str(n) for n in range(13)]},
            "tags",
            "Use at most 12 entries; there are 13.",
        ),
        ({"website_url": "javascript:alert(1)"}, "website_url", "Enter a full web address"),
        ({"website_url": "https://a.example/<x>"}, "website_url", "Enter a full web address"),
        ({"video_url": "https://evil.example/v"}, "video_url", "YouTube, Vimeo or Loom"),
        ({"support_email": "nobody"}, "support_email", "help@example.com"),
        ({"brand_color": "red; x"}, "brand_color", "#1f6f8b"),
        ({"languages": ["english!"]}, "languages", "pt-BR"),
        ({"action_count": "many"}, "action_count", "Enter a whole number."),
        ({"action_count": -1}, "action_count", "Use 0 or more."),
        ({"scopes": [{"scope": "a", "reason": ""}]}, "scopes.0.reason", "This is needed."),
        ({"scopes": [{"scope": "", "reason": "A reason"}]}, "scopes.0.scope", "This is needed."),
        (
            {"data_shared": [{"object": "A", "direction": "up", "purpose": ""}]},
            "data_shared.0.direction",
            "Choose one of the options.",
        ),
        ({"pricing": {"model": "barter"}}, "pricing.model", "Choose one of the options."),
        ({"security": {"retention": "x" * 501}}, "security.retention", "this has 501."),
        (
            {"screenshots": [{"key": "a", "width": 1, "height": 1, "alt": ""}]},
            "screenshots.0.alt",
            "This is needed.",
        ),
        ({"compliance": ["iso1"]}, "compliance", "Choose one of the options."),
        ({"extra": 1}, "extra", "There is no field of that name."),
    ],
)
def test_what_is_wrong_is_told_at_its_path(fields: dict[str, Any], path: str, message: str) -> None:
    problems = entered_problems(listing_content(**fields))
    assert set(problems) == {path}
    assert message in problems[path]


def test_each_field_of_the_content_is_in_exactly_one_section() -> None:
    from marketplace.catalogue.content import ListingContent

    fields = [name for section in SECTIONS for name in section.fields]
    assert sorted(fields) == sorted(ListingContent.model_fields)


def test_a_path_has_a_name_and_an_anchor() -> None:
    assert label_of("scopes.0.reason") == "Scopes 1, reason"
    assert label_of("pricing.url") == "Pricing, pricing page"
    assert anchor("scopes.0.reason") == "scopes-0-reason"
    assert anchor("categories") == "main_category"
