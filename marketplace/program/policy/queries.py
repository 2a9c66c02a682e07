"""Reading versions of the policy."""

from datetime import datetime

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import User
from marketplace.program.policy.models import PolicyState, PolicyVersion

PER_PAGE = 20


def find_version(policy_id: str) -> PolicyVersion | None:
    """The version of that public id."""
    if "\0" in policy_id:  # PostgreSQL takes no such text
        return None
    return db.session.scalar(select(PolicyVersion).where(PolicyVersion.public_id == policy_id))


def version_in_force() -> PolicyVersion | None:
    """The version that is in force now."""
    return version_in_force_at(clock.now())


def version_in_force_at(moment: datetime) -> PolicyVersion | None:
    """The version that is in force at a moment, as far as is published today."""
    return db.session.scalar(
        select(PolicyVersion)
        .where(PolicyVersion.state == PolicyState.PUBLISHED, PolicyVersion.effective_at <= moment)
        .order_by(PolicyVersion.effective_at.desc(), PolicyVersion.number.desc())
        .limit(1)
    )


def upcoming() -> list[PolicyVersion]:
    """Published versions whose day is still to come, the next one first."""
    return list(
        db.session.scalars(
            select(PolicyVersion)
            .where(
                PolicyVersion.state == PolicyState.PUBLISHED,
                PolicyVersion.effective_at > clock.now(),
            )
            .order_by(PolicyVersion.effective_at, PolicyVersion.number)
        )
    )


def drafts() -> list[PolicyVersion]:
    """The drafts, the one that was saved last first; at most 50."""
    return list(
        db.session.scalars(
            select(PolicyVersion)
            .where(PolicyVersion.state == PolicyState.DRAFT)
            .order_by(PolicyVersion.updated_at.desc(), PolicyVersion.id.desc())
            .limit(50)
        )
    )


def page_of_published(page: int) -> Page[PolicyVersion]:
    """Published versions, the newest number first."""
    return paginate(
        select(PolicyVersion)
        .where(PolicyVersion.state == PolicyState.PUBLISHED)
        .order_by(PolicyVersion.number.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def versions_to_compare() -> list[PolicyVersion]:
    """Published versions and drafts that another can be compared with; at most 200."""
    return list(
        db.session.scalars(
            select(PolicyVersion)
            .where(PolicyVersion.state != PolicyState.DISCARDED)
            .order_by(func.coalesce(PolicyVersion.number, 1_000_000).desc(), PolicyVersion.id)
            .limit(200)
        )
    )


def names_of(user_ids: list[int | None]) -> dict[int, str]:
    """Names of people by id."""
    rows = db.session.execute(
        select(User.id, User.name).where(User.id.in_({each for each in user_ids if each}))
    )
    return {row.id: row.name for row in rows}


def version_before(number: int) -> PolicyVersion | None:
    """The version that was published before the one of that number."""
    return db.session.scalar(select(PolicyVersion).where(PolicyVersion.number == number - 1))
