"""Commissions that a rule of fraud holds, for the staff who decide."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import joinedload

from billing.models import CommissionClearance, Earning, EarningKind, EarningState, OrderLine
from billing.settlement.sales import HOLD
from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor

PER_PAGE = 25


def page_of_holds(shown: str, page: int) -> Page[Earning]:
    """Commissions that wait for a decision (`waiting`, the oldest first), or all that a rule ever
    held (`all`, the newest first). Two queries."""
    query: Any = (
        select(Earning)
        .join(Earning.line)
        .where(Earning.kind == EarningKind.AFFILIATE_COMMISSION)
        .options(joinedload(Earning.line).joinedload(OrderLine.order))
    )
    if shown == "waiting":
        query = query.where(_is_waiting()).order_by(Earning.id)
    else:
        query = query.where(
            (OrderLine.commission_hold_reason != "")
            | _is_waiting()
            | exists().where(CommissionClearance.earning_id == Earning.id)
        ).order_by(Earning.id.desc())
    return paginate(query, page=page, per_page=PER_PAGE)


def clearances_of(earning_ids: Sequence[int]) -> dict[int, CommissionClearance]:
    """Who released each of these, why it was held and when; the newest decision. One query."""
    rows = db.session.scalars(
        select(CommissionClearance)
        .where(CommissionClearance.earning_id.in_(earning_ids))
        .order_by(CommissionClearance.id)
    )
    return {row.earning_id: row for row in rows}


def count_waiting() -> int:
    """How many wait for a decision. One query."""
    return db.session.scalar(select(func.count()).select_from(Earning).where(_is_waiting())) or 0


def waiting_totals() -> Sequence[tuple[str, int, int]]:
    """(currency, how many, minor units) of what waits. One query."""
    return [
        (currency, count, int(total))
        for currency, count, total in db.session.execute(
            select(
                Earning.currency,
                func.count(),
                func.sum(Earning.amount - Earning.reversed_amount),
            )
            .where(_is_waiting())
            .group_by(Earning.currency)
            .order_by(Earning.currency)
        )
    ]


def find_hold(earning_id: str) -> Earning | None:
    """A commission by its public id. Raises SignInRequiredError first."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    return db.session.scalar(
        select(Earning)
        .where(
            Earning.public_id == earning_id,
            Earning.kind == EarningKind.AFFILIATE_COMMISSION,
        )
        .options(joinedload(Earning.line).joinedload(OrderLine.order))
    )


def _is_waiting() -> Any:
    """Held by the cause that a person decides about, whatever else freezes it."""
    return (
        (Earning.kind == EarningKind.AFFILIATE_COMMISSION)
        & (Earning.state == EarningState.HELD)
        & Earning.frozen_at.is_not(None)
        & (Earning.freezes[HOLD].as_string() != "")
    )
