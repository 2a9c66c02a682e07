"""Reading what is sold to an organization and what it bought. select() only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from billing.models import (
    Dispute,
    DisputeState,
    Order,
    OrderState,
    Plan,
    PlanState,
    Price,
    Refund,
    RefundRequest,
    Subscription,
    SubscriptionState,
)
from billing.refund_requests import find_request
from marketplace.catalogue.models import Listing
from marketplace.catalogue.visibility import public_listings
from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.identity.queries import find_organization
from marketplace.sales.shop.policies import BUYERS

PER_PAGE = 20
# By then the event of a payment has come, or was lost.
LOOK_UP_AFTER = timedelta(minutes=10)


def find_shop(slug: str) -> Listing | None:
    """A public listing that has something for sale, with its publisher."""
    listing = db.session.scalar(public_listings().where(Listing.slug == slug))
    return listing if listing is not None and listing.is_findable else None


@dataclass(frozen=True)
class Offered:
    """A plan for sale and its listing."""

    listing: Listing
    plan: Plan


def find_offer(slug: str, plan_id: str) -> Offered | None:
    """A plan that is sold on the public listing of that address."""
    listing = find_shop(slug)
    if listing is None:
        return None
    plan = db.session.scalar(
        select(Plan)
        .where(
            Plan.public_id == plan_id,
            Plan.listing_id == listing.id,
            Plan.state == PlanState.ACTIVE,
        )
        .options(selectinload(Plan.prices))
    )
    return Offered(listing, plan) if plan is not None else None


def organizations_to_buy_for(listing: Listing) -> list[Organization]:
    """Those of the actor's organizations for which they may buy it, by name: not its publisher,
    not the platform's own. A sandbox never pays."""
    actor = current_actor()
    ids = [each.organization_id for each in actor.organizations if each.role in BUYERS]
    if not ids:
        return []
    return list(
        db.session.scalars(
            select(Organization)
            .where(
                Organization.id.in_(ids),
                Organization.id != listing.publisher_id,
                Organization.kind != OrganizationKind.PLATFORM,
                Organization.sandbox_of_id.is_(None),
            )
            .order_by(Organization.name)
        )
    )


def own_organization(slug: str, **_rest: Any) -> Organization | None:
    """The organization of an address, for its members alone: to all others it does not exist."""
    actor = current_actor()
    if not actor.is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    organization = find_organization(slug)
    if organization is None or actor.role_in(organization.id) is None:
        return None
    if organization.kind is OrganizationKind.PLATFORM:
        return None
    return organization


def find_order(slug: str, order_id: str) -> Order | None:
    """An order of that organization, with its lines."""
    organization = own_organization(slug)
    if organization is None:
        return None
    return db.session.scalar(
        select(Order)
        .where(Order.public_id == order_id, Order.organization_id == organization.id)
        .options(selectinload(Order.lines))
    )


def find_subscription(slug: str, subscription_id: str) -> Subscription | None:
    """A subscription of that organization, with its plan."""
    organization = own_organization(slug)
    if organization is None:
        return None
    return db.session.scalar(
        select(Subscription)
        .where(
            Subscription.public_id == subscription_id,
            Subscription.organization_id == organization.id,
        )
        .options(joinedload(Subscription.plan))
    )


def find_refund_request(slug: str, order_id: str, refund_request_id: int) -> RefundRequest | None:
    """A request for a refund of that order."""
    order = find_order(slug, order_id)
    found = find_request(refund_request_id)
    return found if order is not None and found is not None and found.order_id == order.id else None


def organization_of(organization_id: int) -> Organization:
    """The organization of an id that is known to exist."""
    return db.session.get_one(Organization, organization_id)


def listings_by_id(ids: Sequence[int | None]) -> dict[int, Listing]:
    """Listings with their publishers. One query."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    return {
        listing.id: listing
        for listing in db.session.scalars(
            select(Listing).where(Listing.id.in_(wanted)).options(joinedload(Listing.publisher))
        )
    }


def page_of_orders(organization_id: int, *, shown: str, page: int) -> Page[Order]:
    """What an organization bought, newest first. `shown`: paid, open or all. Three queries."""
    query = (
        select(Order)
        .where(Order.organization_id == organization_id)
        .options(selectinload(Order.lines))
        .order_by(Order.id.desc())
    )
    if shown == "open":
        query = query.where(Order.state == OrderState.PENDING)
    elif shown != "all":
        query = query.where(Order.state == OrderState.PAID)
    return paginate(query, page=page, per_page=PER_PAGE)


def orders_for_file(organization_id: int, limit: int) -> Sequence[Order]:
    """What an organization paid, newest first, with its lines. Two queries."""
    return db.session.scalars(
        select(Order)
        .where(Order.organization_id == organization_id, Order.state == OrderState.PAID)
        .options(selectinload(Order.lines))
        .order_by(Order.id.desc())
        .limit(limit)
    ).all()


def open_orders(organization_id: int) -> int:
    """How many orders wait for their payment."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Order)
            .where(Order.organization_id == organization_id, Order.state == OrderState.PENDING)
        )
        or 0
    )


def refunds_of(order_id: int) -> Sequence[Refund]:
    """What went back of an order, oldest first."""
    return db.session.scalars(
        select(Refund).where(Refund.order_id == order_id).order_by(Refund.id)
    ).all()


def lost_disputes_of(order_id: int) -> Sequence[Dispute]:
    """What the customer's bank took back of an order for good, oldest first."""
    return db.session.scalars(
        select(Dispute)
        .where(Dispute.order_id == order_id, Dispute.state == DisputeState.LOST)
        .order_by(Dispute.id)
    ).all()


@dataclass(frozen=True)
class Held:
    """A subscription with what lists say of it."""

    subscription: Subscription
    listing: Listing | None
    price: Price


def subscriptions_of(organization_id: int) -> list[Held]:
    """An organization's subscriptions, live ones first. Three queries."""
    found = db.session.scalars(
        select(Subscription)
        .where(
            Subscription.organization_id == organization_id,
            Subscription.state != SubscriptionState.INCOMPLETE,
            Subscription.stripe_id.is_not(None),
        )
        .options(joinedload(Subscription.plan))
        .order_by(Subscription.state == SubscriptionState.CANCELED, Subscription.id.desc())
        .limit(100)
    ).all()
    prices = prices_by_id([each.price_id for each in found])
    listings = listings_by_id([each.listing_id for each in found])
    return [Held(each, listings.get(each.listing_id), prices[each.price_id]) for each in found]


def prices_by_id(ids: Sequence[int]) -> dict[int, Price]:
    """Prices. One query, or none."""
    if not ids:
        return {}
    return {
        price.id: price for price in db.session.scalars(select(Price).where(Price.id.in_(set(ids))))
    }


def orders_of_subscription(subscription_id: int) -> Sequence[Order]:
    """What a subscription cost so far, newest first."""
    return db.session.scalars(
        select(Order)
        .where(Order.subscription_id == subscription_id, Order.state == OrderState.PAID)
        .options(selectinload(Order.lines))
        .order_by(Order.id.desc())
        .limit(60)
    ).all()


def had_trial(organization_id: int, listing_id: int) -> bool:
    """Whether the organization tried a plan of this listing before."""
    return (
        db.session.scalar(
            select(Subscription.id)
            .where(
                Subscription.organization_id == organization_id,
                Subscription.listing_id == listing_id,
                Subscription.trial_ends_at.is_not(None),
                Subscription.stripe_id.is_not(None),
            )
            .limit(1)
        )
        is not None
    )
