"""What certifications mean for the levels that metrics count."""

from datetime import datetime

from sqlalchemy import select

from marketplace.accreditation.certification.models import Certification, Subject
from marketplace.accreditation.courses.counting import recount_person
from marketplace.accreditation.levels import Span, measure_level
from marketplace.core.database import db
from marketplace.program.measures import Measure


def spans_of(certification: Certification) -> list[Span]:
    """Since when and until when the listing of a certification is certified, by all that it has;
    none for another subject. One query."""
    if certification.subject is not Subject.LISTING:
        return []
    rows = db.session.scalars(
        select(Certification).where(
            Certification.organization_id == certification.organization_id,
            Certification.subject == Subject.LISTING,
            Certification.listing_id == certification.listing_id,
            Certification.certified_at.is_not(None),
        )
    )
    return [Span(row.certified_at, _end(row)) for row in rows if row.certified_at is not None]


def measure_change(certification: Certification, before: list[Span], at: datetime) -> None:
    """Write down how a level moves, given what it was before the change at `at`.

    A person counts by the credential, which must be issued or revoked by now. A certification of
    the organization itself is counted by nobody.
    """
    if certification.subject is Subject.PERSON and certification.user_id is not None:
        recount_person(certification.organization_id, certification.user_id)
    elif certification.subject is Subject.LISTING:
        measure_level(
            certification.organization_id,
            Measure.CERTIFIED_LISTINGS,
            before,
            spans_of(certification),
            key=f"certification:{certification.id}:{at:%Y%m%d%H%M%S%f}",
            source=("certification", certification.public_id),
        )


def _end(row: Certification) -> datetime | None:
    if row.ended_at is None or (row.expires_at is not None and row.expires_at < row.ended_at):
        return row.expires_at
    return row.ended_at
