"""Every listing: certified, suspended, or neither."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.curation.forms import SuspensionForm
from marketplace.catalogue.curation.queries.standing import (
    LISTING_FILTERS,
    find_listing,
    page_of_listings,
)
from marketplace.catalogue.curation.services import standing as services
from marketplace.catalogue.curation.views.blueprint import asked_text, curation
from marketplace.catalogue.engagement.services.cases import MAX_REASON, suspend_listing
from marketplace.catalogue.engagement.views.returning import back_to, show_errors
from marketplace.catalogue.models import Listing
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs


@curation.get("/listings")
@needs("standing.read")
def listings() -> ResponseReturnValue:
    """All listings, with search and filters."""
    shown = request.args.get("show", "all")
    shown = shown if shown in LISTING_FILTERS else "all"
    text = asked_text()
    page = page_of_listings(text, shown, page_number(request.args.get("page")))
    return render_template(
        "curation/listings.html", page=page, q=text, shown=shown, filters=LISTING_FILTERS
    )


@curation.post("/listings/<slug>/certification")
@needs("listing.certify", load=find_listing, name="listing")
def certify(listing: Listing) -> ResponseReturnValue:
    """Certify it."""
    if services.certify_listing(current_actor(), listing):
        flash(f"{listing.name} is certified.", "success")
    return back_to(url_for("curation.listings"))


@curation.post("/listings/<slug>/certification/withdrawal")
@needs("listing.certify", load=find_listing, name="listing")
def uncertify(listing: Listing) -> ResponseReturnValue:
    """Take the certification back."""
    if services.uncertify_listing(current_actor(), listing):
        flash(f"{listing.name} is not certified any more.", "success")
    return back_to(url_for("curation.listings"))


@curation.get("/listings/<slug>/suspension")
@needs("listing.suspend", load=find_listing, name="listing")
def suspension(listing: Listing) -> ResponseReturnValue:
    """Ask for the reason before it is suspended."""
    return _page(listing, SuspensionForm())


@curation.post("/listings/<slug>/suspension")
@needs("listing.suspend", load=find_listing, name="listing")
def suspend(listing: Listing) -> ResponseReturnValue:
    """Suspend it; a case is opened, against which its publisher can appeal."""
    form = SuspensionForm()
    try:
        case = suspend_listing(current_actor(), listing, form.reason.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _page(listing, form), 422
    flash(f"{listing.name} is suspended.", "success")
    return redirect(url_for("engagement.staff_case", number=case.number), code=303)


def _page(listing: Listing, form: SuspensionForm) -> str:
    return render_template(
        "curation/suspension.html",
        name=listing.name,
        action=url_for("curation.suspend", slug=listing.slug),
        back=url_for("curation.listings", q=listing.name),
        text="Hides it everywhere. Its publisher, its followers and the organizations that use it "
        "are told the reason. The publisher can appeal.",
        form=form,
        most=MAX_REASON,
    )
