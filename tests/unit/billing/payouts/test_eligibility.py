"""Who is paid how much, row by row."""

import pytest

from billing.models import AccountState
from billing.payouts.eligibility import Candidate, Decision, decide, default_minimum

READY = AccountState.READY


@pytest.mark.parametrize(
    ("candidate", "decision"),
    [
        (Candidate("EUR", 5_000, READY), Decision(5_000)),
        (Candidate("EUR", 5_000, READY, minimum=5_000), Decision(5_000)),
        (
            Candidate("EUR", 4_999, READY, minimum=5_000),
            Decision(4_999, reason="Below the minimum of €50.00."),
        ),
        (
            Candidate("EUR", 0, READY),
            Decision(
                0, reason="Less than nothing is payable; it is netted against what is earned next."
            ),
        ),
        (
            Candidate("EUR", -5, READY),
            Decision(
                -5, reason="Less than nothing is payable; it is netted against what is earned next."
            ),
        ),
        (Candidate("EUR", 5_000), Decision(5_000, reason="No Stripe account is connected.")),
        (
            Candidate("EUR", 5_000, AccountState.DISCONNECTED),
            Decision(5_000, reason="No Stripe account is connected."),
        ),
        (
            Candidate("EUR", 5_000, AccountState.ONBOARDING),
            Decision(5_000, reason="The Stripe account is not set up yet."),
        ),
        (
            Candidate("EUR", 5_000, AccountState.RESTRICTED, restriction="a document is missing"),
            Decision(5_000, reason="Stripe has restricted the account: a document is missing"),
        ),
        (
            Candidate("EUR", 5_000, READY, currencies=("USD",)),
            Decision(5_000, reason="The Stripe account takes no EUR."),
        ),
        (Candidate("USD", 5_000, READY, currencies=("USD",)), Decision(5_000)),
        (
            Candidate("EUR", 5_000, READY, frozen_reason="Under review"),
            Decision(5_000, reason="Frozen by finance: Under review"),
        ),
        (
            Candidate("EUR", 5_001, READY, cap=5_000),
            Decision(5_001, reason="Above the cap of €50.00 for a payout."),
        ),
        (Candidate("EUR", 5_000, READY, cap=5_000), Decision(5_000)),
        (
            Candidate("BGN", 5_000, READY),
            Decision(5_000, reason="BGN was replaced by EUR and cannot be transferred."),
        ),
        (
            Candidate("XXX", 5_000, READY),
            Decision(5_000, reason="XXX cannot be transferred."),
        ),
        # Whole units alone are transferred; the rest is carried to the next run.
        (Candidate("HUF", 12_345, READY), Decision(12_300, carried=45)),
        (Candidate("TWD", 10_099, READY), Decision(10_000, carried=99)),
        (
            Candidate("HUF", 45, READY),
            Decision(45, reason="Below the minimum of HUF\u00a01.00."),
        ),
        (Candidate("KWD", 12_345, READY), Decision(12_340, carried=5)),
        (Candidate("JPY", 1_234, READY), Decision(1_234)),
        # The minimum is of what would be transferred.
        (
            Candidate("HUF", 100_045, READY, minimum=100_100),
            Decision(100_045, reason="Below the minimum of HUF\u00a01,001.00."),
        ),
    ],
)
def test_a_partner_is_paid_or_held_with_its_reason(
    candidate: Candidate, decision: Decision
) -> None:
    assert decide(candidate) == decision
    assert decide(candidate).pays is (decision.reason == "")


def test_the_first_reason_of_several_counts() -> None:
    several = Candidate("EUR", -5, None, minimum=10, cap=1, frozen_reason="Fraud")
    assert decide(several).reason == "Frozen by finance: Fraud"


@pytest.mark.parametrize(
    ("currency", "least"), [("EUR", 1_000), ("JPY", 10), ("KWD", 10_000), ("XXX", 0)]
)
def test_the_least_payout_is_ten_of_the_currency(currency: str, least: int) -> None:
    assert default_minimum(currency) == least
