"""Certification programs and the versions of their checklists, as staff write them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.accreditation.certification.checklist import MOST_MONTHS, read_items
from marketplace.accreditation.certification.events import listing_rules_changed
from marketplace.accreditation.certification.models import (
    CertificationProgram,
    Checklist,
    ChecklistState,
    ListingRule,
    Subject,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.identity.partner_types import PARTNER_TYPES

LISTING_KINDS = ("app", "integration", "service", "template")
FIRST_ITEM = {"key": "security", "title": "Describe how you keep data safe", "evidence": "text"}


@dataclass(frozen=True)
class ProgramTerms:
    """What staff type of a program."""

    title: str
    summary: str = ""
    subject: str = Subject.LISTING.value
    validity_months: int = 12
    partner_types: tuple[str, ...] = ()
    listing_kinds: tuple[str, ...] = ()
    listing_rule: str = ListingRule.BADGE.value
    people_minimum: int = 0
    takes_fee: bool = False


def create_program(
    terms: ProgramTerms,
    *,
    by_user_id: int | None,
    items: Sequence[Mapping[str, Any]] = (FIRST_ITEM,),
) -> CertificationProgram:
    """A program with a first draft of its checklist. Raises InvalidError."""
    checked = _checked(terms)
    program = CertificationProgram(
        public_id=new_public_id("cprg"), created_by_id=by_user_id, is_open=True, **checked
    )
    db.session.add(program)
    db.session.flush()
    _add_checklist(program, 1, [dict(item) for item in items], 100)
    _fact(program, "certification_program.created", by_user_id)
    listing_rules_changed()
    return program


def edit_program(
    program: CertificationProgram, terms: ProgramTerms, *, by_user_id: int | None
) -> None:
    """Change what the program says and brings; what it certifies stays. Raises InvalidError."""
    checked = _checked(terms)
    checked.pop("subject")
    for name, value in checked.items():
        setattr(program, name, value)
    if program.subject is not Subject.LISTING:
        program.listing_rule, program.people_minimum = ListingRule.BADGE, 0
        program.listing_kinds, program.takes_fee = [], False
    db.session.flush()
    _fact(program, "certification_program.edited", by_user_id)
    listing_rules_changed()


def set_open(program: CertificationProgram, *, is_open: bool, by_user_id: int | None) -> None:
    """Let it be started, or not any more; certifications that there are go on."""
    if program.is_open is is_open:
        return
    program.is_open = is_open
    db.session.flush()
    _fact(program, f"certification_program.{'opened' if is_open else 'closed'}", by_user_id)
    listing_rules_changed()


def draft_of(program: CertificationProgram) -> Checklist:
    """The draft of the next version; begun from the newest one when there is none."""
    lock_row(CertificationProgram, CertificationProgram.id == program.id)
    newest = db.session.scalars(
        select(Checklist)
        .where(Checklist.program_id == program.id)
        .order_by(Checklist.number.desc())
        .limit(1)
    ).one()
    if newest.state is ChecklistState.DRAFT:
        return newest
    return _add_checklist(
        program, newest.number + 1, [dict(item) for item in newest.items], newest.pass_percent
    )


def save_draft(
    checklist: Checklist,
    items: Sequence[Mapping[str, Any]],
    *,
    pass_percent: int,
    note: str,
    edition: int,
    by_user_id: int | None,
) -> None:
    """Change a draft. Raises InvalidError, ConflictError when it is published, or somebody else
    has saved it since."""
    errors = {}
    if not 0 <= pass_percent <= 100:
        errors["pass_percent"] = "Use 0 to 100."  # noqa: S105 - a share, no secret
    if len(note) > 300 or "\x00" in note:
        errors["note"] = "Use at most 300 characters."
    found = read_items(items)
    if errors:
        raise InvalidError(errors)
    locked = lock_row(Checklist, Checklist.id == checklist.id)
    if locked is None or locked.state is not ChecklistState.DRAFT:
        raise ConflictError("This version is published and stays as it is.")
    if locked.edition != edition:
        raise ConflictError("Somebody else has saved this draft since you opened it.")
    locked.items = [item.model_dump(mode="json") for item in found]
    locked.pass_percent, locked.note = pass_percent, note.strip()
    locked.edition += 1
    db.session.flush()
    _fact(locked.program, "certification_checklist.saved", by_user_id)


def publish(checklist: Checklist, *, by_user_id: int | None) -> None:
    """Let the draft count for what is started or renewed from now on; twice is as good as once."""
    locked = lock_row(Checklist, Checklist.id == checklist.id)
    if locked is None or locked.state is ChecklistState.PUBLISHED:
        return
    read_items(locked.items)
    locked.state, locked.published_at = ChecklistState.PUBLISHED, clock.now()
    locked.published_by_id = by_user_id
    db.session.flush()
    record_fact(
        "certification_checklist.published",
        subject=("certification_checklist", locked.id),
        actor_user_id=by_user_id,
        data={"program": locked.program_id, "number": locked.number},
    )


def current_checklist(program_id: int) -> Checklist | None:
    """The published version that counts now."""
    return db.session.scalars(
        select(Checklist)
        .where(Checklist.program_id == program_id, Checklist.state == ChecklistState.PUBLISHED)
        .order_by(Checklist.number.desc())
        .limit(1)
    ).one_or_none()


def _add_checklist(
    program: CertificationProgram, number: int, items: list[dict[str, Any]], pass_percent: int
) -> Checklist:
    found = read_items(items)
    checklist = Checklist(
        public_id=new_public_id("chk"),
        program_id=program.id,
        number=number,
        items=[item.model_dump(mode="json") for item in found],
        pass_percent=pass_percent,
    )
    db.session.add(checklist)
    db.session.flush()
    return checklist


def _checked(terms: ProgramTerms) -> dict[str, Any]:
    errors: dict[str, str] = {}
    title, summary = " ".join(terms.title.split()), terms.summary.strip()
    if not 2 <= len(title) <= 80 or "\x00" in title:
        errors["title"] = "Use 2 to 80 characters."
    if len(summary) > 300 or "\x00" in summary:
        errors["summary"] = "Use at most 300 characters."
    if terms.subject not in set(Subject):
        errors["subject"] = "Choose what is certified."
    if not 1 <= terms.validity_months <= MOST_MONTHS:
        errors["validity_months"] = f"Use 1 to {MOST_MONTHS} months."
    if not set(terms.partner_types) <= set(PARTNER_TYPES):
        errors["partner_types"] = "Choose from the list."
    if not set(terms.listing_kinds) <= set(LISTING_KINDS):
        errors["listing_kinds"] = "Choose from the list."
    if terms.listing_rule not in set(ListingRule):
        errors["listing_rule"] = "Choose one."
    if not 0 <= terms.people_minimum <= 1_000:
        errors["people_minimum"] = "Use 0 to 1,000."
    if errors:
        raise InvalidError(errors)
    of_listings = terms.subject == Subject.LISTING
    return {
        "title": title,
        "summary": summary,
        "subject": Subject(terms.subject),
        "validity_months": terms.validity_months,
        "partner_types": sorted(set(terms.partner_types)),
        "listing_kinds": sorted(set(terms.listing_kinds)) if of_listings else [],
        "listing_rule": ListingRule(terms.listing_rule) if of_listings else ListingRule.BADGE,
        "people_minimum": terms.people_minimum if of_listings else 0,
        "takes_fee": terms.takes_fee and of_listings,
    }


def _fact(program: CertificationProgram, kind: str, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("certification_program", program.id),
        actor_user_id=by_user_id,
        data={"subject": program.subject.value},
    )
