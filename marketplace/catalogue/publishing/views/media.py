"""Uploading, ordering and removing a listing's images."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from marketplace.catalogue.models import Listing
from marketplace.catalogue.publishing.forms.acts import ScreenshotForm, show_errors
from marketplace.catalogue.publishing.sections import BY_KEY
from marketplace.catalogue.publishing.services import images
from marketplace.catalogue.publishing.services.drafts import InReviewError
from marketplace.catalogue.publishing.views.editing import section_page, storage
from marketplace.catalogue.publishing.views.portal import blueprint, own_listing
from marketplace.core.errors import InvalidError
from marketplace.core.images import MAX_UPLOAD_BYTES
from marketplace.core.permissions import authorize, current_actor, needs

MEDIA = BY_KEY["media"]
TOO_LARGE = "The file is larger than 5 MB. Use a smaller one."


@blueprint.post("/listings/<slug>/logo")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def upload_logo(listing: Listing) -> ResponseReturnValue:
    """Take a new logo into the draft."""
    try:
        images.set_logo(listing, _bytes_of("logo"), storage(), current_actor())
    except InvalidError as error:
        return section_page(listing, MEDIA, problems=error.fields), 422
    except InReviewError as error:
        return section_page(listing, MEDIA, in_review=error.detail), 409
    flash("The logo is in the draft.", "success")
    return _back(listing, "logo")


@blueprint.post("/listings/<slug>/logo/removal")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def remove_logo(listing: Listing) -> ResponseReturnValue:
    """Take the logo out of the draft."""
    images.remove_logo(listing, current_actor())
    flash("The logo is removed from the draft.", "success")
    return _back(listing, "logo")


@blueprint.post("/listings/<slug>/screenshots")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def upload_screenshot(listing: Listing) -> ResponseReturnValue:
    """Take a screenshot with its texts into the draft."""
    form = ScreenshotForm()
    problems: dict[str, str] = {}
    alt, caption = (form.new_alt.data or "").strip(), (form.new_caption.data or "").strip()
    if not 3 <= len(alt) <= 200:
        problems["new_alt"] = "Say in 3 to 200 characters what the screenshot shows."
    if len(caption) > 120:
        problems["new_caption"] = f"Use at most 120 characters; this has {len(caption):,}."
    if not problems:
        try:
            images.add_screenshot(
                listing,
                _bytes_of("screenshot"),
                caption=caption,
                alt=alt,
                storage=storage(),
                actor=current_actor(),
            )
        except InvalidError as error:
            problems = error.fields
        except InReviewError as error:
            return section_page(listing, MEDIA, in_review=error.detail), 409
    if problems:
        show_errors(form, problems)
        return section_page(listing, MEDIA, screenshot_form=form), 422
    flash("The screenshot is in the draft.", "success")
    return _back(listing, "screenshots")


@blueprint.post("/listings/<slug>/screenshots/removal")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def remove_screenshot(listing: Listing) -> ResponseReturnValue:
    """Take a screenshot out of the draft."""
    images.remove_screenshot(listing, request.form.get("key", ""), current_actor())
    flash("The screenshot is removed from the draft.", "success")
    return _back(listing, "screenshots")


@blueprint.post("/listings/<slug>/screenshots/order")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def move_screenshot(listing: Listing) -> ResponseReturnValue:
    """Move a screenshot one place earlier or later."""
    by = -1 if request.form.get("direction") == "earlier" else 1
    images.move_screenshot(listing, request.form.get("key", ""), by, current_actor())
    return _back(listing, "screenshots")


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    """A request that was refused before it was read: tell it at the field it was meant for."""
    names = {"portal.upload_logo": "logo", "portal.upload_screenshot": "screenshot"}
    field = names.get(request.endpoint or "")
    if field is None:
        return error
    listing = own_listing(str((request.view_args or {}).get("slug", "")))
    if listing is None:
        return error
    authorize(current_actor(), "listing.edit", listing)
    if field == "logo":
        return section_page(listing, MEDIA, problems={"logo": TOO_LARGE}), 413
    form = ScreenshotForm(formdata=None)
    form.screenshot.errors = [TOO_LARGE]
    return section_page(listing, MEDIA, screenshot_form=form), 413


def _bytes_of(name: str) -> bytes:
    upload = request.files.get(name)
    if not isinstance(upload, FileStorage) or not upload.filename:
        raise InvalidError({name: "Choose a file first."})
    # One byte over the limit is enough to know that it is over.
    return upload.stream.read(MAX_UPLOAD_BYTES + 1)


def _back(listing: Listing, anchor: str) -> ResponseReturnValue:
    target = url_for("portal.edit_section", slug=listing.slug, section="media", _anchor=anchor)
    return redirect(target, 303)
