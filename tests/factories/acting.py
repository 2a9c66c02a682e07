"""Actors for tests of services, without a session or a browser."""

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.permissions import Actor, MembershipInfo
from marketplace.identity.models import Membership, Organization, User


def actor_for(user: User, organization: Organization | None = None) -> Actor:
    """`user` acting for `organization`, with all memberships that the database has."""
    rows = db.session.execute(
        select(Membership, Organization)
        .join(Organization, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user.id)
        .order_by(Membership.id)
    )
    infos = tuple(
        MembershipInfo(found.id, found.slug, found.name, found.kind.value, membership.role.value)
        for membership, found in rows
    )
    wanted = organization.id if organization else None
    active = next((info for info in infos if info.organization_id == wanted), None)
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email or "",
        organization=active,
        organizations=infos,
    )
