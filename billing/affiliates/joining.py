"""Joining a program, leaving it, and what its owner decides about its affiliates."""

from sqlalchemy import update

from billing.models.affiliate import (
    Affiliate,
    AffiliateProgram,
    AffiliateState,
    Attribution,
)
from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new

MAX_PITCH = 1_000
MAX_NOTE = 500


def join(
    program: AffiliateProgram, organization_id: int, pitch: str = "", *, by_user_id: int | None
) -> Affiliate:
    """Join a program: at once when it is open, otherwise as a request to its owner.

    Who left may come back; who asked before is what it was. Raises ConflictError for a program
    that is paused or closed, one's own program, or after a rejection or suspension; InvalidError.
    """
    if program.closed_at is not None or program.paused_at is not None:
        raise ConflictError("This program takes nobody at the moment.")
    if program.publisher_id == organization_id:
        raise ConflictError("This is your own program.")
    if len(pitch) > MAX_PITCH:
        raise InvalidError({"pitch": f"At most {MAX_PITCH:,} characters."})
    if not program.is_open and not pitch.strip():
        raise InvalidError({"pitch": "Say how you would present it; the publisher decides by it."})
    state = AffiliateState.ACTIVE if program.is_open else AffiliateState.PENDING
    insert_if_new(
        Affiliate,
        public_id=new_public_id("aff"),
        program_id=program.id,
        organization_id=organization_id,
        state=AffiliateState.LEFT,
        created_at=clock.now(),
    )
    affiliate = lock_row(
        Affiliate,
        Affiliate.program_id == program.id,
        Affiliate.organization_id == organization_id,
    )
    if affiliate is None:  # pragma: no cover - it was made a moment ago
        raise ConflictError("Try again.")
    if affiliate.state in (AffiliateState.ACTIVE, AffiliateState.PENDING):
        return affiliate
    if affiliate.state is not AffiliateState.LEFT:
        raise ConflictError("The owner of this program has decided against it.")
    affiliate.state = state
    affiliate.pitch = pitch.strip()
    affiliate.joined_by_id = by_user_id
    affiliate.decided_at = clock.now() if program.is_open else None
    db.session.flush()
    _fact("affiliate.joined" if program.is_open else "affiliate.asked", affiliate, by_user_id)
    return affiliate


def decide(affiliate: Affiliate, *, accept: bool, note: str, by_user_id: int | None) -> bool:
    """Accept or reject who asked. False when it was decided before. Raises InvalidError."""
    _lock(affiliate)
    if affiliate.state is not AffiliateState.PENDING:
        return False
    if len(note) > MAX_NOTE:
        raise InvalidError({"note": f"At most {MAX_NOTE} characters."})
    if not accept and not note.strip():
        raise InvalidError({"note": "Say why; the affiliate reads it."})
    affiliate.state = AffiliateState.ACTIVE if accept else AffiliateState.REJECTED
    _decided(affiliate, note, by_user_id)
    _fact("affiliate.accepted" if accept else "affiliate.rejected", affiliate, by_user_id)
    return True


def suspend(affiliate: Affiliate, *, note: str, by_user_id: int | None) -> bool:
    """Let its links bring nothing from now on; what it earned stays. False when it is not active.

    Raises InvalidError without a reason.
    """
    _lock(affiliate)
    if affiliate.state is not AffiliateState.ACTIVE:
        return False
    if not note.strip() or len(note) > MAX_NOTE:
        raise InvalidError({"note": f"Say why, in at most {MAX_NOTE} characters."})
    affiliate.state = AffiliateState.SUSPENDED
    _decided(affiliate, note, by_user_id)
    _fact("affiliate.suspended", affiliate, by_user_id)
    return True


def reinstate(affiliate: Affiliate, *, by_user_id: int | None) -> bool:
    """Let it go on after a suspension or a rejection. False when there is nothing to undo."""
    _lock(affiliate)
    if affiliate.state not in (AffiliateState.SUSPENDED, AffiliateState.REJECTED):
        return False
    affiliate.state = AffiliateState.ACTIVE
    _decided(affiliate, "", by_user_id)
    _fact("affiliate.reinstated", affiliate, by_user_id)
    return True


def leave(affiliate: Affiliate, *, by_user_id: int | None) -> bool:
    """Leave a program: who it brought earns it nothing any more. False when it is gone already."""
    _lock(affiliate)
    if affiliate.state not in (AffiliateState.ACTIVE, AffiliateState.PENDING):
        return False
    affiliate.state = AffiliateState.LEFT
    affiliate.key_hash = None
    affiliate.key_hint = ""
    db.session.execute(
        update(Attribution)
        .where(Attribution.affiliate_id == affiliate.id, Attribution.ended_at.is_(None))
        .values(ended_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    db.session.flush()
    _fact("affiliate.left", affiliate, by_user_id)
    return True


def _lock(affiliate: Affiliate) -> None:
    lock_row(Affiliate, Affiliate.id == affiliate.id)


def _decided(affiliate: Affiliate, note: str, by_user_id: int | None) -> None:
    affiliate.decision_note = note.strip()
    affiliate.decided_at = clock.now()
    affiliate.decided_by_id = by_user_id
    db.session.flush()


def _fact(kind: str, affiliate: Affiliate, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("affiliate", affiliate.id),
        organization_id=affiliate.organization_id,
        actor_user_id=by_user_id,
        data={"program_id": affiliate.program_id},
    )
