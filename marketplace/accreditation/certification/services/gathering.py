"""A certification as its partner does it: started, evidence given, submitted, renewed."""

from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.accreditation.certification import fees
from marketplace.accreditation.certification.checklist import (
    EvidenceKind,
    Item,
    missing,
    read_items,
)
from marketplace.accreditation.certification.checks import look
from marketplace.accreditation.certification.listings import listings_by_id
from marketplace.accreditation.certification.models import (
    EDITABLE,
    Certification,
    CertificationEvidence,
    CertificationProgram,
    CertificationState,
    EvidenceState,
    Subject,
)
from marketplace.accreditation.certification.reading import ended_before, in_force
from marketplace.accreditation.certification.services.programs import current_checklist
from marketplace.accreditation.uploads import FileRefusedError, clean_file, forget, keep
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Membership, Organization

MOST_WORDS = 4_000
MOST_LINK = 500
# After the end of a certification, should somebody ask what it rested on.
KEEP_FILES_FOR = timedelta(days=183)
FORGET_AT_ONCE = 500


class FeeDueError(ConflictError):
    """The fee of the certification has to be paid first."""

    title = "A fee is due"


def start(
    program: CertificationProgram,
    organization: Organization,
    *,
    listing_id: int | None = None,
    user_id: int | None = None,
    renews: Certification | None = None,
    by_user_id: int | None,
) -> Certification:
    """Begin; the open one when the same was begun before. Where it is certified already, what
    begins is its renewal.

    Raises InvalidError (fields listing, person), ConflictError when the program is closed, has no
    checklist yet, or is not for partners of this type.
    """
    checklist = current_checklist(program.id)
    if not program.is_open or checklist is None:
        raise ConflictError("This certification cannot be started now.")
    if program.partner_types and organization.partner_type not in program.partner_types:
        raise ConflictError("This certification is not for partners of your type.")
    _check_subject(program, organization, listing_id, user_id)
    subject_id = {Subject.LISTING: listing_id, Subject.PERSON: user_id}.get(program.subject)
    open_key = f"{program.id}:{organization.id}:{subject_id or 0}"
    renews = renews or _in_force(program, organization, subject_id)
    insert_if_new(
        Certification,
        public_id=new_public_id("cert"),
        program_id=program.id,
        checklist_id=checklist.id,
        organization_id=organization.id,
        subject=program.subject,
        listing_id=listing_id if program.subject is Subject.LISTING else None,
        user_id=user_id if program.subject is Subject.PERSON else None,
        open_key=open_key,
        state=CertificationState.DRAFT,
        renews_id=renews.id if renews else None,
        decision="",
        created_at=clock.now(),
        created_by_id=by_user_id,
    )
    found = db.session.scalars(
        select(Certification).where(Certification.open_key == open_key)
    ).one()
    if renews is not None:
        found = lock_row(Certification, Certification.id == found.id) or found
        found.renews_id = found.renews_id or renews.id
        if found.state in EDITABLE:
            _copy_evidence(renews, found, items_of(found))
        db.session.flush()
    record_fact(
        "certification.started",
        subject=("certification", found.id),
        actor_user_id=by_user_id,
        organization_id=organization.id,
        data={"program": program.id, "checklist": checklist.number},
        idempotency_key=f"certification.started:{found.id}",
    )
    return found


def give(
    certification: Certification,
    item_key: str,
    *,
    value: str = "",
    file: tuple[str, bytes] = ("", b""),
    by_user_id: int | None,
) -> None:
    """Give (or change) the evidence of an item; empty words take them back, a new file replaces
    the one before.

    Raises InvalidError (field value or file), ConflictError when it is not being gathered, or
    there is no such item to fill.
    """
    locked = _editable(certification)
    item = next((each for each in items_of(locked) if each.key == item_key), None)
    if item is None or item.evidence is EvidenceKind.AUTOMATIC:
        raise ConflictError("This version of the checklist has no such item to fill.")
    words = value.replace("\x00", "").strip()
    evidence = _evidence(locked, item_key)
    if item.evidence is EvidenceKind.FILE:
        name, data = file
        try:
            clean = clean_file(name, data)
        except FileRefusedError as error:
            raise InvalidError({"file": str(error)}) from error
        _forget_file(evidence)
        evidence.file_name, evidence.content_type = clean.name, clean.content_type
        evidence.storage_key = keep(clean, "certification")
    elif item.evidence is EvidenceKind.LINK:
        if words and not _is_address(words):
            raise InvalidError({"value": "Enter a whole address, like https://example.com."})
        evidence.value = words
    else:
        if len(words) > MOST_WORDS:
            raise InvalidError({"value": f"Use at most {MOST_WORDS:,} characters."})
        evidence.value = words
    evidence.state, evidence.given_at = EvidenceState.GIVEN, clock.now()
    db.session.flush()
    _fact(locked, "certification.evidence_given", by_user_id)


