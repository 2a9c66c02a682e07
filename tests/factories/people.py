"""People and organizations for tests. All of it is flushed, nothing committed."""

import itertools

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User

_numbers = itertools.count(1)


def make_user(name: str = "Ada Okafor", email: str | None = None) -> User:
    """A person with a verified address."""
    number = next(_numbers)
    user = User(
        name=name,
        email=email or f"{name.split()[0].lower()}{number}@people.example",
        email_verified=True,
    )
    db.session.add(user)
    db.session.flush()
    return user


def make_organization(
    name: str = "Quayside", kind: OrganizationKind = OrganizationKind.PARTNER, **fields: object
) -> Organization:
    """An organization; partners are of type `technology` unless told otherwise."""
    number = next(_numbers)
    values: dict[str, object] = {
        "slug": f"{name.lower().replace(' ', '-')}-{number}",
        "name": name,
        "kind": kind,
    }
    if kind is OrganizationKind.PARTNER:
        values |= {"partner_type": "technology", "verified_at": clock.now()}
    organization = Organization(**{**values, **fields})
    db.session.add(organization)
    db.session.flush()
    return organization


def make_member(
    organization: Organization, role: Role = Role.OWNER, user: User | None = None
) -> User:
    """A person with that role in the organization."""
    user = user or make_user()
    db.session.add(Membership(user_id=user.id, organization_id=organization.id, role=role))
    db.session.flush()
    return user


def make_platform() -> Organization:
    """The platform's own organization."""
    return make_organization("Harbor", OrganizationKind.PLATFORM)


def make_customer(name: str = "Blue Kite") -> Organization:
    """A customer organization."""
    return make_organization(name, OrganizationKind.CUSTOMER)
