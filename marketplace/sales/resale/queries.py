"""Agreements and quotes, as each side sees them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from billing.models import (
    AgreementState,
    Plan,
    PlanBilling,
    PlanState,
    QuoteState,
    ResaleQuote,
    ResellerAgreement,
)
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization, OrganizationKind

PER_PAGE = 25


def find_agreement(agreement_id: str) -> ResellerAgreement | None:
    """The agreement of that public id, with its plan. Raises SignInRequiredError first."""
    _signed_in()
    return db.session.scalar(
        select(ResellerAgreement)
        .where(ResellerAgreement.public_id == agreement_id)
        .options(joinedload(ResellerAgreement.plan))
    )


def agreements_of(organization_id: int, *, as_reseller: bool) -> Sequence[ResellerAgreement]:
    """Agreements of one side: offers first, then those in force, then the past; newest first."""
    side = ResellerAgreement.reseller_id if as_reseller else ResellerAgreement.publisher_id
    rows = db.session.scalars(
        select(ResellerAgreement)
        .where(side == organization_id)
        .options(joinedload(ResellerAgreement.plan))
        .order_by(ResellerAgreement.id.desc())
        .limit(300)
    ).all()
    order = {AgreementState.OFFERED: 0, AgreementState.ACTIVE: 1}
    return sorted(rows, key=lambda row: (order.get(row.state, 2), -row.id))


def versions_of(agreement: ResellerAgreement) -> Sequence[ResellerAgreement]:
    """All versions between the same parties for the same plan and currency, the newest first."""
    return db.session.scalars(
        select(ResellerAgreement)
        .where(
            ResellerAgreement.publisher_id == agreement.publisher_id,
            ResellerAgreement.reseller_id == agreement.reseller_id,
            ResellerAgreement.plan_id == agreement.plan_id,
            ResellerAgreement.currency == agreement.currency,
        )
        .order_by(ResellerAgreement.version.desc())
    ).all()


def find_quote(quote_id: str) -> ResaleQuote | None:
    """The quote of that public id, with agreement and plan. Raises SignInRequiredError first."""
    _signed_in()
    return db.session.scalar(
        select(ResaleQuote)
        .where(ResaleQuote.public_id == quote_id)
        .options(joinedload(ResaleQuote.agreement).joinedload(ResellerAgreement.plan))
    )


def find_customers_quote(slug: str, quote_id: str) -> ResaleQuote | None:
    """The quote, if it is to the customer of that slug."""
    quote = find_quote(quote_id)
    if quote is None:
        return None
    customer = db.session.get(Organization, quote.customer_id)
    return quote if customer is not None and customer.slug == slug else None


def page_of_quotes(reseller_id: int, state: QuoteState | None, page: int) -> Page[ResaleQuote]:
    """A reseller's quotes, the newest first. Two queries."""
    query = _quotes().where(ResaleQuote.reseller_id == reseller_id)
    if state is not None:
        query = query.where(ResaleQuote.state == state)
    return paginate(query.order_by(ResaleQuote.id.desc()), page=page, per_page=PER_PAGE)


def page_of_received(customer_id: int, page: int) -> Page[ResaleQuote]:
    """Quotes that were sent to a customer, the newest first. Two queries."""
    query = _quotes().where(
        ResaleQuote.customer_id == customer_id, ResaleQuote.sent_at.is_not(None)
    )
    return paginate(query.order_by(ResaleQuote.sent_at.desc()), page=page, per_page=PER_PAGE)


def count_open(customer_id: int) -> int:
    """How many quotes wait for a customer's answer. One query."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(ResaleQuote)
            .where(
                ResaleQuote.customer_id == customer_id,
                or_(ResaleQuote.state == QuoteState.SENT, ResaleQuote.state == QuoteState.ACCEPTED),
            )
        )
        or 0
    )


def plans_to_resell(publisher_id: int) -> Sequence[Plan]:
    """A publisher's plans that are for sale, with their prices."""
    return (
        db.session.scalars(
            select(Plan)
            .where(
                Plan.publisher_id == publisher_id,
                Plan.state == PlanState.ACTIVE,
                Plan.billing != PlanBilling.FREE,
            )
            .options(joinedload(Plan.prices))
            .order_by(Plan.listing_id, Plan.position, Plan.id)
            .limit(500)
        )
        .unique()
        .all()
    )


def find_partner(text: str) -> Organization | None:
    """A partner by its address or its exact name; nobody when two have that name."""
    wanted = text.strip().rstrip("/").rpartition("/")[2].lower()
    rows = db.session.scalars(
        select(Organization)
        .where(
            Organization.kind == OrganizationKind.PARTNER,
            Organization.suspended_at.is_(None),
            or_(Organization.slug == wanted, func.lower(Organization.name) == text.strip().lower()),
        )
        .order_by(Organization.slug != wanted)
        .limit(3)
    ).all()
    if rows and rows[0].slug == wanted:
        return rows[0]
    return rows[0] if len(rows) == 1 else None


def find_customer(text: str) -> Organization | None:
    """An organization that buys, by its exact address. Sandboxes and the platform are none."""
    wanted = text.strip().rstrip("/").rpartition("/")[2].lower()
    return db.session.scalar(
        select(Organization).where(
            Organization.slug == wanted,
            Organization.kind != OrganizationKind.PLATFORM,
            Organization.sandbox_of_id.is_(None),
        )
    )


def listings_by_id(ids: Sequence[int]) -> dict[int, Listing]:
    """Listings by their ids. One query."""
    rows = db.session.scalars(select(Listing).where(Listing.id.in_(set(ids))))
    return {row.id: row for row in rows}


def _quotes() -> Any:
    return select(ResaleQuote).options(
        joinedload(ResaleQuote.agreement).joinedload(ResellerAgreement.plan)
    )


def _signed_in() -> None:
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
