"""Amounts, gaps and hours as people read them."""

from fractions import Fraction
from typing import Any

import pytest

from marketplace.program.policy.document import Metric, Policy
from marketplace.program.scorecards.path import Step
from marketplace.program.scorecards.rules import Gap
from marketplace.program.scorecards.texts import (
    amount_in_words,
    gap_in_words,
    hours_in_words,
    points_in_words,
    step_in_words,
    window_in_words,
)
from tests.factories.program import policy_document

POLICY = Policy.model_validate(policy_document())


def metric(**fields: Any) -> Metric:
    return Metric.model_validate({"key": "m_metric", "name": "Deals", "measure": "x_it", **fields})


@pytest.mark.parametrize(
    ("unit", "amount", "words"),
    [
        ("count", 1_234, "1,234"), ("count", None, "No value"), ("money", 123_456, "€1,234.56"),
        ("money", -5, "−€0.05"), ("stars", 427, "4.27 stars"), ("days", 1, "1 day"),
        ("days", 395, "395 days"), ("percent", 80, "80%"), ("minutes", 59, "59 min"),
        ("minutes", 60, "1 h"), ("minutes", 1_530, "25 h 30 min"), ("minutes", 2_880, "2 days"),
        ("minutes", 2_940, "2 days 1 h"),
    ],
)  # fmt: skip
def test_amounts_have_their_unit(unit: str, amount: int | None, words: str) -> None:
    assert amount_in_words(metric(unit=unit), amount, POLICY) == words


def test_points_are_no_metric() -> None:
    assert amount_in_words(None, 1, POLICY) == "1 point"
    assert amount_in_words(None, 1_250, POLICY) == "1,250 points"


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (Gap(None, 250, 249, 1, False),
         "Points: at least 250 points; you have 249 points, 1 point missing."),
        (Gap(metric(), 3, 5, 0, True), "Deals: at least 3; you have 5."),
        (Gap(metric(), 3, None, None, False), "Deals: at least 3; there is no value yet."),
        (Gap(metric(unit="days", higher_is_better=False), 365, 395, 30, False),
         "Deals: at most 365 days; it is 395 days, 30 days too much."),
    ],
)  # fmt: skip
def test_a_gap_says_what_is_asked_and_what_is_missing(gap: Gap, words: str) -> None:
    assert gap_in_words(gap, POLICY) == words


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (Fraction(0), "no time"), (Fraction(1, 3), "less than an hour"), (Fraction(1), "1 hour"),
        (Fraction(5, 2), "2.5 hours"), (Fraction(16), "16 hours"), (Fraction(61, 4), "16 hours"),
    ],
)  # fmt: skip
def test_hours_are_as_exact_as_people_care(hours: Fraction, words: str) -> None:
    assert hours_in_words(hours) == words


def test_steps_windows_and_points_are_said_shortly() -> None:
    money = metric(unit="money", points=1, per=50_000)
    assert step_in_words(Step(money, 25_000, Fraction(4)), POLICY) == "Deals: €250.00 more"
    assert step_in_words(Step(metric(), 0, Fraction(4)), POLICY) == "Deals: bring something new"
    assert points_in_words(money, POLICY) == "1 point for each €500.00"
    assert points_in_words(metric(points=8), POLICY) == "8 points each"
    assert points_in_words(metric(points=8, higher_is_better=False), POLICY) == "No points"
    assert window_in_words(metric(how="level")) == "What stands now"
    assert window_in_words(metric(how="age")) == "Since the newest"
    assert window_in_words(metric(window_days=None)) == "Since the beginning"
    assert window_in_words(metric(window_days=1)) == "Last 1 day"
