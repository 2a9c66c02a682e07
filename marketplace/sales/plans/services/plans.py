"""Making plans, pricing them, selling them, and selling them no more."""

import re
from dataclasses import dataclass
from datetime import datetime

from billing.formatting import plain_amount
from billing.models import Plan, PlanBilling, PlanState, Price
from billing.money import CURRENCIES, MAX_AMOUNT, charge_step
from billing.payouts.eligibility import RETIRED
from billing.public_ids import new_public_id
from billing.quoting import RECURRING, prices_in_force
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.sales.plans import queries

MAX_NAME = 60
MAX_DESCRIPTION = 600
MAX_TRIAL_DAYS = 60
MAX_PLANS = 12
# Stripe refuses charges below about half a euro.
MINIMUM = 50


@dataclass(frozen=True)
class PlanValues:
    """What was typed of a plan. `price` in minor units of `currency`."""

    name: str
    description: str
    billing: str
    is_per_seat: bool
    trial_days: int | None
    currency: str
    price: int | None


def create_plan(actor: Actor, listing: Listing, values: PlanValues) -> Plan:
    """A draft of a plan with its first price. Raises InvalidError, ConflictError for too many."""
    there = queries.plans_of([listing.id])
    if sum(row.plan.state is not PlanState.ARCHIVED for row in there) >= MAX_PLANS:
        raise ConflictError(f"A listing has at most {MAX_PLANS} plans that are not archived.")
    wrong = _words_wrong(values.name, values.description)
    if values.billing not in {each.value for each in PlanBilling}:
        wrong["billing"] = "Choose how it is paid."
        raise InvalidError(wrong)
    billing = PlanBilling(values.billing)
    trial = values.trial_days or 0
    if not 0 <= trial <= MAX_TRIAL_DAYS:
        wrong["trial_days"] = f"From 0 to {MAX_TRIAL_DAYS} days."
    if trial and billing not in RECURRING:
        wrong["trial_days"] = "Only a subscription has a trial."
    if billing is not PlanBilling.FREE:
        wrong |= price_wrong(values.price, values.currency)
    if wrong:
        raise InvalidError(wrong)
    plan = Plan(
        public_id=new_public_id("plan"),
        listing_id=listing.id,
        publisher_id=listing.publisher_id,
        code=_code(values.name, queries.plan_codes(listing.id)),
        name=values.name.strip(),
        description=values.description.strip(),
        billing=billing,
        is_per_seat=values.is_per_seat and billing is not PlanBilling.FREE,
        trial_days=trial,
        position=queries.next_position(listing.id),
        state=PlanState.DRAFT,
    )
    db.session.add(plan)
    db.session.flush()
    if billing is not PlanBilling.FREE and values.price is not None:
        _add_price(actor, plan, values.currency, values.price, clock.now())
    _note(actor, plan, "plan.created", {"name": plan.name, "billing": billing.value})
    return plan


def change_plan(
    actor: Actor, plan: Plan, *, name: str, description: str, trial_days: int | None
) -> None:
    """Say other words of it. How it is paid stays: that would be another plan. Raises
    InvalidError, ConflictError once it is archived."""
    _must_not_be_archived(plan)
    wrong = _words_wrong(name, description)
    trial = trial_days or 0
    if not 0 <= trial <= MAX_TRIAL_DAYS:
        wrong["trial_days"] = f"From 0 to {MAX_TRIAL_DAYS} days."
    if trial and plan.billing not in RECURRING:
        wrong["trial_days"] = "Only a subscription has a trial."
    if wrong:
        raise InvalidError(wrong)
    plan.name, plan.description, plan.trial_days = name.strip(), description.strip(), trial
    _note(actor, plan, "plan.changed", {"name": plan.name, "trial_days": trial})


def set_price(
    actor: Actor, plan: Plan, currency: str, amount: int | None, from_day: datetime | None
) -> Price:
    """A new version of its price in one currency, from a day on (now without one). Whoever has
    the plan keeps the price they bought it for. Raises InvalidError, ConflictError."""
    _must_not_be_archived(plan)
    if plan.billing is PlanBilling.FREE:
        raise ConflictError("A free plan has no price.")
    now = clock.now()
    at = from_day or now
    wrong = price_wrong(amount, currency)
    if at < now and from_day is not None and at.date() != now.date():
        wrong["effective_from"] = "Choose a day to come, or none for now."
    if wrong or amount is None:
        raise InvalidError(wrong)
    return _add_price(actor, plan, currency, amount, max(at, now))


