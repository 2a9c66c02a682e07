"""What runs out: certifications expire, and their partners are told before."""

from datetime import datetime, timedelta

from sqlalchemy import select

from marketplace.accreditation.acting import tell_managers
from marketplace.accreditation.certification.models import Certification, CertificationState
from marketplace.accreditation.certification.services import gathering
from marketplace.accreditation.certification.services.deciding import PAGE, subject_name
from marketplace.accreditation.events import accreditation_changed
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, periodic
from marketplace.core.locks import lock_row

REMIND_DAYS = (60, 30, 7)
BATCH = 200


@periodic("certification.expire", every=timedelta(hours=1))
def expire(_payload: Payload) -> None:
    """End what has run out; the levels were written ahead, the catalogue is told."""
    now = clock.now()
    rows = db.session.scalars(
        select(Certification.id)
        .where(
            Certification.state == CertificationState.CERTIFIED,
            Certification.expires_at <= now,
        )
        .order_by(Certification.expires_at)
        .limit(BATCH)
    ).all()
    for each in rows:
        locked = lock_row(Certification, Certification.id == each)
        if locked is not None and locked.state is CertificationState.CERTIFIED:
            _expire(locked)


@periodic("certification.remind", every=timedelta(hours=12))
def remind(_payload: Payload) -> None:
    """Write 60, 30 and 7 days before a certification ends, once each."""
    now = clock.now()
    rows = db.session.scalars(
        select(Certification)
        .where(
            Certification.state == CertificationState.CERTIFIED,
            Certification.expires_at > now,
            Certification.expires_at <= now + timedelta(days=max(REMIND_DAYS)),
        )
        .order_by(Certification.id)
    ).all()
    for row in rows:
        if row.expires_at is not None:
            _remind(row, row.expires_at, now)


@periodic("certification.forget_files", every=timedelta(hours=12))
def forget_files(_payload: Payload) -> None:
    """Remove the files of certifications that ended half a year ago."""
    gathering.forget_files()


def _expire(locked: Certification) -> None:
    locked.state = CertificationState.EXPIRED
    db.session.flush()
    record_fact(
        "certification.expired",
        subject=("certification", locked.id),
        organization_id=locked.organization_id,
    )
    accreditation_changed(locked.organization_id, "certification")
    tell_managers(
        locked.organization_id,
        f"Certification ended: {subject_name(locked)}",
        "The certification has run out. Renew it, so that it counts again.",
        f"{PAGE}/{locked.public_id}",
    )


def _remind(row: Certification, expires_at: datetime, now: datetime) -> None:
    left = (expires_at - now).days
    due = min((days for days in REMIND_DAYS if left <= days), default=None)
    if due is None or (row.reminded_days is not None and row.reminded_days <= due):
        return
    row.reminded_days = due
    tell_managers(
        row.organization_id,
        f"{subject_name(row)}: certification ends in {left} days",
        f"It ends on {expires_at:%d %b %Y}. Renew it before, so that nothing is interrupted.",
        f"{PAGE}/{row.public_id}",
    )
