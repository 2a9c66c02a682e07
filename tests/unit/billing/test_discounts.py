"""Which discounts count, as a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.discounts import (
    Offer,
    Situation,
    combine,
    combined_bps,
    explain,
    platform_part,
    refusal,
)
from billing.models import DiscountKind, Funder
from tests.parts import examples

NOW = datetime(2026, 11, 29, tzinfo=UTC)
HERE = Situation(10_000, "EUR", NOW, plan_id=1, listing_id=2, publisher_id=3)


def percent(number: int, bps: int, **fields: object) -> Offer:
    values = {"funder": Funder.PUBLISHER, "name": f"P{number}", **fields}
    return Offer(number, DiscountKind.PERCENT, bps=bps, **values)  # type: ignore[arg-type]  # fields by their names


def fixed(number: int, amount: int, **fields: object) -> Offer:
    values = {"funder": Funder.PUBLISHER, "currency": "EUR", "name": f"F{number}", **fields}
    return Offer(number, DiscountKind.FIXED, amount=amount, **values)  # type: ignore[arg-type]  # fields by their names


@pytest.mark.parametrize(
    ("offers", "recurring", "expected"),
    [
        ([], False, {}),
        ([percent(1, 2_000)], False, {1: 2_000}),
        # Not stackable: the better one counts, alone.
        ([percent(1, 2_000), fixed(2, 1_500)], False, {1: 2_000}),
        ([percent(1, 1_000), fixed(2, 1_500)], False, {2: 1_500}),
        # Equal ones: the older.
        ([percent(2, 1_500), fixed(1, 1_500)], False, {1: 1_500}),
        # Stackable: the larger percentage first, each of the rest, then what is fixed.
        (
            [
                percent(1, 1_000, is_stackable=True),
                percent(2, 2_000, is_stackable=True),
                fixed(3, 500, is_stackable=True),
            ],
            False,
            {2: 2_000, 1: 800, 3: 500},
        ),
        # The stackable ones together against one that is not.
        (
            [
                percent(1, 1_000, is_stackable=True),
                fixed(2, 500, is_stackable=True),
                percent(3, 1_400),
            ],
            False,
            {1: 1_000, 2: 500},
        ),
        (
            [
                percent(1, 1_000, is_stackable=True),
                fixed(2, 500, is_stackable=True),
                percent(3, 1_600),
            ],
            False,
            {3: 1_600},
        ),
        # Never below nothing.
        (
            [fixed(1, 9_000, is_stackable=True), fixed(2, 9_000, is_stackable=True)],
            False,
            {1: 9_000, 2: 1_000},
        ),
        # On a subscription only what runs equally long, and is of one kind, adds up.
        (
            [
                percent(1, 1_000, is_stackable=True, months=3),
                percent(2, 2_000, is_stackable=True, months=None),
            ],
            True,
            {2: 2_000},
        ),
        (
            [
                percent(1, 1_000, is_stackable=True, months=3),
                percent(2, 2_000, is_stackable=True, months=3),
            ],
            True,
            {2: 2_000, 1: 800},
        ),
        (
            [
                percent(1, 1_000, is_stackable=True, months=3),
                fixed(2, 2_000, is_stackable=True, months=3),
            ],
            True,
            {2: 2_000},
        ),
        # What is for the first payment alone adds up freely.
        (
            [percent(1, 1_000, is_stackable=True), fixed(2, 2_000, is_stackable=True)],
            True,
            {1: 1_000, 2: 2_000},
        ),
        # The same discount, automatic and by code, counts once.
        ([percent(1, 1_000, is_stackable=True), percent(1, 1_000, is_stackable=True)], False,
         {1: 1_000}),
    ],
)  # fmt: skip
def test_the_best_choice_under_the_rule_counts(
    offers: list[Offer], recurring: bool, expected: dict[int, int]
) -> None:
    found = combine(offers, 10_000, is_recurring=recurring)
    assert {each.offer.id: each.amount for each in found} == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"is_archived": True}, "no longer valid"),
        ({"code_is_disabled": True}, "no longer valid"),
        ({"publisher_id": 9}, "not valid here"),
        ({"listing_ids": (9,)}, "not valid here"),
        ({"listing_ids": (2,)}, ""),
        ({"plan_ids": (9,)}, "another plan"),
        ({"starts_at": NOW + timedelta(1)}, "not valid yet"),
        ({"starts_at": NOW}, ""),
        ({"ends_at": NOW}, "expired"),
        ({"ends_at": NOW + timedelta(1), "code_ends_at": NOW - timedelta(1)}, "expired"),
        ({"tiers": ("gold",)}, "not for your organization"),
        ({"minimum": 10_001}, "too small"),
        ({"minimum": 10_000}, ""),
        ({"max_uses": 3, "uses": 3}, "as often as it may"),
        ({"code_max_uses": 1, "code_uses": 1}, "as often as it may"),
        ({"max_uses_each": 1, "uses_each": 1}, "used this code already"),
        ({"max_uses": 3, "uses": 2, "max_uses_each": 2, "uses_each": 1}, ""),
    ],
)
def test_a_discount_that_does_not_fit_says_why(change: dict[str, object], words: str) -> None:
    offer = replace(percent(1, 1_000, publisher_id=3), **change)  # type: ignore[arg-type]  # fields by their names
    assert words in refusal(offer, HERE)
    assert bool(refusal(offer, HERE)) == bool(words)


def test_a_fixed_amount_is_for_prices_in_its_currency() -> None:
    offer = fixed(1, 500, currency="USD", publisher_id=None)
    assert refusal(offer, HERE) == "This code is for prices in USD."
    assert refusal(offer, replace(HERE, currency="USD")) == ""


def test_what_the_platform_funds_is_told_apart() -> None:
    applied = combine(
        [
            percent(1, 1_000, is_stackable=True),
            fixed(2, 300, is_stackable=True, funder=Funder.PLATFORM),
        ],
        10_000,
        is_recurring=False,
    )
    assert platform_part(applied) == 300


def test_several_percentages_are_one_for_later_invoices() -> None:
    assert combined_bps([2_000, 1_000]) == 2_800
    assert combined_bps([10_000, 1_000]) == 10_000
    assert combined_bps([]) == 0


def test_a_discount_in_words() -> None:
    assert explain(percent(1, 2_000), "20%") == "20% off the first payment"
    assert explain(percent(1, 2_000, months=3), "20%") == "20% off the first 3 payments"
    assert explain(percent(1, 2_000, months=None), "20%") == "20% off every payment"


def test_amounts_that_cannot_be_charged_are_left_out() -> None:
    applied = combine([percent(1, 1_234)], 100_000, is_recurring=False, step=100)
    assert [each.amount for each in applied] == [12_300]


offers = st.lists(
    st.builds(
        lambda number, kind, value, stackable, months: (
            percent(number, value, is_stackable=stackable, months=months)
            if kind
            else fixed(number, value, is_stackable=stackable, months=months)
        ),
        st.integers(1, 9),
        st.booleans(),
        st.integers(0, 10_000),
        st.booleans(),
        st.sampled_from([1, 3, None]),
    ),
    max_size=6,
)


@settings(max_examples=examples(100), deadline=None)
@given(offers, st.integers(0, 50_000), st.booleans())
def test_no_choice_takes_more_than_there_is_nor_less_than_the_best_alone(
    given_offers: list[Offer], list_amount: int, recurring: bool
) -> None:
    found = combine(given_offers, list_amount, is_recurring=recurring)
    total = sum(each.amount for each in found)
    assert 0 <= total <= list_amount
    assert all(each.amount > 0 for each in found)
    last = {offer.id: offer for offer in given_offers}
    singles = [
        sum(a.amount for a in combine([offer], list_amount, is_recurring=recurring))
        for offer in last.values()
    ]
    assert total >= max(singles, default=0)
    backwards = combine(list(reversed(list(last.values()))), list_amount, is_recurring=recurring)
    assert sorted((a.offer.id, a.amount) for a in found) == sorted(
        (a.offer.id, a.amount) for a in backwards
    )
