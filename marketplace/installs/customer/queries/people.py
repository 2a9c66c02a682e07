"""Whom to write to. Each is one query."""

from collections.abc import Sequence

from sqlalchemy import select

from marketplace.catalogue.engagement.queries.people import member_addresses
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, OrganizationKind, User


def addresses_of_admins(organization_id: int) -> list[str]:
    """Of the owners and admins of an organization."""
    return member_addresses(organization_id, ("owner", "admin"))


def addresses_of_makers(publisher_id: int) -> list[str]:
    """Of the people of a publisher who look after its apps."""
    return member_addresses(publisher_id, ("owner", "admin", "developer"))


def addresses_of_staff(roles: Sequence[str]) -> list[str]:
    """Of the platform's people in one of `roles`."""
    platform = db.session.scalar(
        select(Organization.id)
        .where(Organization.kind == OrganizationKind.PLATFORM)
        .order_by(Organization.id)
        .limit(1)
    )
    return member_addresses(platform, roles) if platform is not None else []


def address_of_member(user_id: int, organization_id: int) -> str | None:
    """The person's verified address; None when there is none, the account is closed, or the
    person is no member of the organization (any more), whose affairs it then must not learn."""
    return db.session.scalar(
        select(User.email)
        .join(User.memberships)
        .where(
            User.id == user_id,
            Membership.organization_id == organization_id,
            User.deactivated_at.is_(None),
            User.email_verified.is_(True),
        )
    )
