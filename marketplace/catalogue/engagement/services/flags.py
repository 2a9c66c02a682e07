"""Flagging a review, and what staff decide about it."""

from sqlalchemy import update

from marketplace.catalogue.content import clean_text
from marketplace.catalogue.engagement.links import listing_url
from marketplace.catalogue.engagement.services.counters import lock_listing, recount_rating
from marketplace.catalogue.measures import measure_review
from marketplace.catalogue.models import FlagState, ListingReview, ReviewFlag, ReviewState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor

REASONS = {
    "spam": "It is advertising or has nothing to do with the listing",
    "fake": "It is not by a real user of the listing",
    "offensive": "It is abusive or discriminating",
    "private": "It reveals personal or confidential data",
    "other": "Something else",
}
MAX_DETAILS = 1_000
MAX_REASON = 1_000


def flag_review(actor: Actor, review: ListingReview, reason: str, details: str) -> bool:
    """Flag the review; whether this person had not flagged it before.

    Raises InvalidError at a field.
    """
    details = clean_text(details)
    wrong: dict[str, str] = {}
    if reason not in REASONS:
        wrong["reason"] = "Choose a reason."
    elif reason == "other" and not details:
        wrong["details"] = "Say what is wrong with it."
    if len(details) > MAX_DETAILS:
        wrong["details"] = f"Use at most {MAX_DETAILS:,} characters; this has {len(details):,}."
    if wrong:
        raise InvalidError(wrong)
    new = insert_if_new(
        ReviewFlag,
        review_id=review.id,
        user_id=actor.user_id,
        reason=reason,
        details=details,
        state=FlagState.OPEN,
        created_at=clock.now(),
    )
    if new:
        _fact("review.flagged", review, actor, reason=reason)
    return new is not None


def uphold_flags(actor: Actor, review: ListingReview, reason: str) -> None:
    """Remove the review for `reason`, close its open flags and tell its author.

    Raises InvalidError without a reason, ConflictError when it is removed already.
    """
    reason = clean_text(reason)
    if len(reason) < 5 or len(reason) > MAX_REASON:
        raise InvalidError(
            {"reason": "Give the reason in 5 to 1,000 characters; the author reads it."}
        )
    lock_listing(review.listing_id)
    db.session.refresh(review, ["state"])
    if review.state is ReviewState.REMOVED:
        raise ConflictError("Somebody removed this review already.")
    review.state, review.removed_reason = ReviewState.REMOVED, reason
    _close(actor, review, FlagState.UPHELD)
    _fact("review.removed", review, actor, reason=reason)
    measure_review(review)
    recount_rating(review.listing_id)
    author = review.author
    if author is not None and author.email and author.email_verified:
        send_mail(
            author.email,
            f"Your review of {review.listing.name} was removed",
            f"Our team removed your review of {review.listing.name}.\n\nReason: {reason}\n\n"
            "If you think that this is a mistake, reply to this message.\n\n"
            f"The listing: {listing_url(review.listing.slug)}\n",
        )


def dismiss_flags(actor: Actor, review: ListingReview) -> None:
    """Let the review stand and close its open flags. Repeating it is harmless."""
    if _close(actor, review, FlagState.DISMISSED):
        _fact("review.flags_dismissed", review, actor)


def _close(actor: Actor, review: ListingReview, state: FlagState) -> int:
    db.session.flush()
    closed = db.session.execute(
        update(ReviewFlag)
        .where(ReviewFlag.review_id == review.id, ReviewFlag.state == FlagState.OPEN)
        .values(state=state, decided_by_id=actor.user_id, decided_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return int(getattr(closed, "rowcount", 0))


def _fact(kind: str, review: ListingReview, actor: Actor, **data: object) -> None:
    record_fact(
        kind,
        subject=("review", review.id),
        actor_user_id=actor.user_id,
        data={"listing_id": review.listing_id, **data},
    )
