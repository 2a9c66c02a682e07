"""Values, points, tiers, gaps and moves, as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.program.policy.document import Metric, Policy
from marketplace.program.scorecards.rules import (
    Tally,
    converted,
    earned_tier,
    gaps,
    half_up,
    metric_points,
    next_tier,
    points_of,
    unmet,
    value_of,
)
from marketplace.program.standing.models import MoveKind, StandingState
from marketplace.program.standing.movement import Found, Held, end_of_grace, step
from tests.factories.program import policy_document

AT = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)


def policy_of(**changes: Any) -> Policy:
    return Policy.model_validate(policy_document(**changes))


def metric(**fields: Any) -> Metric:
    return Metric.model_validate({"key": "m_metric", "name": "M", "measure": "rating", **fields})


@pytest.mark.parametrize(
    ("top", "bottom", "result"),
    [(1, 2, 1), (-1, 2, 0), (3, 2, 2), (-3, 2, -1), (5, 4, 1), (6, 4, 2), (0, 9, 0), (10, 3, 3)],
)
def test_halves_go_upwards(top: int, bottom: int, result: int) -> None:
    assert half_up(top, bottom) == result


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**9))
def test_rounding_is_the_nearest_integer(top: int, bottom: int) -> None:
    assert abs(half_up(top, bottom) * bottom * 2 - top * 2) <= bottom


@pytest.mark.parametrize(
    ("amount", "currency", "result"),
    [
        (100, "EUR", 100), (100, "", 100), (100, "USD", 90), (1, "USD", 1), (-1, "USD", -1),
        (5, "USD", 5), (-5, "USD", -4), (1_000, "JPY", 625), (1, "KWD", 0), (1_000, "KWD", 300),
        (1, "GBP", None),
    ],
)  # fmt: skip
def test_money_counts_in_the_policys_currency(
    amount: int, currency: str, result: int | None
) -> None:
    rates = {"USD": 900_000, "JPY": 6_250, "KWD": 3_000_000}
    assert converted(amount, currency, policy_of(rates=rates)) == result


@pytest.mark.parametrize(
    ("how", "tally", "value"),
    [
        ("sum", Tally(total=7, net=3), 7),
        ("level", Tally(total=-2), -2),
        ("count", Tally(total=7, net=3), 3),
        ("count", Tally(total=-1, net=-1), 0),
        ("average", Tally(total=7, net=2), 4),
        ("average", Tally(total=0, net=0), None),
        ("average", Tally(total=-9, net=-1), None),
        ("age", Tally(newest=AT), 0),
        ("age", Tally(newest=AT - timedelta(hours=23, minutes=59)), 0),
        ("age", Tally(newest=AT - timedelta(days=395)), 395),
        ("age", Tally(total=5), None),
    ],
)
def test_a_value_is_made_as_the_policy_says(how: str, tally: Tally, value: int | None) -> None:
    assert value_of(policy_of(), metric(how=how), {"": tally}, AT) == (value, ())


def test_what_was_never_measured_is_nothing_or_has_no_value() -> None:
    found = {
        how: value_of(policy_of(), metric(how=how), {}, AT)[0]
        for how in ("sum", "level", "count", "average", "age")
    }
    assert found == {"sum": 0, "level": 0, "count": 0, "average": None, "age": None}


@pytest.mark.parametrize(
    ("fields", "value", "points"),
    [
        ({"points": 3, "per": 10}, 29, 6),
        ({"points": 3, "per": 10}, 30, 9),
        ({"points": 3, "per": 10, "cap": 7}, 30, 7),
        ({"points": 3, "cap": 0}, 30, 0),
        ({"points": 3}, None, 0),
        ({"points": 3}, 0, 0),
        ({"points": 3}, -4, 0),
        ({"points": 0}, 50, 0),
        ({"points": 3, "higher_is_better": False}, 50, 0),
        ({"points": 10_000}, 10**15, 10**19),
    ],
)
def test_points_are_given_for_whole_steps_up_to_the_cap(
    fields: dict[str, Any], value: int | None, points: int
) -> None:
    assert metric_points(metric(**fields), value) == points


TIERS = [
    {"key": "registered", "name": "Registered"},
    {
        "key": "silver",
        "name": "Silver",
        "points": 100,
        "requirements": [{"metric": "certified", "threshold": 1, "types": ["technology"]}],
    },
    {
        "key": "gold",
        "name": "Gold",
        "points": 250,
        "types": ["technology", "developer"],
        "requirements": [{"metric": "answers", "threshold": 60}],
    },
]
METRICS = [
    {"key": "deals", "name": "Deals", "measure": "deals_won", "points": 1},
    {"key": "certified", "name": "Certified", "measure": "certified_people", "how": "level"},
    {
        "key": "answers",
        "name": "Answers",
        "measure": "response_minutes",
        "how": "average",
        "higher_is_better": False,
    },
]


@pytest.mark.parametrize(
    ("kind", "deals", "certified", "answers", "tier"),
    [
        ("technology", 99, 1, 10, "registered"),
        ("technology", 100, 0, 10, "registered"),
        ("technology", 100, 1, 10, "silver"),
        ("reseller", 100, 0, 10, "silver"),  # the requirement is of another type
        ("technology", 249, 1, 10, "silver"),
        ("technology", 250, 1, 10, "gold"),
        ("technology", 250, 0, 10, "gold"),  # a tier may be skipped
        ("technology", 250, 1, 61, "silver"),
        ("technology", 250, 1, 60, "gold"),
        ("technology", 250, 1, None, "silver"),  # no value meets nothing
        ("reseller", 999, 9, 1, "silver"),  # gold is not for its type
        (None, 999, 9, 1, "silver"),
    ],
)
def test_the_highest_tier_that_is_met_is_earned(
    kind: str | None, deals: int, certified: int, answers: int | None, tier: str
) -> None:
    policy = policy_of(tiers=TIERS, metrics=METRICS)
    values = {"deals": deals, "certified": certified, "answers": answers}
    assert earned_tier(policy, kind, values) == tier
    assert points_of(policy, values) == deals


def test_a_gap_is_the_threshold_less_the_value() -> None:
    policy = policy_of(tiers=TIERS, metrics=METRICS)
    gold = policy.tiers[2]
    found = gaps(policy, "technology", gold, {"deals": 57, "certified": 0, "answers": 75})
    assert [(each.threshold, each.value, each.missing, each.met) for each in found] == [
        (250, 57, 193, False),
        (60, 75, 15, False),
    ]
    met = gaps(policy, "technology", gold, {"deals": 300, "certified": 0, "answers": 3})
    assert [(each.missing, each.met) for each in met] == [(0, True), (0, True)]
    unknown = gaps(policy, "technology", gold, {"deals": 300, "answers": None})
    assert [(each.missing, each.met) for each in unmet(unknown)] == [(None, False)]


def test_the_next_tier_is_one_that_the_type_can_reach() -> None:
    policy = policy_of(tiers=TIERS, metrics=METRICS)
    assert [
        getattr(next_tier(policy, kind, tier), "key", None)
        for kind, tier in (
            ("technology", "registered"), ("technology", "silver"), ("technology", "gold"),
            ("reseller", "silver"), ("technology", "no_such_tier"),
        )
    ] == ["silver", "gold", None, None, "registered"]  # fmt: skip


# --- moves -----------------------------------------------------------------------------------

ACTIVE = StandingState.ACTIVE
UNTIL = end_of_grace(AT, 30)


def held(tier: str, **fields: Any) -> Held:
    return Held(ACTIVE, tier, **fields)


def test_grace_lasts_to_the_end_of_its_last_day() -> None:
    assert end_of_grace(AT, 30) == datetime(2026, 7, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    # At midnight it is the day that ends there which had the tier last.
    assert f"{end_of_grace(AT.replace(hour=0, minute=0), 1):%d %H:%M}" == "01 23:59"
    assert f"{end_of_grace(AT.replace(hour=0, minute=1), 1):%d %H:%M}" == "02 23:59"


@pytest.mark.parametrize(
    ("before", "found", "day", "after", "kinds"),
    [
        (held("silver"), Found("silver"), 0, held("silver"), []),
        (held("silver"), Found("gold"), 0, held("gold"), ["promoted"]),
        (held("registered"), Found("gold"), 0, held("gold"), ["promoted"]),
        (
            held("gold"), Found("silver"), 0,
            held("gold", grace_until=UNTIL, grace_tier="silver"), ["grace_began"],
        ),
        (
            held("gold", grace_until=UNTIL, grace_tier="silver"), Found("registered"), 30,
            held("gold", grace_until=UNTIL, grace_tier="registered"), [],
        ),
        (
            held("gold", grace_until=UNTIL, grace_tier="silver"), Found("silver"), 31,
            held("silver"), ["demoted"],
        ),
        (
            held("gold", grace_until=UNTIL, grace_tier="silver"), Found("gold"), 31,
            held("gold"), ["grace_ended"],
        ),
        (
            held("silver", grace_until=UNTIL, grace_tier="registered"), Found("gold"), 5,
            held("gold"), ["promoted"],
        ),
        (held("silver"), Found("registered", override="gold"), 0, held("gold"), ["overridden"]),
        (held("gold"), Found("registered", override="gold"), 0, held("gold"), []),
        (
            held("gold"), Found("registered", override_ended=True), 0,
            held("registered"), ["override_ended"],
        ),
        (held("gold"), Found("silver", override="no_such_tier"), 0,
         held("gold", grace_until=UNTIL, grace_tier="silver"), ["grace_began"]),
        (held("no_such_tier"), Found("registered"), 0, held("registered"), ["demoted"]),
        (held("no_such_tier"), Found("gold"), 0, held("gold"), ["demoted"]),
    ],
)  # fmt: skip
def test_a_standing_moves_by_what_was_found(
    before: Held, found: Found, day: int, after: Held, kinds: list[str]
) -> None:
    now, changes = step(policy_of(), before, found, AT + timedelta(days=day))
    assert now == after
    assert [each.kind for each in changes] == [MoveKind(kind) for kind in kinds]


@pytest.mark.parametrize(
    ("days", "certified", "state", "kinds"),
    [
        (0, False, "provisional", []),
        (179, False, "provisional", []),
        (180, False, "provisional", []),
        (181, False, "lapsed", ["lapsed"]),
        (100, True, "active", ["confirmed"]),
        (181, True, "active", ["confirmed"]),
    ],
)
def test_a_provisional_partner_is_confirmed_or_lapses(
    days: int, certified: bool, state: str, kinds: list[str]
) -> None:
    before = Held(StandingState.PROVISIONAL, "registered", AT + timedelta(days=180))
    at = AT + timedelta(days=days)
    after, changes = step(policy_of(), before, Found("registered", certified), at)
    assert after.state == state
    assert [each.kind.value for each in changes] == kinds


@pytest.mark.parametrize("state", [StandingState.LAPSED, StandingState.ENDED])
def test_who_is_out_of_the_program_does_not_move(state: StandingState) -> None:
    before = Held(state, "silver")
    assert step(policy_of(), before, Found("gold", certified=True), AT) == (before, ())
