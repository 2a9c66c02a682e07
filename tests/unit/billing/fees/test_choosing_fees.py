"""Which fee rule counts, and what it comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.fee_schedules import RuleChange, RuleValue, difference
from billing.fees import choose_rule, fee_of, problem_of
from billing.models import FeeKind
from billing.partner_facts import PartnerFacts
from billing.split import Terms, split

EVERYBODY = RuleValue(FeeKind.SALE, bps=2_000)
GOLD = RuleValue(FeeKind.SALE, tier="gold", bps=1_500)
RESELLERS = RuleValue(FeeKind.SALE, partner_type="reseller", bps=1_200)
GOLD_RESELLERS = RuleValue(FeeKind.SALE, partner_type="reseller", tier="gold", bps=1_000)
EVERYBODY_EUR = RuleValue(FeeKind.SALE, currency="EUR", bps=1_900, fixed=30)
LISTING_EUR = RuleValue(FeeKind.LISTING, currency="EUR", fixed=9_900)
RULES = [EVERYBODY, GOLD, RESELLERS, GOLD_RESELLERS, EVERYBODY_EUR, LISTING_EUR]


@pytest.mark.parametrize(
    ("kind", "partner_type", "tier", "currency", "wanted"),
    [
        (FeeKind.SALE, "reseller", "gold", "USD", GOLD_RESELLERS),
        (FeeKind.SALE, "reseller", "silver", "USD", RESELLERS),
        (FeeKind.SALE, "reseller", "", "USD", RESELLERS),
        (FeeKind.SALE, "agency", "gold", "USD", GOLD),
        (FeeKind.SALE, "agency", "", "USD", EVERYBODY),
        # Of two equally exact ones, the currency's own.
        (FeeKind.SALE, "agency", "", "EUR", EVERYBODY_EUR),
        # But who it is for comes before the currency.
        (FeeKind.SALE, "reseller", "", "EUR", RESELLERS),
        (FeeKind.SALE, "agency", "gold", "EUR", GOLD),
        (FeeKind.LISTING, "agency", "gold", "EUR", LISTING_EUR),
        (FeeKind.LISTING, "agency", "gold", "USD", None),
        (FeeKind.CERTIFICATION, "agency", "gold", "EUR", None),
    ],
)
def test_the_most_exact_rule_counts(
    kind: FeeKind, partner_type: str, tier: str, currency: str, wanted: RuleValue | None
) -> None:
    facts = PartnerFacts(partner_type=partner_type, tier=tier)
    assert choose_rule(RULES, kind, facts, currency) is wanted
    assert choose_rule(reversed(RULES), kind, facts, currency) is wanted


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        (EVERYBODY, ""),
        (EVERYBODY_EUR, ""),
        (LISTING_EUR, ""),
        (RuleValue(FeeKind.SALE, bps=10_001), "between"),
        (RuleValue(FeeKind.SALE, bps=-1), "between"),
        (RuleValue(FeeKind.SALE, fixed=30), "its currency"),
        (RuleValue(FeeKind.SALE, fixed=-1, currency="EUR"), "negative"),
        (RuleValue(FeeKind.LISTING, bps=100, currency="EUR"), "Only sales"),
        (RuleValue(FeeKind.LISTING), "currency"),
        (RuleValue(FeeKind.SALE, hold_days=181), "held"),
        (RuleValue(FeeKind.SALE, hold_days=-1), "held"),
    ],
)
def test_a_rule_that_makes_no_sense_says_why(rule: RuleValue, word: str) -> None:
    problem = problem_of(rule)
    assert word in problem
    assert bool(problem) == bool(word)


@pytest.mark.parametrize(
    ("base", "bps", "fixed", "fee"),
    [
        (10_000, 2_000, 0, 2_000),
        (10_000, 2_000, 30, 2_030),
        (333, 1_500, 0, 50),
        (1, 5_000, 0, 1),
        (20, 0, 30, 20),
        (0, 2_000, 30, 0),
        (10_000, 10_000, 30, 10_000),
    ],
)
def test_a_fee_is_a_share_and_a_fixed_part_but_never_more_than_there_is(
    base: int, bps: int, fixed: int, fee: int
) -> None:
    assert fee_of(base, bps, fixed) == fee


@given(amount=st.integers(0, 10**8), bps=st.integers(0, 10_000), fixed=st.integers(0, 10**6))
def test_a_simulated_fee_is_the_fee_of_a_sale(amount: int, bps: int, fixed: int) -> None:
    assert fee_of(amount, bps, fixed) == split(Terms(amount, fee_bps=bps, fee_fixed=fixed)).fee


def test_the_difference_of_two_schedules_names_what_is_new_changed_and_gone() -> None:
    dearer = RuleValue(FeeKind.SALE, bps=2_500)
    changes = difference([EVERYBODY, GOLD], [LISTING_EUR, dearer])
    assert changes == [
        RuleChange(EVERYBODY, dearer),
        RuleChange(GOLD, None),
        RuleChange(None, LISTING_EUR),
    ]
    assert [change.rule.kind for change in changes] == [
        FeeKind.SALE,
        FeeKind.SALE,
        FeeKind.LISTING,
    ]
    assert difference(RULES, list(reversed(RULES))) == []
