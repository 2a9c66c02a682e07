"""A conversation, an assignment and a region, for tests of who may reach them."""

from billing.public_ids import new_public_id
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User
from marketplace.program.contacts.models import (
    ContactAssignment,
    ContactMessage,
    ContactRegion,
    ContactRequest,
    ContactRole,
    RequestKind,
)
from tests.factories.people import make_user


def make_staff(platform: Organization, name: str, role: Role = Role.PROGRAM_MANAGER) -> User:
    """Somebody of the staff."""
    user = make_user(name)
    db.session.add(Membership(user_id=user.id, organization_id=platform.id, role=role))
    db.session.flush()
    return user


def make_assignment(
    user: User,
    role: ContactRole = ContactRole.PARTNER_MANAGER,
    *,
    scope: str = "everybody",
    backup: User | None = None,
    organization: Organization | None = None,
    region: ContactRegion | None = None,
    country: str | None = None,
) -> ContactAssignment:
    """An assignment; its scope follows from whom it is for."""
    if organization is not None:
        scope = f"organization:{organization.id}"
    elif region is not None:
        scope = f"region:{region.id}"
    elif country is not None:
        scope = f"country:{country}"
    row = ContactAssignment(
        public_id=new_public_id("ca"),
        role=role,
        scope=scope,
        organization_id=organization.id if organization else None,
        region_id=region.id if region else None,
        country=country,
        user_id=user.id,
        backup_user_id=backup.id if backup else None,
    )
    db.session.add(row)
    db.session.flush()
    return row


def make_region(name: str, *countries: str) -> ContactRegion:
    """A region of countries."""
    row = ContactRegion(public_id=new_public_id("reg"), name=name, countries=" ".join(countries))
    db.session.add(row)
    db.session.flush()
    return row


def make_contacts_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """Of the partner: a meeting that it asked for. Of the staff: an assignment and a region."""
    request = ContactRequest(
        public_id=new_public_id("con"),
        kind=RequestKind.BOOKING,
        role=ContactRole.MARKETING,
        subject="Launch",
        organization_id=partner.id,
        created_by_id=owner.id,
        name=owner.name,
        email=owner.email or "",
        minutes=30,
    )
    db.session.add(request)
    db.session.flush()
    db.session.add(ContactMessage(request_id=request.id, author_id=owner.id, body="May we meet?"))
    region = make_region("Benelux", "BE", "NL", "LU")
    platform = db.session.query(Organization).filter_by(kind=OrganizationKind.PLATFORM).first()
    person = make_staff(platform, "Ines Moreau") if platform else owner
    assignment = make_assignment(person, region=region)
    db.session.flush()
    return {
        "contact_request_id": request.public_id,
        "contact_role": "marketing",
        "region_id": region.public_id,
        "assignment_id": assignment.public_id,
    }
