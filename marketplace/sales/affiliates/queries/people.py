"""People of organizations, as far as affiliates' sales ask for them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.identity.models import Identity, Membership, Organization, Role, User

MONEY_ROLES = (Role.OWNER, Role.ADMIN, Role.FINANCE)


def verified_addresses_of(organization_id: int) -> set[str]:
    """The proven e-mail addresses of an organization's members, in lower case."""
    own = (
        select(func.lower(User.email))
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organization_id == organization_id,
            User.email.is_not(None),
            User.email_verified.is_(True),
        )
    )
    provided = (
        select(func.lower(Identity.email))
        .join(Membership, Membership.user_id == Identity.user_id)
        .where(
            Membership.organization_id == organization_id,
            Identity.email.is_not(None),
            Identity.email_verified.is_(True),
        )
    )
    return {address for address in db.session.scalars(own.union(provided)) if address}


def shared_members(one_id: int, other_id: int) -> int:
    """How many people belong to both organizations."""
    of_other = select(Membership.user_id).where(Membership.organization_id == other_id)
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Membership)
            .where(Membership.organization_id == one_id, Membership.user_id.in_(of_other))
        )
        or 0
    )


def money_people(organization_id: int) -> Sequence[User]:
    """Who of an organization is written to about money: owners, admins and finance."""
    return db.session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organization_id == organization_id,
            Membership.role.in_(MONEY_ROLES),
            User.email.is_not(None),
            User.deactivated_at.is_(None),
        )
        .order_by(User.id)
    ).all()


def names_of_people(ids: Iterable[int | None]) -> dict[int, str]:
    """What people are called, by their ids, in one query."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return dict(rows.all())


def organizations_by_id(ids: Sequence[int]) -> dict[int, Organization]:
    """Organizations by their ids, in one query."""
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(set(ids))))
    return {row.id: row for row in rows}
