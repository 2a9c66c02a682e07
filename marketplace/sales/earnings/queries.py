"""Reading what a partner earned. Lists cost a constant number of statements."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from billing.models import (
    AffiliateLink,
    Attribution,
    Click,
    CommissionRule,
    Earning,
    EarningKind,
    EarningState,
    FeeRule,
    LedgerEntry,
    LedgerTransaction,
    Objection,
    ObjectionState,
    Order,
    OrderLine,
    Payout,
    PayoutItem,
    PayoutRun,
    PayoutState,
    PromotionCode,
)
from marketplace.core.database import db
from marketplace.identity.models import Organization, User

STATES = ("held", "frozen", "payable", "paid", "void")


@dataclass(frozen=True)
class Filters:
    """What of the lines is shown; empty is any. `month` is like 2026-10, by the day of the sale."""

    kind: str = ""
    state: str = ""
    currency: str = ""
    month: str = ""
    text: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether everything is shown."""
        return not (self.kind or self.state or self.currency or self.month or self.text)

    def as_args(self) -> dict[str, str | None]:
        """The query string that shows the same."""
        return {
            "kind": self.kind or None,
            "state": self.state or None,
            "currency": self.currency or None,
            "month": self.month or None,
            "q": self.text or None,
        }


def lines_of(partner_id: int, filters: Filters) -> Select[Any]:
    """A partner's earnings, newest first, with their lines and orders."""
    query = (
        select(Earning)
        .join(OrderLine, OrderLine.id == Earning.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Earning.partner_id == partner_id)
        .options(contains_eager(Earning.line).contains_eager(OrderLine.order))
        .order_by(Earning.id.desc())
    )
    if filters.kind:
        query = query.where(Earning.kind == EarningKind(filters.kind))
    if filters.currency:
        query = query.where(Earning.currency == filters.currency)
    if filters.month:
        begin, end = month_bounds(filters.month)
        query = query.where(Earning.created_at >= begin, Earning.created_at < end)
    if filters.text:
        sought = f"%{_escaped(filters.text.lower())}%"
        query = query.where(
            or_(
                func.lower(OrderLine.description).like(sought, escape="\\"),
                func.lower(Order.public_id).like(sought, escape="\\"),
                func.lower(Order.invoice_number).like(sought, escape="\\"),
                func.lower(Earning.public_id).like(sought, escape="\\"),
            )
        )
    return _in_state(query, filters.state)


def _in_state(query: Select[Any], state: str) -> Select[Any]:
    paid = (
        select(PayoutItem.id)
        .join(LedgerEntry, LedgerEntry.id == PayoutItem.entry_id)
        .join(Payout, Payout.id == PayoutItem.payout_id)
        .where(
            LedgerEntry.earning_id == Earning.id,
            PayoutItem.is_live,
            Payout.state != PayoutState.COMPUTED,
        )
        .exists()
    )
    if state == "held":
        return query.where(Earning.state == EarningState.HELD, Earning.frozen_reason == "")
    if state == "frozen":
        return query.where(Earning.state == EarningState.HELD, Earning.frozen_reason != "")
    if state == "payable":
        return query.where(Earning.state == EarningState.PAYABLE, ~paid)
    if state == "paid":
        return query.where(Earning.state == EarningState.PAYABLE, paid)
    if state == "void":
        return query.where(Earning.state == EarningState.VOID)
    return query


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """The first moment of a month like 2026-10, and of the next one, in UTC."""
    begin = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return begin, end


def find_earning(earning_id: str) -> Earning | None:
    """The earning of that public id, with its line and order."""
    return db.session.scalar(
        select(Earning)
        .where(Earning.public_id == earning_id)
        .options(joinedload(Earning.line).joinedload(OrderLine.order))
    )


def find_payout(payout_id: str) -> Payout | None:
    """The payout of that public id, with its run."""
    return db.session.scalar(
        select(Payout).where(Payout.public_id == payout_id).options(joinedload(Payout.run))
    )


def find_objection(objection_id: int) -> Objection | None:
    """The question of that id, with its line."""
    return db.session.scalar(
        select(Objection).where(Objection.id == objection_id).options(joinedload(Objection.earning))
    )


def payouts_by_earning(earning_ids: Iterable[int]) -> Mapping[int, Payout]:
    """The live payout that pays each of these earnings; the newest of several. One that waits for
    approval may still become another amount, and is nobody's news yet."""
    rows = db.session.execute(
        select(LedgerEntry.earning_id, Payout)
        .join(PayoutItem, PayoutItem.entry_id == LedgerEntry.id)
        .join(Payout, Payout.id == PayoutItem.payout_id)
        .where(
            LedgerEntry.earning_id.in_(list(earning_ids)),
            PayoutItem.is_live,
            Payout.state != PayoutState.COMPUTED,
        )
        .order_by(Payout.id)
    )
    return {earning_id: payout for earning_id, payout in rows if earning_id is not None}


def open_questions(earning_ids: Iterable[int]) -> set[int]:
    """Which of these earnings somebody has an open question about."""
    return set(
        db.session.scalars(
            select(Objection.earning_id).where(
                Objection.earning_id.in_(list(earning_ids)),
                Objection.state == ObjectionState.OPEN,
            )
        )
    )


