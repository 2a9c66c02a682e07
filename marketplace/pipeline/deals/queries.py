"""Deals and credits, as partners and staff see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization
from marketplace.pipeline.deals.models import (
    Credit,
    CreditKind,
    CreditSplit,
    Deal,
    DealImport,
    DealStage,
    DealState,
)
from marketplace.pipeline.leads.queries import signed_in

PER_PAGE = 25
BOARD_CARDS = 30
OPEN_STATES = (DealState.SUBMITTED, DealState.CONFLICT, DealState.APPROVED)


def find_deal(deal_id: str) -> Deal | None:
    """The deal of that public id, with its claim."""
    signed_in()
    return db.session.scalar(
        select(Deal).where(Deal.public_id == deal_id).options(joinedload(Deal.claim))
    )


def find_import(deal_import_id: str) -> DealImport | None:
    """The file of that public id."""
    signed_in()
    return db.session.scalar(select(DealImport).where(DealImport.public_id == deal_import_id))


@dataclass(frozen=True)
class DealFilter:
    """What a list of deals is asked for; empty parts allow everything."""

    text: str = ""
    stage: str = ""
    show: str = ""


SHOWS = {
    "to_decide": "To decide",
    "conflicts": "Conflicts",
    "won": "Won, to split",
    "protected": "Protected",
    "closed": "Closed",
    "all": "All",
}


def own_deals(organization_id: int, asked: DealFilter) -> Select[Deal]:
    """A partner's deals, the newest first."""
    query = select(Deal).where(Deal.organization_id == organization_id)
    return _filtered(query, asked).order_by(Deal.id.desc())


def page_of_own(organization_id: int, asked: DealFilter, page: int) -> Page[Deal]:
    """A page of them; two queries."""
    return paginate(
        own_deals(organization_id, asked).options(joinedload(Deal.claim)),
        page=page,
        per_page=PER_PAGE,
    )


def board_of(
    organization_id: int | None, asked: DealFilter | None = None
) -> dict[DealStage, list[Deal]]:
    """Open deals of a partner (None: of all) by stage, at most `BOARD_CARDS` each. One query."""
    place = func.row_number().over(partition_by=Deal.stage, order_by=Deal.id.desc())
    query = select(Deal.id, place.label("place")).where(
        Deal.state.in_((DealState.SUBMITTED, DealState.APPROVED))
    )
    if organization_id is not None:
        query = query.where(Deal.organization_id == organization_id)
    ranked = _filtered(query, asked or DealFilter()).subquery()
    rows = db.session.scalars(
        select(Deal)
        .join(ranked, ranked.c.id == Deal.id)
        .where(ranked.c.place <= BOARD_CARDS)
        .order_by(Deal.id.desc())
    )
    found: dict[DealStage, list[Deal]] = {stage: [] for stage in DealStage}
    for row in rows:
        found[row.stage].append(row)
    return found


def page_of_all(asked: DealFilter, page: int) -> Page[Deal]:
    """Staff's list, what waits longest first where something waits; two queries."""
    return paginate(all_deals(asked).options(joinedload(Deal.claim)), page=page, per_page=PER_PAGE)


def all_deals(asked: DealFilter) -> Select[Deal]:
    """The deals of one of staff's tabs, in the order of the list."""
    first = Deal.id if asked.show in ("to_decide", "conflicts", "won") else Deal.id.desc()
    return _filtered(_shown(select(Deal), asked.show), asked).order_by(first)


def show_counts() -> dict[str, int]:
    """How many deals each of staff's tabs has that asks for work."""
    return {
        show: db.session.scalar(_shown(select(func.count()).select_from(Deal), show)) or 0
        for show in ("to_decide", "conflicts", "won")
    }


def rivals_of(deal: Deal) -> Sequence[Deal]:
    """All other registrations for the same customer and product, the first one first."""
    return db.session.scalars(
        select(Deal)
        .where(Deal.claim_key == deal.claim_key, Deal.id != deal.id)
        .options(joinedload(Deal.claim))
        .order_by(Deal.id)
        .limit(20)
    ).all()


def split_of(deal_id: int) -> CreditSplit | None:
    """The version of the split that counts."""
    return db.session.scalar(
        select(CreditSplit)
        .where(CreditSplit.deal_id == deal_id)
        .order_by(CreditSplit.version.desc())
        .limit(1)
    )


def splits_of(deal_id: int) -> Sequence[CreditSplit]:
    """All versions, the newest first."""
    return db.session.scalars(
        select(CreditSplit)
        .where(CreditSplit.deal_id == deal_id)
        .order_by(CreditSplit.version.desc())
    ).all()


def facts_of(deal: Deal) -> Sequence[Fact]:
    """What happened to a deal, the newest first."""
    return db.session.scalars(
        select(Fact)
        .where(Fact.subject_type == "deal", Fact.subject_id == str(deal.id))
        .order_by(Fact.id.desc())
        .limit(100)
    ).all()


