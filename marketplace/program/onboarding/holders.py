"""Which existing organization a domain belongs to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import or_, select

from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User
from marketplace.program.onboarding.domains import domain_of_email, domain_of_website

# Those that another room knows to be proven: domains to organization ids.
ProvenLookup = Callable[[tuple[str, ...]], Iterable[int]]
_proven: list[ProvenLookup] = []
_MOST = 50


@dataclass(frozen=True)
class Holder:
    """The organization that has a domain. `name` is empty where naming it would tell a stranger
    what is not public: customers, and what only its owners' addresses say."""

    organization: Organization
    domain: str
    name: str


def look_up_proven_domains_with(lookup: ProvenLookup) -> None:
    """Tell who knows which organizations have proven a domain."""
    _proven[:] = [lookup]


def holder_of(domains: tuple[str, ...]) -> Holder | None:
    """The organization that one of the domains belongs to: by proof, by its website, or by the
    address of one of its owners or admins. At most three queries."""
    if not domains:
        return None
    return _by_proof(domains) or _by_website(domains) or _by_owners(domains)


def _by_proof(domains: tuple[str, ...]) -> Holder | None:
    ids = [each for lookup in _proven for each in lookup(domains)]
    if not ids:
        return None
    organization = db.session.scalar(
        select(Organization).where(Organization.id.in_(ids), *_REAL).order_by(Organization.id)
    )
    return _holder(organization, domains[0], is_known=True) if organization else None


def _by_website(domains: tuple[str, ...]) -> Holder | None:
    rows = db.session.scalars(
        select(Organization)
        .where(
            or_(*(Organization.website.icontains(each, autoescape=True) for each in domains)),
            *_REAL,
        )
        # Partners before customers, the older one first.
        .order_by(Organization.kind.desc(), Organization.id)
        .limit(_MOST)
    )
    for organization in rows:
        domain = domain_of_website(organization.website)
        if domain in domains:
            return _holder(organization, domain, is_known=True)
    return None


def _by_owners(domains: tuple[str, ...]) -> Holder | None:
    rows = db.session.execute(
        select(Organization, User.email)
        .join(Membership, Membership.organization_id == Organization.id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.role.in_((Role.OWNER, Role.ADMIN)),
            User.email_verified.is_(True),
            User.deactivated_at.is_(None),
            or_(*(User.email.endswith(each, autoescape=True) for each in domains)),
            *_REAL,
        )
        .order_by(Organization.kind.desc(), Organization.id)
        .limit(_MOST)
    )
    for organization, email in rows:
        domain = domain_of_email(email or "")
        if domain in domains:
            return _holder(organization, domain, is_known=False)
    return None


_REAL = (
    Organization.kind != OrganizationKind.PLATFORM,
    Organization.sandbox_of_id.is_(None),
)


def _holder(organization: Organization, domain: str, *, is_known: bool) -> Holder:
    is_public = is_known and organization.is_partner and organization.suspended_at is None
    return Holder(organization, domain, organization.name if is_public else "")
