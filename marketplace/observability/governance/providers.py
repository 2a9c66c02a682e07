"""What ends, of the parts below: wiring.py connects these. One query each."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from marketplace.accreditation.certification.models import Certification
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.verification.models import (
    Verification,
)
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.observability.governance.accreditation_ends import (
    authorizations,
    domains,
    evidence,
    recognitions,
)
from marketplace.observability.governance.expiring import Expiring
from marketplace.observability.governance.rows import page_of, partner_page, with_organization
from marketplace.observability.governance.working_ends import (
    campaigns,
    claims,
    gates,
    plans,
    tracks,
    vouchers,
)
from marketplace.pipeline.deals.models import Deal, DealClaim
from marketplace.pipeline.franchises.models import TerritoryGrant
from marketplace.program.applications.models import (
    ProgramRound,
    RoundState,
)
from marketplace.program.contacts.models import ProgramManager
from marketplace.program.standing.models import Standing, TierOverride
from marketplace.program.standing.reading import IN_FORCE

# What a kind is called.
KINDS = {
    "override": "Tier override",
    "grace": "End of grace",
    "provisional": "Provisional time",
    "manager": "Manager’s confirmation",
    "round": "Round closes",
    "verification": "Verification",
    "certification": "Certification",
    "credential": "Credential",
    "territory": "Territory",
    "deal": "Protected deal",
    "authorization": "Authorization",
    "evidence": "Evidence gets too old",
    "domain": "Domain proven by mail",
    "recognition": "Recognition of a passport",
    "gate": "Milestone or gate",
    "track": "Track of an accelerator",
    "plan": "Business plan",
    "claim": "Claim of an idea",
    "campaign": "Campaign",
    "voucher": "Voucher",
}


def overrides(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Tiers that were given by a person."""
    rows = with_organization(
        TierOverride.expires_at,
        TierOverride.tier,
        model=TierOverride,
        begin=begin,
        end=end,
        most=most,
        where=[TierOverride.ended_at.is_(None)],
    )
    return [
        Expiring("override", f"{name}: {tier} by override", at, each, partner_page(slug))
        for at, tier, each, name, slug in rows
    ]


def graces(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Tiers that are kept for a while although they are not earned any more."""
    rows = with_organization(
        Standing.grace_until,
        Standing.tier,
        model=Standing,
        begin=begin,
        end=end,
        most=most,
        where=[Standing.state.in_(IN_FORCE)],
    )
    return [
        Expiring("grace", f"{name} loses {tier}", at, each, partner_page(slug))
        for at, tier, each, name, slug in rows
    ]


def provisional(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Partners that have something to pass."""
    rows = with_organization(
        Standing.provisional_until,
        Standing.tier,
        model=Standing,
        begin=begin,
        end=end,
        most=most,
        where=[Standing.state.in_(IN_FORCE)],
    )
    return [
        Expiring("provisional", f"{name} must be certified", at, each, partner_page(slug))
        for at, _tier, each, name, slug in rows
    ]


def managers(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Managers of partners who must confirm that they are."""
    rows = with_organization(
        ProgramManager.confirm_by,
        ProgramManager.id,
        model=ProgramManager,
        begin=begin,
        end=end,
        most=most,
        where=[ProgramManager.departed_at.is_(None)],
    )
    return [
        Expiring("manager", f"{name}: its manager confirms", at, each, partner_page(slug))
        for at, _id, each, name, slug in rows
    ]


def rounds(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Rounds that close."""
    rows = db.session.execute(
        select(ProgramRound.closes_at, ProgramRound.name)
        .where(
            ProgramRound.closes_at >= begin,
            ProgramRound.closes_at < end,
            ProgramRound.state != RoundState.DRAFT,
        )
        .order_by(ProgramRound.closes_at, ProgramRound.id)
        .limit(most)
    )
    href = page_of("applications_staff.rounds")
    return [Expiring("round", name, at, None, href) for at, name in rows]


def verifications(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Verifications that have to be renewed."""
    rows = with_organization(
        Verification.expires_at,
        Verification.id,
        model=Verification,
        begin=begin,
        end=end,
        most=most,
        where=[Verification.ended_at.is_(None), Verification.verified_at.is_not(None)],
    )
    href = page_of("verification_staff.queue")
    return [
        Expiring("verification", f"{name} is verified until then", at, each, href)
        for at, _id, each, name, _slug in rows
    ]


def certifications(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Certifications of products and people."""
    rows = with_organization(
        Certification.expires_at,
        Certification.subject,
        model=Certification,
        begin=begin,
        end=end,
        most=most,
        where=[Certification.ended_at.is_(None), Certification.certified_at.is_not(None)],
    )
    href = page_of("certification_staff.queue")
    return [
        Expiring("certification", f"{name}: certified {subject.value}", at, each, href)
        for at, subject, each, name, _slug in rows
    ]


def credentials(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Credentials that were issued."""
    rows = with_organization(
        Credential.expires_at,
        Credential.title,
        model=Credential,
        begin=begin,
        end=end,
        most=most,
        where=[Credential.revoked_at.is_(None)],
    )
    href = page_of("credentials_staff.index")
    return [
        Expiring("credential", f"{name}: {title}", at, each, href)
        for at, title, each, name, _slug in rows
    ]


def territories(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Territories that were granted."""
    rows = with_organization(
        TerritoryGrant.ends_at,
        TerritoryGrant.id,
        model=TerritoryGrant,
        begin=begin,
        end=end,
        most=most,
    )
    href = page_of("franchises_staff.index")
    return [
        Expiring("territory", f"{name}: territory ends", at, each, href)
        for at, _id, each, name, _slug in rows
    ]


def deals(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Deals that are protected for their partner."""
    rows = db.session.execute(
        select(DealClaim.protected_until, Deal.title, Organization.id, Organization.name)
        .join(Deal, Deal.id == DealClaim.deal_id)
        .join(Organization, Organization.id == DealClaim.organization_id)
        .where(
            DealClaim.protected_until >= begin,
            DealClaim.protected_until < end,
            DealClaim.released_at.is_(None),
        )
        .order_by(DealClaim.protected_until, DealClaim.id)
        .limit(most)
    )
    href = page_of("deals_staff.index")
    return [
        Expiring("deal", f"{name}: {title}", at, each, href)
        for at, title, each, name in rows
        if at is not None
    ]


PROVIDERS = (
    overrides,
    graces,
    provisional,
    managers,
    rounds,
    verifications,
    certifications,
    credentials,
    territories,
    deals,
    authorizations,
    evidence,
    domains,
    recognitions,
    gates,
    tracks,
    plans,
    claims,
    campaigns,
    vouchers,
)
