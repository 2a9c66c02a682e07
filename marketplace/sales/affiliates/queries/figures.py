"""Clicks, customers, sales and commissions, counted for many affiliates or links at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import InstrumentedAttribute

from billing.attribution import SALE_KINDS
from billing.models import (
    Affiliate,
    AffiliateLink,
    Attribution,
    Click,
    Earning,
    EarningKind,
    Order,
    OrderLine,
    OrderState,
)
from marketplace.core import clock
from marketplace.core.database import db

CHART_DAYS = 30


@dataclass
class Figures:
    """How an affiliate, a program or a link does. `earned` is minor units by currency, less what
    refunds took back."""

    clicks: int = 0
    customers: int = 0
    sales: int = 0
    earned: dict[str, int] = field(default_factory=dict)


def figures_by_affiliate(ids: Sequence[int]) -> dict[int, Figures]:
    """The figures of each affiliate. Four queries."""
    return _figures(Affiliate.id, ids)


def figures_by_program(ids: Sequence[int]) -> dict[int, Figures]:
    """The figures of each program. Four queries."""
    return _figures(Affiliate.program_id, ids)


def _figures(key: InstrumentedAttribute[int], ids: Sequence[int]) -> dict[int, Figures]:
    found = {each: Figures() for each in ids}
    if not found:
        return found
    clicks = (
        select(key, func.count())
        .select_from(Click)
        .join(AffiliateLink, AffiliateLink.id == Click.link_id)
        .join(Affiliate, Affiliate.id == AffiliateLink.affiliate_id)
        .where(key.in_(found), Click.is_bot.is_(False))
        .group_by(key)
    )
    for each, count in db.session.execute(clicks):
        found[each].clicks = count
    customers = (
        select(key, func.count(Attribution.organization_id.distinct()))
        .select_from(Attribution)
        .join(Affiliate, Affiliate.id == Attribution.affiliate_id)
        .where(key.in_(found))
        .group_by(key)
    )
    for each, count in db.session.execute(customers):
        found[each].customers = count
    sales = (
        select(key, func.count(OrderLine.order_id.distinct()))
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Affiliate, Affiliate.id == OrderLine.affiliate_id)
        .where(key.in_(found), Order.state == OrderState.PAID, Order.kind.in_(SALE_KINDS))
        .group_by(key)
    )
    for each, count in db.session.execute(sales):
        found[each].sales = count
    earned = (
        select(key, Earning.currency, func.sum(Earning.amount - Earning.reversed_amount))
        .select_from(Earning)
        .join(OrderLine, OrderLine.id == Earning.order_line_id)
        .join(Affiliate, Affiliate.id == OrderLine.affiliate_id)
        .where(key.in_(found), Earning.kind == EarningKind.AFFILIATE_COMMISSION)
        .group_by(key, Earning.currency)
        .order_by(Earning.currency)
    )
    for each, currency, total in db.session.execute(earned):
        found[each].earned[currency] = int(total)
    return found


@dataclass(frozen=True)
class SourceFigures:
    """What a sub-id brought. `earned` is minor units by currency, less what refunds took back."""

    name: str
    clicks: int
    customers: int
    sales: int
    earned: dict[str, int]


def figures_by_link(ids: Sequence[int]) -> dict[int, Figures]:
    """Clicks and customers of each link. Two queries."""
    found = {each: Figures() for each in ids}
    if not found:
        return found
    for each, count in db.session.execute(
        select(Click.link_id, func.count())
        .where(Click.link_id.in_(found), Click.is_bot.is_(False))
        .group_by(Click.link_id)
    ):
        found[each].clicks = count
    for each, count in db.session.execute(
        select(Click.link_id, func.count(Attribution.organization_id.distinct()))
        .join(Attribution, Attribution.click_id == Click.id)
        .where(Click.link_id.in_(found))
        .group_by(Click.link_id)
    ):
        found[each].customers = count
    return found


def figures_by_sub_id(affiliate_id: int, limit: int = 10) -> list[SourceFigures]:
    """What the sub-ids of an affiliate brought: those with the most sales and those with the most
    clicks, as many of each. What a sale came by is frozen at its line. Two queries without
    sub-ids, else six."""
    clicks = (
        select(Click.sub_id, func.count().label("count"))
        .join(AffiliateLink, AffiliateLink.id == Click.link_id)
        .where(
            AffiliateLink.affiliate_id == affiliate_id,
            Click.is_bot.is_(False),
            Click.sub_id != "",
        )
        .group_by(Click.sub_id)
    )
    sales = (
        select(OrderLine.sub_id, func.count(OrderLine.order_id.distinct()).label("count"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            OrderLine.affiliate_id == affiliate_id,
            OrderLine.sub_id != "",
            Order.state == OrderState.PAID,
            Order.kind.in_(SALE_KINDS),
        )
        .group_by(OrderLine.sub_id)
    )
    names = {
        str(row[0])
        for query in (clicks, sales)
        for row in db.session.execute(query.order_by(text("count DESC")).limit(limit))
    }
    if not names:
        return []
    clicked = _counts(clicks.where(Click.sub_id.in_(names)))
    sold = _counts(sales.where(OrderLine.sub_id.in_(names)))
    customers = _counts(
        select(Attribution.sub_id, func.count(Attribution.organization_id.distinct()))
        .where(Attribution.affiliate_id == affiliate_id, Attribution.sub_id.in_(names))
        .group_by(Attribution.sub_id)
    )
    earned: dict[str, dict[str, int]] = {name: {} for name in names}
    for name, currency, total in db.session.execute(
        select(
            OrderLine.sub_id,
            Earning.currency,
            func.sum(Earning.amount - Earning.reversed_amount),
        )
        .join(OrderLine, OrderLine.id == Earning.order_line_id)
        .where(
            OrderLine.affiliate_id == affiliate_id,
            OrderLine.sub_id.in_(names),
            Earning.kind == EarningKind.AFFILIATE_COMMISSION,
        )
        .group_by(OrderLine.sub_id, Earning.currency)
        .order_by(Earning.currency)
    ):
        earned[name][currency] = int(total)
    found = [
        SourceFigures(
            name, clicked.get(name, 0), customers.get(name, 0), sold.get(name, 0), earned[name]
        )
        for name in names
    ]
    return sorted(found, key=lambda each: (-each.sales, -each.clicks, each.name))


def _counts(query: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in db.session.execute(query)}


@dataclass(frozen=True)
class Course:
    """Clicks and sales of the last days, the oldest first, for a chart."""

    labels: list[str]
    captions: list[str]
    clicks: list[int]
    sales: list[int]

    @property
    def is_empty(self) -> bool:
        return not any(self.clicks) and not any(self.sales)


def course_of(affiliates: ColumnElement[bool]) -> Course:
    """The last CHART_DAYS days (UTC) of the affiliates that fit the condition. Two queries."""
    days, since = _days()
    clicks = _by_day(
        select(Click.clicked_at)
        .join(AffiliateLink, AffiliateLink.id == Click.link_id)
        .join(Affiliate, Affiliate.id == AffiliateLink.affiliate_id)
        .where(affiliates, Click.is_bot.is_(False), Click.clicked_at >= since),
        Click.clicked_at,
        func.count(),
    )
    sales = _by_day(
        select(Order.paid_at)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Affiliate, Affiliate.id == OrderLine.affiliate_id)
        .where(
            affiliates,
            Order.state == OrderState.PAID,
            Order.kind.in_(SALE_KINDS),
            Order.paid_at >= since,
        ),
        Order.paid_at,
        func.count(Order.id.distinct()),
    )
    return _course(days, clicks, sales)


def course_of_link(link_id: int) -> Course:
    """The clicks of one link in the last CHART_DAYS days (UTC). One query."""
    days, since = _days()
    clicks = _by_day(
        select(Click.clicked_at).where(
            Click.link_id == link_id, Click.is_bot.is_(False), Click.clicked_at >= since
        ),
        Click.clicked_at,
        func.count(),
    )
    return _course(days, clicks, {})


def _days() -> tuple[list[date], datetime]:
    """The days that are shown, and when the first of them began."""
    now = clock.now()
    days = [now.date() - timedelta(days=back) for back in range(CHART_DAYS - 1, -1, -1)]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return days, midnight - timedelta(days=CHART_DAYS - 1)


def _course(days: list[date], clicks: dict[str, int], sales: dict[str, int]) -> Course:
    return Course(
        labels=[f"{day.day} {day:%b}" for day in days],
        captions=[f"{day.day} {day:%B %Y}" for day in days],
        clicks=[clicks.get(day.isoformat(), 0) for day in days],
        sales=[sales.get(day.isoformat(), 0) for day in days],
    )


def _by_day(query: Any, moment: Any, count: Any) -> dict[str, int]:
    """Counted by the day (UTC) of a moment, on both databases."""
    postgresql = db.session.get_bind().dialect.name == "postgresql"
    day = func.date(func.timezone("UTC", moment)) if postgresql else func.date(moment)
    rows = db.session.execute(query.with_only_columns(day, count).group_by(day))
    return {str(each): number for each, number in rows}
