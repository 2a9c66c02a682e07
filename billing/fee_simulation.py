"""What a fee schedule would have taken of past sales: who pays more, who pays less.

Every sale of the window is divided anew by the schedule's rules, for partners as they are today.
Refunds are left out, and so is what a change of fees would have done to prices.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from billing.fee_schedules import RuleValue
from billing.fees import choose_rule, fee_of
from billing.models import FeeKind, Order, OrderKind, OrderLine
from billing.partner_facts import PartnerFacts, partner_facts
from marketplace.core.database import db

# Lines that are held in memory at once.
_CHUNK = 2_000


@dataclass
class Sums:
    """Sales added up: fees as they were taken, and as the schedule would take them."""

    lines: int = 0
    base: int = 0
    before: int = 0
    after: int = 0

    @property
    def difference(self) -> int:
        """How much more partners would have paid; below zero for less."""
        return self.after - self.before

    def add(self, base: int, before: int, after: int) -> None:
        """Add one line."""
        self.lines += 1
        self.base += base
        self.before += before
        self.after += after


@dataclass
class PartnerEffect(Sums):
    """What the schedule means for one partner in one currency."""

    partner_id: int = 0
    facts: PartnerFacts = field(default_factory=PartnerFacts)


@dataclass
class CurrencyEffect(Sums):
    """What the schedule means in one currency."""

    currency: str = ""
    months: dict[str, Sums] = field(default_factory=dict)
    partners: dict[int, PartnerEffect] = field(default_factory=dict)

    def ranked(self) -> list[PartnerEffect]:
        """Its partners, the greatest difference either way first."""
        return sorted(
            self.partners.values(), key=lambda each: (-abs(each.difference), each.partner_id)
        )

    @property
    def losing(self) -> int:
        """How many partners would pay more."""
        return sum(each.difference > 0 for each in self.partners.values())

    @property
    def winning(self) -> int:
        """How many partners would pay less."""
        return sum(each.difference < 0 for each in self.partners.values())


def simulate(
    rules: Sequence[RuleValue], *, since: datetime, until: datetime
) -> list[CurrencyEffect]:
    """Divide the sales paid in [since, until) by `rules`; by currency, the most sales first.

    Reads the lines in chunks; keeps sums by month and partner alone. Amounts in minor units.
    """
    effects: dict[str, CurrencyEffect] = {}
    facts: dict[int, PartnerFacts] = {}
    chosen: dict[tuple[int, str], RuleValue | None] = {}
    for chunk in _lines(since, until):
        new = {row.publisher_id for row in chunk} - facts.keys()
        if new:
            facts |= partner_facts(sorted(new))
        for row in chunk:
            key = (row.publisher_id, row.currency)
            if key not in chosen:
                chosen[key] = choose_rule(
                    rules, FeeKind.SALE, facts[row.publisher_id], row.currency
                )
            rule = chosen[key]
            base = row.net_amount + row.discount_platform_amount - row.margin_amount
            after = fee_of(base, rule.bps, rule.fixed) if rule else 0
            effect = effects.setdefault(row.currency, CurrencyEffect(currency=row.currency))
            effect.add(base, row.fee_amount, after)
            month = effect.months.setdefault(f"{row.paid_at:%Y-%m}", Sums())
            month.add(base, row.fee_amount, after)
            partner = effect.partners.setdefault(
                row.publisher_id,
                PartnerEffect(partner_id=row.publisher_id, facts=facts[row.publisher_id]),
            )
            partner.add(base, row.fee_amount, after)
    return sorted(effects.values(), key=lambda each: (-each.lines, each.currency))


def _lines(since: datetime, until: datetime) -> Iterator[Sequence[Any]]:
    last = 0
    query = (
        select(
            OrderLine.id,
            OrderLine.publisher_id,
            Order.currency,
            Order.paid_at,
            OrderLine.net_amount,
            OrderLine.discount_platform_amount,
            OrderLine.margin_amount,
            OrderLine.fee_amount,
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.paid_at >= since,
            Order.paid_at < until,
            Order.kind != OrderKind.PROGRAM_FEE,
            OrderLine.publisher_id.is_not(None),
        )
        .order_by(OrderLine.id)
        .limit(_CHUNK)
    )
    while True:
        chunk = db.session.execute(query.where(OrderLine.id > last)).all()
        if chunk:
            last = chunk[-1].id
            yield chunk
        if len(chunk) < _CHUNK:
            return