def next_releases(partner_id: int, limit: int = 5) -> list[tuple[datetime, str, int]]:
    """(moment, currency, amount) of what is released next, one for each moment and currency."""
    rows = db.session.execute(
        select(
            Earning.release_at,
            Earning.currency,
            func.sum(Earning.amount - Earning.reversed_amount),
        )
        .where(
            Earning.partner_id == partner_id,
            Earning.state == EarningState.HELD,
            Earning.frozen_reason == "",
        )
        .group_by(Earning.release_at, Earning.currency)
        .order_by(Earning.release_at, Earning.currency)
        .limit(limit)
    )
    return [(at, currency, int(amount)) for at, currency, amount in rows]


def paid_so_far(partner_id: int) -> dict[str, int]:
    """What was transferred to a partner, less what was taken back, by currency."""
    rows = db.session.execute(
        select(Payout.currency, func.sum(Payout.amount - Payout.reversed_amount))
        .where(Payout.partner_id == partner_id, Payout.transferred_at.is_not(None))
        .group_by(Payout.currency)
    )
    return {currency: int(amount) for currency, amount in rows}


def frozen_lines(partner_id: int) -> int:
    """How many lines are held for a reason."""
    return (
        db.session.scalar(
            select(func.count()).where(
                Earning.partner_id == partner_id,
                Earning.state == EarningState.HELD,
                Earning.frozen_reason != "",
            )
        )
        or 0
    )


def payouts_of(partner_id: int) -> Select[Any]:
    """A partner's payouts, newest first. One that waits for approval is nobody's news yet."""
    return (
        select(Payout)
        .join(PayoutRun, PayoutRun.id == Payout.run_id)
        .where(
            Payout.partner_id == partner_id,
            Payout.state != PayoutState.COMPUTED,
            PayoutRun.computed_at.is_not(None),
        )
        .options(contains_eager(Payout.run))
        .order_by(Payout.id.desc())
    )


def lines_in_payout(payout_id: int) -> Any:
    """(entry, transaction, earning, description) of all that a payout pays."""
    return (
        select(PayoutItem.amount, LedgerTransaction, Earning, OrderLine.description)
        .select_from(PayoutItem)
        .join(LedgerEntry, LedgerEntry.id == PayoutItem.entry_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .outerjoin(Earning, Earning.id == LedgerEntry.earning_id)
        .outerjoin(OrderLine, OrderLine.id == Earning.order_line_id)
        .where(PayoutItem.payout_id == payout_id)
        .order_by(PayoutItem.id)
    )


def entries_of(earning_id: int) -> list[LedgerEntry]:
    """All that the ledger says of an earning, oldest first."""
    return list(
        db.session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.earning_id == earning_id)
            .options(joinedload(LedgerEntry.account), joinedload(LedgerEntry.transaction))
            .order_by(LedgerEntry.id)
        )
    )


def exchange_of(order_id: int) -> list[LedgerEntry]:
    """The entries with which a sale's charge was exchanged; empty when it was not."""
    return list(
        db.session.scalars(
            select(LedgerEntry)
            .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
            .where(LedgerTransaction.order_id == order_id, LedgerTransaction.kind == "fx")
            .options(joinedload(LedgerEntry.account), joinedload(LedgerEntry.transaction))
            .order_by(LedgerEntry.id)
        )
    )


def fee_rule_of(line: OrderLine) -> FeeRule | None:
    """The version of the fee that was frozen into a line."""
    if line.fee_rule_id is None:
        return None
    return db.session.scalar(
        select(FeeRule).where(FeeRule.id == line.fee_rule_id).options(joinedload(FeeRule.schedule))
    )


def commission_rule_of(line: OrderLine) -> CommissionRule | None:
    """The version of the commission that was frozen into a line."""
    if line.commission_rule_id is None:
        return None
    return db.session.scalar(
        select(CommissionRule)
        .where(CommissionRule.id == line.commission_rule_id)
        .options(joinedload(CommissionRule.program))
    )


@dataclass(frozen=True)
class CameBy:
    """What brought a line's customer, as it was frozen when it was sold. `link` and `code` are
    what stands in the address and what was typed; `registered_at` is of what no click tells."""

    source: str
    sub_id: str
    until: datetime | None
    click: Click | None
    link: str | None
    code: str | None
    registered_at: datetime | None


def came_by(line: OrderLine) -> CameBy | None:
    """By what the customer of an affiliate's line came; None for any other line. One query."""
    if line.affiliate_id is None or not line.came_by:
        return None
    row = db.session.execute(
        select(Click, AffiliateLink.code, PromotionCode.code, Attribution.signed_up_at)
        .select_from(OrderLine)
        .outerjoin(Click, Click.id == OrderLine.click_id)
        .outerjoin(AffiliateLink, AffiliateLink.id == Click.link_id)
        .outerjoin(PromotionCode, PromotionCode.id == OrderLine.code_id)
        .outerjoin(Attribution, Attribution.id == OrderLine.attribution_id)
        .where(OrderLine.id == line.id)
    ).one()
    return CameBy(line.came_by, line.sub_id, line.credited_until, *row)


def names_of(organization_ids: Iterable[int | None]) -> dict[int, str]:
    """What organizations are called."""
    wanted = {each for each in organization_ids if each is not None}
    if not wanted:
        return {}
    rows = db.session.execute(
        select(Organization.id, Organization.name).where(Organization.id.in_(wanted))
    )
    return dict(rows.all())


def people_by_id(user_ids: Iterable[int | None]) -> dict[int, str]:
    """What people are called."""
    wanted = {each for each in user_ids if each is not None}
    if not wanted:
        return {}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return dict(rows.all())
