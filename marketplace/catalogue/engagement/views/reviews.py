"""Reading, writing and answering reviews on a listing."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.forms import AnswerForm, FlagForm, ReviewForm
from marketplace.catalogue.engagement.links import listing_path
from marketplace.catalogue.engagement.queries.listings import find_public_listing
from marketplace.catalogue.engagement.queries.panel import listing_panel
from marketplace.catalogue.engagement.queries.reviews import find_review, own_review
from marketplace.catalogue.engagement.queries.uses import find_use
from marketplace.catalogue.engagement.services import flags, reviews
from marketplace.catalogue.engagement.views.blueprints import engagement
from marketplace.catalogue.engagement.views.returning import back_to, show_errors
from marketplace.catalogue.models import Listing, ListingReview, ReviewState
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import authorize, current_actor, needs, public


@engagement.get("/listings/<slug>/reviews")
@public("reviews of public listings are public")
def listing_reviews(slug: str) -> ResponseReturnValue:
    """All reviews of a listing, a page at a time."""
    listing = find_public_listing(slug)
    if listing is None:
        raise NotFoundError
    panel = listing_panel(
        listing,
        current_actor(),
        page=page_number(request.args.get("page")),
        sort=request.args.get("sort", "newest"),
    )
    return render_template("engagement/reviews.html", listing=listing, engagement=panel)


@engagement.get("/listings/<slug>/review")
@needs("review.write", load=find_public_listing, name="listing", hidden=False)
def review_form(listing: Listing) -> ResponseReturnValue:
    """The form for the active organization's review, with what it says now."""
    mine = _mine(listing)
    form = ReviewForm(obj=mine) if mine else ReviewForm()
    if mine:
        form.rating.data = str(mine.rating)
    return _review_page(listing, mine, form)


@engagement.post("/listings/<slug>/review")
@needs("review.write", load=find_public_listing, name="listing", hidden=False)
@limiter.limit("30 per hour")
def save_review(listing: Listing) -> ResponseReturnValue:
    """Write or edit the active organization's review."""
    form = ReviewForm()
    mine = _mine(listing)
    if not form.validate():
        return _review_page(listing, mine, form), 422
    rating = str(form.rating.data)
    given = reviews.ReviewText(
        int(rating) if rating in {"1", "2", "3", "4", "5"} else 0,
        form.title.data or "",
        form.body.data or "",
    )
    try:
        reviews.write_review(current_actor(), listing, given)
    except InvalidError as error:
        show_errors(form, error)
        return _review_page(listing, mine, form), 422
    flash("Your review was changed." if mine else "Your review is published. Thank you.", "success")
    return redirect(listing_path(listing.slug, "reviews"), code=303)


@engagement.get("/listings/<slug>/review/deletion")
@needs("review.write", load=find_public_listing, name="listing", hidden=False)
def review_deletion(listing: Listing) -> ResponseReturnValue:
    """Ask before the active organization's review is deleted."""
    mine = _mine(listing)
    if mine is None:
        raise NotFoundError
    authorize(current_actor(), "review.edit", mine)
    return render_template("engagement/review_deletion.html", listing=listing, review=mine)


@engagement.post("/listings/<slug>/review/deletion")
@needs("review.write", load=find_public_listing, name="listing", hidden=False)
def delete_review(listing: Listing) -> ResponseReturnValue:
    """Delete the active organization's review. Repeating it is harmless."""
    mine = _mine(listing)
    if mine is not None:
        authorize(current_actor(), "review.edit", mine)
        reviews.delete_review(current_actor(), mine)
        flash("Your review is deleted.", "success")
    return redirect(listing_path(listing.slug, "reviews"), code=303)


@engagement.get("/listings/<slug>/reviews/<int:review_id>/answer")
@needs("review.answer", load=find_review, name="review")
def answer_form(review: ListingReview) -> ResponseReturnValue:
    """The form for the publisher's answer."""
    return _answer_page(review, AnswerForm(obj=review))


@engagement.post("/listings/<slug>/reviews/<int:review_id>/answer")
@needs("review.answer", load=find_review, name="review")
def answer_review(review: ListingReview) -> ResponseReturnValue:
    """Answer a review, change the answer, or take it back with an empty one."""
    form = AnswerForm()
    try:
        reviews.answer_review(current_actor(), review, form.answer.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _answer_page(review, form), 422
    flash("Your answer is published." if review.answer else "Your answer is gone.", "success")
    return back_to(listing_path(review.listing.slug, "reviews"))


@engagement.get("/listings/<slug>/reviews/<int:review_id>/flag")
@needs("review.flag", load=find_review, name="review", hidden=False)
def flag_form(review: ListingReview) -> ResponseReturnValue:
    """The form for a complaint about a review."""
    return _flag_page(review, FlagForm())


@engagement.post("/listings/<slug>/reviews/<int:review_id>/flag")
@needs("review.flag", load=find_review, name="review", hidden=False)
@limiter.limit("30 per hour")
def flag_review(review: ListingReview) -> ResponseReturnValue:
    """Flag a review, once a person."""
    form = FlagForm()
    try:
        new = flags.flag_review(
            current_actor(), review, form.reason.data or "", form.details.data or ""
        )
    except InvalidError as error:
        show_errors(form, error)
        return _flag_page(review, form), 422
    flash(
        "Thank you. Our team will look at the review."
        if new
        else "You have flagged this review already. Our team will look at it.",
        "success" if new else "info",
    )
    return redirect(listing_path(review.listing.slug, "reviews"), code=303)


def _mine(listing: Listing) -> ListingReview | None:
    organization_id = current_actor().organization_id
    return own_review(listing.id, organization_id) if organization_id is not None else None


def _review_page(listing: Listing, mine: ListingReview | None, form: ReviewForm) -> str:
    actor = current_actor()
    organization_id = actor.organization_id
    if mine is not None:
        authorize(actor, "review.edit", mine)
    return render_template(
        "engagement/review_form.html",
        listing=listing,
        review=mine,
        removed=mine is not None and mine.state is ReviewState.REMOVED,
        uses=organization_id is not None and find_use(listing.id, organization_id) is not None,
        form=form,
        limits=reviews,
        may_declare=actor.can("listing.declare_use", listing),
        declare_url=url_for("engagement.declare_use", slug=listing.slug),
    )


def _answer_page(review: ListingReview, form: AnswerForm) -> str:
    return render_template(
        "engagement/answer_form.html", review=review, form=form, most=reviews.MAX_ANSWER
    )


def _flag_page(review: ListingReview, form: FlagForm) -> str:
    return render_template(
        "engagement/flag_form.html", review=review, form=form, most=flags.MAX_DETAILS
    )
