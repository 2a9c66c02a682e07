"""Whether an organization lets somebody install something, decided purely."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.installs.models import MembersMay, RuleVerdict

ADMINS = frozenset({"owner", "admin"})


class Outcome(enum.StrEnum):
    """What the person may do about installing."""

    INSTALL = "install"
    REQUEST = "request"
    NOTHING = "nothing"
    BLOCKED = "blocked"
    NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True)
class Policy:
    """How an organization installs; these are the defaults."""

    members_may: MembersMay = MembersMay.REQUEST
    only_allowed: bool = False


@dataclass(frozen=True)
class PolicyRule:
    """A rule about one listing or about one publisher (the other id is None)."""

    verdict: RuleVerdict
    listing_id: int | None = None
    publisher_id: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Decision:
    """The outcome and, of a block, what the admins noted about it."""

    outcome: Outcome
    note: str = ""


def decide(
    policy: Policy,
    rules: Iterable[PolicyRule],
    role: str | None,
    listing_id: int | None,
    publisher_id: int,
) -> Decision:
    """What a member with `role` may do about a listing of a publisher.

    A listing's own rule goes before its publisher's. A block, and an allow list without the
    listing, hold for everybody; else owners and admins install, and members as the policy says.
    """
    rule = rule_for(rules, listing_id, publisher_id)
    if rule is not None and rule.verdict is RuleVerdict.BLOCK:
        return Decision(Outcome.BLOCKED, rule.note)
    if policy.only_allowed and rule is None:
        return Decision(Outcome.NOT_ALLOWED)
    if role is None:
        return Decision(Outcome.NOTHING)
    if role in ADMINS:
        return Decision(Outcome.INSTALL)
    return Decision(Outcome(policy.members_may.value))


def rule_for(
    rules: Iterable[PolicyRule], listing_id: int | None, publisher_id: int
) -> PolicyRule | None:
    """The rule that counts for a listing: its own, else its publisher's, else None."""
    of_publisher = None
    for rule in rules:
        if rule.listing_id is not None and rule.listing_id == listing_id:
            return rule
        if rule.publisher_id is not None and rule.publisher_id == publisher_id:
            of_publisher = rule
    return of_publisher


def is_blocked(rules: Iterable[PolicyRule], listing_id: int | None, publisher_id: int) -> bool:
    """Whether a rule blocks it. An allow list alone does not touch what is installed."""
    rule = rule_for(rules, listing_id, publisher_id)
    return rule is not None and rule.verdict is RuleVerdict.BLOCK
