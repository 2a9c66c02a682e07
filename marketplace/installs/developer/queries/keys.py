"""Access keys and who is told of them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.core.database import db
from marketplace.identity.models import Membership, Role, User
from marketplace.installs.models import AccessKey

_PEOPLE = (joinedload(AccessKey.user), joinedload(AccessKey.created_by))


def of_a_member() -> ColumnElement[bool]:
    """The key is the organization's, or its person still is a member: otherwise it is dead."""
    return or_(
        AccessKey.user_id.is_(None),
        exists().where(
            Membership.user_id == AccessKey.user_id,
            Membership.organization_id == AccessKey.organization_id,
        ),
    )


def keys_of(
    organization_id: int, user_id: int | None, *, live: bool, at: datetime
) -> Select[AccessKey]:
    """The organization's keys, newest first: those that count at `at`, or the others.

    With a `user_id` without the personal keys of other people.
    """
    query = (
        select(AccessKey)
        .where(AccessKey.organization_id == organization_id)
        .options(*_PEOPLE)
        .order_by(AccessKey.id.desc())
    )
    counts = [
        AccessKey.revoked_at.is_(None),
        or_(AccessKey.expires_at.is_(None), AccessKey.expires_at > at),
        of_a_member(),
    ]
    query = query.where(*counts) if live else query.where(or_(*(~each for each in counts)))
    if user_id is not None:
        query = query.where(or_(AccessKey.user_id.is_(None), AccessKey.user_id == user_id))
    return query


def find_key(key_id: int) -> AccessKey | None:
    """The key with its organization and people."""
    return db.session.scalar(
        select(AccessKey)
        .where(AccessKey.id == key_id)
        .options(joinedload(AccessKey.organization), *_PEOPLE)
    )


def count_live(organization_id: int, user_id: int | None, at: datetime) -> int:
    """How many keys a person (or, with None, the organization itself) has that count."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(AccessKey)
            .where(
                AccessKey.organization_id == organization_id,
                AccessKey.user_id.is_(None) if user_id is None else AccessKey.user_id == user_id,
                AccessKey.revoked_at.is_(None),
                or_(AccessKey.expires_at.is_(None), AccessKey.expires_at > at),
            )
        )
        or 0
    )


def name_is_taken(organization_id: int, user_id: int | None, name: str, at: datetime) -> bool:
    """Whether a key of the same owner that counts is called so."""
    found = db.session.scalar(
        select(AccessKey.id)
        .where(
            AccessKey.organization_id == organization_id,
            AccessKey.user_id.is_(None) if user_id is None else AccessKey.user_id == user_id,
            func.lower(AccessKey.name) == name.lower(),
            AccessKey.revoked_at.is_(None),
            or_(AccessKey.expires_at.is_(None), AccessKey.expires_at > at),
        )
        .limit(1)
    )
    return found is not None


def expiring(after: datetime, until: datetime, from_id: int, limit: int) -> Sequence[AccessKey]:
    """Keys that expire between the two, with an id above `from_id`, in the order of their ids."""
    return db.session.scalars(
        select(AccessKey)
        .where(
            AccessKey.revoked_at.is_(None),
            AccessKey.expires_at > after,
            AccessKey.expires_at <= until,
            AccessKey.id > from_id,
            of_a_member(),
        )
        .options(joinedload(AccessKey.organization), *_PEOPLE)
        .order_by(AccessKey.id)
        .limit(limit)
    ).all()


def people_with(organization_id: int, roles: Collection[Role]) -> Sequence[User]:
    """Members in one of `roles` whom we may write to, by id."""
    return (
        db.session.scalars(
            select(User)
            .join(User.memberships)
            .where(
                Membership.organization_id == organization_id,
                Membership.role.in_(roles),
                User.email.is_not(None),
                User.email_verified.is_(True),
                User.deactivated_at.is_(None),
            )
            .options(contains_eager(User.memberships))
            .order_by(User.id)
        )
        .unique()
        .all()
    )
