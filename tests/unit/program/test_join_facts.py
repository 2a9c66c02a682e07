"""What a type of partner asks, in words."""

import pytest

from marketplace.program.onboarding.texts import facts_of
from marketplace.program.policy.document import PartnerType


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"entry": "instant"}, ["At once, no review", "About your organization, nothing more"]),
        (
            {"entry": "email", "form": [{"key": "why", "label": "Why?"}]},
            [
                "A few minutes: confirm your address, no review",
                "About your organization, and 1 question",
            ],
        ),
        (
            {
                "entry": "application",
                "review_days": 10,
                "provisional_days": 180,
                "stages": [{"key": "fit", "name": "Fit"}, {"key": "tech", "name": "Technology"}],
            },
            [
                "A decision within 10 days, in 2 stages",
                "About your organization, nothing more",
                "180 days to become certified",
            ],
        ),
    ],
)
def test_a_type_says_how_long_it_takes_and_what_is_asked(
    kind: dict[str, object], words: list[str]
) -> None:
    made = PartnerType.model_validate({"key": "some_type", "name": "Some type", **kind})
    assert [text for _icon, text in facts_of(made)] == words
