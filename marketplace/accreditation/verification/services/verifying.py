"""The verification of an organization: submitted, decided, renewed, lost."""

from datetime import datetime, timedelta

from billing.public_ids import new_public_id
from marketplace.accreditation.acting import tell_managers
from marketplace.accreditation.events import accreditation_changed
from marketplace.accreditation.levels import Span, measure_level
from marketplace.accreditation.verification import queries
from marketplace.accreditation.verification.models import (
    Verification,
    VerificationState,
)
from marketplace.accreditation.verification.reading import verified_domains
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.seen import check_seen, digest_of
from marketplace.identity.models import Organization
from marketplace.identity.services.verified import note_verified
from marketplace.program.measures import Measure
from marketplace.program.standing.reading import entitlement

PAGE = "/partner/verification"
MOST_WORDS = 2_000
# Schools are verified again every year; other types as their policy says in this entitlement.
YEARLY_TYPES = frozenset({"academic"})
REVERIFY_DAYS = "reverification_days"
RENEW_BEFORE = timedelta(days=60)
REMIND_DAYS = (60, 30, 7)
KEEP_DOCUMENTS_FOR = timedelta(days=183)


def verification_for(organization_id: int) -> Verification:
    """The organization's verification, begun when there is none."""
    insert_if_new(
        Verification,
        public_id=new_public_id("ver"),
        organization_id=organization_id,
        state=VerificationState.OPEN,
        note="",
        reason="",
        by_hand=False,
        created_at=clock.now(),
    )
    found = lock_row(Verification, Verification.organization_id == organization_id)
    if found is None:
        raise ConflictError("The organization is being removed.")
    return found


def may_submit(verification: Verification | None, at: datetime) -> bool:
    """Whether there is something to decide: a first one, one sent back, a renewal that is due."""
    if verification is None:
        return True
    if verification.state is VerificationState.SUBMITTED:
        return False
    if verification.state is VerificationState.APPROVED and verification.holds_at(at):
        return verification.expires_at is not None and verification.expires_at - at <= RENEW_BEFORE
    return True


def submit(organization: Organization, *, note: str, by_user_id: int | None) -> Verification:
    """Ask for the decision; twice is as good as once.

    Raises InvalidError: without a proven domain, without a document, too many words.
    """
    words = note.replace("\x00", "").strip()
    errors = {}
    if len(words) > MOST_WORDS:
        errors["note"] = f"Use at most {MOST_WORDS:,} characters."
    if not verified_domains(organization.id):
        errors["domains"] = "Prove a domain first."
    if not any(row.storage_key for row in queries.documents_of(organization.id)):
        errors["documents"] = "Upload a document first."
    if errors:
        raise InvalidError(errors)
    found = verification_for(organization.id)
    if found.state is VerificationState.SUBMITTED:
        return found
    if not may_submit(found, clock.now()):
        raise ConflictError("You are verified. It can be renewed two months before it ends.")
    found.state, found.note = VerificationState.SUBMITTED, words
    found.submitted_at, found.submitted_by_id = clock.now(), by_user_id
    db.session.flush()
    _fact(found, "verification.submitted", by_user_id)
    return found


def shown_of(verification: Verification) -> str:
    """A short name for what a reviewer is shown: who it says it is, its proofs and documents."""
    organization = db.session.get_one(Organization, verification.organization_id)
    return digest_of(
        (
            verification.note,
            organization.name,
            organization.partner_type,
            organization.website,
            organization.country,
            *(
                f"{proof.public_id}:{proof.domain}:{proof.is_held}"
                for proof in queries.proofs_of(organization.id)
            ),
            *(
                row.public_id
                for row in queries.documents_of(organization.id)
                if row.storage_key is not None
            ),
        )
    )


