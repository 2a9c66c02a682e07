"""A certification as our reviewers decide it, and its end."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.accreditation.acting import tell_managers
from marketplace.accreditation.certification.checklist import EvidenceKind, in_the_way
from marketplace.accreditation.certification.listings import listings_by_id
from marketplace.accreditation.certification.models import (
    Certification,
    CertificationState,
    EvidenceState,
    Subject,
)
from marketplace.accreditation.certification.months import months_after
from marketplace.accreditation.certification.reading import in_force
from marketplace.accreditation.certification.services.gathering import (
    evidence_of,
    items_of,
    run_checks,
)
from marketplace.accreditation.certification.services.levels import measure_change, spans_of
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.services.issuing import issue
from marketplace.accreditation.credentials.services.issuing import revoke as revoke_credential
from marketplace.accreditation.events import accreditation_changed
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Organization, User

MOST_WORDS = 2_000
PAGE = "/partner/certifications"


def judge(
    certification: Certification,
    item_key: str,
    *,
    accepts: bool,
    remark: str,
    by_user_id: int | None,
) -> None:
    """Accept an item, or return it with words. Raises InvalidError, ConflictError."""
    words = remark.replace("\x00", "").strip()
    if len(words) > MOST_WORDS:
        raise InvalidError({"remark": f"Use at most {MOST_WORDS:,} characters."})
    if not accepts and not words:
        raise InvalidError({"remark": "Say what is missing."})
    locked = _submitted(certification)
    item = next((each for each in items_of(locked) if each.key == item_key), None)
    evidence = evidence_of(locked).get(item_key)
    if item is None or evidence is None:
        raise ConflictError("Nothing was given for this item.")
    if item.evidence is EvidenceKind.AUTOMATIC:
        raise ConflictError("This item is checked automatically.")
    evidence.state = EvidenceState.ACCEPTED if accepts else EvidenceState.RETURNED
    evidence.remark = words
    evidence.reviewed_by_id, evidence.reviewed_at = by_user_id, clock.now()
    db.session.flush()
    _fact(locked, f"certification.item_{evidence.state.value}", by_user_id, item=item_key)


def certify(certification: Certification, *, by_user_id: int | None) -> None:
    """Give it. Raises ConflictError with what is in the way."""
    locked = _submitted(certification)
    program = locked.program
    if program is None:
        raise ConflictError("This certification has no program.")
    run_checks(locked)
    checklist = locked.checklist
    reasons = in_the_way(
        items_of(locked), evidence_of(locked), checklist.pass_percent if checklist else 100
    )
    if reasons:
        raise ConflictError("; ".join(reasons))
    now = clock.now()
    before = spans_of(locked)
    begins = now
    old = db.session.get(Certification, locked.renews_id) if locked.renews_id else None
    if old is not None and counts(old, now):
        begins = old.expires_at or now
        old.state = CertificationState.RENEWED
    locked.state, locked.open_key = CertificationState.CERTIFIED, None
    locked.decided_at, locked.decided_by_id = now, by_user_id
    locked.certified_at = now
    locked.expires_at = months_after(begins, program.validity_months)
    db.session.flush()
    _issue_credential(locked, by_user_id)
    measure_change(locked, before, now)
    _fact(locked, "certification.certified", by_user_id, program=program.id)
    accreditation_changed(locked.organization_id, "certification")
    tell_managers(
        locked.organization_id,
        f"Certified: {program.title}",
        f"{subject_name(locked)} is certified until {locked.expires_at:%d %b %Y}. We write to you "
        "before it ends.",
        f"{PAGE}/{locked.public_id}",
    )


def send_back(certification: Certification, *, reason: str, by_user_id: int | None) -> None:
    """Ask for something better. Raises InvalidError, ConflictError."""
    _close(certification, CertificationState.RETURNED, reason, by_user_id)


def refuse(certification: Certification, *, reason: str, by_user_id: int | None) -> None:
    """Refuse it for good; it can be started anew. Raises InvalidError, ConflictError."""
    _close(certification, CertificationState.REFUSED, reason, by_user_id)


def revoke(certification: Certification, *, reason: str, by_user_id: int | None) -> None:
    """Take a certification back now, with what it renewed or what renews it: nothing of that
    program counts for its subject any more. Raises InvalidError, ConflictError when it does not
    count."""
    words = _reason(reason)
    rows = [
        locked
        for each in _in_force_with(certification)
        if (locked := lock_row(Certification, Certification.id == each)) is not None
        and counts(locked, clock.now())
    ]
    if certification.id not in {row.id for row in rows}:
        raise ConflictError("This certification does not count any more.")
    for row in rows:
        _end(row, words, by_user_id)
    tell_managers(
        certification.organization_id,
        f"Certification revoked: {subject_name(certification)}",
        f"Our team took the certification back:\n\n{words}",
        f"{PAGE}/{certification.public_id}",
    )


def credential_was_revoked(credential: Credential) -> None:
    """Staff took the credential of a certification back at their desk: the certification ends
    with it; a listener."""
    found = db.session.scalars(
        select(Certification).where(
            Certification.credential_id == credential.id, in_force(clock.now())
        )
    ).one_or_none()
    if found is not None and found.ended_at is None:
        reason = credential.revoked_reason[:MOST_WORDS] or "Its credential was revoked."
        revoke(found, reason=reason, by_user_id=credential.revoked_by_id)


def certify_by_hand(
    listing_id: int, organization_id: int, *, by_user_id: int | None
) -> Certification:
    """Staff certify a listing at once, until they take it back; the one that counts already."""
    lock_row(Organization, Organization.id == organization_id)
    now = clock.now()
    found = db.session.scalars(
        select(Certification)
        .where(
            Certification.subject == Subject.LISTING,
            Certification.listing_id == listing_id,
            in_force(now),
        )
        .limit(1)
    ).one_or_none()
    if found is not None:
        return found
    made = insert_if_new(
        Certification,
        public_id=new_public_id("cert"),
        organization_id=organization_id,
        subject=Subject.LISTING,
        listing_id=listing_id,
        state=CertificationState.CERTIFIED,
        decision="Certified by our team.",
        decided_at=now,
        decided_by_id=by_user_id,
        certified_at=now,
        created_at=now,
        created_by_id=by_user_id,
    )
    certification = db.session.get_one(Certification, made)
    before = [span for span in spans_of(certification) if span.start != now]
    measure_change(certification, before, now)
    _fact(certification, "certification.certified", by_user_id)
    accreditation_changed(organization_id, "certification")
    return certification


def take_back_all(listing_id: int, *, by_user_id: int | None) -> int:
    """Staff end all certifications of a listing; how many counted."""
    rows = db.session.scalars(
        select(Certification.id).where(
            Certification.subject == Subject.LISTING,
            Certification.listing_id == listing_id,
            in_force(clock.now()),
        )
    ).all()
    for each in rows:
        locked = lock_row(Certification, Certification.id == each)
        if locked is not None and counts(locked, clock.now()):
            _end(locked, "Taken back by our team.", by_user_id)
    return len(rows)


def subject_name(certification: Certification) -> str:
    """What is certified, for people."""
    if certification.subject is Subject.LISTING:
        listing = listings_by_id([certification.listing_id]).get(certification.listing_id or 0)
        return listing.name if listing else "A listing that is gone"
    if certification.subject is Subject.PERSON:
        person = db.session.get(User, certification.user_id) if certification.user_id else None
        return person.name if person else "A person who is gone"
    return db.session.get_one(Organization, certification.organization_id).name


def _close(
    certification: Certification, state: CertificationState, reason: str, by_user_id: int | None
) -> None:
    words = _reason(reason)
    locked = _submitted(certification)
    locked.state, locked.decision = state, words
    locked.decided_at, locked.decided_by_id = clock.now(), by_user_id
    if state is CertificationState.REFUSED:
        locked.open_key = None
    db.session.flush()
    _fact(locked, f"certification.{state.value}", by_user_id)
    what = "needs something" if state is CertificationState.RETURNED else "was refused"
    tell_managers(
        locked.organization_id,
        f"Your certification {what}: {subject_name(locked)}",
        f"Our reviewer writes:\n\n{words}",
        f"{PAGE}/{locked.public_id}",
    )


def _end(locked: Certification, reason: str, by_user_id: int | None) -> None:
    now = clock.now()
    before = spans_of(locked)
    locked.state, locked.ended_at, locked.decision = CertificationState.REVOKED, now, reason
    db.session.flush()
    if locked.credential_id is not None:
        credential = db.session.get(Credential, locked.credential_id)
        if credential is not None:
            revoke_credential(credential, reason=reason, by_user_id=by_user_id)
    measure_change(locked, before, now)
    _fact(locked, "certification.revoked", by_user_id)
    accreditation_changed(locked.organization_id, "certification")


def _issue_credential(locked: Certification, by_user_id: int | None) -> None:
    program = locked.program
    if program is None:
        return
    organization = db.session.get_one(Organization, locked.organization_id)
    name = subject_name(locked)
    given = evidence_of(locked)
    links = [
        {"id": given[item.key].value, "name": item.title}
        for item in items_of(locked)
        if item.evidence is EvidenceKind.LINK and item.key in given and given[item.key].value
    ]
    credential = issue(
        f"certification:{program.public_id}",
        organization_id=locked.organization_id,
        user_id=locked.user_id,
        recipient_name=name if locked.subject is Subject.PERSON else organization.name,
        title=program.title
        if locked.subject is not Subject.LISTING
        else f"{program.title}: {name}",
        description=program.summary or f"Certified by our reviewers: {program.title}.",
        expires_at=locked.expires_at,
        evidence=links,
        key=f"certification:{locked.public_id}",
        by_user_id=by_user_id,
    )
    locked.credential_id = credential.id


def _submitted(certification: Certification) -> Certification:
    locked = lock_row(Certification, Certification.id == certification.id)
    if locked is None or locked.state is not CertificationState.SUBMITTED:
        raise ConflictError("This was decided already, or is not submitted.")
    return locked


def _in_force_with(certification: Certification) -> Sequence[int]:
    """The ids of all certifications in force of the same program and subject, in their order."""
    return db.session.scalars(
        select(Certification.id)
        .where(
            Certification.organization_id == certification.organization_id,
            Certification.program_id == certification.program_id,
            Certification.subject == certification.subject,
            Certification.listing_id == certification.listing_id,
            Certification.user_id == certification.user_id,
            in_force(clock.now()),
        )
        .order_by(Certification.id)
    ).all()


def counts(certification: Certification, at: datetime) -> bool:
    """Whether it counts at a moment, whatever its state: one that was renewed does so until its
    own end."""
    return (
        certification.certified_at is not None
        and certification.ended_at is None
        and (certification.expires_at is None or certification.expires_at > at)
    )


def _reason(text: str) -> str:
    words = text.replace("\x00", "").strip()
    if not words or len(words) > MOST_WORDS:
        raise InvalidError({"reason": f"Say why, in 1 to {MOST_WORDS:,} characters."})
    return words


def _fact(certification: Certification, kind: str, by_user_id: int | None, **data: object) -> None:
    record_fact(
        kind,
        subject=("certification", certification.id),
        actor_user_id=by_user_id,
        organization_id=certification.organization_id,
        data=data,
    )