def activate(actor: Actor, plan: Plan) -> bool:
    """Sell it from now on; whether that is new. Raises ConflictError without a price."""
    if plan.state is PlanState.ACTIVE:
        return False
    if plan.billing is not PlanBilling.FREE and not prices_in_force(plan, clock.now()):
        raise ConflictError("Give it a price that counts today first.")
    plan.state = PlanState.ACTIVE
    plan.activated_at = plan.activated_at or clock.now()
    _note(actor, plan, "plan.activated", {})
    return True


def archive(actor: Actor, plan: Plan) -> bool:
    """Sell it no more. Who has it keeps it. Whether that is new."""
    if plan.state is PlanState.ARCHIVED:
        return False
    plan.state = PlanState.ARCHIVED
    _note(actor, plan, "plan.archived", {})
    return True


def move(actor: Actor, plan: Plan, *, up: bool) -> bool:
    """Show it one place further up or down among its listing's plans; whether it moved."""
    plans = [
        row.plan
        for row in queries.plans_of([plan.listing_id])
        if row.plan.state is not PlanState.ARCHIVED
    ]
    place = next((n for n, each in enumerate(plans) if each.id == plan.id), None)
    if place is None or not 0 <= (other := place - 1 if up else place + 1) < len(plans):
        return False
    plans[place], plans[other] = plans[other], plans[place]
    for position, each in enumerate(plans, 1):
        each.position = position
    _note(actor, plan, "plan.moved", {"position": plan.position})
    return True


def price_wrong(amount: int | None, currency: str) -> dict[str, str]:
    """What is wrong with a price, by field."""
    if currency not in CURRENCIES:
        return {"currency": "Choose a currency."}
    if currency in RETIRED:
        return {"currency": f"{currency} was replaced by {RETIRED[currency]}. Choose that."}
    if amount is None:
        return {"price": "Type an amount like 12.50."}
    step = charge_step(currency)
    if amount % step:
        return {"price": f"Amounts in {currency} go in steps of {plain_amount(step, currency)}."}
    if not MINIMUM <= amount <= MAX_AMOUNT:
        return {"price": "That is less than can be charged by card."}
    return {}


def _add_price(actor: Actor, plan: Plan, currency: str, amount: int, at: datetime) -> Price:
    price = Price(
        plan_id=plan.id,
        version=1 + sum(each.currency == currency for each in plan.prices),
        currency=currency,
        amount=amount,
        effective_from=at,
        created_by_id=actor.user_id,
    )
    plan.prices.append(price)
    _note(
        actor,
        plan,
        "plan.priced",
        {"currency": currency, "amount": amount, "from": at.isoformat(timespec="seconds")},
    )
    return price


def _words_wrong(name: str, description: str) -> dict[str, str]:
    wrong = {}
    if not name.strip():
        wrong["name"] = "Give it a name."
    elif len(name.strip()) > MAX_NAME:
        wrong["name"] = f"At most {MAX_NAME} characters."
    if len(description.strip()) > MAX_DESCRIPTION:
        wrong["description"] = f"At most {MAX_DESCRIPTION} characters."
    return wrong


def _code(name: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30] or "plan"
    code, number = base, 2
    while code in taken:
        code, number = f"{base}-{number}", number + 1
    return code


def _must_not_be_archived(plan: Plan) -> None:
    if plan.state is PlanState.ARCHIVED:
        raise ConflictError("It is archived. Make a new plan instead.")


def _note(actor: Actor, plan: Plan, kind: str, data: dict[str, object]) -> None:
    db.session.flush()
    record_fact(
        kind,
        subject=("plan", plan.public_id),
        organization_id=plan.publisher_id,
        actor_user_id=actor.user_id,
        data={"listing": plan.listing_id, **data},
    )
