"""Which fee counts for a partner. Pure: rules and facts in, a rule out.

The most exact rule wins: one for the partner's type and tier, then for its type, then for its
tier, then for everybody. Among equally exact ones a rule of the very currency comes before one of
every currency. A rule with a fixed amount speaks of its own currency alone.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from billing.models.fee import FeeKind
from billing.money import BPS, share
from billing.partner_facts import PartnerFacts


class Rule(Protocol):
    """What is asked of a rule: a `FeeRule` of the database, or a line of a draft."""

    @property
    def kind(self) -> FeeKind: ...

    @property
    def partner_type(self) -> str: ...

    @property
    def tier(self) -> str: ...

    @property
    def currency(self) -> str: ...

    @property
    def bps(self) -> int: ...

    @property
    def fixed(self) -> int: ...

    @property
    def hold_days(self) -> int: ...


R = TypeVar("R", bound=Rule)
# Kinds that a partner pays at once: an amount, not a share.
PROGRAM_FEES = (FeeKind.APPLICATION, FeeKind.CERTIFICATION, FeeKind.LISTING, FeeKind.SUPPORT_PACK)
MAX_HOLD_DAYS = 180


def choose_rule(rules: Iterable[R], kind: FeeKind, facts: PartnerFacts, currency: str) -> R | None:
    """The rule of `kind` that counts for a partner with these facts, in `currency`; None if none.

    A rule speaks of a partner when its type and tier are empty or the partner's own, and of an
    amount when its currency is empty or the amount's.
    """
    fitting = [
        rule
        for rule in rules
        if rule.kind is kind
        and rule.partner_type in ("", facts.partner_type)
        and rule.tier in ("", facts.tier)
        and rule.currency in ("", currency)
    ]
    return max(fitting, key=exactness, default=None)


def exactness(rule: Rule) -> tuple[int, int]:
    """How exact a rule is; the greater wins. No two rules of one schedule that fit the same
    partner and currency are equally exact, since type, tier and currency are unique in it."""
    return (2 * bool(rule.partner_type) + bool(rule.tier), int(bool(rule.currency)))


def problem_of(rule: Rule) -> str:
    """Why a rule can not be published, in words for people; empty when it can."""
    if rule.bps < 0 or rule.bps > BPS:
        return "A share is between 0% and 100%."
    if rule.fixed < 0:
        return "An amount is not negative."
    if rule.fixed and not rule.currency:
        return "A fixed amount needs its currency."
    if rule.kind in PROGRAM_FEES and rule.bps:
        return "Only sales have a share; this fee is an amount."
    if rule.kind in PROGRAM_FEES and not rule.currency:
        return "An amount needs its currency."
    if not 0 <= rule.hold_days <= MAX_HOLD_DAYS:
        return f"Money is held for 0 to {MAX_HOLD_DAYS} days."
    return ""


def fee_of(base: int, bps: int, fixed: int) -> int:
    """The fee on `base` minor units: a share and a fixed part, never more than there is.

    The same sum as split.py's, of a base that is known already.
    """
    return min(base, share(base, bps) + fixed) if base else 0