@dataclass(frozen=True)
class Period:
    """A year, or a month of it, in UTC."""

    year: int
    month: int | None = None

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.month or 1, 1, tzinfo=UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        if self.month is None or self.month == 12:
            return datetime(self.year + 1, 1, 1, tzinfo=UTC)
        return datetime(self.year, self.month + 1, 1, tzinfo=UTC)

    @property
    def code(self) -> str:
        """Like 2026 or 2026-11."""
        return f"{self.year}-{self.month:02}" if self.month else f"{self.year}"

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read it from an address; anything unusable is this year."""
        year, _, month = text.partition("-")
        if year.isascii() and year.isdigit() and len(year) == 4 and 2_000 <= int(year) <= 2_100:
            if month.isascii() and month.isdigit() and len(month) <= 2 and 1 <= int(month) <= 12:
                return cls(int(year), int(month))
            if not month:
                return cls(int(year))
        return cls(clock.now().year)


@dataclass(frozen=True)
class CreditTotal:
    """What a partner was credited in a period, in minor units of one currency."""

    organization_id: int
    currency: str
    sourced: int
    assisted: int
    deals: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.sourced + self.assisted


def credit_totals(period: Period, organization_id: int | None = None) -> list[CreditTotal]:
    """What counts now of deals that were won in a period, by partner and currency, the most
    first. One query."""
    newest = (
        select(CreditSplit.deal_id, func.max(CreditSplit.version).label("version"))
        .group_by(CreditSplit.deal_id)
        .subquery()
    )
    query = (
        select(
            Credit.organization_id,
            CreditSplit.currency,
            Credit.kind,
            func.sum(Credit.amount),
            func.count(),
        )
        .join(CreditSplit, CreditSplit.id == Credit.split_id)
        .join(
            newest,
            (newest.c.deal_id == CreditSplit.deal_id) & (newest.c.version == CreditSplit.version),
        )
        .where(CreditSplit.counts_at >= period.begins, CreditSplit.counts_at < period.ends)
        .group_by(Credit.organization_id, CreditSplit.currency, Credit.kind)
    )
    if organization_id is not None:
        query = query.where(Credit.organization_id == organization_id)
    sums: dict[tuple[int, str], dict[CreditKind, tuple[int, int]]] = {}
    for each, currency, kind, amount, count in db.session.execute(query):
        sums.setdefault((each, currency), {})[kind] = (int(amount), int(count))
    nothing = (0, 0)
    found = [
        CreditTotal(
            each,
            currency,
            sourced=by_kind.get(CreditKind.SOURCED, nothing)[0],
            assisted=by_kind.get(CreditKind.ASSISTED, nothing)[0],
            deals=sum(count for _amount, count in by_kind.values()),
        )
        for (each, currency), by_kind in sums.items()
    ]
    return sorted(found, key=lambda row: (row.currency, -row.total, row.organization_id))


def page_of_credits(organization_id: int, page: int) -> Page[Credit]:
    """A partner's credits that count now, the newest first; with their splits. Two queries."""
    newest = select(func.max(CreditSplit.id)).group_by(CreditSplit.deal_id).scalar_subquery()
    return paginate(
        select(Credit)
        .where(Credit.organization_id == organization_id, Credit.split_id.in_(newest))
        .order_by(Credit.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def splits_by_id(ids: Sequence[int]) -> dict[int, CreditSplit]:
    """Splits by their ids."""
    rows = db.session.scalars(select(CreditSplit).where(CreditSplit.id.in_(set(ids))))
    return {row.id: row for row in rows}


def deals_by_id(ids: Sequence[int]) -> dict[int, Deal]:
    """Deals by their ids."""
    rows = db.session.scalars(select(Deal).where(Deal.id.in_(set(ids))))
    return {row.id: row for row in rows}


def partner_names(ids: Sequence[int]) -> dict[int, str]:
    """The names of organizations by their ids."""
    rows = db.session.execute(
        select(Organization.id, Organization.name).where(Organization.id.in_(set(ids)))
    )
    return {int(each): str(name) for each, name in rows}


def _filtered(query: Select[Any], asked: DealFilter) -> Select[Any]:
    if asked.text:
        query = query.where(
            or_(
                *(
                    column.icontains(asked.text, autoescape=True)
                    for column in (Deal.title, Deal.customer_name, Deal.customer_domain)
                )
            )
        )
    if asked.stage in {each.value for each in DealStage}:
        query = query.where(Deal.stage == DealStage(asked.stage))
    return query


def _shown(query: Select[Any], show: str) -> Select[Any]:
    # A lost deal keeps the state that it had and is over all the same.
    is_lost = Deal.stage == DealStage.LOST
    if show == "to_decide":
        return query.where(Deal.state == DealState.SUBMITTED, ~is_lost)
    if show == "conflicts":
        return query.where(Deal.state == DealState.CONFLICT, ~is_lost)
    if show == "won":
        split = select(CreditSplit.id).where(CreditSplit.deal_id == Deal.id).exists()
        return query.where(Deal.stage == DealStage.WON, ~split)
    if show == "protected":
        return query.where(
            Deal.state == DealState.APPROVED, Deal.stage.not_in((DealStage.WON, DealStage.LOST))
        )
    if show == "closed":
        return query.where(or_(Deal.state.not_in(OPEN_STATES), is_lost))
    return query
