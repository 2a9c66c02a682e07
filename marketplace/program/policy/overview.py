"""What the program offers, as anybody may read it: made of the policy in force and of the fee
schedule in force, at the moment of asking."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from billing.fee_schedules import schedule_in_force
from billing.formatting import format_bps, format_money
from billing.models import FeeKind, FeeRule
from marketplace.program.benefits.rules import is_included, limit_of
from marketplace.program.policy.amounts import counted, in_words
from marketplace.program.policy.document import Entry, PartnerType, Policy, Unit
from marketplace.program.policy.live import LivePolicy, current_policy
from marketplace.program.policy.words import entitlement_words, name_of, points_words
from marketplace.program.standing.reading import entitlement_of

FEES = {
    FeeKind.SALE: "Each sale",
    FeeKind.APPLICATION: "Application",
    FeeKind.CERTIFICATION: "Certification of a listing",
    FeeKind.LISTING: "Listing",
    FeeKind.SUPPORT_PACK: "Support pack",
}
JOINING = {
    Entry.INSTANT: "You are in at once.",
    Entry.EMAIL: "You are in once you have confirmed your address.",
    Entry.APPLICATION: "You apply, and we decide.",
}


@dataclass(frozen=True)
class TypeCard:
    """A type of partner: how one joins, what everybody of it has, and whether it earns."""

    key: str
    name: str
    summary: str
    joining: str
    facts: tuple[str, ...]
    is_open: bool


@dataclass(frozen=True)
class MatrixRow:
    """A line of the matrix: a value in words for each tier, empty for none."""

    label: str
    text: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class FeeLine:
    """A fee: what for, of whom, how much."""

    kind: str
    whom: str
    amount: str
    note: str


@dataclass(frozen=True)
class Overview:
    """The whole overview. `as_of`: since when all of it holds."""

    name: str
    summary: str
    number: int
    as_of: datetime
    grace_days: int
    types: tuple[TypeCard, ...]
    tiers: tuple[tuple[str, str], ...]
    requirements: tuple[MatrixRow, ...]
    benefits: tuple[MatrixRow, ...]
    points: tuple[tuple[str, str], ...]
    fees: tuple[FeeLine, ...]
    fees_version: int
    without_commission: tuple[str, ...]


def overview_at(moment: datetime) -> Overview | None:
    """What holds at a moment; None without a policy. The policy is asked for once a request."""
    live = current_policy()
    return None if live is None else overview_of(live, moment)


def overview_of(live: LivePolicy, moment: datetime) -> Overview:
    """The overview of a policy, with the fees in force at a moment."""
    policy = live.policy
    schedule = schedule_in_force(moment)
    fees_from = schedule.effective_from if schedule else None
    return Overview(
        name=policy.name,
        summary=policy.summary,
        number=live.number,
        as_of=max(live.effective_at, fees_from) if fees_from else live.effective_at,
        grace_days=policy.grace_days,
        types=tuple(_card(policy, each) for each in policy.types),
        tiers=tuple((each.name, each.summary) for each in policy.tiers),
        requirements=tuple(_requirements(policy)),
        benefits=tuple(_benefits(policy)),
        points=tuple(
            (each.name, points_words(policy, each)) for each in policy.metrics if each.points
        ),
        fees=tuple(_fees(policy, schedule.rules)) if schedule else (),
        fees_version=schedule.version if schedule else 0,
        without_commission=tuple(each.name for each in policy.types if not each.earns_commission),
    )


def _card(policy: Policy, kind: PartnerType) -> TypeCard:
    facts = []
    if kind.entry is Entry.APPLICATION and kind.stages:
        facts.append("Stages: " + ", ".join(each.name for each in kind.stages))
    if kind.provisional_days:
        facts.append(f"{counted(kind.provisional_days, 'day')} to get certified")
    facts += [
        f"{name_of(policy, 'entitlements', key)}: {entitlement_words(policy, key, value)}"
        for key, value in kind.entitlements.items()
        if value is not False and not policy.is_announced(key)
    ]
    return TypeCard(
        kind.key, kind.name, kind.summary, JOINING[kind.entry], tuple(facts), kind.is_open
    )


def _requirements(policy: Policy) -> Iterable[MatrixRow]:
    if any(each.points for each in policy.tiers):
        cells = tuple(f"{each.points:,}" if each.points else "" for each in policy.tiers)
        yield MatrixRow("Points", "", cells)
    for metric in policy.metrics:
        cells = tuple(
            "; ".join(
                _threshold(policy, each.threshold, metric.unit, metric.higher_is_better, each.types)
                for each in tier.requirements
                if each.metric == metric.key
            )
            for tier in policy.tiers
        )
        if any(cells):
            yield MatrixRow(metric.name, metric.text, cells)
    cells = tuple(
        ", ".join(name_of(policy, "types", key) for key in each.types) for each in policy.tiers
    )
    if any(cells):
        yield MatrixRow("Open to", "", tuple(each or "Every type" for each in cells))


def _threshold(
    policy: Policy, value: int, unit: Unit, at_least: bool, types: tuple[str, ...]
) -> str:
    words = f"at {'least' if at_least else 'most'} {in_words(value, unit, policy.currency)}"
    if not types:
        return words
    return f"{words} ({', '.join(name_of(policy, 'types', key) for key in types)})"


def _benefits(policy: Policy) -> Iterable[MatrixRow]:
    for each in policy.entitlements:
        values = [entitlement_of(policy, "", tier.key, each.key) for tier in policy.tiers]
        cells = tuple(
            "" if value is False else entitlement_words(policy, each.key, value) for value in values
        )
        if any(cells):
            yield MatrixRow(each.name, each.text, cells)
    for benefit in policy.benefits:
        counts = [limit_of(policy, benefit, None, tier.key) for tier in policy.tiers]
        cells = tuple(f"{count:,} in a year" if count else "" for count in counts)
        if is_included(benefit):
            cells = tuple("Yes" for _tier in policy.tiers)
        if any(cells):
            yield MatrixRow(benefit.name, benefit.text, cells)


def _fees(policy: Policy, rules: Iterable[FeeRule]) -> Iterable[FeeLine]:
    order = list(FEES)
    for rule in sorted(
        rules,
        key=lambda each: (order.index(each.kind), each.partner_type, each.tier, each.currency),
    ):
        parts = [format_bps(rule.bps)] if rule.bps else []
        if rule.fixed and rule.currency:
            parts.append(format_money(rule.fixed, rule.currency))
        whom = " ".join(
            part
            for part in (
                name_of(policy, "types", rule.partner_type) if rule.partner_type else "",
                f"at {name_of(policy, 'tiers', rule.tier)}" if rule.tier else "",
                f"in {rule.currency}" if rule.currency and not rule.fixed else "",
            )
            if part
        )
        note = ""
        if rule.kind is FeeKind.SALE:
            note = f"Your part is paid out after {counted(rule.hold_days, 'day')}."
        yield FeeLine(FEES[rule.kind], whom or "Every partner", " + ".join(parts) or "Free", note)
