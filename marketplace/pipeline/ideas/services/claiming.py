"""Claiming ideas: one partner at a time, protected while it reports progress."""

from datetime import timedelta

from sqlalchemy import delete, func, select

from billing.public_ids import new_public_id
from marketplace.catalogue.models import IntegrationRequest, RequestState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.pipeline.ideas import mails
from marketplace.pipeline.ideas.models import (
    ClaimState,
    Idea,
    IdeaClaim,
    IdeaReport,
    IdeaRequest,
    IdeaState,
    IdeaWatch,
)
from marketplace.pipeline.ideas.queries import people_behind
from marketplace.pipeline.ideas.services.writing import locked
from marketplace.program.applications.words import paragraphs
from marketplace.program.standing.taking_part import refuse_outsiders

# So long a claim is protected, from the beginning and from each report on.
PROTECTED_FOR = timedelta(days=60)
REMIND_BEFORE = timedelta(days=7)
MOST_CLAIMS = 5
MOST_OF_A_REPORT = 4_000


def claim(idea: Idea, *, actor: Actor) -> IdeaClaim:
    """Build an idea. Flushes.

    Raises ConflictError when somebody builds it already, it is not open, or the partner builds
    MOST_CLAIMS others; NotTakingPartError for who is not in the program or suspended.
    """
    refuse_outsiders(actor.organization_id or 0)
    row = locked(idea)
    if row.state is IdeaState.CLAIMED:
        raise ConflictError("Another partner has claimed it. Ask to be told when it is free again.")
    if row.state is not IdeaState.OPEN or actor.organization_id is None:
        raise ConflictError("This idea cannot be claimed.")
    active = db.session.scalar(
        select(func.count()).where(
            IdeaClaim.organization_id == actor.organization_id,
            IdeaClaim.state == ClaimState.ACTIVE,
        )
    )
    if (active or 0) >= MOST_CLAIMS:
        raise ConflictError(f"You build {MOST_CLAIMS} ideas already. Finish or release one first.")
    now = clock.now()
    made = insert_if_new(
        IdeaClaim,
        public_id=new_public_id("clm"),
        idea_id=row.id,
        active_idea_id=row.id,
        organization_id=actor.organization_id,
        by_user_id=actor.user_id,
        state=ClaimState.ACTIVE,
        claimed_at=now,
        protected_until=now + PROTECTED_FOR,
    )
    if made is None:  # pragma: no cover - the idea's lock comes first
        raise ConflictError("Another partner has claimed it.")
    row.state = IdeaState.CLAIMED
    _requests_become(row, RequestState.PLANNED, RequestState.BUILDING, "A partner builds it.")
    db.session.execute(
        delete(IdeaWatch).where(IdeaWatch.idea_id == row.id, IdeaWatch.user_id == actor.user_id)
    )
    found = db.session.get_one(IdeaClaim, made)
    _fact("idea.claimed", found, actor.user_id)
    db.session.flush()
    return found


def report(claim: IdeaClaim, text: str, *, actor: Actor) -> None:
    """Tell of progress, which protects the claim for as long again. Flushes.

    Raises InvalidError at `text`, ConflictError when the claim has ended.
    """
    row = _active(claim)
    tidy = paragraphs(text)
    if not 20 <= len(tidy) <= MOST_OF_A_REPORT:
        raise InvalidError(
            {"text": f"Say in 20 to {MOST_OF_A_REPORT:,} characters what you have done."}
        )
    now = clock.now()
    db.session.add(IdeaReport(claim_id=row.id, text=tidy, by_user_id=actor.user_id, at=now))
    row.protected_until = max(row.protected_until, now + PROTECTED_FOR)
    row.reminded_at = None
    _fact("idea.progress_reported", row, actor.user_id)
    db.session.flush()


def release(claim: IdeaClaim, *, actor: Actor) -> None:
    """Give an idea back. Flushes. Raises ConflictError when the claim has ended."""
    _end(_active(claim), ClaimState.RELEASED, actor.user_id)


def lapse(claim_id: int) -> bool:
    """End a claim whose day has passed, and tell everybody concerned; whether it was due."""
    found = db.session.get(IdeaClaim, claim_id)
    idea = lock_row(Idea, Idea.id == found.idea_id) if found is not None else None
    row = lock_row(IdeaClaim, IdeaClaim.id == claim_id)
    if idea is None or row is None or row.state is not ClaimState.ACTIVE:
        return False
    if row.protected_until > clock.now():
        return False
    _end(row, ClaimState.LAPSED, None)
    mails.tell_lapsed(idea, row)
    return True


def remind(claim_id: int) -> bool:
    """Remind a partner once that its claim ends soon; whether it was due."""
    row = lock_row(IdeaClaim, IdeaClaim.id == claim_id)
    now = clock.now()
    if row is None or row.state is not ClaimState.ACTIVE or row.reminded_at is not None:
        return False
    if not now < row.protected_until <= now + REMIND_BEFORE:
        return False
    row.reminded_at = now
    mails.tell_lapsing(db.session.get_one(Idea, row.idea_id), row)
    db.session.flush()
    return True


def watch(idea: Idea, *, actor: Actor) -> bool:
    """Ask to be told when an idea is free again; whether that is new."""
    made = insert_if_new(IdeaWatch, idea_id=idea.id, user_id=actor.user_id, created_at=clock.now())
    return made is not None


def active_claim(idea_id: int) -> IdeaClaim | None:
    """Who builds an idea now."""
    return db.session.scalar(select(IdeaClaim).where(IdeaClaim.active_idea_id == idea_id))


def _active(claim: IdeaClaim) -> IdeaClaim:
    # The idea first: whoever claims holds it too.
    lock_row(Idea, Idea.id == claim.idea_id)
    row = lock_row(IdeaClaim, IdeaClaim.id == claim.id)
    if row is None or row.state is not ClaimState.ACTIVE:
        raise ConflictError("This claim has ended.")
    return row


def _end(row: IdeaClaim, state: ClaimState, by_user_id: int | None) -> None:
    idea = lock_row(Idea, Idea.id == row.idea_id)
    if idea is None:  # pragma: no cover - a claim's idea is kept
        raise ConflictError("This idea is not there any more.")
    row.state, row.active_idea_id, row.ended_at = state, None, clock.now()
    idea.state = IdeaState.OPEN
    _requests_become(
        idea, RequestState.BUILDING, RequestState.PLANNED, "Partners can build this now."
    )
    _fact(f"idea.claim_{state.value}", row, by_user_id)
    watchers = set(
        db.session.scalars(select(IdeaWatch.user_id).where(IdeaWatch.idea_id == idea.id))
    )
    db.session.execute(delete(IdeaWatch).where(IdeaWatch.idea_id == idea.id))
    db.session.flush()
    mails.tell_free(idea, watchers)
    mails.tell_reopened(
        idea, people_behind(idea.id) - watchers - set(mails.people_of(row.organization_id))
    )


def _requests_become(idea: Idea, before: RequestState, after: RequestState, note: str) -> None:
    for request in db.session.scalars(
        select(IntegrationRequest)
        .join(IdeaRequest, IdeaRequest.request_id == IntegrationRequest.id)
        .where(IdeaRequest.idea_id == idea.id, IntegrationRequest.state == before)
    ):
        request.state, request.state_note = after, note


def _fact(kind: str, row: IdeaClaim, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("idea_claim", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
        data={"idea": row.idea_id},
    )
