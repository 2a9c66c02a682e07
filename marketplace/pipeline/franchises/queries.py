"""Grants and royalty invoices, as partners and staff see them."""

from collections.abc import Sequence

from sqlalchemy import func, select

from billing.models import Order
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.pipeline.franchises.models import (
    RoyaltyInvoice,
    RoyaltyKind,
    RoyaltyPayment,
    SalesReport,
    TerritoryGrant,
)
from marketplace.pipeline.leads.queries import signed_in

PER_PAGE = 25


def find_grant(territory_id: str) -> TerritoryGrant | None:
    """The grant of that public id."""
    signed_in()
    return db.session.scalar(select(TerritoryGrant).where(TerritoryGrant.public_id == territory_id))


def find_invoice(royalty_id: str) -> RoyaltyInvoice | None:
    """The invoice or credit note of that public id."""
    signed_in()
    return db.session.scalar(select(RoyaltyInvoice).where(RoyaltyInvoice.public_id == royalty_id))


def billed_months(organization_id: int) -> set[str]:
    """The months, as "2026-10", for which a partner has its invoice."""
    return set(
        db.session.scalars(
            select(RoyaltyInvoice.month)
            .where(
                RoyaltyInvoice.organization_id == organization_id,
                RoyaltyInvoice.kind == RoyaltyKind.INVOICE,
            )
            .order_by(RoyaltyInvoice.month.desc())
            .limit(100)
        )
    )


def grants_of(organization_id: int) -> Sequence[TerritoryGrant]:
    """A partner's grants, the newest first."""
    return db.session.scalars(
        select(TerritoryGrant)
        .where(TerritoryGrant.organization_id == organization_id)
        .order_by(TerritoryGrant.starts_at.desc(), TerritoryGrant.id.desc())
        .limit(100)
    ).all()


def page_of_grants(page: int) -> Page[TerritoryGrant]:
    """All grants, the newest first; three queries."""
    return paginate(
        select(TerritoryGrant).order_by(TerritoryGrant.id.desc()), page=page, per_page=PER_PAGE
    )


def page_of_invoices(page: int, organization_id: int | None = None) -> Page[RoyaltyInvoice]:
    """Invoices and credit notes, the newest first; two queries."""
    query = select(RoyaltyInvoice)
    if organization_id is not None:
        query = query.where(RoyaltyInvoice.organization_id == organization_id)
    return paginate(query.order_by(RoyaltyInvoice.id.desc()), page=page, per_page=PER_PAGE)


def reports_of(grant: TerritoryGrant) -> Sequence[SalesReport]:
    """All reports of a grant, the newest first."""
    return db.session.scalars(
        select(SalesReport)
        .where(SalesReport.grant_id == grant.id)
        .order_by(SalesReport.month.desc(), SalesReport.version.desc())
        .limit(200)
    ).all()


def newest_reports(grant_ids: Sequence[int], most: int = 6) -> dict[int, list[SalesReport]]:
    """The newest reports of each grant, by its id; one query."""
    place = func.row_number().over(
        partition_by=SalesReport.grant_id, order_by=SalesReport.id.desc()
    )
    ranked = (
        select(SalesReport.id, place.label("place"))
        .where(SalesReport.grant_id.in_(grant_ids))
        .subquery()
    )
    rows = db.session.scalars(
        select(SalesReport)
        .join(ranked, ranked.c.id == SalesReport.id)
        .where(ranked.c.place <= most)
        .order_by(SalesReport.id.desc())
    )
    found: dict[int, list[SalesReport]] = {}
    for row in rows:
        found.setdefault(row.grant_id, []).append(row)
    return found


def notes_to(invoice: RoyaltyInvoice) -> Sequence[RoyaltyInvoice]:
    """The credit notes to an invoice."""
    return db.session.scalars(
        select(RoyaltyInvoice)
        .where(
            RoyaltyInvoice.corrects_id == invoice.id,
            RoyaltyInvoice.kind == RoyaltyKind.CREDIT_NOTE,
        )
        .order_by(RoyaltyInvoice.id)
    ).all()


def corrected_by(note: RoyaltyInvoice) -> RoyaltyInvoice | None:
    """The invoice that a credit note is for."""
    return db.session.get(RoyaltyInvoice, note.corrects_id) if note.corrects_id else None


def orders_of(invoice: RoyaltyInvoice) -> Sequence[Order]:
    """The orders by which an invoice was to be paid, the newest first."""
    return db.session.scalars(
        select(Order)
        .join(RoyaltyPayment, RoyaltyPayment.order_id == Order.id)
        .where(RoyaltyPayment.invoice_id == invoice.id)
        .order_by(Order.id.desc())
        .limit(20)
    ).all()
