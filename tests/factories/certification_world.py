"""Certification programs and certifications, for tests. All of it is flushed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from marketplace.accreditation.certification.models import (
    Certification,
    CertificationProgram,
)
from marketplace.accreditation.certification.services import deciding, gathering, programs
from marketplace.accreditation.certification.services.programs import ProgramTerms
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User

ITEMS: tuple[dict[str, Any], ...] = (
    {"key": "security", "title": "How do you keep data safe?", "evidence": "text"},
    {"key": "docs", "title": "Where are your documents?", "evidence": "link", "mandatory": False},
)


def make_program(
    items: Sequence[dict[str, Any]] = ITEMS, *, published: bool = True, **terms: Any
) -> CertificationProgram:
    """A program with a published checklist."""
    program = programs.create_program(
        ProgramTerms(**{"title": "Ready for harbor", "summary": "Works and is safe.", **terms}),
        by_user_id=None,
        items=items,
    )
    if published:
        programs.publish(programs.draft_of(program), by_user_id=None)
    return program


def make_certified(
    program: CertificationProgram,
    organization: Organization,
    *,
    listing: Listing | None = None,
    person: User | None = None,
) -> Certification:
    """A certification that was given now; its mandatory items are filled with words or links."""
    found = gathering.start(
        program,
        organization,
        listing_id=listing.id if listing else None,
        user_id=person.id if person else None,
        by_user_id=None,
    )
    for item in gathering.items_of(found):
        if item.evidence in ("text", "link"):
            gathering.give(
                found, item.key, value=f"https://evidence.example/{item.key}", by_user_id=None
            )
    gathering.submit(found, by_user_id=None)
    for item in gathering.items_of(found):
        if item.evidence in ("text", "link"):
            deciding.judge(found, item.key, accepts=True, remark="", by_user_id=None)
    deciding.certify(found, by_user_id=None)
    return found


def make_certification_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """A program, its checklist and a draft of the partner's."""
    program = make_program()
    found = gathering.start(program, partner, listing_id=listing.id, by_user_id=owner.id)
    checklist = programs.current_checklist(program.id)
    db.session.flush()
    return {
        "certification_program_id": program.public_id,
        "checklist_id": checklist.public_id if checklist else "",
        "certification_id": found.public_id,
        "item_key": "security",
    }


def later(**time: float) -> Any:
    """A clock that stands so much later, for a `with` block."""
    return clock.frozen(clock.now() + timedelta(**time))
