"""The program at a glance: a constant number of queries each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pagination import Page
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.observability.cockpit.models import PartnerMessage
from marketplace.program.measures import Measure, Measurement
from marketplace.program.standing.models import Standing, StandingMove
from marketplace.program.standing.reading import keeps_in_grace, takes_part

# A partner that nobody used the portal for so long is quiet.
SILENT = timedelta(days=30)
REPLIES = timedelta(days=90)
MOVES = timedelta(days=30)
PER_PAGE = 25
MOST = 10_000


@dataclass(frozen=True)
class Silence:
    """How long a partner has been quiet, and how fast it answers."""

    organization_id: int
    name: str
    slug: str
    partner_type: str
    tier: str
    joined_at: datetime
    active_at: datetime | None
    # The mean of the last 90 days, None without an answer.
    reply_minutes: int | None
    replies: int
    written_at: datetime | None

    @property
    def last_sign(self) -> datetime:
        """The last day of activity; the day of joining before the first one."""
        return max(self.active_at, self.joined_at) if self.active_at else self.joined_at

    @property
    def days(self) -> int:
        """Whole days of silence."""
        return (clock.now() - self.last_sign).days


def _silences(now: datetime) -> tuple[Select[Any], ColumnElement[Any]]:
    """All partners of the program with their last sign, and that sign."""
    active = (
        select(Measurement.organization_id, func.max(Measurement.counts_at).label("at"))
        .where(Measurement.measure == Measure.ACTIVITY.value, Measurement.counts_at <= now)
        .group_by(Measurement.organization_id)
        .subquery()
    )
    replies = (
        select(
            Measurement.organization_id,
            func.sum(Measurement.amount).label("minutes"),
            func.count().label("replies"),
        )
        .where(
            Measurement.measure == Measure.RESPONSE_MINUTES.value,
            Measurement.counts_at > now - REPLIES,
            Measurement.counts_at <= now,
        )
        .group_by(Measurement.organization_id)
        .subquery()
    )
    written = (
        select(PartnerMessage.organization_id, func.max(PartnerMessage.sent_at).label("at"))
        .group_by(PartnerMessage.organization_id)
        .subquery()
    )
    sign = func.coalesce(active.c.at, Standing.joined_at)
    query = (
        select(
            Organization.id,
            Organization.name,
            Organization.slug,
            func.coalesce(Organization.partner_type, ""),
            Standing.tier,
            Standing.joined_at,
            active.c.at,
            replies.c.minutes,
            replies.c.replies,
            written.c.at,
        )
        .join(Standing, Standing.organization_id == Organization.id)
        .outerjoin(active, active.c.organization_id == Organization.id)
        .outerjoin(replies, replies.c.organization_id == Organization.id)
        .outerjoin(written, written.c.organization_id == Organization.id)
        .where(takes_part())
    )
    return query, sign


def page_of_silences(
    now: datetime, *, quiet_only: bool, sort: str, page: int, per_page: int = PER_PAGE
) -> Page[Silence]:
    """Partners by how long they are silent, or how slowly they answer. Two queries.

    Quiet: the last sign lies 30 days or more back.
    """
    query, sign = _silences(now)
    if quiet_only:
        query = query.where(sign <= now - SILENT, Standing.joined_at <= now - SILENT)
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    number = max(1, min(page, -(-total // per_page)))
    columns = query.selected_columns
    mean = columns.minutes / columns.replies
    order = [mean.desc().nulls_last()] if sort == "replies" else [sign]
    rows = db.session.execute(
        query.order_by(*order, Organization.id).limit(per_page).offset((number - 1) * per_page)
    )
    items = [
        Silence(
            organization_id=row[0],
            name=row[1],
            slug=row[2],
            partner_type=row[3],
            tier=row[4],
            joined_at=row[5],
            active_at=row[6],
            reply_minutes=_mean(row[7], row[8]),
            replies=int(row[8] or 0),
            written_at=row[9],
        )
        for row in rows
    ]
    return Page(items=items, total=total, page=number, per_page=per_page)


def _mean(total: Any, count: Any) -> int | None:
    return (2 * int(total) + int(count)) // (2 * int(count)) if count else None


@dataclass(frozen=True)
class Standings:
    """How many partners there are, by state and tier."""

    total: int
    provisional: int
    in_grace: int
    by_tier: Mapping[str, int]


def standings(now: datetime) -> Standings:
    """Partners of the program: one query."""
    in_grace = func.sum(case((keeps_in_grace(now), 1), else_=0))
    rows = db.session.execute(
        select(Standing.tier, Standing.state, func.count(), in_grace)
        .join(Organization, Organization.id == Standing.organization_id)
        .where(takes_part())
        .group_by(Standing.tier, Standing.state)
    ).all()
    by_tier: dict[str, int] = {}
    for tier, _state, count, _grace in rows:
        by_tier[tier] = by_tier.get(tier, 0) + count
    return Standings(
        total=sum(by_tier.values()),
        provisional=sum(row[2] for row in rows if row[1].value == "provisional"),
        in_grace=sum(int(row[3] or 0) for row in rows),
        by_tier=by_tier,
    )


@dataclass(frozen=True)
class PartnerFilter:
    """Which partners of the program are looked for; empty: all."""

    country: str | None = None
    partner_type: str | None = None
    tier: str = ""
    state: str = ""

    def args(self) -> dict[str, str | None]:
        """The query arguments of its address; a country or type that nobody said is `none`."""
        return {
            "country": None if self.country is None else self.country or "none",
            "type": None if self.partner_type is None else self.partner_type or "none",
            "tier": self.tier or None,
            "state": self.state or None,
        }


def page_of_partners(asked: PartnerFilter, page: int, per_page: int = PER_PAGE) -> Page[Any]:
    """Partners with name, slug, country, type, tier, state, points, grace and joining: two
    queries."""
    query = (
        select(
            Organization.name,
            Organization.slug,
            func.coalesce(Organization.country, "").label("country"),
            func.coalesce(Organization.partner_type, "").label("partner_type"),
            Standing.tier,
            Standing.state,
            Standing.points,
            Standing.joined_at,
            Standing.grace_until,
            Standing.provisional_until,
        )
        .join(Standing, Standing.organization_id == Organization.id)
        .where(takes_part())
    )
    if asked.country is not None:
        query = query.where(func.coalesce(Organization.country, "") == asked.country)
    if asked.partner_type is not None:
        query = query.where(func.coalesce(Organization.partner_type, "") == asked.partner_type)
    if asked.tier:
        query = query.where(Standing.tier == asked.tier)
    if asked.state == "grace":
        query = query.where(keeps_in_grace(clock.now()))
    elif asked.state == "provisional":
        query = query.where(Standing.state == "provisional")
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    number = max(1, min(page, -(-total // per_page)))
    rows = db.session.execute(
        query.order_by(func.lower(Organization.name), Organization.id)
        .limit(per_page)
        .offset((number - 1) * per_page)
    ).all()
    return Page(items=rows, total=total, page=number, per_page=per_page)


def page_of_moves(since: datetime, page: int, per_page: int = PER_PAGE) -> Page[Any]:
    """Moves of standings since a moment, the newest first, with the partner: two queries."""
    query = (
        select(
            StandingMove.kind,
            StandingMove.from_tier,
            StandingMove.to_tier,
            StandingMove.reason,
            StandingMove.at,
            Organization.name,
            Organization.slug,
        )
        .join(Organization, Organization.id == StandingMove.organization_id)
        .where(StandingMove.at >= since)
    )
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    number = max(1, min(page, -(-total // per_page)))
    rows = db.session.execute(
        query.order_by(StandingMove.at.desc(), StandingMove.id.desc())
        .limit(per_page)
        .offset((number - 1) * per_page)
    ).all()
    return Page(items=rows, total=total, page=number, per_page=per_page)


def find_partner(quiet_slug: str, **_rest: object) -> Organization | None:
    """The partner of an address."""
    return db.session.scalar(
        select(Organization).where(
            Organization.slug == quiet_slug, Organization.kind == OrganizationKind.PARTNER
        )
    )