def approve(verification: Verification, *, by_user_id: int | None, seen: str | None = None) -> None:
    """The organization is who it says it is. `seen`: what the reviewer was shown (`shown_of`).

    Raises ConflictError when it is not to be decided, when what it rests on is not what was seen,
    or when it holds no domain or shows no document any more.
    """
    found = _waiting(verification)
    if not verified_domains(found.organization_id):
        raise ConflictError("No domain is proven any more. Send it back, so that one is.")
    if not any(row.storage_key for row in queries.documents_of(found.organization_id)):
        raise ConflictError("No document is there any more. Send it back, so that one is.")
    check_seen(seen, shown_of(found))
    _give(found, by_user_id, by_hand=False, reason="")
    _fact(found, "verification.approved", by_user_id)
    tell_managers(
        found.organization_id,
        "You are verified",
        "Our team has verified your organization. The mark stands beside your name now."
        + (
            f" It counts until {found.expires_at:%d %b %Y}; we write to you before."
            if found.expires_at
            else ""
        ),
        PAGE,
    )


def send_back(verification: Verification, *, reason: str, by_user_id: int | None) -> None:
    """Ask for something better; what is in force stays so. Raises InvalidError, ConflictError."""
    words = _reason(reason)
    found = _waiting(verification)
    found.state, found.reason = VerificationState.RETURNED, words
    found.decided_at, found.decided_by_id = clock.now(), by_user_id
    db.session.flush()
    _fact(found, "verification.returned", by_user_id)
    tell_managers(
        found.organization_id,
        "Your verification needs something",
        f"Our team looked at what you sent:\n\n{words}\n\nPut it right and submit it again.",
        PAGE,
    )


def refuse(verification: Verification, *, reason: str, by_user_id: int | None) -> None:
    """Refuse it; what was in force ends. Raises InvalidError, ConflictError."""
    words = _reason(reason)
    found = _waiting(verification)
    _end(found, VerificationState.REVOKED, words, by_user_id)
    _fact(found, "verification.refused", by_user_id)
    tell_managers(
        found.organization_id,
        "Your organization could not be verified",
        f"Our team decided:\n\n{words}",
        PAGE,
    )


def verify_by_hand(organization: Organization, *, by_user_id: int | None) -> bool:
    """Staff know who it is, without a domain and documents; whether that is new."""
    found = verification_for(organization.id)
    db.session.refresh(organization, ["verified_at"])
    if organization.verified_at is not None:
        return False
    _give(found, by_user_id, by_hand=True, reason="Verified by our team.")
    return True


def take_back(organization: Organization, *, by_user_id: int | None) -> bool:
    """Staff take a verification back, whatever it rested on; whether there was one."""
    found = verification_for(organization.id)
    db.session.refresh(organization, ["verified_at"])
    if organization.verified_at is None:
        return False
    _end(found, VerificationState.REVOKED, "Taken back by our team.", by_user_id)
    tell_managers(
        organization.id,
        "You are not verified any more",
        "Our team has taken your verification back. Answer this mail if you do not know why; you "
        "can submit it again.",
        PAGE,
    )
    return True


def rest_again(organization_id: int) -> None:
    """After a domain was lost: a verification that rests on domains needs one."""
    found = queries.verification_of(organization_id)
    if found is None or found.by_hand or not found.holds_at(clock.now()):
        return
    if verified_domains(organization_id):
        return
    locked = lock_row(Verification, Verification.id == found.id)
    if locked is None or not locked.holds_at(clock.now()):
        return
    _end(locked, VerificationState.LAPSED, "No domain is proven any more.", None)
    _fact(locked, "verification.lapsed", None)
    tell_managers(
        organization_id,
        "You are not verified any more",
        "Your verification rested on a domain that is not proven any more. Prove one and submit "
        "again.",
        PAGE,
    )


def lapse(verification: Verification) -> None:
    """Its time has run out."""
    found = lock_row(Verification, Verification.id == verification.id)
    now = clock.now()
    if found is None or found.ended_at is not None or found.holds_at(now):
        return
    waiting = found.state is VerificationState.SUBMITTED
    found.ended_at = found.expires_at
    if not waiting:
        found.state, found.reason = VerificationState.LAPSED, "Its year is over."
    db.session.flush()
    _note(found, None)
    _fact(found, "verification.lapsed", None)
    tell_managers(
        found.organization_id,
        "Your verification has run out",
        "You are not verified any more. Upload a new document and submit again."
        if not waiting
        else "You are not verified until our team has decided about your renewal.",
        PAGE,
    )


