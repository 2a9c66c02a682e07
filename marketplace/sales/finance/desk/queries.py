"""What the pages of the desk read. Rows of billing, and the organizations and people they name."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from billing.models import (
    BalanceConversion,
    Dispute,
    DisputeState,
    Earning,
    FeeSchedule,
    Objection,
    ObjectionState,
    Order,
    OrderLine,
    Refund,
    RefundRequest,
    RefundState,
    RequestState,
    ScheduleState,
    WriteOff,
)
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization, User

PER_PAGE = 25
OPEN_REFUNDS = (RefundState.INTENDED, RefundState.PENDING)
OPEN_DISPUTES = (DisputeState.OPEN, DisputeState.WARNING)
_WITH_ORDER = (joinedload(Objection.earning).joinedload(Earning.line).joinedload(OrderLine.order),)


def organizations(ids: Collection[int | None]) -> dict[int, Organization]:
    """Organizations by id, in one query."""
    wanted = {each for each in ids if each}
    if not wanted:
        return {}
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(wanted)))
    return {row.id: row for row in rows}


def people(ids: Collection[int | None]) -> dict[int, User]:
    """People by id, in one query."""
    wanted = {each for each in ids if each}
    if not wanted:
        return {}
    return {row.id: row for row in db.session.scalars(select(User).where(User.id.in_(wanted)))}


def organizations_like(text: str, limit: int = 10) -> Sequence[Organization]:
    """Organizations whose name or address begins so, or holds it."""
    escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    name = func.lower(Organization.name)
    return db.session.scalars(
        select(Organization)
        .where(
            Organization.sandbox_of_id.is_(None),
            or_(
                name.like(f"%{escaped}%", escape="\\"),
                Organization.slug.like(f"{escaped}%", escape="\\"),
            ),
        )
        .order_by(name.like(f"{escaped}%", escape="\\").desc(), Organization.name, Organization.id)
        .limit(limit)
    ).all()


def find_organization_by_slug(slug: str) -> Organization | None:
    """An organization by its address."""
    return db.session.scalar(select(Organization).where(Organization.slug == slug))


def find_order(order_id: str) -> Order | None:
    """An order with its lines, by its public id."""
    return db.session.scalar(
        select(Order).where(Order.public_id == order_id).options(selectinload(Order.lines))
    )


def refunds_of(order: Order) -> Sequence[Refund]:
    """An order's refunds, the oldest first."""
    return db.session.scalars(
        select(Refund).where(Refund.order_id == order.id).order_by(Refund.number)
    ).all()


def disputes_of(order: Order) -> Sequence[Dispute]:
    """An order's disputes, the oldest first."""
    return db.session.scalars(
        select(Dispute).where(Dispute.order_id == order.id).order_by(Dispute.id)
    ).all()


def requests_of(order: Order) -> Sequence[RefundRequest]:
    """What the customer asked back of an order, the oldest first."""
    return db.session.scalars(
        select(RefundRequest).where(RefundRequest.order_id == order.id).order_by(RefundRequest.id)
    ).all()


def earnings_of(order: Order) -> Sequence[Earning]:
    """What partners earned by an order."""
    return db.session.scalars(
        select(Earning)
        .where(Earning.order_id == order.id)
        .options(joinedload(Earning.line))
        .order_by(Earning.id)
    ).all()


