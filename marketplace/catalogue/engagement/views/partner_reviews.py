"""The reviews that a publisher received, in one place."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.catalogue.engagement.queries.reviews import (
    page_of_received_reviews,
    received_reviews,
)
from marketplace.catalogue.engagement.views.blueprints import engagement
from marketplace.core.database import db
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs


@engagement.get("/partner/reviews")
@needs("reviews.received")
def partner_reviews() -> ResponseReturnValue:
    """Reviews of the active organization's listings, to read and answer."""
    actor = current_actor()
    unanswered = request.args.get("show") == "unanswered"
    page = page_of_received_reviews(
        actor.organization_id or 0,
        unanswered=unanswered,
        page=page_number(request.args.get("page")),
    )
    return render_template(
        "engagement/partner_reviews.html",
        page=page,
        unanswered=unanswered,
        may_answer=actor.organization is not None
        and actor.organization.role in {"owner", "admin", "editor"},
    )


@engagement.get("/partner/reviews.csv")
@needs("reviews.received")
def partner_reviews_csv() -> ResponseReturnValue:
    """All of them as a file."""
    query = received_reviews(current_actor().organization_id or 0, unanswered=False)
    return csv_response(
        "reviews.csv",
        (
            "listing",
            "rating",
            "title",
            "review",
            "organization",
            "author",
            "posted",
            "edited",
            "answer",
            "answered",
        ),
        (
            (
                review.listing.name,
                review.rating,
                review.title,
                review.body,
                review.organization.name,
                review.author_name,
                review.created_at,
                review.edited_at,
                review.answer,
                review.answered_at if review.answer else None,
            )
            for review in db.session.scalars(query)
        ),
    )
