"""The reviews that the active organization wrote."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.queries.reviews import page_of_written_reviews
from marketplace.catalogue.engagement.views.blueprints import engagement
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs


@engagement.get("/account/reviews")
@needs("uses.read")
def my_reviews() -> ResponseReturnValue:
    """All of them, removed ones with the reason."""
    page = page_of_written_reviews(
        current_actor().organization_id or 0, page_number(request.args.get("page"))
    )
    return render_template("engagement/my_reviews.html", page=page)
