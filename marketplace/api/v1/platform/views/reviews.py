"""Reviews of a partner's listings, and its answers."""

import re

from flask import request
from flask.typing import ResponseReturnValue
from pydantic import Field

from marketplace.api.v1.parameters import Parameter, choice
from marketplace.api.v1.platform import rendering
from marketplace.api.v1.platform.answers import (
    PAGING,
    answer,
    answer_page,
    no_content,
    read_place,
)
from marketplace.api.v1.platform.authentication import Credential
from marketplace.api.v1.platform.bodies import Body, read_body
from marketplace.api.v1.platform.guard import token_needs
from marketplace.api.v1.platform.operations import Group, Reply
from marketplace.api.v1.platform.queries import reviews as queries
from marketplace.api.v1.platform.schemas.reviews import REVIEW, REVIEW_PAGE
from marketplace.catalogue.engagement.services.reviews import MAX_ANSWER, answer_review
from marketplace.catalogue.models import ListingReview
from marketplace.core.errors import InvalidError

group = Group("Reviews")
_SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
LISTING = Parameter(
    "listing",
    "Only of this listing, by its slug.",
    {"type": "string", "pattern": f"^({_SLUG})?$", "maxLength": 80},
    re.compile(f"(?=.{{1,80}}$){_SLUG}"),
    "Use the slug of a listing.",
    example="tide-tables",
)
ANSWERED = choice("answered", ("true", "false"), "Only with an answer, or only without.")


def own_review(credential: Credential, review_id: int) -> ListingReview | None:
    """The published review of one of the partner's listings."""
    return queries.review(credential.partner_id, review_id)


@group.operation(
    "GET",
    "/partner/reviews",
    id="listReviews",
    summary="List reviews",
    description="What customers wrote about your listings, the newest first.",
    replies={200: Reply("A page of reviews.", REVIEW_PAGE, ("Link",))},
    parameters=(*PAGING, LISTING, ANSWERED),
)
@token_needs("partner.reviews.read", action="reviews.received")
def partner_reviews(credential: Credential) -> ResponseReturnValue:
    """Reviews of the partner's listings."""
    place = read_place(credential, "reviews", LISTING, ANSWERED)
    answered = request.args.get("answered")
    rows = queries.reviews(
        credential.partner_id,
        listing=request.args.get("listing") or None,
        answered=answered == "true" if answered else None,
        after=place.after,
        limit=place.limit,
    )
    return answer_page(
        credential,
        "reviews",
        place,
        rows,
        number=lambda row: row.id,
        render=rendering.review,
    )


class AnswerText(Body):
    """Your answer to a review."""

    text: str = Field(
        min_length=1,
        max_length=MAX_ANSWER,
        description="The words, in public.",
        examples=["Thank you. Version 1.3 is faster."],
    )


@group.operation(
    "PUT",
    "/partner/reviews/<int:review_id>/answer",
    id="answerReview",
    summary="Answer a review",
    description="Sets your answer, or replaces it. The reviewer is told of the first one.",
    replies={200: Reply("The review with the answer.", REVIEW)},
    body=AnswerText,
    problems=(404,),
)
@token_needs("partner.reviews.write", live_only=True, action="review.answer", load=own_review)
def put_answer(credential: Credential, review: ListingReview) -> ResponseReturnValue:
    """The publisher's answer."""
    text = read_body(AnswerText).text
    if not text.strip():
        raise InvalidError({"text": "Say something, or take the answer back by DELETE."})
    answer_review(credential.actor, review, text)
    return answer(rendering.review(review))


@group.operation(
    "DELETE",
    "/partner/reviews/<int:review_id>/answer",
    id="deleteAnswer",
    summary="Take an answer back",
    description="Removes your answer. Doing it twice is harmless.",
    replies={204: Reply("There is no answer any more.")},
    problems=(404,),
)
@token_needs("partner.reviews.write", live_only=True, action="review.answer", load=own_review)
def delete_answer(credential: Credential, review: ListingReview) -> ResponseReturnValue:
    """No answer."""
    answer_review(credential.actor, review, "")
    return no_content()
