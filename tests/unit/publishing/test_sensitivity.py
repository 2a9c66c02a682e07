"""Which changes need review: one row a rule."""

from typing import Any

import pytest

from marketplace.catalogue.publishing import sensitivity as why
from marketplace.catalogue.publishing.sections import FIELD_LABELS
from marketplace.catalogue.publishing.sensitivity import (
    changed_fields,
    is_sampled,
    review_plan,
)
from tests.factories.listings import listing_content

BASE = listing_content(
    description="See [the docs](https://tides.example/docs) for everything it can do.",
    pricing={"model": "free", "summary": "Free", "url": "https://tides.example/prices"},
)
KEY = {"key": "ab/" + "0" * 64 + ".png", "width": 200, "height": 200}


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"name": "Tide Almanac"}, {why.SENSITIVE}),
        ({"kind": "app"}, {why.SENSITIVE}),
        ({"publisher": "somebody-else"}, {why.SENSITIVE}),
        ({"website_url": "https://evil.example"}, {why.SENSITIVE}),
        ({"support_url": "https://evil.example"}, {why.SENSITIVE}),
        ({"documentation_url": "https://evil.example"}, {why.SENSITIVE}),
        ({"privacy_url": ""}, {why.SENSITIVE}),
        ({"terms_url": "https://evil.example"}, {why.SENSITIVE}),
        ({"video_url": "https://vimeo.com/1"}, {why.SENSITIVE}),
        ({"support_email": "help@evil.example"}, {why.SENSITIVE}),
        ({"auth_kinds": ["oauth2", "api_key"]}, {why.SENSITIVE}),
        ({"data_shared": []}, {why.SENSITIVE}),
        ({"logo": KEY}, {why.SENSITIVE}),
        ({"scopes": []}, {why.SENSITIVE}),
        (
            {"scopes": [{"scope": "events.write", "reason": "For another reason"}]},
            {why.SENSITIVE},
        ),
        (
            {"scopes": [*BASE["scopes"], {"scope": "mail.send", "reason": "To write to you"}]},
            {why.SENSITIVE, why.NEW_SCOPES},
        ),
        (
            {"pricing": {**BASE["pricing"], "url": "https://evil.example"}},
            {why.SENSITIVE},
        ),
        ({"pricing": {**BASE["pricing"], "summary": "Free for ever"}}, set()),
        ({"description": "Read https://evil.example/now before you connect it."}, {why.NEW_LINKS}),
        ({"setup_guide": "Write to [us](mailto:x@evil.example)."}, {why.NEW_LINKS}),
        ({"setup_guide": "See www.evil.example for more."}, {why.NEW_LINKS}),
        ({"setup_guide": "See https://tides.example/docs."}, set()),
        ({"description": "No more links in this text, only words."}, set()),
        ({"tagline": "Brings every tide into your schedule"}, set()),
        ({"categories": ["travel"]}, set()),
        ({"tags": ["sea"]}, set()),
        ({"works_with": ["Mail"]}, set()),
        ({"actions": []}, set()),
        ({"compliance": ["soc2"]}, set()),
        ({"languages": ["de"]}, set()),
        ({"screenshots": [{**KEY, "alt": "Tides", "caption": ""}]}, set()),
    ],
)
def test_a_change_of_a_public_listing_needs_review_for_these_reasons(
    change: dict[str, Any], reasons: set[str]
) -> None:
    plan = review_plan(BASE, {**BASE, **change}, is_new=False)
    assert set(plan.reasons) == reasons
    assert plan.needs_review is bool(reasons)
    assert plan.needs_second is (why.NEW_SCOPES in reasons)
    assert plan.changed == tuple(sorted(change))


def test_a_new_listing_always_needs_review_and_its_scopes_a_second_reviewer() -> None:
    plan = review_plan({}, {**BASE, "scopes": []}, is_new=True)
    assert plan.reasons == (why.NEW_LISTING,)
    assert not plan.needs_second
    assert review_plan({}, BASE, is_new=True).needs_second


def test_what_was_sent_back_and_what_has_a_close_name_is_reviewed_however_harmless() -> None:
    harmless = {**BASE, "tags": []}
    assert review_plan(BASE, harmless, is_new=False, sent_back=True).reasons == (why.SENT_BACK,)
    plan = review_plan(BASE, harmless, is_new=False, close_names=["Tidal"])
    assert plan.reasons == (why.CLOSE_NAME,)


@pytest.mark.parametrize("empty", [None, "", [], {}, "  ", [{"scope": "", "reason": ""}]])
def test_an_empty_value_and_a_missing_one_are_the_same(empty: object) -> None:
    assert changed_fields({}, {"tags": empty}) == ()
    assert changed_fields({"tags": empty}, {}) == ()


def test_zero_is_a_value() -> None:
    assert changed_fields({"action_count": 3}, {"action_count": 0}) == ("action_count",)


def test_one_publication_in_ten_is_a_sample_and_always_the_same_one() -> None:
    chosen = [is_sampled(listing, 2) for listing in range(10_000)]
    assert 900 < sum(chosen) < 1_100
    assert chosen == [is_sampled(listing, 2) for listing in range(10_000)]


def test_every_sensitive_field_of_the_content_has_a_name_for_people() -> None:
    assert why.SENSITIVE_FIELDS - {"publisher"} <= FIELD_LABELS.keys()
