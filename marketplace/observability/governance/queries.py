"""Facts with filters, overrides in force, and the month's calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.identity.models import Organization, User
from marketplace.observability.governance.expiring import Expiring, expiring_between
from marketplace.program.standing.models import TierOverride

PER_PAGE = 50
BIGGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class FactFilter:
    """What is looked for; empty: everything. Days are UTC, both included."""

    kind: str = ""
    subject: str = ""
    actor: str = ""
    organization: str = ""
    first: date | None = None
    last: date | None = None

    def args(self) -> dict[str, str | None]:
        """The query arguments of its address."""
        return {
            "kind": self.kind or None,
            "subject": self.subject or None,
            "actor": self.actor or None,
            "organization": self.organization or None,
            "from": str(self.first) if self.first else None,
            "to": str(self.last) if self.last else None,
        }

    @property
    def is_empty(self) -> bool:
        """Whether nothing is looked for."""
        return not any(self.args().values())


def facts(asked: FactFilter) -> Select[Any]:
    """Facts, the newest first; nothing for people or organizations that there are not."""
    query = select(Fact).order_by(Fact.id.desc())
    if asked.kind:
        query = query.where(Fact.kind.startswith(asked.kind, autoescape=True))
    if asked.subject:
        kind, _colon, number = asked.subject.partition(":")
        query = query.where(Fact.subject_type == kind.strip())
        if number.strip():
            query = query.where(Fact.subject_id == number.strip())
    if asked.actor:
        query = query.where(Fact.actor_user_id.in_(_people(asked.actor)))
    if asked.organization:
        query = query.where(Fact.organization_id.in_(_organizations(asked.organization)))
    if asked.first:
        query = query.where(Fact.happened_at >= datetime.combine(asked.first, time(0), tzinfo=UTC))
    if asked.last and asked.last < date.max:
        after = datetime.combine(asked.last + timedelta(days=1), time(0), tzinfo=UTC)
        query = query.where(Fact.happened_at < after)
    return query


def page_of_facts(asked: FactFilter, before: int | None) -> tuple[list[Fact], int | None]:
    """A page of facts with ids below `before`, and the id that the next page is below. One query,
    however far one goes."""
    query = facts(asked)
    if before is not None:
        query = query.where(Fact.id < before)
    rows = list(db.session.scalars(query.limit(PER_PAGE + 1)))
    more = len(rows) > PER_PAGE
    return rows[:PER_PAGE], rows[PER_PAGE - 1].id if more else None


def names_for(rows: Sequence[Fact]) -> tuple[dict[int, str], dict[int, str]]:
    """The names of the people and organizations that facts speak of. Two queries."""
    people = {row.actor_user_id for row in rows if row.actor_user_id is not None}
    places = {row.organization_id for row in rows if row.organization_id is not None}
    users = db.session.execute(select(User.id, User.name).where(User.id.in_(people)))
    found = db.session.execute(
        select(Organization.id, Organization.name).where(Organization.id.in_(places))
    )
    return {row[0]: row[1] for row in users}, {row[0]: row[1] for row in found}


def _people(text: str) -> list[int]:
    """Ids of people by their id, address or exact name."""
    if text.isascii() and text.isdigit():
        return [int(text)] if len(text) < 20 and int(text) <= BIGGEST_ID else []
    return list(
        db.session.scalars(
            select(User.id)
            .where(
                (func.lower(User.email) == text.lower()) | (func.lower(User.name) == text.lower())
            )
            .limit(200)
        )
    )


def _organizations(text: str) -> list[int]:
    """Ids of organizations by their address or exact name."""
    return list(
        db.session.scalars(
            select(Organization.id)
            .where(
                (Organization.slug == text.lower())
                | (func.lower(Organization.name) == text.lower())
            )
            .limit(200)
        )
    )


@dataclass(frozen=True)
class Override:
    """An override in force, whose and why."""

    organization_name: str
    organization_slug: str
    tier: str
    reason: str
    by: str
    created_at: datetime
    expires_at: datetime


def overrides_in_force(at: datetime, limit: int = 50) -> list[Override]:
    """Overrides that hold a tier at a moment, the soonest to expire first. One query."""
    rows = db.session.execute(
        select(
            Organization.name,
            Organization.slug,
            TierOverride.tier,
            TierOverride.reason,
            User.name,
            TierOverride.created_at,
            TierOverride.expires_at,
        )
        .join(Organization, Organization.id == TierOverride.organization_id)
        .outerjoin(User, User.id == TierOverride.by_user_id)
        .where(*_in_force(at))
        .order_by(TierOverride.expires_at, TierOverride.id)
        .limit(limit)
    )
    return [Override(*row[:4], row[4] or "", *row[5:]) for row in rows]


def count_overrides(at: datetime) -> int:
    """How many overrides hold a tier at a moment. One query."""
    query = select(func.count()).select_from(TierOverride).where(*_in_force(at))
    return db.session.scalar(query) or 0


def _in_force(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return TierOverride.ended_at.is_(None), TierOverride.expires_at > at


@dataclass(frozen=True)
class CalendarDay:
    """A day of the calendar with what ends on it."""

    day: date
    is_inside: bool
    ends: list[Expiring]


def weeks_of(begin: datetime, end: datetime, ends: Sequence[Expiring]) -> list[list[CalendarDay]]:
    """The weeks of a month (UTC), from Monday on, with days of its neighbours at the edges."""
    by_day: dict[date, list[Expiring]] = {}
    for each in ends:
        by_day.setdefault(each.at.astimezone(UTC).date(), []).append(each)
    first, last = begin.date(), end.date() - timedelta(days=1)
    day = first - timedelta(days=first.weekday())
    weeks = []
    while day <= last:
        days = [day + timedelta(days=number) for number in range(7)]
        weeks.append(
            [CalendarDay(each, first <= each <= last, by_day.get(each, [])) for each in days]
        )
        day += timedelta(days=7)
    return weeks


def ends_between(begin: datetime, end: datetime, kind: str = "") -> list[Expiring]:
    """What ends in a time, of one kind when it is named."""
    return [each for each in expiring_between(begin, end) if not kind or each.kind == kind]
