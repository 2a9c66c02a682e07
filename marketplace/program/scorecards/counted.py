"""What counted: the measurements behind a metric's value. Their sum is the value, or their number,
where each negative one takes one back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select

from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.program.measures import Measurement, stands
from marketplace.program.policy.document import How, Metric, Policy
from marketplace.program.scorecards.evaluating import values_of
from marketplace.program.scorecards.rules import converted, window_start

PER_PAGE = 50
SOURCES = {
    "listing": "Listing",
    "review": "Review",
    "installation": "Installation",
    "order": "Order",
    "order_return": "Refund or dispute of order",
    "portal_day": "Day in the portal",
    "lead": "Lead",
    "deal": "Deal",
    "credential": "Credential",
    "certification": "Certification",
    "application": "Application",
    "verification": "Verification",
    "placement": "Placement",
}


@dataclass(frozen=True)
class CurrencySum:
    """What was measured in one currency, and what it counts as; None without a rate."""

    currency: str
    amount: int
    counts_as: int | None


def counted_page(
    organization_id: int, metric: Metric, at: datetime, page: int
) -> Page[Measurement]:
    """The measurements that count at a moment, the newest first."""
    return paginate(counted(organization_id, metric, at), page=page, per_page=PER_PAGE)


def counted(organization_id: int, metric: Metric, at: datetime) -> Select[Measurement]:
    """The measurements that count at a moment, the newest first."""
    return (
        select(Measurement)
        .where(*_which(organization_id, metric, at))
        .order_by(Measurement.counts_at.desc(), Measurement.id.desc())
    )


def sums_by_currency(
    organization_id: int, metric: Metric, policy: Policy, at: datetime
) -> list[CurrencySum]:
    """The sums of what counts, by currency; nothing for amounts without one."""
    rows = db.session.execute(
        select(Measurement.currency, func.sum(Measurement.amount))
        .where(*_which(organization_id, metric, at), Measurement.currency != "")
        .group_by(Measurement.currency)
        .order_by(Measurement.currency)
    )
    return [
        CurrencySum(currency, int(amount), converted(int(amount), currency, policy))
        for currency, amount in rows
    ]


def value_at(organization_id: int, metric: Metric, policy: Policy, at: datetime) -> int | None:
    """A metric's value at a moment."""
    return values_of([organization_id], policy, at)[organization_id][metric.key]


def source_in_words(row: Measurement) -> str:
    """Where a measurement comes from: `Order ord_…`."""
    words = SOURCES.get(row.source_type, row.source_type.replace("_", " ").capitalize())
    return f"{words} {row.source_id}"


def _which(organization_id: int, metric: Metric, at: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        Measurement.organization_id == organization_id,
        Measurement.measure == metric.measure,
        Measurement.counts_at <= at,
    ]
    start = window_start(metric, at)
    if start is not None:
        found.append(Measurement.counts_at > start)
    if metric.how is How.AGE:
        found.append(stands())
    return found
