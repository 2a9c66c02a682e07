"""The people of the demo: who they are, and their accounts."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import or_, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.identity.models import (
    MEMBER_ROLES,
    Identity,
    Membership,
    Organization,
    OrganizationKind,
    Role,
    User,
)
from marketplace.identity.slugs import slug_base

PEOPLE_FILE = Path(__file__).parent / "catalogue" / "people.json"
PROVIDER = "demo"


@dataclass(frozen=True)
class DemoPerson:
    """Somebody to sign in as. `organization` is a slug or a name."""

    subject: str
    name: str
    email: str
    organization: str
    role: str


def demo_people(path: Path = PEOPLE_FILE) -> list[DemoPerson]:
    """The people in the file, in its order. Raises ValueError naming what is wrong with it."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        people = [
            DemoPerson(**{key: str(entry[key]) for key in DemoPerson.__dataclass_fields__})
            for entry in entries
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} cannot be used: {error!r}") from error
    for person in people:
        if person.role not in set(Role):
            raise ValueError(f"{path.name} cannot be used: {person.role!r} is not a role")
    return people


def load_people(people: Sequence[DemoPerson], *, issuer: str) -> int:
    """Make sure that each person has an account, an identity at `issuer` and their membership.

    Load the catalogue first: its publishers are found by slug or name; what is not found is
    created. Running it again changes nothing, except that identities follow the demo provider to
    a new address. How many people were added.
    """
    added = 0
    platform_names = {
        person.organization for person in people if Role(person.role) not in MEMBER_ROLES
    }
    for person in people:
        identity = db.session.scalar(
            select(Identity).where(
                Identity.subject == person.subject,
                or_(Identity.issuer == issuer, Identity.provider == PROVIDER),
            )
        )
        if identity is None:
            identity = _add(person, issuer)
            added += 1
        identity.issuer = issuer
        organization = _organization(person.organization, platform_names)
        _join(identity.user_id, organization, Role(person.role))
    db.session.flush()
    return added


def _add(person: DemoPerson, issuer: str) -> Identity:
    user = User(name=person.name, email=person.email.lower(), email_verified=True)
    identity = Identity(
        user=user,
        provider=PROVIDER,
        issuer=issuer,
        subject=person.subject,
        email=person.email.lower(),
        email_verified=True,
    )
    db.session.add_all([user, identity])
    db.session.flush()
    record_fact("user.created", subject=("user", user.id), data={"provider": PROVIDER})
    return identity


def _organization(wanted: str, platform_names: Iterable[str]) -> Organization:
    is_platform = wanted in platform_names
    query = select(Organization).order_by(Organization.id).limit(1)
    if is_platform:
        # The operator's organization is one row, however it is called.
        query = query.where(Organization.kind == OrganizationKind.PLATFORM)
    else:
        query = query.where(or_(Organization.slug == wanted, Organization.name == wanted))
    found = db.session.scalar(query)
    if found is not None:
        return found
    organization = Organization(
        name=wanted.replace("-", " ").title() if wanted == slug_base(wanted) else wanted,
        slug=slug_base(wanted),
        kind=OrganizationKind.PLATFORM if is_platform else OrganizationKind.CUSTOMER,
        verified_at=clock.now() if is_platform else None,
    )
    db.session.add(organization)
    db.session.flush()
    return organization


def _join(user_id: int, organization: Organization, role: Role) -> None:
    membership = db.session.scalar(
        select(Membership).where(
            Membership.user_id == user_id, Membership.organization_id == organization.id
        )
    )
    if membership is None:
        db.session.add(Membership(user_id=user_id, organization_id=organization.id, role=role))
        db.session.flush()