def take_file_back(certification: Certification, item_key: str, *, by_user_id: int | None) -> bool:
    """Remove the file that was given for an item; whether there was one. Raises ConflictError
    when nothing can be changed now."""
    locked = _editable(certification)
    evidence = evidence_of(locked).get(item_key)
    if evidence is None or evidence.storage_key is None:
        return False
    _forget_file(evidence)
    evidence.state, evidence.given_at = EvidenceState.GIVEN, clock.now()
    db.session.flush()
    _fact(locked, "certification.evidence_taken_back", by_user_id)
    return True


def forget_files() -> int:
    """Remove files of certifications that ended or were given up a while ago; how many."""
    rows = db.session.scalars(
        select(CertificationEvidence)
        .join(Certification, Certification.id == CertificationEvidence.certification_id)
        .where(
            CertificationEvidence.storage_key.is_not(None),
            ended_before(clock.now() - KEEP_FILES_FOR),
        )
        .order_by(CertificationEvidence.id)
        .limit(FORGET_AT_ONCE)
    ).all()
    for row in rows:
        _forget_file(row)
    db.session.flush()
    return len(rows)


def submit(certification: Certification, *, by_user_id: int | None) -> None:
    """Hand it to our reviewers; twice is as good as once.

    Raises InvalidError with a message for each item that is missing, FeeDueError.
    """
    locked = lock_row(Certification, Certification.id == certification.id)
    if locked is None or locked.state is CertificationState.SUBMITTED:
        return
    if locked.state not in EDITABLE:
        raise ConflictError("This certification is not open any more.")
    run_checks(locked)
    items, given = items_of(locked), evidence_of(locked)
    wrong = missing(items, given)
    for item in items:
        found = given.get(item.key)
        if found is not None and found.state is EvidenceState.RETURNED and item.mandatory:
            wrong.setdefault(item.key, "Our reviewer asked for something better here.")
    if wrong:
        raise InvalidError(wrong)
    _take_fee(locked)
    locked.state, locked.submitted_at = CertificationState.SUBMITTED, clock.now()
    db.session.flush()
    _fact(locked, "certification.submitted", by_user_id)


def withdraw(certification: Certification, *, by_user_id: int | None) -> None:
    """Give it up before it is decided; twice is as good as once."""
    locked = lock_row(Certification, Certification.id == certification.id)
    if locked is None or locked.open_key is None:
        return
    locked.state, locked.open_key = CertificationState.WITHDRAWN, None
    # What was paid can be used for another attempt.
    locked.fee_order_id = None
    db.session.flush()
    _fact(locked, "certification.withdrawn", by_user_id)


def run_checks(certification: Certification) -> None:
    """Look at all automatic items anew."""
    for item in items_of(certification):
        if item.evidence is not EvidenceKind.AUTOMATIC:
            continue
        found = look(item, certification)
        evidence = _evidence(certification, item.key)
        evidence.value, evidence.passed = found.words, found.passed
        evidence.given_at = clock.now()
        # Nobody needs to judge what we have looked at ourselves.
        evidence.state = EvidenceState.ACCEPTED if found.passed else EvidenceState.GIVEN
    db.session.flush()


def items_of(certification: Certification) -> tuple[Item, ...]:
    """The items of its version of the checklist; none for one that staff gave at once."""
    checklist = certification.checklist
    return read_items(checklist.items) if checklist is not None else ()


