"""What time does to credentials: holders are reminded, and others learn of what has expired."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.accreditation.credentials.mails import tell_expiring
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.events import accreditation_changed
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, periodic

REMIND_BEFORE = timedelta(days=30)
_AT_ONCE = 500


@periodic("credentials.remind", timedelta(hours=6))
def remind(_payload: Payload) -> None:
    """Tell holders, once, of credentials that expire within thirty days.

    Nobody is told of one for which they hold another of the same achievement that lasts longer.
    """
    now = clock.now()
    rows = db.session.scalars(
        select(Credential)
        .where(
            Credential.reminded_at.is_(None),
            Credential.revoked_at.is_(None),
            Credential.expires_at > now,
            Credential.expires_at <= now + REMIND_BEFORE,
            Credential.issued_at < now - REMIND_BEFORE,
        )
        .order_by(Credential.id)
        .limit(_AT_ONCE)
    ).all()
    for row in rows:
        row.reminded_at = now
        if not _is_renewed(row):
            tell_expiring(row)


@periodic("credentials.expire", timedelta(hours=1))
def tell_of_expired(_payload: Payload) -> None:
    """Let others know, once, that a credential of an organization has expired."""
    now = clock.now()
    rows = db.session.scalars(
        select(Credential)
        .where(
            Credential.expiry_told_at.is_(None),
            Credential.revoked_at.is_(None),
            Credential.expires_at <= now,
        )
        .order_by(Credential.id)
        .limit(_AT_ONCE)
    ).all()
    for row in rows:
        row.expiry_told_at = now
    db.session.flush()
    for organization_id in sorted({row.organization_id for row in rows}):
        accreditation_changed(organization_id, "credential")


def _is_renewed(credential: Credential) -> bool:
    rows = db.session.scalars(
        select(Credential.expires_at).where(
            Credential.achievement == credential.achievement,
            Credential.organization_id == credential.organization_id,
            Credential.user_id == credential.user_id,
            Credential.revoked_at.is_(None),
            Credential.id != credential.id,
        )
    )
    return any(
        each is None or (credential.expires_at is not None and each > credential.expires_at)
        for each in rows
    )
