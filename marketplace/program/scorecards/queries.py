"""Reading standings, evaluations, moves and overrides."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from marketplace.identity.queries import people_to_write
from marketplace.program.measures import Measure, Measurement
from marketplace.program.standing.models import (
    Evaluation,
    MoveKind,
    Standing,
    StandingMove,
    TierOverride,
)

TOLD_ROLES = (Role.OWNER, Role.ADMIN)
CERTIFIED = (Measure.CERTIFIED_LISTINGS.value, Measure.CERTIFIED_PEOPLE.value)


def standing_of(organization_id: int | None) -> Standing | None:
    """A partner's standing."""
    return db.session.scalar(select(Standing).where(Standing.organization_id == organization_id))


def evaluations_by_id(ids: Sequence[int]) -> dict[int, Evaluation]:
    """Evaluations by their ids."""
    rows = db.session.scalars(select(Evaluation).where(Evaluation.id.in_(ids)))
    return {row.id: row for row in rows}


def types_of(organization_ids: Sequence[int]) -> dict[int, str | None]:
    """The partner types of organizations."""
    rows = db.session.execute(
        select(Organization.id, Organization.partner_type).where(
            Organization.id.in_(organization_ids)
        )
    )
    return {row[0]: row[1] for row in rows}


def certified_among(organization_ids: Sequence[int], at: datetime) -> set[int]:
    """Those that had a certified listing or person at a moment."""
    if not organization_ids:
        return set()
    levels = db.session.execute(
        select(Measurement.organization_id)
        .where(
            Measurement.organization_id.in_(organization_ids),
            Measurement.measure.in_(CERTIFIED),
            Measurement.counts_at <= at,
        )
        .group_by(Measurement.organization_id, Measurement.measure)
        .having(func.sum(Measurement.amount) > 0)
    )
    return {row[0] for row in levels}


def unsettled_overrides(organization_ids: Sequence[int]) -> dict[int, list[TierOverride]]:
    """Overrides that hold a tier, or that ended since the evaluation before; oldest first."""
    found: dict[int, list[TierOverride]] = {}
    rows = db.session.scalars(
        select(TierOverride)
        .where(
            TierOverride.organization_id.in_(organization_ids), TierOverride.settled_at.is_(None)
        )
        .order_by(TierOverride.id)
    )
    for row in rows:
        found.setdefault(row.organization_id, []).append(row)
    return found


def is_in_force(override: TierOverride, at: datetime) -> bool:
    """Whether it holds the tier at a moment."""
    return (
        override.created_at <= at
        and override.expires_at > at
        and (override.ended_at is None or override.ended_at > at)
    )


def people_told(organization_id: int) -> Sequence[User]:
    """Who of a partner is written to about its standing and its figures: owners and admins with an
    address that is proven to be theirs. One query."""
    return people_to_write(organization_id, TOLD_ROLES, proven=True)


def moves_of(organization_id: int, limit: int = 200) -> Sequence[StandingMove]:
    """The newest moves of a partner."""
    return db.session.scalars(
        select(StandingMove)
        .where(StandingMove.organization_id == organization_id)
        .order_by(StandingMove.at.desc(), StandingMove.id.desc())
        .limit(limit)
    ).all()


def last_change_of_type(organization_id: int, since: datetime) -> StandingMove | None:
    """The last change of a partner's type that was written down since a moment."""
    return db.session.scalar(
        select(StandingMove)
        .where(
            StandingMove.organization_id == organization_id,
            StandingMove.kind == MoveKind.TYPE_CHANGED,
            StandingMove.at >= since,
        )
        .order_by(StandingMove.at.desc(), StandingMove.id.desc())
        .limit(1)
    )


def evaluations_since(organization_id: int, since: datetime) -> Sequence[Evaluation]:
    """A partner's evaluations since a moment, oldest first."""
    return db.session.scalars(
        select(Evaluation)
        .where(Evaluation.organization_id == organization_id, Evaluation.at >= since)
        .order_by(Evaluation.at, Evaluation.id)
    ).all()


def evaluation_before(organization_id: int, moment: datetime) -> Evaluation | None:
    """The last evaluation before a moment."""
    return db.session.scalar(
        select(Evaluation)
        .where(Evaluation.organization_id == organization_id, Evaluation.at < moment)
        .order_by(Evaluation.at.desc(), Evaluation.id.desc())
        .limit(1)
    )


def partner_by_slug(slug: str) -> Organization | None:
    """The organization of that address, if it has a standing."""
    return db.session.scalar(
        select(Organization)
        .join(Standing, Standing.organization_id == Organization.id)
        .where(Organization.slug == slug)
    )


def overrides_of(organization_id: int, limit: int = 50) -> Sequence[TierOverride]:
    """The newest overrides of a partner."""
    return db.session.scalars(
        select(TierOverride)
        .where(TierOverride.organization_id == organization_id)
        .order_by(TierOverride.id.desc())
        .limit(limit)
    ).all()
