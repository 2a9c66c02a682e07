"""How many of a benefit a tier may claim, and what it may do in a space."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from marketplace.program.benefits.rules import Allowance, is_included, limit_of, year_of
from marketplace.program.policy.document import Benefit, Policy
from marketplace.program.policy.rights import Act, may_in_space, rights_in_spaces
from marketplace.program.standing.reading import Place, entitlement_of
from tests.factories.program import policy_document

POLICY = Policy.model_validate(
    policy_document(
        spaces=[
            {"key": "open", "name": "Open"},
            {"key": "ladder", "name": "Ladder", "reply": "silver", "create": "gold"},
            {"key": "deck", "name": "Deck", "see": "gold", "reply": "registered"},
        ]
    )
)


@pytest.mark.parametrize(
    ("per_year", "limits"),
    [
        ({}, (0, 0, 0)),
        ({"registered": 1}, (1, 1, 1)),
        ({"silver": 2, "gold": 5}, (0, 2, 5)),
        ({"registered": 3, "gold": 0}, (3, 3, 0)),
        ({"gold": -2}, (0, 0, 0)),
    ],
)
def test_a_tier_has_what_is_said_of_it_or_of_the_next_below(
    per_year: dict[str, int], limits: tuple[int, int, int]
) -> None:
    benefit = Benefit(key="voucher", name="Voucher", per_year=per_year)
    found = tuple(
        limit_of(POLICY, benefit, "technology", tier) for tier in ("registered", "silver", "gold")
    )
    assert found == limits
    assert limit_of(POLICY, benefit, "technology", "") == 0
    assert is_included(benefit) is (not per_year)


def test_a_tier_that_a_type_cannot_reach_gives_it_nothing_on_its_way_up() -> None:
    tiers = policy_document()["tiers"]
    certified = {
        "key": "silver", "name": "Certified agency", "types": ["agency"],
        "entitlements": {"seats": 5},
    }  # fmt: skip
    policy = Policy.model_validate(
        policy_document(
            tiers=[tiers[0], certified, {"key": "gold", "name": "Gold"}],
            types=[{"key": each, "name": each} for each in ("agency", "reseller")],
        )
    )
    benefit = Benefit(key="voucher", name="Voucher", per_year={"silver": 3})
    for kind, tier, expected in (
        ("agency", "gold", (5, 3)),
        ("reseller", "gold", (False, 0)),
        # A person put it there: what the tier itself gives, it gives.
        ("reseller", "silver", (5, 3)),
    ):
        found = entitlement_of(policy, kind, tier, "seats"), limit_of(policy, benefit, kind, tier)
        assert found == expected, (kind, tier)


def test_nothing_less_than_nothing_is_left() -> None:
    benefit = Benefit(key="voucher", name="Voucher", per_year={"gold": 1})
    assert Allowance(benefit, limit=1, taken=3).left == 0


def test_a_year_is_a_year_in_utc() -> None:
    east = timezone(timedelta(hours=9))
    assert year_of(datetime(2027, 1, 1, 8, 59, tzinfo=east)) == 2026
    assert year_of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == 2026


@pytest.mark.parametrize(
    ("tier", "space", "rights"),
    [
        ("registered", "open", "see reply create"),
        ("registered", "ladder", "see"),
        ("silver", "ladder", "see reply"),
        ("gold", "ladder", "see reply create"),
        ("silver", "deck", ""),
        ("gold", "deck", "see reply create"),
        ("", "open", ""),
        ("unknown", "open", ""),
        ("gold", "nowhere", ""),
    ],
)
def test_one_function_decides_every_right(tier: str, space: str, rights: str) -> None:
    place = Place(1, "technology", tier)
    given = [act.value for act in Act if may_in_space(place, space, act, POLICY)]
    assert given == rights.split()


def test_a_partner_is_shown_what_it_may_see() -> None:
    shown = rights_in_spaces(Place(1, "technology", "silver"), POLICY)
    assert [(each.space.key, each.may_reply, each.may_create) for each in shown] == [
        ("open", True, True),
        ("ladder", True, False),
    ]
