"""Values of metrics out of measurements."""

import itertools
from datetime import UTC, datetime, timedelta

from flask import Flask

from marketplace.program.measures import Measure, measure
from marketplace.program.policy.document import Policy
from marketplace.program.scorecards.evaluating import values_of
from marketplace.program.scorecards.movers import movers
from tests.factories.people import make_organization
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.queries import count_queries

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
METRICS = [
    {"key": "revenue", "name": "Revenue", "measure": "net_revenue", "unit": "money", "points": 1,
     "per": 100_000},
    {"key": "people", "name": "People", "measure": "certified_people", "how": "level",
     "window_days": None, "points": 20},
    {"key": "rating", "name": "Rating", "measure": "rating", "how": "average", "unit": "stars"},
    {"key": "answered", "name": "Answers", "measure": "response_minutes", "how": "count",
     "window_days": 30},
    {"key": "evidence", "name": "Evidence", "measure": "evidence", "how": "age", "unit": "days",
     "higher_is_better": False},
]  # fmt: skip

NUMBERS = itertools.count()


def policy_of(**changes: object) -> Policy:
    return Policy.model_validate(policy_document(metrics=METRICS, **changes))


def write(
    organization_id: int, what: Measure, amount: int, at: datetime, currency: str = ""
) -> None:
    measure(
        organization_id,
        what,
        amount,
        key=f"k{next(NUMBERS)}",
        source=("test", 1),
        at=at,
        currency=currency,
    )


def test_a_window_leaves_its_first_moment_out_and_takes_its_last_in(app: Flask) -> None:
    partner = make_organization("Quayside").id
    write(partner, Measure.NET_REVENUE, 1, AT - timedelta(days=365), "EUR")
    write(partner, Measure.NET_REVENUE, 10, AT - timedelta(days=365, microseconds=-1), "EUR")
    write(partner, Measure.NET_REVENUE, 100, AT, "EUR")
    write(partner, Measure.NET_REVENUE, 1000, AT + timedelta(microseconds=1), "EUR")
    assert values_of([partner], policy_of(), AT)[partner]["revenue"] == 110


def test_levels_look_at_everything_up_to_the_moment(app: Flask) -> None:
    partner = make_organization("Quayside").id
    write(partner, Measure.CERTIFIED_PEOPLE, 1, AT - timedelta(days=3_000))
    write(partner, Measure.CERTIFIED_PEOPLE, 1, AT - timedelta(days=2))
    write(partner, Measure.CERTIFIED_PEOPLE, -1, AT + timedelta(days=2))
    policy = policy_of()
    assert values_of([partner], policy, AT)[partner]["people"] == 2
    assert values_of([partner], policy, AT + timedelta(days=2))[partner]["people"] == 1


def test_averages_round_half_up_and_a_negative_amount_takes_one_back(app: Flask) -> None:
    partner = make_organization("Quayside").id
    write(partner, Measure.RATING, 300, AT)
    write(partner, Measure.RATING, 401, AT)
    policy = policy_of()
    assert values_of([partner], policy, AT)[partner]["rating"] == 351
    write(partner, Measure.RATING, -300, AT)
    assert values_of([partner], policy, AT)[partner]["rating"] == 401


def test_what_was_never_measured_has_no_average_and_no_age(app: Flask) -> None:
    partner = make_organization("Quayside").id
    values = values_of([partner], policy_of(), AT)[partner]
    assert dict(values) == {
        "revenue": 0, "people": 0, "rating": None, "answered": 0, "evidence": None
    }  # fmt: skip
    assert values.known() == {"revenue": 0, "people": 0, "answered": 0}


def test_an_age_is_in_whole_days_whatever_the_window(app: Flask) -> None:
    partner = make_organization("Quayside").id
    write(partner, Measure.EVIDENCE, 1, AT - timedelta(days=396, hours=-1))
    assert values_of([partner], policy_of(), AT)[partner]["evidence"] == 395
    write(partner, Measure.EVIDENCE, -1, AT)
    assert values_of([partner], policy_of(), AT)[partner]["evidence"] == 395


def test_money_is_converted_once_for_each_currency_and_what_has_no_rate_is_named(
    app: Flask,
) -> None:
    partner = make_organization("Quayside").id
    policy = policy_of(rates={"USD": 900_000, "JPY": 6_250})
    for _ in range(3):
        write(partner, Measure.NET_REVENUE, 1, AT, "USD")  # 2.7 cents together
    write(partner, Measure.NET_REVENUE, 1000, AT, "JPY")  # 1,000 yen: 6.25
    write(partner, Measure.NET_REVENUE, 5, AT, "GBP")
    found = values_of([partner], policy, AT)[partner]
    assert found["revenue"] == 3 + 625
    assert found.left_out == {"revenue": ("GBP",)}


def test_a_hundred_partners_take_one_statement(app: Flask) -> None:
    partners = [make_organization(f"Partner {number}").id for number in range(100)]
    for each in partners:
        write(each, Measure.NET_REVENUE, each, AT, "EUR")
    policy = policy_of()
    found = {}
    assert count_queries(lambda: found.update(values_of(partners, policy, AT))) == 1
    assert {each: found[each]["revenue"] for each in partners} == {each: each for each in partners}


def test_movers_are_those_who_would_earn_another_tier(app: Flask) -> None:
    policy = make_policy().policy
    rising, staying = make_organization("Rising"), make_organization("Staying")
    make_standing(rising), make_standing(staying, "silver")
    for number in range(5):
        measure(rising.id, Measure.CERTIFIED_PEOPLE, key=f"r{number}", source=("t", number))
        measure(staying.id, Measure.CERTIFIED_PEOPLE, key=f"s{number}", source=("t", number))
    found = movers(policy)
    assert [(each.name, each.from_tier, each.to_tier, each.points) for each in found] == [
        ("Rising", "registered", "silver", 100)
    ]
    assert found[0].partner_type == (rising.partner_type or "")
