"""The staff queue of flagged reviews."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.forms import RemovalForm
from marketplace.catalogue.engagement.queries.reviews import (
    find_any_review,
    flagged_reviews,
    flags_of,
)
from marketplace.catalogue.engagement.services import flags
from marketplace.catalogue.engagement.views.blueprints import engagement
from marketplace.catalogue.engagement.views.returning import show_errors
from marketplace.catalogue.models import FlagState, ListingReview
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs


def _state() -> FlagState:
    value = request.args.get("state", FlagState.OPEN.value)
    return FlagState(value) if value in {state.value for state in FlagState} else FlagState.OPEN


@engagement.get("/staff/flags")
@needs("flags.handle")
def staff_flags() -> ResponseReturnValue:
    """Flagged reviews, the longest waiting first."""
    state = _state()
    page = flagged_reviews(state, page_number(request.args.get("page")))
    return render_template(
        "engagement/staff_flags.html",
        page=page,
        state=state,
        states=list(FlagState),
        flags=flags_of([review.id for review in page.items], state),
        reasons=flags.REASONS,
    )


@engagement.get("/staff/flags/<int:review_id>/removal")
@needs("flag.decide", load=find_any_review, name="review")
def removal_form(review: ListingReview) -> ResponseReturnValue:
    """Ask for the reason before a review is removed."""
    return _removal_page(review, RemovalForm())


@engagement.post("/staff/flags/<int:review_id>/removal")
@needs("flag.decide", load=find_any_review, name="review")
def remove_review(review: ListingReview) -> ResponseReturnValue:
    """Remove a review: its flags are upheld."""
    form = RemovalForm()
    try:
        flags.uphold_flags(current_actor(), review, form.reason.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _removal_page(review, form), 422
    flash("The review is removed and its author is told.", "success")
    return redirect(url_for("engagement.staff_flags"), code=303)


@engagement.post("/staff/flags/<int:review_id>/dismissal")
@needs("flag.decide", load=find_any_review, name="review")
def dismiss_flags(review: ListingReview) -> ResponseReturnValue:
    """Let the review stand."""
    flags.dismiss_flags(current_actor(), review)
    flash("The review stands; its flags are dismissed.", "success")
    return redirect(url_for("engagement.staff_flags"), code=303)


def _removal_page(review: ListingReview, form: RemovalForm) -> str:
    return render_template(
        "engagement/removal_form.html",
        review=review,
        form=form,
        flags=flags_of([review.id], FlagState.OPEN)[review.id],
        reasons=flags.REASONS,
    )
