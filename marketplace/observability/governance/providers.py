"""What ends, of the parts below: wiring.py connects these. One query each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import current_app, url_for
from sqlalchemy import select

from marketplace.accreditation.certification.models import Certification
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.verification.models import Verification
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.observability.governance.expiring import Expiring
from marketplace.pipeline.deals.models import Deal, DealClaim
from marketplace.pipeline.franchises.models import TerritoryGrant
from marketplace.program.applications.models import ProgramRound, RoundState
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
}


def overrides(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Tiers that were given by a person."""
    rows = _with_organization(
        TierOverride.expires_at,
        TierOverride.tier,
        model=TierOverride,
        begin=begin,
        end=end,
        most=most,
        where=[TierOverride.ended_at.is_(None)],
    )
    return [
        Expiring("override", f"{name}: {tier} by override", at, each, _partner(slug))
        for at, tier, each, name, slug in rows
    ]


def graces(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Tiers that are kept for a while although they are not earned any more."""
    rows = _with_organization(
        Standing.grace_until,
        Standing.tier,
        model=Standing,
        begin=begin,
        end=end,
        most=most,
        where=[Standing.state.in_(IN_FORCE)],
    )
    return [
        Expiring("grace", f"{name} loses {tier}", at, each, _partner(slug))
        for at, tier, each, name, slug in rows
    ]


def provisional(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Partners that have something to pass."""
    rows = _with_organization(
        Standing.provisional_until,
        Standing.tier,
        model=Standing,
        begin=begin,
        end=end,
        most=most,
        where=[Standing.state.in_(IN_FORCE)],
    )
    return [
        Expiring("provisional", f"{name} must be certified", at, each, _partner(slug))
        for at, _tier, each, name, slug in rows
    ]


def managers(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Managers of partners who must confirm that they are."""
    rows = _with_organization(
        ProgramManager.confirm_by,
        ProgramManager.id,
        model=ProgramManager,
        begin=begin,
        end=end,
        most=most,
        where=[ProgramManager.departed_at.is_(None)],
    )
    return [
        Expiring("manager", f"{name}: its manager confirms", at, each, _partner(slug))
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
    href = _page("applications_staff.rounds")
    return [Expiring("round", name, at, None, href) for at, name in rows]


def verifications(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Verifications that have to be renewed."""
    rows = _with_organization(
        Verification.expires_at,
        Verification.id,
        model=Verification,
        begin=begin,
        end=end,
        most=most,
        where=[Verification.ended_at.is_(None), Verification.verified_at.is_not(None)],
    )
    href = _page("verification_staff.queue")
    return [
        Expiring("verification", f"{name} is verified until then", at, each, href)
        for at, _id, each, name, _slug in rows
    ]


def certifications(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Certifications of products and people."""
    rows = _with_organization(
        Certification.expires_at,
        Certification.subject,
        model=Certification,
        begin=begin,
        end=end,
        most=most,
        where=[Certification.ended_at.is_(None), Certification.certified_at.is_not(None)],
    )
    href = _page("certification_staff.queue")
    return [
        Expiring("certification", f"{name}: certified {subject.value}", at, each, href)
        for at, subject, each, name, _slug in rows
    ]


def credentials(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Credentials that were issued."""
    rows = _with_organization(
        Credential.expires_at,
        Credential.title,
        model=Credential,
        begin=begin,
        end=end,
        most=most,
        where=[Credential.revoked_at.is_(None)],
    )
    href = _page("credentials_staff.index")
    return [
        Expiring("credential", f"{name}: {title}", at, each, href)
        for at, title, each, name, _slug in rows
    ]


def territories(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Territories that were granted."""
    rows = _with_organization(
        TerritoryGrant.ends_at,
        TerritoryGrant.id,
        model=TerritoryGrant,
        begin=begin,
        end=end,
        most=most,
    )
    href = _page("franchises_staff.index")
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
    href = _page("deals_staff.index")
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
)


def _with_organization(
    moment: Any,
    what: Any,
    *,
    model: Any,
    begin: datetime,
    end: datetime,
    most: int | None,
    where: Sequence[Any] = (),
) -> Any:
    """Moment, what, and the organization's id, name and slug, of rows within a time: the soonest
    `most`."""
    return db.session.execute(
        select(moment, what, Organization.id, Organization.name, Organization.slug)
        .select_from(model)
        .join(Organization, Organization.id == model.organization_id)
        .where(moment >= begin, moment < end, *where)
        .order_by(moment, model.id)
        .limit(most)
    ).all()


def _page(endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""


def _partner(slug: str) -> str:
    """The staff's page of a partner in the program, as far as there is one."""
    if "standings.partner" in current_app.view_functions:
        return url_for("standings.partner", standing_slug=slug)
    return _page("standings.partners")
