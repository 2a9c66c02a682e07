"""What a plan costs an organization: list price, discounts, tax, and what comes later.

A quote changes nothing. Placing an order (orders/placing.py) computes it again under a lock and
freezes it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.discount_offers import offers_for
from billing.discounts import Applied, Offer, Situation, combine, platform_part, refusal
from billing.formatting import format_bps, format_money
from billing.models import DiscountKind, Plan, PlanBilling, Price
from billing.money import MAX_AMOUNT, charge_step
from billing.order_terms import Buyer, LineTerms
from billing.partner_facts import partner_facts
from billing.seller import seller
from billing.taxes import TaxDecision, decide_tax, rates_in_force, tax_of
from marketplace.core.errors import InvalidError

MAX_QUANTITY = 10_000
RECURRING = (PlanBilling.MONTHLY, PlanBilling.YEARLY)


@dataclass(frozen=True)
class Quote:
    """The sum of one plan for one buyer. Amounts in minor units of `currency`."""

    plan: Plan
    price: Price
    buyer: Buyer
    quantity: int
    list_amount: int
    applied: tuple[Applied, ...]
    tax: TaxDecision
    # Why the code that was typed does not count; empty when it does, or none was typed.
    code_problem: str = ""
    # The code fits, whether or not another discount is the better one.
    is_code_valid: bool = False
    code: str = ""
    code_affiliate_id: int | None = None
    code_id: int | None = None
    # The organization has tried a plan of this listing before.
    had_trial: bool = False

    @property
    def currency(self) -> str:
        return self.price.currency

    @property
    def discount(self) -> int:
        return sum(each.amount for each in self.applied)

    @property
    def net(self) -> int:
        return self.list_amount - self.discount

    @property
    def tax_amount(self) -> int:
        return tax_of(self.net, self.tax.bps, self.currency)

    @property
    def total(self) -> int:
        """What one payment is, while the discounts last."""
        return self.net + self.tax_amount

    @property
    def is_recurring(self) -> bool:
        return self.plan.billing in RECURRING

    @property
    def trial_days(self) -> int:
        return self.plan.trial_days if self.is_recurring and not self.had_trial else 0

    @property
    def due_now(self) -> int:
        """What is charged at once: nothing while a trial runs."""
        return 0 if self.trial_days else self.total

    @property
    def later_total(self) -> int:
        """What a payment is once every discount that ends has ended, with tax."""
        lasting = sum(each.amount for each in self.applied if each.offer.months is None)
        net = self.list_amount - lasting
        return net + tax_of(net, self.tax.bps, self.currency)

    @property
    def discounted_payments(self) -> int | None:
        """How many payments have a discount that ends; None when none ends."""
        ends = [each.offer.months for each in self.applied if each.offer.months is not None]
        return max(ends, default=None)

    def line_terms(self, description: str) -> LineTerms:
        """The line of the order, as of the first payment (which in a trial is nothing)."""
        trial = bool(self.trial_days)
        return LineTerms(
            description=description,
            list_amount=0 if trial else self.list_amount,
            unit_amount=self.price.amount,
            quantity=self.quantity,
            plan=self.plan,
            price=self.price,
            listing_id=self.plan.listing_id,
            publisher_id=self.plan.publisher_id,
            discounts=tuple(kept(each, is_trial=trial) for each in self.applied),
            discount_amount=0 if trial else self.discount,
            discount_platform_amount=0 if trial else platform_part(self.applied),
            tax_bps=self.tax.bps,
            code_affiliate_id=self.code_affiliate_id,
            code_id=self.code_id,
        )


def quote(
    plan: Plan,
    buyer: Buyer,
    *,
    currency: str,
    quantity: int,
    code: str = "",
    at: datetime,
    had_trial: bool = False,
) -> Quote:
    """The sum for `buyer`. A code that does not count is told in `code_problem`. `had_trial`: a
    trial is given once to an organization for each listing, and this one had it.

    Raises InvalidError for a currency without a price, or a quantity that cannot be.
    """
    price = price_in_force(plan, currency, at)
    if price is None:
        raise InvalidError({"currency": "There is no price in this currency."})
    if not plan.is_per_seat:
        quantity = 1
    if not 1 <= quantity <= MAX_QUANTITY:
        raise InvalidError({"quantity": f"From 1 to {MAX_QUANTITY:,} seats."})
    list_amount = price.amount * quantity
    if list_amount > MAX_AMOUNT:
        raise InvalidError({"quantity": f"At most {format_money(MAX_AMOUNT, currency)} at once."})
    situation = Situation(
        list_amount=list_amount,
        currency=currency,
        at=at,
        plan_id=plan.id,
        listing_id=plan.listing_id,
        publisher_id=plan.publisher_id,
        tier=partner_facts([buyer.organization_id])[buyer.organization_id].tier,
        is_recurring=plan.billing in RECURRING,
    )
    automatic, typed, affiliate_id = offers_for(
        publisher_id=plan.publisher_id, organization_id=buyer.organization_id, code=code, at=at
    )
    problem, is_valid = "", False
    fitting = [offer for offer in automatic if not refusal(offer, situation)]
    if code.strip():
        problem = refusal(typed, situation) if typed else "This code is not valid here."
        is_valid = typed is not None and not problem
        if typed is not None and is_valid:
            fitting.append(typed)
    applied = combine(
        fitting,
        list_amount,
        is_recurring=situation.is_recurring,
        step=charge_step(currency),
    )
    if typed is not None and not problem and not any(a.offer.id == typed.id for a in applied):
        problem = f"{_names(applied)} saves you more, and the code cannot be added to it."
    tax = decide_tax(
        buyer.country, buyer.tax_id, seller().country, rates_in_force(buyer.country, at)
    )
    return Quote(
        plan=plan,
        price=price,
        buyer=buyer,
        quantity=quantity,
        list_amount=list_amount,
        applied=tuple(applied),
        tax=tax,
        code_problem=problem,
        is_code_valid=is_valid,
        code=typed.code if typed else "",
        # Whoever brought the customer is credited even where another discount is the better one.
        code_affiliate_id=affiliate_id if is_valid else None,
        code_id=typed.code_id if typed is not None and is_valid else None,
        had_trial=had_trial,
    )


def price_in_force(plan: Plan, currency: str, at: datetime) -> Price | None:
    """The newest price of a plan in one currency whose day has come."""
    return prices_in_force(plan, at).get(currency)


def prices_in_force(plan: Plan, at: datetime) -> dict[str, Price]:
    """The price in force by currency. `plan.prices` are loaded, oldest first."""
    found: dict[str, Price] = {}
    for price in plan.prices:
        if price.effective_from <= at:
            found[price.currency] = price
    return found


def kept(applied: Applied, *, is_trial: bool = False) -> dict[str, Any]:
    """What an order line keeps of a discount, so that it can be explained for ever."""
    offer = applied.offer
    return {
        "id": offer.id,
        "version": offer.version,
        "name": offer.name,
        "kind": offer.kind.value,
        "bps": offer.bps,
        "amount": 0 if is_trial else applied.amount,
        # In a trial nothing is paid yet; the first payment has it.
        "later_amount": applied.amount,
        "funder": offer.funder.value,
        "code": offer.code,
        "months": offer.months,
    }


def rate_text(offer: Offer) -> str:
    """What an offer takes off, as people read it: 20% or €5.00."""
    if offer.kind is DiscountKind.PERCENT:
        return format_bps(offer.bps)
    return format_money(offer.amount, offer.currency or "")


def _names(applied: list[Applied]) -> str:
    return " and ".join(each.offer.name for each in applied) or "Another discount"
