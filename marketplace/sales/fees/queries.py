"""The partner's listings that a fee can be paid for, and its fee orders."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from billing.models import Order, OrderKind
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization

MOST_LISTINGS = 500


def find_own_organization(organization_id: int) -> Organization:
    """The organization that is acted for."""
    return db.session.get_one(Organization, organization_id)


def listings_of(publisher_id: int) -> Sequence[Listing]:
    """A publisher's listings, by name."""
    return db.session.scalars(
        select(Listing)
        .where(Listing.publisher_id == publisher_id)
        .order_by(Listing.name, Listing.id)
        .limit(MOST_LISTINGS)
    ).all()


def page_of_fee_orders(organization_id: int, page: int) -> Page[Order]:
    """What an organization paid or began to pay, the newest first. Three queries."""
    return paginate(
        select(Order)
        .where(Order.organization_id == organization_id, Order.kind == OrderKind.PROGRAM_FEE)
        .options(selectinload(Order.lines))
        .order_by(Order.id.desc()),
        page=page,
        per_page=20,
    )
