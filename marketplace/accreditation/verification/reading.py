"""What other domains ask about verification."""

from collections.abc import Iterable

from sqlalchemy import select

from marketplace.accreditation.verification.models import HELD, DomainProof
from marketplace.core.database import db
from marketplace.identity.models import Organization


def is_verified(organization_id: int) -> bool:
    """Whether the organization is who it says it is, as far as we know now."""
    found = db.session.scalar(
        select(Organization.verified_at).where(Organization.id == organization_id)
    )
    return found is not None


def verified_domains(organization_id: int) -> list[str]:
    """The domains that it has proven, in the order of the alphabet."""
    return domains_of([organization_id]).get(organization_id, [])


def domains_of(organization_ids: Iterable[int]) -> dict[int, list[str]]:
    """The proven domains of organizations that have any. One query."""
    rows = db.session.execute(
        select(DomainProof.organization_id, DomainProof.domain)
        .where(DomainProof.organization_id.in_(list(organization_ids)), DomainProof.state.in_(HELD))
        .order_by(DomainProof.domain)
    )
    found: dict[int, list[str]] = {}
    for organization_id, domain in rows:
        found.setdefault(organization_id, []).append(domain)
    return found