def remind(verification: Verification, days: int) -> None:
    """Write that it ends in so many days, once for each of REMIND_DAYS."""
    verification.reminded_days = days
    tell_managers(
        verification.organization_id,
        f"Your verification ends in {days} days",
        f"It ends on {verification.expires_at:%d %b %Y}. Upload a new document and submit again, "
        "so that it goes on.",
        PAGE,
    )


def _waiting(verification: Verification) -> Verification:
    found = lock_row(Verification, Verification.id == verification.id)
    if found is None or found.state is not VerificationState.SUBMITTED:
        raise ConflictError("This was decided already.")
    return found


def _give(found: Verification, by_user_id: int | None, *, by_hand: bool, reason: str) -> None:
    now = clock.now()
    before = _spans(found, now)
    goes_on = found.holds_at(now)
    organization = db.session.get_one(Organization, found.organization_id)
    days = _reverify_days(organization)
    begin = found.expires_at if goes_on and found.expires_at else now
    found.state, found.reason, found.by_hand = VerificationState.APPROVED, reason, by_hand
    found.decided_at, found.decided_by_id = now, by_user_id
    found.verified_at = found.verified_at if goes_on else now
    found.expires_at = begin + timedelta(days=days) if days else None
    found.ended_at, found.reminded_days = None, None
    _forget_documents_later(found, now)
    db.session.flush()
    _measure(found, before, now)
    _note(found, now)


def _end(
    found: Verification, state: VerificationState, reason: str, by_user_id: int | None
) -> None:
    now = clock.now()
    before = _spans(found, now)
    if found.holds_at(now):
        found.ended_at = now
    found.state, found.reason = state, reason
    found.decided_at, found.decided_by_id = now, by_user_id
    _forget_documents_later(found, now)
    db.session.flush()
    _measure(found, before, now)
    _note(found, None)


def _note(found: Verification, since: datetime | None) -> None:
    organization = db.session.get_one(Organization, found.organization_id)
    note_verified(organization, since)
    accreditation_changed(found.organization_id, "verification")


def _spans(found: Verification, now: datetime) -> list[Span]:
    """What was measured of it and may still be taken back: a span that has not ended."""
    if found.verified_at is None or not found.holds_at(now):
        return []
    return [Span(found.verified_at, found.expires_at)]


def _measure(found: Verification, before: list[Span], now: datetime) -> None:
    after = _spans(found, now)
    if before and not after:
        after = [Span(before[0].start, now)]
    measure_level(
        found.organization_id,
        Measure.VERIFIED,
        before,
        after,
        key=f"verification:{found.id}:{now:%Y%m%d%H%M%S%f}",
        source=("verification", found.public_id),
    )


def _reverify_days(organization: Organization) -> int:
    days = entitlement(organization.id, REVERIFY_DAYS)
    if isinstance(days, int) and not isinstance(days, bool) and days > 0:
        return min(days, 3_650)
    return 365 if organization.partner_type in YEARLY_TYPES else 0


def _forget_documents_later(found: Verification, now: datetime) -> None:
    """It was decided: the files are kept for a while, should somebody ask why."""
    soon = now + KEEP_DOCUMENTS_FOR
    for document in queries.documents_of(found.organization_id):
        if document.storage_key and (document.delete_at is None or document.delete_at > soon):
            document.delete_at = soon


def _reason(text: str) -> str:
    words = text.replace("\x00", "").strip()
    if not words or len(words) > MOST_WORDS:
        raise InvalidError({"reason": f"Say why, in 1 to {MOST_WORDS:,} characters."})
    return words


def _fact(found: Verification, kind: str, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("verification", found.id),
        actor_user_id=by_user_id,
        organization_id=found.organization_id,
        data={"state": found.state.value},
    )
