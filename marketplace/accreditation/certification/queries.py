"""Programs, checklists and certifications, as partners and reviewers see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.acting import people_by_id, signed_in
from marketplace.accreditation.certification.listings import listings_by_id
from marketplace.accreditation.certification.models import (
    OPEN,
    Certification,
    CertificationProgram,
    CertificationState,
    Checklist,
    ChecklistState,
    Subject,
)
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Membership, Organization, OrganizationKind, User

PER_PAGE = 25
QUEUES = {
    "submitted": ("Waiting", (CertificationState.SUBMITTED,)),
    "returned": ("Sent back", (CertificationState.RETURNED,)),
    "certified": ("Certified", (CertificationState.CERTIFIED,)),
    "ended": (
        "Ended",
        (CertificationState.EXPIRED, CertificationState.REVOKED, CertificationState.REFUSED),
    ),
}


@dataclass(frozen=True)
class ItemOf:
    """An item of a certification, by its key."""

    certification: Certification
    key: str


def find_certification(certification_id: str) -> Certification | None:
    """The certification of that public id, with program, checklist and organization.

    Raises SignInRequiredError first.
    """
    signed_in()
    return db.session.scalar(
        select(Certification)
        .where(Certification.public_id == certification_id)
        .options(
            joinedload(Certification.program),
            joinedload(Certification.checklist),
            joinedload(Certification.organization),
        )
    )


def find_item(certification_id: str, item_key: str) -> ItemOf | None:
    """An item of a certification; that the checklist has it is for the service to say."""
    found = find_certification(certification_id)
    return None if found is None else ItemOf(found, item_key)


def certifications_of_partner(
    organization_id: int, page: int, *, current: bool
) -> Page[Certification]:
    """What is open or certified, or what has ended; the newest first. Two queries."""
    now = (*OPEN, CertificationState.CERTIFIED)
    condition = Certification.state.in_(now) if current else Certification.state.not_in(now)
    return paginate(
        select(Certification)
        .where(Certification.organization_id == organization_id, condition)
        .options(joinedload(Certification.program))
        .order_by(Certification.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def programs_for(partner_type: str | None) -> list[CertificationProgram]:
    """What a partner of that type can start, by name. One query."""
    published = select(Checklist.program_id).where(Checklist.state == ChecklistState.PUBLISHED)
    rows = db.session.scalars(
        select(CertificationProgram)
        .where(CertificationProgram.is_open.is_(True), CertificationProgram.id.in_(published))
        .order_by(CertificationProgram.title)
    )
    return [row for row in rows if not row.partner_types or partner_type in row.partner_types]


def find_program(certification_program_id: str) -> CertificationProgram | None:
    """The program of that public id. Raises SignInRequiredError first."""
    signed_in()
    return db.session.scalar(
        select(CertificationProgram).where(
            CertificationProgram.public_id == certification_program_id
        )
    )


def page_of_programs(page: int) -> Page[CertificationProgram]:
    """All programs: the open ones first, by name. Two queries."""
    return paginate(
        select(CertificationProgram).order_by(
            CertificationProgram.is_open.desc(), CertificationProgram.title
        ),
        page=page,
        per_page=PER_PAGE,
    )


def checklists_of(program_id: int) -> Sequence[Checklist]:
    """The versions of a checklist, the newest first."""
    return db.session.scalars(
        select(Checklist)
        .where(Checklist.program_id == program_id)
        .order_by(Checklist.number.desc())
        .limit(100)
    ).all()


def find_checklist(checklist_id: str) -> Checklist | None:
    """The version of that public id, with its program. Raises SignInRequiredError first."""
    signed_in()
    return db.session.scalar(
        select(Checklist)
        .where(Checklist.public_id == checklist_id)
        .options(joinedload(Checklist.program))
    )


def certified_counts(program_ids: Sequence[int]) -> dict[int, int]:
    """How many are certified by each program. One query."""
    rows = db.session.execute(
        select(Certification.program_id, func.count())
        .where(
            Certification.program_id.in_(list(program_ids)),
            Certification.state == CertificationState.CERTIFIED,
        )
        .group_by(Certification.program_id)
    )
    return {program_id: count for program_id, count in rows if program_id is not None}


def page_of_queue(queue: str, text: str, page: int) -> Page[Certification]:
    """One queue, who waits longest first; `text` stands in the partner's or program's name."""
    query = (
        select(Certification)
        .join(Certification.organization)
        .outerjoin(CertificationProgram, CertificationProgram.id == Certification.program_id)
        .where(Certification.state.in_(QUEUES[queue][1]))
        .options(joinedload(Certification.program), joinedload(Certification.organization))
        .order_by(Certification.submitted_at, Certification.id)
    )
    if text:
        query = query.where(
            or_(
                Organization.name.icontains(text, autoescape=True),
                CertificationProgram.title.icontains(text, autoescape=True),
            )
        )
    return paginate(query, page=page, per_page=PER_PAGE)


def queue_counts() -> dict[str, int]:
    """How many are in each queue. One query."""
    rows = db.session.execute(
        select(Certification.state, func.count()).group_by(Certification.state)
    )
    counts = {row[0]: row[1] for row in rows}
    return {
        key: sum(counts.get(state, 0) for state in states) for key, (_, states) in QUEUES.items()
    }


def own_partner(organization_id: int | None) -> Organization | None:
    """The partner that a person acts for."""
    return db.session.scalar(
        select(Organization).where(
            Organization.id == organization_id, Organization.kind == OrganizationKind.PARTNER
        )
    )


def members_of(organization_id: int) -> Sequence[User]:
    """The members of an organization by name."""
    return db.session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization_id)
        .order_by(User.name, User.id)
        .limit(500)
    ).all()


def names_of(rows: Sequence[Certification]) -> dict[int, str]:
    """What each of these certifies, for people. Two queries."""
    listings = listings_by_id([row.listing_id for row in rows])
    people = people_by_id([row.user_id for row in rows])
    found = {}
    for row in rows:
        if row.subject is Subject.LISTING:
            listing = listings.get(row.listing_id or 0)
            found[row.id] = listing.name if listing else "A listing that is gone"
        elif row.subject is Subject.PERSON:
            person = people.get(row.user_id or 0)
            found[row.id] = person.name if person else "A person who is gone"
        else:
            found[row.id] = "The organization"
    return found
