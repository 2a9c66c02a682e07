"""Accreditations that a partner must renew soon, as obligations; wiring.py connects it."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.certification.models import Certification, CertificationState
from marketplace.accreditation.credentials.models import Credential
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.scorecards.obligations import PARTNER, Obligation

SOON = timedelta(days=90)


def renewals(organization_id: int) -> list[Obligation]:
    """Certifications in force and valid credentials of a partner that end within 90 days."""
    now = clock.now()
    certifications = db.session.scalars(
        select(Certification)
        .options(joinedload(Certification.program))
        .where(
            Certification.organization_id == organization_id,
            Certification.state == CertificationState.CERTIFIED,
            Certification.expires_at > now,
            Certification.expires_at <= now + SOON,
        )
        .order_by(Certification.expires_at, Certification.id)
    )
    credentials = db.session.scalars(
        select(Credential)
        .where(
            Credential.organization_id == organization_id,
            Credential.revoked_at.is_(None),
            Credential.expires_at > now,
            Credential.expires_at <= now + SOON,
            # A certification says so itself.
            Credential.achievement.not_like("certification:%"),
        )
        .order_by(Credential.expires_at, Credential.id)
    )
    return [
        Obligation(
            f"Renew the certification {row.program.title if row.program else ''}".strip(),
            PARTNER,
            row.expires_at,
            href="/partner/certifications",
        )
        for row in certifications
    ] + [
        Obligation(
            f"Renew {row.title} of {row.recipient_name}",
            PARTNER,
            row.expires_at,
            href="/partner/credentials",
        )
        for row in credentials
    ]
