"""Status, address and versions of a listing."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.models import Listing, ListingStatus, ListingVersion
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.forms.acts import (
    AddressForm,
    CorrectionForm,
    DeprecationForm,
    VersionForm,
    WithdrawalForm,
    show_errors,
)
from marketplace.catalogue.publishing.services import life as verbs
from marketplace.catalogue.publishing.views.portal import blueprint, listing_tabs, own_listing
from marketplace.core import clock
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor, needs


@blueprint.get("/listings/<slug>/status")
@needs("listing.change_status", load=own_listing, name="listing", hidden=False)
def life(listing: Listing) -> ResponseReturnValue:
    """Where the listing is in its life, and its address."""
    return _life_page(listing)


@blueprint.post("/listings/<slug>/beta")
@needs("listing.change_status", load=own_listing, name="listing", hidden=False)
def mark_beta(listing: Listing) -> ResponseReturnValue:
    """Mark it as beta."""
    verbs.mark_beta(listing, current_actor())
    flash("The listing is marked as beta.", "success")
    return _to_life(listing)


@blueprint.post("/listings/<slug>/activation")
@needs("listing.change_status", load=own_listing, name="listing", hidden=False)
def mark_active(listing: Listing) -> ResponseReturnValue:
    """Mark it as ready for everybody."""
    verbs.mark_active(listing, current_actor())
    flash("The listing is active.", "success")
    return _to_life(listing)


@blueprint.post("/listings/<slug>/deprecation")
@needs("listing.change_status", load=own_listing, name="listing", hidden=False)
def deprecate(listing: Listing) -> ResponseReturnValue:
    """Advise against new use."""
    form = DeprecationForm()
    try:
        verbs.deprecate(
            listing,
            reason=form.reason.data or "",
            successor_slug=form.successor.data or "",
            actor=current_actor(),
        )
    except InvalidError as error:
        extra = show_errors(form, error.fields)
        return _life_page(listing, deprecation=form, extra=extra), 422
    flash("The listing is deprecated. Its page says why.", "success")
    return _to_life(listing)


@blueprint.get("/listings/<slug>/withdrawal")
@needs("listing.change_status", load=own_listing, name="listing", hidden=False)
def withdrawal(listing: Listing) -> ResponseReturnValue:
    """The question before a listing is withdrawn."""
    return render_template(
        "portal/withdrawal.html",
        listing=listing,
        form=WithdrawalForm(),
        tabs=listing_tabs(listing, "portal.life"),
    )


@blueprint.post("/listings/<slug>/withdrawal")
@needs("listing.change_status", load=own_listing, name="listing", hidden=False)
def withdraw(listing: Listing) -> ResponseReturnValue:
    """Leave a tombstone."""
    form = WithdrawalForm()
    try:
        verbs.withdraw(listing, reason=form.reason.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error.fields)
        tabs = listing_tabs(listing, "portal.life")
        page = render_template("portal/withdrawal.html", listing=listing, form=form, tabs=tabs)
        return page, 422
    flash("The listing is withdrawn. Its page says why, and search no longer shows it.", "success")
    return _to_life(listing)


@blueprint.post("/listings/<slug>/restoration")
@needs("listing.change_status", load=own_listing, name="listing", hidden=False)
def restore(listing: Listing) -> ResponseReturnValue:
    """Bring it back."""
    verbs.restore(listing, current_actor())
    flash("The listing is active again.", "success")
    return _to_life(listing)


@blueprint.post("/listings/<slug>/address")
@needs("listing.change_status", load=own_listing, name="listing", hidden=False)
def rename_address(listing: Listing) -> ResponseReturnValue:
    """Move its page; the old address leads to it."""
    form = AddressForm()
    slug = listing.slug
    try:
        old = verbs.rename_address(listing, form.slug.data or "", current_actor())
    except InvalidError as error:
        show_errors(form, error.fields)
        again = queries.listing_by_slug(slug) or listing
        return _life_page(again, address=form), 422
    if old == listing.slug:
        flash("That is its address already.", "info")
    elif listing.published_at is not None:
        flash("The address is changed. The old one leads to the new one.", "success")
    else:
        flash("The address is changed.", "success")
    return _to_life(listing)


@blueprint.get("/listings/<slug>/versions")
@needs("listing.view_draft", load=own_listing, name="listing")
def versions(listing: Listing) -> ResponseReturnValue:
    """All versions and the form of a new one."""
    return _versions_page(listing, VersionForm(data={"released_on": clock.now().date()}))


@blueprint.post("/listings/<slug>/versions")
@needs("listing.add_version", load=own_listing, name="listing", hidden=False)
def add_version(listing: Listing) -> ResponseReturnValue:
    """Tell of a release."""
    form = VersionForm()
    slug = listing.slug
    try:
        row = verbs.add_version(
            listing,
            version=form.version.data or "",
            released_on=form.released_on.data,
            changelog=form.changelog.data or "",
            actor=current_actor(),
        )
    except InvalidError as error:
        show_errors(form, error.fields)
        return _versions_page(queries.listing_by_slug(slug) or listing, form), 422
    flash(f"Version {row.version} is added.", "success")
    return redirect(url_for("portal.versions", slug=slug), 303)


@blueprint.get("/listings/<slug>/versions/<int:version_id>/correction")
@needs("listing.add_version", load=own_listing, name="listing", hidden=False)
def correction(listing: Listing) -> ResponseReturnValue:
    """The form with what a version says now."""
    version = _asked_version(listing)
    if version is None:
        return _gone(listing)
    form = CorrectionForm(
        formdata=None, data={"released_on": version.released_on, "changelog": version.changelog}
    )
    return _correction_page(listing, version, form)


@blueprint.post("/listings/<slug>/versions/<int:version_id>/correction")
@needs("listing.add_version", load=own_listing, name="listing", hidden=False)
def correct_version(listing: Listing) -> ResponseReturnValue:
    """Correct a version's day or text."""
    version = _asked_version(listing)
    if version is None:
        return _gone(listing)
    form = CorrectionForm()
    try:
        changed = verbs.correct_version(
            version,
            released_on=form.released_on.data,
            changelog=form.changelog.data or "",
            actor=current_actor(),
        )
    except InvalidError as error:
        show_errors(form, error.fields)
        return _correction_page(listing, version, form), 422
    if changed:
        flash(f"Version {version.version} is corrected.", "success")
    else:
        flash("That is what it says already.", "info")
    return _to_versions(listing)


