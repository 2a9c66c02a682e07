"""Who may install what, as a table."""

import pytest

from marketplace.installs.customer.install_policy import (
    Outcome,
    Policy,
    PolicyRule,
    decide,
    is_blocked,
)
from marketplace.installs.models import MembersMay, RuleVerdict

LISTING, PUBLISHER = 7, 3
ALLOW, BLOCK = RuleVerdict.ALLOW, RuleVerdict.BLOCK
ALLOW_LISTING = PolicyRule(ALLOW, listing_id=LISTING)
BLOCK_LISTING = PolicyRule(BLOCK, listing_id=LISTING, note="Not checked")
ALLOW_PUBLISHER = PolicyRule(ALLOW, publisher_id=PUBLISHER)
BLOCK_PUBLISHER = PolicyRule(BLOCK, publisher_id=PUBLISHER, note="No contract")
OTHERS = (PolicyRule(BLOCK, listing_id=8), PolicyRule(ALLOW, publisher_id=4))


@pytest.mark.parametrize(
    ("members_may", "only_allowed", "rules", "role", "outcome"),
    [
        ("request", False, (), "owner", Outcome.INSTALL),
        ("nothing", False, (), "admin", Outcome.INSTALL),
        ("request", False, (), "viewer", Outcome.REQUEST),
        ("install", False, (), "viewer", Outcome.INSTALL),
        ("nothing", False, (), "developer", Outcome.NOTHING),
        ("install", False, (), None, Outcome.NOTHING),
        ("install", False, OTHERS, "editor", Outcome.INSTALL),
        ("install", False, (BLOCK_LISTING,), "owner", Outcome.BLOCKED),
        ("install", False, (BLOCK_PUBLISHER,), "viewer", Outcome.BLOCKED),
        ("request", False, (BLOCK_PUBLISHER, ALLOW_LISTING), "owner", Outcome.INSTALL),
        ("request", False, (BLOCK_PUBLISHER, ALLOW_LISTING), "viewer", Outcome.REQUEST),
        ("request", False, (ALLOW_PUBLISHER, BLOCK_LISTING), "owner", Outcome.BLOCKED),
        ("request", True, (), "owner", Outcome.NOT_ALLOWED),
        ("install", True, OTHERS, "viewer", Outcome.NOT_ALLOWED),
        ("request", True, (ALLOW_PUBLISHER,), "owner", Outcome.INSTALL),
        ("request", True, (ALLOW_LISTING,), "viewer", Outcome.REQUEST),
        ("request", True, (BLOCK_LISTING,), "admin", Outcome.BLOCKED),
    ],
)
def test_the_policy_decides(
    members_may: str,
    only_allowed: bool,
    rules: tuple[PolicyRule, ...],
    role: str | None,
    outcome: Outcome,
) -> None:
    policy = Policy(MembersMay(members_may), only_allowed)
    assert decide(policy, rules, role, LISTING, PUBLISHER).outcome is outcome


def test_a_block_tells_the_note_of_the_rule_that_counts() -> None:
    rules = (BLOCK_PUBLISHER, BLOCK_LISTING)
    assert decide(Policy(), rules, "owner", LISTING, PUBLISHER).note == "Not checked"


def test_an_app_without_a_listing_matches_no_listings_rule() -> None:
    rules = (PolicyRule(BLOCK, publisher_id=4),)
    assert decide(Policy(), rules, "owner", None, PUBLISHER).outcome is Outcome.INSTALL


@pytest.mark.parametrize(
    ("rules", "blocked"),
    [
        ((), False),
        ((BLOCK_LISTING,), True),
        ((BLOCK_PUBLISHER,), True),
        ((BLOCK_PUBLISHER, ALLOW_LISTING), False),
        ((ALLOW_PUBLISHER,), False),
    ],
)
def test_only_a_block_stops_what_is_installed(rules: tuple[PolicyRule, ...], blocked: bool) -> None:
    assert is_blocked(rules, LISTING, PUBLISHER) is blocked
