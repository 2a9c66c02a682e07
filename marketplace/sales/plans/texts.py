"""Plans and discounts in words."""

from billing.discounts import Offer, explain
from billing.formatting import format_bps, format_money
from billing.models import Discount, DiscountKind, Plan, PlanBilling, PlanState

STATES = {
    PlanState.DRAFT: ("Draft", "neutral"),
    PlanState.ACTIVE: ("For sale", "success"),
    PlanState.ARCHIVED: ("Archived", "outline"),
}
_PER = {
    PlanBilling.FREE: "",
    PlanBilling.ONE_TIME: "once",
    PlanBilling.MONTHLY: "a month",
    PlanBilling.YEARLY: "a year",
}


def period_words(plan: Plan) -> str:
    """What stands behind the price, like "a seat a month"."""
    return " ".join(
        word for word in ("a seat" if plan.is_per_seat else "", _PER[plan.billing]) if word
    )


def price_words(plan: Plan, amount: int | None, currency: str) -> str:
    """A price with its period, like "€12.00 a seat a month"."""
    if plan.billing is PlanBilling.FREE:
        return "Free"
    if amount is None:
        return "No price yet"
    return f"{format_money(amount, currency)} {period_words(plan)}"


def points_of(plan: Plan) -> list[str]:
    """What a plan includes, a point on each line of its description."""
    return [line.strip(" -*•\t") for line in plan.description.splitlines() if line.strip(" -*•\t")]


def discount_words(discount: Discount) -> str:
    """What a discount does, like "20% off the first 3 payments"."""
    offer = Offer(
        discount.id,
        discount.kind,
        discount.funder,
        bps=discount.bps,
        amount=discount.amount,
        currency=discount.currency,
        months=discount.months,
    )
    text = (
        format_bps(discount.bps)
        if discount.kind is DiscountKind.PERCENT
        else format_money(discount.amount, discount.currency or "EUR")
    )
    return explain(offer, text)
