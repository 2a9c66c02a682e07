"""The rows behind each tile. A tile's figure and its list are made of the same select, so that they
cannot differ.

Every select has the columns `at` (moment), `what` and `ref` (texts), `amount` (a whole number: a
count, minor units or hundredths of a star) and `currency` (empty for what is no money). They are
given an organization's id, or None for the whole program.
"""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, String, case, cast, literal, select

from billing.accounts import PARTNER_PAYABLE
from billing.models import (
    Earning,
    EarningKind,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    OrderLine,
    Payout,
    PayoutState,
    Side,
)
from marketplace.catalogue.models import Listing, ListingReview, ReviewState
from marketplace.installs.models import Installation
from marketplace.observability.analytics.models import ExposureCount, ExposureKind
from marketplace.observability.analytics.queries import Scope, installations
from marketplace.program.measures import Measure, Measurement

Rows = Select[Any]
COMMISSIONS = (EarningKind.AFFILIATE_COMMISSION, EarningKind.RESELLER_MARGIN)


def _text(value: Any) -> ColumnElement[str]:
    return cast(value, String)


def columns(at: Any, what: Any, ref: Any, amount: Any, currency: Any = None) -> list[Any]:
    """The five columns of every select here."""
    return [
        at.label("at"),
        _text(what).label("what"),
        _text(ref).label("ref"),
        cast(amount, BigInteger).label("amount"),
        _text(literal("") if currency is None else currency).label("currency"),
    ]


def views(organization_id: int | None) -> Rows:
    """Views of listings' pages, half hour by half hour."""
    query = (
        select(
            *columns(ExposureCount.slot, Listing.name, ExposureCount.placement, ExposureCount.count)
        )
        .outerjoin(Listing, Listing.id == ExposureCount.listing_id)
        .where(ExposureCount.kind == ExposureKind.VIEW)
    )
    if organization_id is not None:
        query = query.where(ExposureCount.organization_id == organization_id)
    return query


def installs(organization_id: int | None) -> Rows:
    """New installations by other organizations."""
    return installations(Scope(organization_id)).with_only_columns(
        *columns(Installation.installed_at, Listing.name, Installation.public_id, literal(1))
    )


def removals(organization_id: int | None) -> Rows:
    """Installations that were removed."""
    return (
        installations(Scope(organization_id))
        .where(Installation.uninstalled_at.is_not(None))
        .with_only_columns(
            *columns(Installation.uninstalled_at, Listing.name, Installation.public_id, literal(1))
        )
    )


def reviews(organization_id: int | None) -> Rows:
    """Ratings that customers gave, in hundredths of a star."""
    query = (
        select(
            *columns(
                ListingReview.created_at, Listing.name, ListingReview.id, ListingReview.rating * 100
            )
        )
        .join(Listing, Listing.id == ListingReview.listing_id)
        .where(ListingReview.state == ReviewState.PUBLISHED)
    )
    if organization_id is not None:
        query = query.where(Listing.publisher_id == organization_id)
    return query


def measured(what: Measure) -> Any:
    """The rows of a measure."""

    def rows(organization_id: int | None) -> Rows:
        query = select(
            *columns(
                Measurement.counts_at,
                Measurement.source_type,
                Measurement.source_id,
                Measurement.amount,
                Measurement.currency,
            )
        ).where(Measurement.measure == what.value)
        if organization_id is not None:
            query = query.where(Measurement.organization_id == organization_id)
        return query

    return rows


def commissions(organization_id: int | None) -> Rows:
    """Commissions and margins that were earned, less what was taken back since."""
    query = (
        select(
            *columns(
                Earning.created_at,
                OrderLine.description,
                Earning.public_id,
                Earning.amount - Earning.reversed_amount,
                Earning.currency,
            )
        )
        .join(OrderLine, OrderLine.id == Earning.order_line_id)
        .where(Earning.kind.in_(COMMISSIONS))
    )
    if organization_id is not None:
        query = query.where(Earning.partner_id == organization_id)
    return query


def payouts(organization_id: int | None) -> Rows:
    """Payouts that were transferred."""
    query = select(
        *columns(
            Payout.transferred_at,
            literal("payout"),
            Payout.public_id,
            Payout.amount,
            Payout.currency,
        )
    ).where(
        Payout.transferred_at.is_not(None),
        Payout.state.in_((PayoutState.TRANSFERRED, PayoutState.PAID)),
    )
    if organization_id is not None:
        query = query.where(Payout.partner_id == organization_id)
    return query


def payable(organization_id: int | None) -> Rows:
    """What changed the amount that waits to be paid out: entries of the ledger."""
    signed = case((LedgerEntry.side == Side.CREDIT, LedgerEntry.amount), else_=-LedgerEntry.amount)
    query = (
        select(
            *columns(
                LedgerTransaction.posted_at,
                LedgerTransaction.kind,
                LedgerTransaction.id,
                signed,
                LedgerAccount.currency,
            )
        )
        .select_from(LedgerEntry)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .where(LedgerAccount.code == PARTNER_PAYABLE)
    )
    if organization_id is not None:
        query = query.where(LedgerAccount.owner == organization_id)
    return query
