"""Who acts when the demo's history is made: its own people, as if they were signed in."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from marketplace.core.database import db
from marketplace.core.permissions import Actor, MembershipInfo
from marketplace.identity.models import Identity, Membership, Organization, User


def person(subject: str) -> User | None:
    """The person whom the demo's sign-in provider calls that."""
    return db.session.scalar(
        select(User).join(Identity, Identity.user_id == User.id).where(Identity.subject == subject)
    )


def organization(slug: str) -> Organization | None:
    """The organization of that slug."""
    return db.session.scalar(select(Organization).where(Organization.slug == slug))


def actor(subject: str, slug: str = "") -> Actor | None:
    """That person, acting for the organization of that slug (or for the first of theirs)."""
    user = person(subject)
    if user is None:
        return None
    rows = db.session.scalars(
        select(Membership)
        .where(Membership.user_id == user.id)
        .options(joinedload(Membership.organization))
        .order_by(Membership.id)
    )
    infos = tuple(
        MembershipInfo(
            organization_id=row.organization_id,
            organization_slug=row.organization.slug,
            organization_name=row.organization.name,
            organization_kind=row.organization.kind.value,
            role=row.role.value,
        )
        for row in rows
    )
    active = next((info for info in infos if info.organization_slug == slug), None)
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email or "",
        timezone=user.timezone,
        organization=active or (infos[0] if infos else None),
        organizations=infos,
    )
