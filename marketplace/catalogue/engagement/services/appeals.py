"""A publisher's appeal against a suspension, and its decision by somebody else."""

from sqlalchemy import select

from marketplace.catalogue.content import clean_text
from marketplace.catalogue.engagement.links import case_url
from marketplace.catalogue.engagement.queries.people import member_addresses
from marketplace.catalogue.engagement.services.cases import (
    checked_reason,
    lock_case,
    reinstate_case,
)
from marketplace.catalogue.engagement.services.suspension import PUBLISHER_ROLES
from marketplace.catalogue.models import AbuseCase, Appeal, AppealState, CaseState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor, authorize

MIN_BODY = 20
MAX_BODY = 4_000


def appeal(actor: Actor, case: AbuseCase, body: str) -> Appeal:
    """Appeal against the case's suspension, once.

    Raises InvalidError at the field, ConflictError when there is nothing to appeal against or an
    appeal was made already.
    """
    body = clean_text(body)
    if not MIN_BODY <= len(body) <= MAX_BODY:
        raise InvalidError({"body": f"Use {MIN_BODY} to {MAX_BODY:,} characters."})
    lock_case(case)
    if case.state is not CaseState.SUSPENDED:
        raise ConflictError("This suspension has ended. There is nothing to appeal against.")
    if db.session.scalar(select(Appeal.id).where(Appeal.case_id == case.id)) is not None:
        raise ConflictError("Your organization has appealed already.")
    made = Appeal(case_id=case.id, author_id=actor.user_id, body=body)
    db.session.add(made)
    db.session.flush()
    _fact("appeal.made", made, case, actor)
    return made


def grant_appeal(actor: Actor, made: Appeal, reason: str) -> None:
    """Agree with the publisher: the suspension ends. Raises as `_decide` does."""
    _decide(actor, made, AppealState.GRANTED, reason)
    reinstate_case(actor, made.case, reason)


def deny_appeal(actor: Actor, made: Appeal, reason: str) -> None:
    """Uphold the suspension, for a reason that the publisher reads. Raises as `_decide` does."""
    _decide(actor, made, AppealState.DENIED, reason)
    listing = made.case.listing
    for address in member_addresses(listing.publisher_id, PUBLISHER_ROLES):
        send_mail(
            address,
            f"Your appeal about {listing.name} was denied ({made.case.number})",
            f"{listing.name} stays suspended.\n\nReason: {made.decision_reason}\n\n"
            f"The case: {case_url(made.case.number)}\n",
        )


def _decide(actor: Actor, made: Appeal, state: AppealState, reason: str) -> None:
    """Raises InvalidError without a reason, ForbiddenError for the suspender, ConflictError when
    it is decided."""
    reason = checked_reason(reason)
    lock_case(made.case)
    authorize(actor, "appeal.decide", made)
    db.session.refresh(made, ["state"])
    if made.state is not AppealState.OPEN:
        raise ConflictError(f"Somebody was faster: the appeal is {made.state.value}.")
    made.state, made.decision_reason = state, reason
    made.decided_by_id, made.decided_at = actor.user_id, clock.now()
    db.session.flush()
    _fact(f"appeal.{state.value}", made, made.case, actor)


def _fact(kind: str, made: Appeal, case: AbuseCase, actor: Actor) -> None:
    record_fact(
        kind,
        subject=("appeal", made.id),
        actor_user_id=actor.user_id,
        organization_id=case.listing.publisher_id,
        data={"listing_id": case.listing_id, "number": case.number},
    )
