"""Writing, editing, deleting and answering reviews."""

from dataclasses import dataclass

from sqlalchemy import delete

from marketplace.catalogue.content import clean_text
from marketplace.catalogue.engagement.links import listing_url
from marketplace.catalogue.engagement.queries.people import member_addresses
from marketplace.catalogue.engagement.queries.reviews import own_review
from marketplace.catalogue.engagement.queries.uses import find_use
from marketplace.catalogue.engagement.services.counters import lock_listing, recount_rating
from marketplace.catalogue.events import review_posted
from marketplace.catalogue.measures import forget_review, measure_answer, measure_review
from marketplace.catalogue.models import Listing, ListingReview, ReviewFlag, ReviewState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor, authorize

MAX_TITLE = 100
MAX_BODY = 4_000
MAX_ANSWER = 2_000


@dataclass(frozen=True)
class ReviewText:
    """What a reviewer says: 1 to 5 stars, and words that may be empty."""

    rating: int
    title: str = ""
    body: str = ""


def write_review(actor: Actor, listing: Listing, given: ReviewText) -> ListingReview:
    """Write the active organization's review of `listing`, or edit the one it has.

    Raises ForbiddenError when the organization does not use the listing or may not edit the
    review, ConflictError when staff removed it, InvalidError at a field.
    """
    organization = actor.organization
    if organization is None:
        raise ForbiddenError("Reviews are written for an organization. Choose or create one first.")
    given = _checked(given)
    # The lock makes "one review an organization" hold when two members write at once.
    lock_listing(listing.id)
    if find_use(listing.id, organization.organization_id) is None:
        raise ForbiddenError(
            f"Only organizations that use {listing.name} can review it. If yours does, let an "
            "owner or admin say so first."
        )
    review = own_review(listing.id, organization.organization_id)
    if review is None:
        review = _new_review(actor, listing, organization.organization_id, given)
    else:
        _edit_review(actor, review, given)
    db.session.flush()
    measure_review(review)
    recount_rating(listing.id)
    return review


def _new_review(
    actor: Actor, listing: Listing, organization_id: int, given: ReviewText
) -> ListingReview:
    review = ListingReview(
        listing_id=listing.id,
        organization_id=organization_id,
        author_id=actor.user_id,
        author_name=actor.name,
        rating=given.rating,
        title=given.title,
        body=given.body,
    )
    db.session.add(review)
    db.session.flush()
    _fact("review.written", review, actor, rating=given.rating)
    review_posted(review)
    name = actor.organization.organization_name if actor.organization else "An organization"
    for address in member_addresses(listing.publisher_id, ("owner", "admin", "editor")):
        send_mail(
            address,
            f"{given.rating} of 5: a new review of {listing.name}",
            f"{name} reviewed {listing.name}.\n\n"
            f"Rating: {given.rating} of 5\n"
            + (f"{given.title}\n" if given.title else "")
            + (f"\n{given.body}\n" if given.body else "")
            + f"\nRead it and answer: {listing_url(listing.slug, 'reviews')}\n",
        )
    return review


def _edit_review(actor: Actor, review: ListingReview, given: ReviewText) -> None:
    authorize(actor, "review.edit", review)
    if review.state is ReviewState.REMOVED:
        raise ConflictError(f"Our team removed this review: {review.removed_reason}")
    if (review.rating, review.title, review.body) == (given.rating, given.title, given.body):
        return
    review.rating, review.title, review.body = given.rating, given.title, given.body
    review.edited_at = clock.now()
    _fact("review.edited", review, actor, rating=given.rating)


def delete_review(actor: Actor, review: ListingReview) -> None:
    """Delete the review with its answer and flags.

    Raises ConflictError when staff removed it: its place stays taken.
    """
    if review.state is ReviewState.REMOVED:
        raise ConflictError("Our team removed this review. It cannot be replaced.")
    listing_id = review.listing_id
    lock_listing(listing_id)
    db.session.execute(delete(ReviewFlag).where(ReviewFlag.review_id == review.id))
    _fact("review.deleted", review, actor)
    forget_review(review)
    db.session.delete(review)
    db.session.flush()
    recount_rating(listing_id)


def answer_review(actor: Actor, review: ListingReview, text: str) -> None:
    """Set the publisher's answer; an empty text takes it back. The author is mailed the first one.

    Raises InvalidError when it is too long.
    """
    text = clean_text(text)
    if len(text) > MAX_ANSWER:
        raise InvalidError({"answer": _too_long(MAX_ANSWER, text)})
    if text == review.answer:
        return
    first = review.answer == "" and review.answered_at is None
    review.answer = text
    review.answered_by_id = actor.user_id if text else None
    # The moment of a withdrawn answer stays, so that answering again does not mail again.
    review.answered_at = clock.now() if text else review.answered_at
    _fact("review.answered" if text else "review.answer_withdrawn", review, actor)
    measure_answer(review)
    author = review.author
    if first and text and author is not None and author.email and author.email_verified:
        send_mail(
            author.email,
            f"{review.listing.publisher.name} answered your review of {review.listing.name}",
            f"{review.listing.publisher.name} wrote:\n\n{text}\n\n"
            f"Your review: {listing_url(review.listing.slug, 'reviews')}\n",
        )
    db.session.flush()


def _checked(given: ReviewText) -> ReviewText:
    title, body = " ".join(clean_text(given.title).split()), clean_text(given.body)
    wrong: dict[str, str] = {}
    if given.rating not in range(1, 6):
        wrong["rating"] = "Choose one to five stars."
    if len(title) > MAX_TITLE:
        wrong["title"] = _too_long(MAX_TITLE, title)
    if len(body) > MAX_BODY:
        wrong["body"] = _too_long(MAX_BODY, body)
    if wrong:
        raise InvalidError(wrong)
    return ReviewText(given.rating, title, body)


def _too_long(most: int, text: str) -> str:
    return f"Use at most {most:,} characters; this has {len(text):,}."


def _fact(kind: str, review: ListingReview, actor: Actor, **data: object) -> None:
    record_fact(
        kind,
        subject=("review", review.id),
        actor_user_id=actor.user_id,
        organization_id=actor.organization_id,
        data={"listing_id": review.listing_id, **data},
    )
