"""The cheapest path, against every way there is."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.program.policy.document import Policy
from marketplace.program.scorecards import path as paths
from marketplace.program.scorecards.path import Path, cheapest_path
from marketplace.program.scorecards.rules import Values, meets
from tests.factories.program import policy_document
from tests.parts import examples


def policy_of(metrics: list[dict[str, object]], gold: dict[str, object]) -> Policy:
    tiers = [{"key": "registered", "name": "Registered"}, {"key": "gold", "name": "Gold", **gold}]
    return Policy.model_validate(policy_document(metrics=metrics, tiers=tiers))


def metric(key: str, **fields: object) -> dict[str, object]:
    return {"key": key, "name": key.title(), "measure": key, **fields}


def found(policy: Policy, values: Values) -> Path:
    return cheapest_path(policy, "technology", policy.tiers[1], values)


def amounts(path: Path) -> dict[str, int]:
    return {step.metric.key: step.amount for step in path.steps}


def test_what_gives_more_points_for_an_hour_is_taken() -> None:
    policy = policy_of(
        [metric("people", points=20, effort=8), metric("deals", points=10, effort=5)],
        {"points": 40},
    )
    path = found(policy, {"people": 0, "deals": 0})
    assert (amounts(path), path.hours, path.exact) == ({"people": 2}, 16, True)


def test_a_step_that_is_begun_needs_only_its_rest() -> None:
    policy = policy_of([metric("money", points=1, per=100, effort=8)], {"points": 3})
    path = found(policy, {"money": 175})
    assert (amounts(path), path.hours) == ({"money": 125}, Fraction(10))


def test_a_cap_sends_you_to_the_next_metric() -> None:
    policy = policy_of(
        [
            metric("people", points=20, cap=30, effort=1),
            metric("deals", points=10, effort=50),
        ],
        {"points": 60},
    )
    path = found(policy, {"people": 0, "deals": 0})
    assert (amounts(path), path.hours) == ({"people": 2, "deals": 3}, 152)


def test_a_requirement_comes_first_and_its_points_count() -> None:
    policy = policy_of(
        [metric("people", points=20, effort=8), metric("deals", points=50, effort=1)],
        {"points": 60, "requirements": [{"metric": "people", "threshold": 3}]},
    )
    path = found(policy, {"people": 1, "deals": 0})
    assert (amounts(path), path.hours) == ({"people": 2}, 16)


def test_a_rating_cannot_be_worked_for() -> None:
    policy = policy_of(
        [metric("rating", how="average", unit="stars"), metric("people", points=20)],
        {"points": 20, "requirements": [{"metric": "rating", "threshold": 400}]},
    )
    path = found(policy, {"rating": 350, "people": 0})
    assert not path.reachable
    assert [(gap.metric.key, gap.missing) for gap in path.blocked if gap.metric] == [("rating", 50)]
    assert amounts(path) == {"people": 1}


def test_points_beyond_every_cap_are_out_of_reach() -> None:
    policy = policy_of([metric("people", points=20, cap=40)], {"points": 100})
    path = found(policy, {"people": 0})
    assert not path.reachable
    assert path.points_missing == 60


def test_old_evidence_is_renewed_by_one_more() -> None:
    policy = policy_of(
        [metric("evidence", how="age", unit="days", higher_is_better=False, effort=6)],
        {"requirements": [{"metric": "evidence", "threshold": 365}]},
    )
    for value in (400, None):
        path = found(policy, {"evidence": value})
        assert path.reachable
        assert [(step.metric.key, step.amount, step.hours) for step in path.steps] == [
            ("evidence", 0, 6)
        ]


def test_nothing_is_to_do_where_everything_is_met() -> None:
    path = found(policy_of([metric("people", points=20)], {"points": 20}), {"people": 1})
    assert (path.reachable, path.steps, path.hours) == (True, (), 0)


def test_very_many_points_give_a_path_that_is_called_near() -> None:
    policy = policy_of(
        [metric("people", points=7, effort=8), metric("deals", points=10_000, effort=3)],
        {"points": 10_000_000},
    )
    path = found(policy, {"people": 0, "deals": 0})
    assert path.reachable
    assert not path.exact
    assert path.hours == 3_000


@pytest.mark.parametrize("value", [-5, -1, 0])
def test_below_nothing_the_first_step_costs_more(value: int) -> None:
    policy = policy_of([metric("net", points=1, per=2, effort=2)], {"points": 1})
    path = found(policy, {"net": value})
    assert amounts(path) == {"net": 2 - value}
    assert path.hours == 2 - value


def test_the_climb_from_below_nothing_is_paid_before_any_other_step() -> None:
    policy = policy_of(
        [
            metric("net", points=10, per=100, effort=10),
            metric("people", points=10, effort=11),
        ],
        {"points": 20},
    )
    path = found(policy, {"net": -250, "people": 0})
    assert (amounts(path), path.hours, path.exact) == ({"people": 2}, 22, True)


def test_two_metrics_of_one_measure_give_a_path_that_is_called_near() -> None:
    twice = [metric("people", points=20), {**metric("staff", points=5), "measure": "people"}]
    path = found(policy_of(twice, {"points": 40}), {"people": 0, "staff": 0})
    assert path.reachable
    assert not path.exact
    one_is_none = [twice[0], {**twice[1], "points": 0}]
    assert found(policy_of(one_is_none, {"points": 40}), {"people": 0, "staff": 0}).exact


@st.composite
def problems(draw: st.DrawFn) -> tuple[Policy, dict[str, int | None]]:
    keys = ["one_metric", "two_metric", "three_metric"][: draw(st.integers(1, 3))]
    metrics, values = [], {}
    for key in keys:
        metrics.append(
            metric(
                key,
                points=draw(st.integers(0, 6)),
                per=draw(st.integers(1, 3)),
                cap=draw(st.none() | st.integers(0, 14)),
                effort=draw(st.integers(0, 9)),
            )
        )
        values[key] = draw(st.integers(-7, 4))
    requirements = [
        {"metric": key, "threshold": draw(st.integers(0, 6))} for key in keys if draw(st.booleans())
    ]
    gold = {"points": draw(st.integers(0, 20)), "requirements": requirements}
    return policy_of(metrics, gold), values


def brute_force(policy: Policy, values: dict[str, int | None], limit: int) -> Fraction | None:
    """The fewest hours of all ways that add up to `limit` to each metric."""
    gold, scale = policy.tiers[1], 6  # what 1, 2 and 3 have in common
    asked = {each.metric: each.threshold for each in gold.requirements}
    choices = []
    for each in policy.metrics:
        own = []
        for more in range(limit + 1):
            value = (values[each.key] or 0) + more
            if value < asked.get(each.key, value):
                continue
            points = max(value // each.per, 0) * each.points
            points = points if each.cap is None else min(points, each.cap)
            own.append((points, each.effort * more * scale // each.per))
        choices.append(own)
    hours = [
        sum(cost for _points, cost in way)
        for way in itertools.product(*choices)
        if sum(points for points, _cost in way) >= gold.points
    ]
    return Fraction(min(hours), scale) if hours else None


@settings(max_examples=examples(200), deadline=None)
@given(problems())
def test_no_other_way_takes_fewer_hours(problem: tuple[Policy, dict[str, int | None]]) -> None:
    policy, values = problem
    path = found(policy, values)
    gold = policy.tiers[1]
    limit = {1: 60, 2: 24, 3: 11}[len(policy.metrics)]
    best = brute_force(policy, values, limit)
    if path.reachable:
        reached = {key: (value or 0) + amounts(path).get(key, 0) for key, value in values.items()}
        assert meets(policy, "technology", gold, reached)
        if max(amounts(path).values(), default=0) <= limit:
            assert path.hours == best
        assert best is None or path.hours <= best
    else:
        assert best is None


@settings(max_examples=examples(100), deadline=None)
@given(problems())
def test_the_near_path_is_a_path_too(problem: tuple[Policy, dict[str, int | None]]) -> None:
    policy, values = problem
    exact = found(policy, values)
    paths.EXACT_UP_TO = 0
    try:
        near = found(policy, values)
    finally:
        paths.EXACT_UP_TO = 20_000
    assert near.reachable == exact.reachable
    if near.reachable:
        reached = {key: (value or 0) + amounts(near).get(key, 0) for key, value in values.items()}
        assert meets(policy, "technology", policy.tiers[1], reached)
        assert near.hours >= exact.hours
