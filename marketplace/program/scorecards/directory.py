"""All partners of the program, searched, filtered and sorted for staff."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.policy.document import Policy
from marketplace.program.standing.models import Standing, StandingState, TierOverride
from marketplace.program.standing.reading import keeps_in_grace, takes_part

PER_PAGE = 50
CSV_BATCH = 1_000
LONGEST_QUERY = 80
SORTS: dict[str, ColumnElement[Any]] = {
    "name": func.lower(Organization.name),
    "points": Standing.points.expression,
    "joined": Standing.joined_at.expression,
    "evaluated": Standing.evaluated_at.expression,
}


@dataclass(frozen=True)
class Filters:
    """What is looked for. `state` is a state, "grace" or "held"; empty values say nothing."""

    q: str = ""
    partner_type: str = ""
    tier: str = ""
    state: str = ""
    sort: str = "name"
    descending: bool = False

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q or self.partner_type or self.tier or self.state)

    def args(self, **changes: object) -> dict[str, object]:
        """The filters as query arguments, with changes; what is empty is left out."""
        own: dict[str, object] = {
            "q": self.q,
            "type": self.partner_type,
            "tier": self.tier,
            "state": self.state,
            "sort": self.sort if self.sort != "name" else "",
            "desc": "1" if self.descending else "",
        }
        return {key: value for key, value in {**own, **changes}.items() if value}


@dataclass(frozen=True)
class PartnerRow:
    """A partner with its standing. `is_held`: a person holds its tier."""

    organization: Organization
    standing: Standing
    is_held: bool


def read_filters(args: Mapping[str, str]) -> Filters:
    """The filters of a query string; what makes no sense is left out."""
    state = args.get("state", "")
    sort = args.get("sort", "")
    known = {each.value for each in StandingState} | {"grace", "held"}
    return Filters(
        q=" ".join(args.get("q", "").replace("\x00", " ").split())[:LONGEST_QUERY],
        partner_type=args.get("type", "").replace("\x00", "")[:40],
        tier=args.get("tier", "").replace("\x00", "")[:40],
        state=state if state in known else "",
        sort=sort if sort in SORTS else "name",
        descending=args.get("desc") == "1",
    )


def page_of_partners(filters: Filters, page: int) -> tuple[list[PartnerRow], int, int]:
    """The rows of a page, how many there are in all, and the page that was really taken."""
    total = (
        db.session.scalar(
            select(func.count())
            .select_from(Standing)
            .join(Organization, Organization.id == Standing.organization_id)
            .where(*_conditions(filters))
        )
        or 0
    )
    page = max(1, min(page, -(-total // PER_PAGE)))
    query = _rows(filters).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    rows = [PartnerRow(*row) for row in db.session.execute(query)]
    return rows, total, page


def all_partners(filters: Filters) -> Iterator[PartnerRow]:
    """Every row that fits, in batches, for a file."""
    last = 0
    while True:
        rows = db.session.execute(
            select(Organization, Standing, _is_held())
            .join(Standing, Standing.organization_id == Organization.id)
            .where(*_conditions(filters), Organization.id > last)
            .order_by(Organization.id)
            .limit(CSV_BATCH)
        ).all()
        for row in rows:
            yield PartnerRow(*row)
        if len(rows) < CSV_BATCH:
            return
        last = rows[-1][0].id


def counts_by_tier() -> dict[str, int]:
    """How many partners in force have each tier."""
    rows = db.session.execute(
        select(Standing.tier, func.count())
        .join(Organization, Organization.id == Standing.organization_id)
        .where(takes_part())
        .group_by(Standing.tier)
    )
    return {row[0]: row[1] for row in rows}


def in_grace() -> int:
    """How many keep their tier in grace."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Standing)
            .join(Organization, Organization.id == Standing.organization_id)
            .where(keeps_in_grace(clock.now()))
        )
        or 0
    )


def types_without(policy: Policy) -> list[str]:
    """The types of partners that the policy does not know, by key."""
    known = [each.key for each in policy.types]
    return list(
        db.session.scalars(
            select(Organization.partner_type)
            .join(Standing, Standing.organization_id == Organization.id)
            .where(Organization.partner_type.not_in(known))
            .distinct()
            .order_by(Organization.partner_type)
        )
    )


def _rows(filters: Filters) -> Select[Organization, Standing, bool]:
    column = SORTS[filters.sort]
    order = column.desc() if filters.descending else column.asc()
    return (
        select(Organization, Standing, _is_held())
        .join(Standing, Standing.organization_id == Organization.id)
        .where(*_conditions(filters))
        .order_by(order.nulls_last(), Organization.id)
    )


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.q:
        found.append(
            or_(
                func.lower(Organization.name).contains(filters.q.lower(), autoescape=True),
                Organization.slug.contains(filters.q.lower(), autoescape=True),
            )
        )
    if filters.partner_type:
        found.append(Organization.partner_type == filters.partner_type)
    if filters.tier:
        found.append(Standing.tier == filters.tier)
    if filters.state == "grace":
        found.append(keeps_in_grace(clock.now()))
    elif filters.state == "held":
        found.append(_is_held())
    elif filters.state:
        found.append(Standing.state == StandingState(filters.state))
    return found


def _is_held() -> ColumnElement[bool]:
    now = clock.now()
    return exists().where(
        TierOverride.organization_id == Standing.organization_id,
        TierOverride.ended_at.is_(None),
        TierOverride.created_at <= now,
        TierOverride.expires_at > now,
    )
