"""What a program pays, and where things stand, in words."""

from billing.formatting import format_bps, format_money
from billing.models import AffiliateProgram, AffiliateState, AttributionModel, CommissionRule
from marketplace.core import clock

STATE_LABELS: dict[AffiliateState, tuple[str, str]] = {
    AffiliateState.PENDING: ("Waits for a decision", "warning"),
    AffiliateState.ACTIVE: ("Active", "success"),
    AffiliateState.REJECTED: ("Rejected", "danger"),
    AffiliateState.SUSPENDED: ("Suspended", "danger"),
    AffiliateState.LEFT: ("Left", "neutral"),
}


def describe_rule(rule: CommissionRule) -> str:
    """A rule in one line, like `20% + €5.00, at most €50.00, of the first 12 payments`."""
    parts = []
    if rule.bps:
        parts.append(format_bps(rule.bps))
    if rule.fixed and rule.currency:
        parts.append(format_money(rule.fixed, rule.currency))
    text = " + ".join(parts) or "0%"
    if rule.cap is not None and rule.currency:
        text += f", at most {format_money(rule.cap, rule.currency)}"
    return f"{text} of {describe_payments(rule)}"


def describe_payments(rule: CommissionRule) -> str:
    """Which payments earn something."""
    if rule.payments is None:
        return "every payment"
    return "the first payment" if rule.payments == 1 else f"the first {rule.payments} payments"


def describe_steps(rule: CommissionRule) -> list[str]:
    """The steps, like `25% from the 10th sale on`."""
    return [
        f"{format_bps(int(step['bps']))} from the {ordinal(int(step['from_sales']))} sale on"
        for step in rule.steps
    ]


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th…"""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def current_rule(program: AffiliateProgram) -> CommissionRule | None:
    """The version in force now; of loaded rules, without a query."""
    now = clock.now()
    begun = [rule for rule in program.rules if rule.effective_from <= now]
    return max(begun, key=lambda rule: (rule.effective_from, rule.version), default=None)


def coming_rules(program: AffiliateProgram) -> list[CommissionRule]:
    """The versions that are to come, the next first."""
    now = clock.now()
    return sorted(
        (rule for rule in program.rules if rule.effective_from > now),
        key=lambda rule: (rule.effective_from, rule.version),
    )


def describe_attribution(program: AffiliateProgram) -> str:
    """Which click counts and for how long."""
    which = "first" if program.attribution is AttributionModel.FIRST_CLICK else "last"
    days = program.window_days
    return f"The {which} click within {days} day{'' if days == 1 else 's'}"