def orders_of(organization_id: int, page: int) -> Page[Order]:
    """An organization's orders, the newest first."""
    return paginate(
        select(Order).where(Order.organization_id == organization_id).order_by(Order.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def page_of_requests(*, is_open: bool, page: int) -> Page[RefundRequest]:
    """Requests for a refund: open ones the oldest first, decided ones the newest first."""
    query = select(RefundRequest).options(joinedload(RefundRequest.order).selectinload(Order.lines))
    if is_open:
        query = query.where(RefundRequest.state == RequestState.OPEN).order_by(RefundRequest.id)
    else:
        query = query.where(RefundRequest.state != RequestState.OPEN).order_by(
            RefundRequest.id.desc()
        )
    return paginate(query, page=page, per_page=PER_PAGE)


def find_request(refund_request_id: int) -> RefundRequest | None:
    """A request with its order."""
    return db.session.scalar(
        select(RefundRequest)
        .where(RefundRequest.id == refund_request_id)
        .options(joinedload(RefundRequest.order).selectinload(Order.lines))
    )


def page_of_refunds(shown: str, page: int) -> Page[Refund]:
    """Refunds, the newest first: `all`, those under way, or those that failed."""
    query = select(Refund).options(joinedload(Refund.order)).order_by(Refund.id.desc())
    if shown == "under_way":
        query = query.where(Refund.state.in_(OPEN_REFUNDS))
    elif shown == "failed":
        query = query.where(Refund.state == RefundState.FAILED)
    return paginate(query, page=page, per_page=PER_PAGE)


def refund_counts() -> dict[str, int]:
    """How many requests are open, refunds under way, refunds failed."""
    states = dict(
        db.session.execute(select(Refund.state, func.count()).group_by(Refund.state)).all()
    )
    asked = db.session.scalar(
        select(func.count())
        .select_from(RefundRequest)
        .where(RefundRequest.state == RequestState.OPEN)
    )
    return {
        "requests": asked or 0,
        "under_way": sum(states.get(state, 0) for state in OPEN_REFUNDS),
        "failed": states.get(RefundState.FAILED, 0),
    }


def page_of_disputes(shown: str, page: int) -> Page[Dispute]:
    """Disputes: open ones by when evidence is due, decided ones the newest first."""
    query = select(Dispute).options(joinedload(Dispute.order).selectinload(Order.lines))
    if shown == "open":
        query = query.where(Dispute.state.in_(OPEN_DISPUTES)).order_by(
            Dispute.evidence_sent_at.is_not(None), Dispute.evidence_due_at, Dispute.id
        )
    else:
        query = query.where(Dispute.state == DisputeState(shown)).order_by(Dispute.id.desc())
    return paginate(query, page=page, per_page=PER_PAGE)


def dispute_counts() -> dict[str, int]:
    """How many disputes there are by state; `open` counts inquiries too."""
    states = dict(
        db.session.execute(select(Dispute.state, func.count()).group_by(Dispute.state)).all()
    )
    return {
        "open": sum(states.get(state, 0) for state in OPEN_DISPUTES),
        "won": states.get(DisputeState.WON, 0),
        "lost": states.get(DisputeState.LOST, 0),
    }


def find_dispute(dispute_id: int) -> Dispute | None:
    """A dispute with its order."""
    return db.session.scalar(
        select(Dispute)
        .where(Dispute.id == dispute_id)
        .options(joinedload(Dispute.order).selectinload(Order.lines))
    )


def page_of_objections(*, is_open: bool, page: int) -> Page[Objection]:
    """Questions: open ones the oldest first, decided ones the newest first."""
    query = select(Objection).options(*_WITH_ORDER)
    if is_open:
        query = query.where(Objection.state == ObjectionState.OPEN).order_by(Objection.id)
    else:
        query = query.where(Objection.state != ObjectionState.OPEN).order_by(Objection.id.desc())
    return paginate(query, page=page, per_page=PER_PAGE)


def open_objections() -> int:
    """How many questions wait."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Objection)
            .where(Objection.state == ObjectionState.OPEN)
        )
        or 0
    )


def find_objection(objection_id: int) -> Objection | None:
    """A question with the line it is about."""
    return db.session.scalar(
        select(Objection).where(Objection.id == objection_id).options(*_WITH_ORDER)
    )


def write_offs(*, is_open: bool, page: int) -> Page[WriteOff]:
    """Write-offs that wait for a second person, or that were decided."""
    query = select(WriteOff)
    if is_open:
        query = query.where(WriteOff.decided_at.is_(None)).order_by(WriteOff.id)
    else:
        query = query.where(WriteOff.decided_at.is_not(None)).order_by(WriteOff.id.desc())
    return paginate(query, page=page, per_page=PER_PAGE)


def find_write_off(write_off_id: int) -> WriteOff | None:
    """A write-off."""
    return db.session.get(WriteOff, write_off_id)


def conversions(*, is_open: bool, page: int) -> Page[BalanceConversion]:
    """Conversions of balances that wait for a second person, or that were decided."""
    query = select(BalanceConversion)
    if is_open:
        query = query.where(BalanceConversion.decided_at.is_(None)).order_by(BalanceConversion.id)
    else:
        query = query.where(BalanceConversion.decided_at.is_not(None)).order_by(
            BalanceConversion.id.desc()
        )
    return paginate(query, page=page, per_page=PER_PAGE)


def find_conversion(conversion_id: int) -> BalanceConversion | None:
    """A conversion of a balance."""
    return db.session.get(BalanceConversion, conversion_id)


def schedules() -> Sequence[FeeSchedule]:
    """All schedules with their rules, the newest first. Two queries."""
    return db.session.scalars(
        select(FeeSchedule)
        .options(selectinload(FeeSchedule.rules))
        .order_by(FeeSchedule.version.desc())
        .limit(200)
    ).all()


def find_schedule(schedule_id: int) -> FeeSchedule | None:
    """A schedule with its rules."""
    return db.session.scalar(
        select(FeeSchedule)
        .where(FeeSchedule.id == schedule_id)
        .options(selectinload(FeeSchedule.rules))
    )


def next_schedule(now: datetime) -> FeeSchedule | None:
    """The published schedule that comes into force next."""
    return db.session.scalar(
        select(FeeSchedule)
        .where(FeeSchedule.state == ScheduleState.PUBLISHED, FeeSchedule.effective_from > now)
        .options(selectinload(FeeSchedule.rules))
        .order_by(FeeSchedule.effective_from, FeeSchedule.version.desc())
        .limit(1)
    )