def evidence_of(certification: Certification) -> dict[str, CertificationEvidence]:
    """What was given, by the item's key. One query."""
    rows = db.session.scalars(
        select(CertificationEvidence).where(
            CertificationEvidence.certification_id == certification.id
        )
    )
    return {row.item_key: row for row in rows}


def _in_force(
    program: CertificationProgram, organization: Organization, subject_id: int | None
) -> Certification | None:
    """The certification by the program that the subject has now, the one that ends last."""
    own = {
        Subject.LISTING: Certification.listing_id == subject_id,
        Subject.PERSON: Certification.user_id == subject_id,
    }.get(program.subject, Certification.subject == program.subject)
    return db.session.scalars(
        select(Certification)
        .where(
            Certification.program_id == program.id,
            Certification.organization_id == organization.id,
            own,
            in_force(clock.now()),
        )
        .order_by(Certification.expires_at.desc(), Certification.id.desc())
        .limit(1)
    ).one_or_none()


def _forget_file(evidence: CertificationEvidence) -> None:
    if evidence.storage_key is not None:
        forget(evidence.storage_key)
    evidence.file_name = evidence.content_type = evidence.storage_key = None


def _check_subject(
    program: CertificationProgram,
    organization: Organization,
    listing_id: int | None,
    user_id: int | None,
) -> None:
    if program.subject is Subject.LISTING:
        listing = listings_by_id([listing_id]).get(listing_id or 0)
        if listing is None or listing.organization_id != organization.id:
            raise InvalidError({"listing": "Choose one of your listings."})
        if program.listing_kinds and listing.kind not in program.listing_kinds:
            raise InvalidError({"listing": "This certification is not for listings of its kind."})
    elif program.subject is Subject.PERSON:
        member = db.session.scalar(
            select(Membership.id).where(
                Membership.organization_id == organization.id, Membership.user_id == user_id
            )
        )
        if member is None:
            raise InvalidError({"person": "Choose one of your members."})


def _take_fee(certification: Certification) -> None:
    program = certification.program
    if (
        program is None
        or certification.fee_order_id is not None
        or certification.listing_id is None
        or not fees.is_due(program, certification.organization_id)
    ):
        return
    # Two certifications submitted at once do not use the same payment.
    lock_row(Organization, Organization.id == certification.organization_id)
    order_id = fees.paid_order_id(certification.organization_id, certification.listing_id)
    if order_id is None:
        raise FeeDueError("Pay the certification fee for this listing first.")
    certification.fee_order_id = order_id


def _copy_evidence(old: Certification, new: Certification, items: tuple[Item, ...]) -> None:
    """Begin a renewal with the words and addresses of before; files are asked for anew."""
    kinds = {item.key: item.evidence for item in items}
    for key, row in evidence_of(old).items():
        if kinds.get(key) in (EvidenceKind.TEXT, EvidenceKind.LINK) and row.value:
            insert_if_new(
                CertificationEvidence,
                certification_id=new.id,
                item_key=key,
                value=row.value,
                state=EvidenceState.GIVEN,
                remark="",
                given_at=clock.now(),
            )


def _editable(certification: Certification) -> Certification:
    locked = lock_row(Certification, Certification.id == certification.id)
    if locked is None or locked.state not in EDITABLE:
        raise ConflictError("It is with our reviewers, or decided; nothing can be changed now.")
    return locked


def _evidence(certification: Certification, item_key: str) -> CertificationEvidence:
    insert_if_new(
        CertificationEvidence,
        certification_id=certification.id,
        item_key=item_key,
        value="",
        state=EvidenceState.GIVEN,
        remark="",
        given_at=clock.now(),
    )
    return db.session.scalars(
        select(CertificationEvidence).where(
            CertificationEvidence.certification_id == certification.id,
            CertificationEvidence.item_key == item_key,
        )
    ).one()


def _is_address(text: str) -> bool:
    if len(text) > MOST_LINK or any(letter.isspace() or letter in "<>\"'\\" for letter in text):
        return False
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in host and parts.username is None


def _fact(certification: Certification, kind: str, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("certification", certification.id),
        actor_user_id=by_user_id,
        organization_id=certification.organization_id,
    )
