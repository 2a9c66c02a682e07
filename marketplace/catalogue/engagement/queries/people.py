"""Whom to write to."""

from collections.abc import Sequence

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import Membership, User


def member_addresses(organization_id: int, roles: Sequence[str]) -> list[str]:
    """Verified addresses of the organization's active members in one of `roles`."""
    query = (
        select(User.email)
        .join(User.memberships)
        .where(
            Membership.organization_id == organization_id,
            Membership.role.in_(roles),
            User.deactivated_at.is_(None),
            User.email_verified.is_(True),
            User.email.is_not(None),
        )
        .order_by(User.id)
    )
    return [address for address in db.session.scalars(query) if address]
