"""What Stripe says of an account, read from both versions of its API."""

from typing import Any

import pytest

from billing.connect import facts_of_v1, facts_of_v2
from billing.models import AccountState

READY, ONBOARDING = AccountState.READY, AccountState.ONBOARDING
RESTRICTED, DISCONNECTED = AccountState.RESTRICTED, AccountState.DISCONNECTED


def version_2(status: str, *codes: str, closed: bool = False) -> dict[str, Any]:
    capability = {"status": status, "status_details": [{"code": code} for code in codes]}
    return {
        "closed": closed,
        "configuration": {
            "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": capability}}}
        },
        "identity": {"country": "de"},
        "defaults": {"currency": "eur"},
        "requirements": {
            "entries": [
                {"awaiting_action_from": "user", "description": "external_account"},
                {"awaiting_action_from": "stripe", "description": "risk_review"},
            ]
        },
    }


@pytest.mark.parametrize(
    ("found", "was_ready", "state", "restriction"),
    [
        (version_2("active"), False, READY, ""),
        (version_2("pending"), False, ONBOARDING, ""),
        (version_2("restricted", "requirements_past_due"), False, ONBOARDING, ""),
        (
            version_2("restricted", "requirements_past_due"),
            True,
            RESTRICTED,
            "information is missing",
        ),
        (
            version_2("restricted", "determining_status", "requirements_pending_verification"),
            True,
            RESTRICTED,
            "Stripe is checking what was given",
        ),
        (version_2("rejected", "rejected_fraud"), False, RESTRICTED, "rejected fraud"),
        (version_2("unsupported"), False, RESTRICTED, "Stripe does not say why"),
        (version_2("active", closed=True), True, DISCONNECTED, ""),
        ({}, False, ONBOARDING, ""),
    ],
)
def test_an_account_of_version_2(
    found: dict[str, Any], was_ready: bool, state: AccountState, restriction: str
) -> None:
    facts = facts_of_v2(found, was_ready=was_ready)
    assert (facts.state, facts.restriction) == (state, restriction)
    if found:
        assert (facts.country, facts.default_currency) == ("DE", "EUR")
        assert facts.requirements == ["external_account"]


def version_1(transfers: str, disabled: str | None, submitted: bool) -> dict[str, Any]:
    return {
        "capabilities": {"transfers": transfers},
        "country": "GB",
        "default_currency": "gbp",
        "details_submitted": submitted,
        "requirements": {
            "currently_due": ["external_account"],
            "past_due": ["external_account", "tos_acceptance.date"],
            "disabled_reason": disabled,
        },
        "external_accounts": {"data": [{"currency": "gbp"}, {"currency": "eur"}, {"card": 1}]},
    }


@pytest.mark.parametrize(
    ("found", "was_ready", "state", "restriction"),
    [
        (version_1("active", None, True), False, READY, ""),
        (version_1("inactive", "requirements.past_due", False), False, ONBOARDING, ""),
        (
            version_1("inactive", "requirements.past_due", True),
            False,
            RESTRICTED,
            "information is missing",
        ),
        (version_1("pending", None, True), False, ONBOARDING, ""),
        (version_1("inactive", None, False), True, RESTRICTED, "Stripe does not say why"),
        (version_1("active", "rejected.fraud", True), True, RESTRICTED, "rejected, fraud"),
    ],
)
def test_an_account_of_version_1(
    found: dict[str, Any], was_ready: bool, state: AccountState, restriction: str
) -> None:
    facts = facts_of_v1(found, was_ready=was_ready)
    assert (facts.state, facts.restriction) == (state, restriction)
    assert facts.currencies == ["EUR", "GBP"]
    assert facts.requirements == ["external_account", "tos_acceptance.date"]