@blueprint.get("/listings/<slug>/versions/<int:version_id>/removal")
@needs("listing.add_version", load=own_listing, name="listing", hidden=False)
def version_removal(listing: Listing) -> ResponseReturnValue:
    """The question before a version is removed."""
    version = _asked_version(listing)
    if version is None:
        return _gone(listing)
    return render_template("portal/version_removal.html", listing=listing, version=version)


@blueprint.post("/listings/<slug>/versions/<int:version_id>/removal")
@needs("listing.add_version", load=own_listing, name="listing", hidden=False)
def remove_version(listing: Listing) -> ResponseReturnValue:
    """Take a version off the listing."""
    version = _asked_version(listing)
    number = version.version if version is not None else ""
    if version is None or not verbs.remove_version(version, current_actor()):
        return _gone(listing)
    flash(f"Version {number} is removed.", "success")
    return _to_versions(listing)


def _asked_version(listing: Listing) -> ListingVersion | None:
    return queries.version_of(listing.id, int((request.view_args or {})["version_id"]))


def _gone(listing: Listing) -> ResponseReturnValue:
    # A second click, or a colleague was faster: what was wanted is so, and nothing is lost.
    flash("The listing has no such version any more.", "info")
    return _to_versions(listing)


def _to_versions(listing: Listing) -> ResponseReturnValue:
    return redirect(url_for("portal.versions", slug=listing.slug), 303)


def _correction_page(listing: Listing, version: ListingVersion, form: CorrectionForm) -> str:
    return render_template(
        "portal/version_correction.html",
        listing=listing,
        version=version,
        form=form,
        tabs=listing_tabs(listing, "portal.versions"),
    )


def _versions_page(listing: Listing, form: VersionForm) -> str:
    return render_template(
        "portal/versions.html",
        listing=listing,
        versions=queries.versions(listing.id),
        form=form,
        may_release=current_actor().can("listing.add_version", listing),
        tabs=listing_tabs(listing, "portal.versions"),
    )


def _life_page(
    listing: Listing,
    *,
    deprecation: DeprecationForm | None = None,
    address: AddressForm | None = None,
    extra: list[str] | None = None,
) -> str:
    successor = listing.successor
    return render_template(
        "portal/life.html",
        listing=listing,
        statuses=ListingStatus,
        successor=successor,
        old_addresses=queries.old_addresses(listing.id),
        deprecation=deprecation
        or DeprecationForm(
            formdata=None,
            data={
                "reason": listing.status_reason
                if listing.status is ListingStatus.DEPRECATED
                else "",
                "successor": successor.slug if successor is not None else "",
            },
        ),
        address=address or AddressForm(formdata=None, data={"slug": listing.slug}),
        extra=extra or [],
        tabs=listing_tabs(listing, "portal.life"),
    )


def _to_life(listing: Listing) -> ResponseReturnValue:
    return redirect(url_for("portal.life", slug=listing.slug), 303)
