"""What a person may buy for an organization now, and beginning to."""

from dataclasses import dataclass

from billing.checkout_events import replace_open_checkouts
from billing.entitlements import entitlement_of, grant
from billing.models import Entitlement, Order, Plan, PlanBilling
from billing.orders import Buyer, place_order
from billing.profiles import ProfileValues, buyer_of, checked, save_profile
from billing.quoting import RECURRING, Quote, quote
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.models import Organization
from marketplace.sales.shop import queries


@dataclass(frozen=True)
class Held:
    """What an organization has of a listing already; `reason` says why this plan cannot be bought
    then, empty when it can."""

    entitlement: Entitlement | None
    reason: str = ""
    has_subscription: bool = False


def held_by(organization: Organization, plan: Plan) -> Held:
    """What stands in the way of buying `plan`."""
    found = entitlement_of(plan.listing_id, organization.id)
    if found is None:
        return Held(None)
    if found.subscription_id is not None:
        return Held(found, _beside_subscription(organization, plan), has_subscription=True)
    if found.plan_id == plan.id and (plan.billing not in RECURRING or found.order_id is None):
        return Held(found, f"{organization.name} has this plan.")
    return Held(found)


def _beside_subscription(organization: Organization, plan: Plan) -> str:
    has = f"{organization.name} has a subscription to it."
    if plan.billing in RECURRING:
        return f"{has} Change its plan instead."
    # Both would be paid at once, and only one of them would count.
    return f"{has} Only one plan counts at a time, so this one can be had once that has ended."


def offer(
    organization: Organization,
    plan: Plan,
    buyer: Buyer,
    *,
    currency: str,
    quantity: int,
    code: str,
) -> Quote:
    """What the plan costs the organization now. Raises InvalidError."""
    return quote(
        plan,
        buyer,
        currency=currency,
        quantity=quantity,
        code=code,
        at=clock.now(),
        had_trial=bool(plan.trial_days) and queries.had_trial(organization.id, plan.listing_id),
    )


def save_details(actor: Actor, organization: Organization, values: ProfileValues) -> Buyer:
    """Keep what stands on invoices; the organization as a buyer. Raises InvalidError."""
    save_profile(organization.id, checked(values, frozenset(COUNTRIES)), by_user_id=actor.user_id)
    return buyer_of(organization.id, actor.user_id)


def begin(actor: Actor, organization: Organization, listing: Listing, shown: Quote) -> Order:
    """A pending order of what was shown; others that are open for the same listing are closed.

    Raises ConflictError when it cannot be bought, or (code `price_changed`) costs something else.
    """
    held = held_by(organization, shown.plan)
    if held.reason:
        raise ConflictError(held.reason)
    order = place_order(shown, description=describe(listing, shown.plan))
    replace_open_checkouts(order)
    return order


def take_free(actor: Actor, organization: Organization, plan: Plan) -> Entitlement:
    """Take a free plan. Raises ConflictError when it is none, or something is held already."""
    if plan.billing is not PlanBilling.FREE:
        raise ConflictError("This plan is not free.")
    held = held_by(organization, plan)
    if held.reason:
        raise ConflictError(held.reason)
    if held.entitlement is not None:
        raise ConflictError(f"{organization.name} has a paid plan of it.")
    found = grant(organization_id=organization.id, listing_id=plan.listing_id, plan_id=plan.id)
    record_fact(
        "plan.taken",
        subject=("plan", plan.public_id),
        organization_id=organization.id,
        actor_user_id=actor.user_id,
    )
    return found


def describe(listing: Listing, plan: Plan) -> str:
    """What a line of an order calls it."""
    return f"{listing.name}, {plan.name}"
