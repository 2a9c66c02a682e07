"""What a passport of ours says of an organization: what holds now."""

from sqlalchemy import and_, func, select

from marketplace.accreditation.certification.reading import certifications_of
from marketplace.accreditation.credentials.documents import timestamp
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.queries import valid_at
from marketplace.accreditation.passport.document import (
    MOST_ITEMS,
    PassportItem,
    PassportSubject,
)
from marketplace.accreditation.verification.reading import verified_domains
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import place_of


def passport_of(organization: Organization) -> PassportSubject:
    """Its verification, certifications, credentials (how many people hold each) and tier."""
    items: list[PassportItem] = []
    if organization.verified_at is not None:
        items.append(
            PassportItem(
                kind="verification",
                title="Verified organization",
                detail="Who it is was checked by the issuer.",
                since=timestamp(organization.verified_at),
            )
        )
    items += _tier(organization.id)
    for row in certifications_of(organization.id):
        if row.program is None or row.user_id is not None:
            continue  # of people only numbers are told
        items.append(
            PassportItem(
                kind="certification",
                title=row.program.title,
                detail=row.program.summary,
                since=timestamp(row.certified_at) if row.certified_at else None,
                valid_until=timestamp(row.expires_at) if row.expires_at else None,
            )
        )
    items += _credentials(organization.id)
    return PassportSubject(
        name=organization.name,
        website=organization.website[:300],
        country=organization.country or "",
        domains=tuple(verified_domains(organization.id)[:100]),
        items=tuple(items[:MOST_ITEMS]),
    )


def _tier(organization_id: int) -> list[PassportItem]:
    place, live = place_of(organization_id), current_policy()
    tier = live.policy.tier(place.tier) if live else None
    if live is None or tier is None:
        return []
    kind = live.policy.type(place.partner_type)
    joined = db.session.scalar(
        select(Standing.joined_at).where(Standing.organization_id == organization_id)
    )
    return [
        PassportItem(
            kind="tier",
            title=f"{tier.name} in {live.policy.name}",
            detail=kind.name if kind else "",
            since=timestamp(joined) if joined else None,
        )
    ]


def _credentials(organization_id: int) -> list[PassportItem]:
    """How many members hold each credential; who they are is theirs to tell."""
    rows = db.session.execute(
        select(
            Credential.title,
            func.count(func.distinct(Credential.user_id)),
            func.max(Credential.expires_at),
        )
        .join(
            Membership,
            and_(
                Membership.user_id == Credential.user_id,
                Membership.organization_id == Credential.organization_id,
            ),
        )
        .where(
            Credential.organization_id == organization_id,
            Credential.user_id.is_not(None),
            valid_at(clock.now()),
        )
        .group_by(Credential.title)
        .order_by(Credential.title)
        .limit(MOST_ITEMS)
    )
    return [
        PassportItem(
            kind="credential",
            title=title,
            detail=f"Held by {people} {'person' if people == 1 else 'people'}",
            valid_until=timestamp(until) if until else None,
        )
        for title, people, until in rows
    ]
