"""Submitting a draft, taking the submission back, discarding, and settling drift."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.models import Listing, Revision
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.forms.acts import SubmissionForm
from marketplace.catalogue.publishing.services import drafts, submission
from marketplace.catalogue.publishing.states import WAITING
from marketplace.catalogue.publishing.views.listing import listing_page
from marketplace.catalogue.publishing.views.portal import blueprint, own_listing
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.permissions import current_actor, needs


@blueprint.post("/listings/<slug>/submission")
@needs("listing.submit", load=own_listing, name="listing", hidden=False)
def submit(listing: Listing) -> ResponseReturnValue:
    """Hand the draft in; harmless changes are public at once."""
    revision = queries.open_revision(listing.id)
    if revision is None:
        # The second click of two, after the first one published the draft.
        flash("There is no draft to submit.", "info")
        return _to_listing(listing)
    slug = listing.slug
    form = SubmissionForm()
    seen = form.version.data or ""
    try:
        result = submission.submit(
            listing,
            revision,
            current_actor(),
            note=form.note.data or "",
            expected=int(seen) if seen.isascii() and seen.isdigit() and seen != "0" else None,
        )
    except InvalidError as error:
        return listing_page(listing, problems=error.fields, told=error.detail), 422
    except ConflictError as error:
        return _after_conflict(slug, error)
    if result.repeated:
        flash("It was submitted already.", "info")
    elif result.published:
        flash("Published. Nothing in it needed a review.", "success")
    else:
        flash("Submitted. We write to you when it has been reviewed.", "success")
    return _to_listing(listing)


@blueprint.post("/listings/<slug>/submission/withdrawal")
@needs("listing.submit", load=own_listing, name="listing", hidden=False)
def withdraw_submission(listing: Listing) -> ResponseReturnValue:
    """Take the submission back to edit it."""
    submission.withdraw_submission(listing, _open(listing), current_actor())
    flash("The submission is withdrawn. You can edit the draft again.", "success")
    return _to_listing(listing)


@blueprint.post("/listings/<slug>/draft/discard")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def discard(listing: Listing) -> ResponseReturnValue:
    """Give the draft up."""
    revision = queries.open_revision(listing.id)
    if revision is not None:
        drafts.discard(listing, revision, current_actor())
    flash("The draft is discarded. You can take it up again from here.", "success")
    return _to_listing(listing)


@blueprint.post("/listings/<slug>/draft/return")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def take_up_again(listing: Listing) -> ResponseReturnValue:
    """Take the discarded draft up again."""
    drafts.take_up_again(listing, current_actor())
    flash("The draft is back.", "success")
    return _to_listing(listing)


@blueprint.post("/listings/<slug>/draft/rebase")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def settle_drift(listing: Listing) -> ResponseReturnValue:
    """Put the draft on top of what is public now, each clash as the person chose."""
    revision = _open(listing)
    keep = {
        name.removeprefix("keep-")
        for name, value in request.form.items()
        if name.startswith("keep-") and value == "published"
    }
    submission.settle_drift(listing, revision, keep, current_actor())
    flash("The draft now builds on what is public.", "success")
    return redirect(url_for("portal.changes", slug=listing.slug), 303)


def _after_conflict(slug: str, error: ConflictError) -> ResponseReturnValue:
    """The answer to the one of two clicks that came second: both meant the same."""
    db.session.rollback()
    listing = queries.listing_by_slug(slug)
    if listing is None:
        raise NotFoundError from error
    revision = queries.open_revision(listing.id)
    if revision is None or revision.state in WAITING:
        flash("It was submitted already.", "info")
        return _to_listing(listing)
    return listing_page(listing, told=error.detail), 409


def _open(listing: Listing) -> Revision:
    revision = queries.open_revision(listing.id)
    if revision is None:
        raise ConflictError("There is no open draft of this listing any more.")
    return revision


def _to_listing(listing: Listing) -> ResponseReturnValue:
    return redirect(url_for("portal.listing", slug=listing.slug), 303)
