"""What partners pay the platform at once: application, certification, listing, support pack."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from billing.fee_schedules import fee_rule_for, schedule_in_force
from billing.fees import PROGRAM_FEES, choose_rule
from billing.models import FeeKind, FeeRule, Order, OrderKind, OrderLine, OrderState
from billing.orders import place_fee_order
from billing.partner_facts import PartnerFacts
from billing.profiles import buyer_of
from billing.seller import seller
from billing.taxes import TaxDecision, decide_tax, rates_in_force
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError

TITLES = {
    FeeKind.APPLICATION: "Application",
    FeeKind.CERTIFICATION: "Certification",
    FeeKind.LISTING: "Listing",
    FeeKind.SUPPORT_PACK: "Support pack",
}
# Kinds that are about one listing of the partner's.
OF_A_LISTING = frozenset({FeeKind.CERTIFICATION, FeeKind.LISTING})


@dataclass(frozen=True)
class ProgramFee:
    """A fee as a partner sees it: an amount, in minor units without tax, in each currency."""

    kind: FeeKind
    amounts: dict[str, int]

    @property
    def title(self) -> str:
        """Its name."""
        return TITLES[self.kind]

    @property
    def is_of_a_listing(self) -> bool:
        """Whether one says for which listing it is paid."""
        return self.kind in OF_A_LISTING


def fees_of_partner(facts: PartnerFacts, at: datetime) -> list[ProgramFee]:
    """The fees that a partner with these facts can pay at `at`; those of nothing are left out."""
    schedule = schedule_in_force(at)
    rules = schedule.rules if schedule else []
    found = []
    for kind in PROGRAM_FEES:
        currencies = sorted({rule.currency for rule in rules if rule.kind is kind})
        amounts = {
            currency: rule.fixed
            for currency in currencies
            if (rule := choose_rule(rules, kind, facts, currency)) is not None and rule.fixed
        }
        if amounts:
            found.append(ProgramFee(kind, amounts))
    return found


def tax_of_partner(organization_id: int, at: datetime) -> TaxDecision:
    """The tax that is due on a fee of an organization, by its billing details."""
    buyer = buyer_of(organization_id, None)
    return decide_tax(
        buyer.country, buyer.tax_id, seller().country, rates_in_force(buyer.country, at)
    )


def place_program_fee(
    kind: FeeKind,
    *,
    organization_id: int,
    facts: PartnerFacts,
    currency: str,
    listing: tuple[int, str] | None,
    shown: int,
    user_id: int | None,
    by_credit: bool = False,
) -> Order:
    """A pending order for a fee; the open one when the same was begun before. Flushes.

    `listing` is an id and a name, `shown` the amount without tax that the partner agreed to.
    `by_credit`: a credit of the partner pays all of it, so nothing and no tax is left to pay.
    Raises ConflictError when there is no such fee now, or it is another one.
    """
    now = clock.now()
    rule = fee_rule_for(kind, facts, currency, now)
    if rule is None or not rule.fixed:
        raise ConflictError("There is no such fee now.")
    if rule.fixed != shown:
        raise ConflictError("The fee changed while you were looking. Look at it once more.")
    description = _description(kind, listing)
    credit = rule.fixed if by_credit else 0
    found = _open_order(organization_id, rule, description, listing, credit)
    if found is not None:
        return found
    buyer = buyer_of(organization_id, user_id)
    return place_fee_order(
        organization_id=organization_id,
        description=description,
        amount=rule.fixed,
        currency=currency,
        user_id=user_id,
        fee_rule_id=rule.id,
        listing_id=listing[0] if listing else None,
        billing_details=dict(buyer.billing_details),
        country=buyer.country,
        tax_id=buyer.tax_id,
        credit=credit,
    )


def _open_order(
    organization_id: int,
    rule: FeeRule,
    description: str,
    listing: tuple[int, str] | None,
    credit: int,
) -> Order | None:
    return db.session.scalar(
        select(Order)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.organization_id == organization_id,
            Order.kind == OrderKind.PROGRAM_FEE,
            Order.state == OrderState.PENDING,
            Order.expires_at > clock.now(),
            OrderLine.fee_rule_id == rule.id,
            OrderLine.description == description,
            OrderLine.discount_amount == credit,
            OrderLine.listing_id == (listing[0] if listing else None),
        )
        .order_by(Order.id.desc())
        .limit(1)
    )


def _description(kind: FeeKind, listing: tuple[int, str] | None) -> str:
    title = f"{TITLES[kind]} fee" if kind is not FeeKind.SUPPORT_PACK else TITLES[kind]
    return f"{title}: {listing[1]}"[:200] if listing else title
