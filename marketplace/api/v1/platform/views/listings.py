"""A partner's own listings: the draft, its submission and its review."""

import re
from typing import Any

from flask import current_app, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from marketplace.api.v1.platform import rendering
from marketplace.api.v1.platform.answers import (
    PAGING,
    answer,
    answer_page,
    data_of,
    etag_of,
    moment,
    no_content,
    read_place,
)
from marketplace.api.v1.platform.authentication import Credential
from marketplace.api.v1.platform.bodies import Body, read_body, read_changes
from marketplace.api.v1.platform.changes import ListingChanges, empty_value
from marketplace.api.v1.platform.errors import IfMatchNeededError, NoDraftError, StaleError
from marketplace.api.v1.platform.guard import token_needs
from marketplace.api.v1.platform.operations import Group, Reply
from marketplace.api.v1.platform.queries import listings as queries
from marketplace.api.v1.platform.schemas.listings import (
    LISTING_REVIEW,
    OWN_LISTING_PAGE,
    SUBMISSION_RESULT,
    WORKING_LISTING,
)
from marketplace.catalogue.assets import owned_keys
from marketplace.catalogue.content import SECURITY_QUESTIONS, Kind
from marketplace.catalogue.models import Listing, Revision
from marketplace.catalogue.publishing import queries as publishing
from marketplace.catalogue.publishing.blank import is_blank
from marketplace.catalogue.publishing.problems import content_problems, entered_problems
from marketplace.catalogue.publishing.services import drafts, submission
from marketplace.core.errors import InvalidError

group = Group("Your listings")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def own_listing(credential: Credential, slug: str) -> Listing | None:
    """The partner's listing of that slug."""
    if len(slug) > 80 or not _SLUG.fullmatch(slug):
        return None
    return queries.own_listing(credential.partner_id, slug)


@group.operation(
    "GET",
    "/partner/listings",
    id="listOwnListings",
    summary="List your listings",
    description="Your listings, drafts included, the oldest first.",
    replies={200: Reply("A page of listings.", OWN_LISTING_PAGE, ("Link",))},
    parameters=PAGING,
)
@token_needs("partner.listings.read", action="platform.read")
def partner_listings(credential: Credential) -> ResponseReturnValue:
    """The partner's listings."""
    place = read_place(credential, "listings")
    rows = queries.own_listings(credential.partner_id, after=place.after, limit=place.limit)
    base = current_app.config["PUBLIC_URL"]
    return answer_page(
        credential,
        "listings",
        place,
        rows,
        number=lambda row: row[0].id,
        render=lambda row: rendering.own_listing(row[0], row[1], base),
    )


class NewListing(Body):
    """A listing to begin."""

    name: str = Field(
        min_length=2, max_length=60, description="Its name.", examples=["Tide Tables"]
    )
    kind: Kind = Field(description="What kind of listing it is.", examples=["integration"])
    category: str = Field(
        max_length=80, description="The slug of its main category.", examples=["productivity"]
    )


@group.operation(
    "POST",
    "/partner/listings",
    id="createListing",
    summary="Begin a listing",
    description="A new listing as a draft, at an address made of its name. Change it until it is "
    "whole, then submit it.",
    replies={201: Reply("The listing.", WORKING_LISTING, ("Location", "ETag"))},
    body=NewListing,
)
@token_needs("partner.listings.write", live_only=True, action="listing.create")
def create_listing(credential: Credential) -> ResponseReturnValue:
    """A new draft."""
    given = read_body(NewListing)
    try:
        listing = drafts.create_listing(
            queries.publisher(credential.partner_id),
            name=given.name,
            kind=given.kind,
            category=given.category,
            actor=credential.actor,
        )
    except InvalidError as error:
        fields = {
            "category" if field == "categories" else field: text
            for field, text in error.fields.items()
        }
        raise InvalidError(fields) from None
    body = _working(listing, publishing.open_revision(listing.id))
    base = current_app.config["PUBLIC_URL"]
    return answer(body, 201, location=f"{base}/api/v1/partner/listings/{listing.slug}")


@group.operation(
    "GET",
    "/partner/listings/<slug>",
    id="getOwnListing",
    summary="Read your listing",
    description="Your listing with its working content: the draft's, or what is public when there "
    "is no draft. `problems` is what must be mended before it can be submitted.",
    replies={200: Reply("The listing.", WORKING_LISTING, ("ETag",))},
    problems=(404,),
)
@token_needs("partner.listings.read", action="listing.view_draft", load=own_listing)
def partner_listing(_credential: Credential, listing: Listing) -> ResponseReturnValue:
    """One of the partner's listings."""
    return answer(_working(listing, publishing.open_revision(listing.id)))


@group.operation(
    "PATCH",
    "/partner/listings/<slug>",
    id="changeListing",
    summary="Change your listing",
    description="Changes fields of the draft, or begins one (RFC 7396: what is left out stays, "
    "null takes a field away). Lists are replaced as a whole. Send the ETag that you read as "
    "If-Match: when somebody else saved meanwhile, the answer is 412 and nothing is lost. What "
    "cannot be used is told by its path, as in the editor, and nothing is saved.",
    replies={200: Reply("The listing as it is now.", WORKING_LISTING, ("ETag",))},
    body=ListingChanges,
    problems=(404, 409),
    if_match=True,
)
@token_needs("partner.listings.write", live_only=True, action="listing.edit", load=own_listing)
def change_listing(credential: Credential, listing: Listing) -> ResponseReturnValue:
    """Other content."""
    changes = read_changes(ListingChanges)
    revision = publishing.open_revision(listing.id)
    _check_match(listing, revision)
    before = revision.lock_version if revision is not None else 0
    stored = drafts.working_content(listing, revision)
    values = _checked(listing, stored, changes)
    try:
        saved = drafts.save_fields(
            listing,
            values,
            fields=tuple(values),
            seen=drafts.fingerprint(stored, values),
            actor=credential.actor,
        )
    except drafts.EditClashError as error:
        raise StaleError(error.detail) from None
    after = saved.revision
    # A new draft begins at 1; one that was there counts one further, or somebody came between.
    if saved.changed and (after is None or after.lock_version != before + 1):
        raise StaleError("Somebody else saved at the same moment.")
    return answer(_working(listing, after))


class SubmissionNote(Body):
    """What to tell the reviewers."""

    note: str = Field(
        default="",
        max_length=submission.NOTE_LENGTH,
        description="For the reviewers; or empty.",
        examples=["The new scope is for the map."],
    )


@group.operation(
    "POST",
    "/partner/listings/<slug>/submission",
    id="submitListing",
    summary="Submit a draft",
    description="Hands the draft in. It is public at once when nothing in it needs a review; "
    "otherwise it waits, and the events `listing.approved` or `listing.rejected` tell how it "
    "went. Submitting twice is harmless. With If-Match it is submitted only as you read it.",
    replies={200: Reply("What it led to.", SUBMISSION_RESULT)},
    body=SubmissionNote,
    body_needed=False,
    problems=(404, 409, 412),
)
@token_needs("partner.listings.write", live_only=True, action="listing.submit", load=own_listing)
def submit_listing(credential: Credential, listing: Listing) -> ResponseReturnValue:
    """The draft, handed in."""
    note = read_body(SubmissionNote, needed=False).note
    revision = publishing.open_revision(listing.id)
    if revision is None:
        raise NoDraftError("There is no draft to submit. Change the listing first.")
    if request.headers.get("If-Match", "").strip():
        _check_match(listing, revision)
    done = submission.submit(
        listing, revision, credential.actor, note=note, expected=revision.lock_version
    )
    outcome = "published" if done.published else "in_review"
    return answer({"outcome": outcome, "repeated": done.repeated})


@group.operation(
    "DELETE",
    "/partner/listings/<slug>/submission",
    id="withdrawSubmission",
    summary="Take a submission back",
    description="Makes it a draft again. Doing it twice is harmless.",
    replies={204: Reply("It is a draft again.")},
    problems=(404, 409),
)
@token_needs("partner.listings.write", live_only=True, action="listing.submit", load=own_listing)
def withdraw_submission(credential: Credential, listing: Listing) -> ResponseReturnValue:
    """The submission, taken back."""
    revision = publishing.open_revision(listing.id)
    if revision is None:
        raise NoDraftError("Nothing of this listing is submitted.")
    submission.withdraw_submission(listing, revision, credential.actor)
    return no_content()


@group.operation(
    "GET",
    "/partner/listings/<slug>/review",
    id="getListingReview",
    summary="Read how the review goes",
    description="The state of the open revision, and what the reviewers wrote to you.",
    replies={200: Reply("The review.", LISTING_REVIEW)},
    problems=(404,),
)
@token_needs("partner.listings.read", action="listing.view_draft", load=own_listing)
def listing_review(_credential: Credential, listing: Listing) -> ResponseReturnValue:
    """How the review of a listing goes."""
    revision = publishing.open_revision(listing.id)
    return answer(
        {
            "draft": rendering.draft(revision),
            "reasons": list(revision.review_reasons) if revision is not None else [],
            "needs_second_approval": revision is not None and revision.needs_second_approval,
            "submitted_at": moment(revision.submitted_at) if revision is not None else None,
            "events": [
                {
                    "kind": event.kind,
                    "body": event.body,
                    "field_notes": event.field_notes,
                    "revision": event.revision.number,
                    "created_at": moment(event.created_at),
                }
                for event in publishing.partner_events(listing.id)
            ],
        }
    )


def _working(listing: Listing, revision: Revision | None) -> dict[str, Any]:
    content = drafts.working_content(listing, revision)
    base = current_app.config["PUBLIC_URL"]
    return rendering.working_listing(listing, revision, base, content_problems(content))


def _check_match(listing: Listing, revision: Revision | None) -> None:
    """Raise unless If-Match names what the listing is now."""
    if not request.headers.get("If-Match", "").strip():
        raise IfMatchNeededError("Send the ETag of what you read as If-Match.")
    if not request.if_match.contains(etag_of(data_of(_working(listing, revision)))):
        raise StaleError("Read the listing again, and change what is there now.")


def _checked(listing: Listing, stored: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The values to save. Raises InvalidError by path for those that cannot be used."""
    values = {
        name: empty_value(name) if is_blank(value) else value for name, value in changes.items()
    }
    answers = values.get("security")
    if isinstance(answers, dict):
        values["security"] = {
            question: answers[question]
            for question in SECURITY_QUESTIONS
            if not is_blank(answers.get(question))
        }
    whole = {**stored, **values}
    problems = {
        path: text
        for path, text in entered_problems(whole).items()
        if path.partition(".")[0] in values
    }
    if "categories" in values and "categories" not in problems:
        known = {row.slug for row in publishing.categories()}
        if not known.issuperset(values["categories"] or ()):
            problems["categories"] = "Choose categories that the marketplace has."
    strange = _strange_images(listing, stored, values)
    for path, key in _images(values).items():
        if key in strange:
            problems.setdefault(path, "Upload this image in the portal first.")
    if problems:
        raise InvalidError(problems, "Nothing was saved: some fields cannot be used.")
    return values


def _images(values: dict[str, Any]) -> dict[str, str]:
    """The keys of images by path."""
    found: dict[str, str] = {}
    logo = values.get("logo")
    if isinstance(logo, dict):
        found["logo"] = str(logo.get("key"))
    for number, row in enumerate(values.get("screenshots") or ()):
        found[f"screenshots.{number}"] = str(row.get("key"))
    return found


def _strange_images(listing: Listing, stored: dict[str, Any], values: dict[str, Any]) -> set[str]:
    """The keys of images that are neither the partner's nor there already."""
    keys = set(_images(values).values()) - set(_images(stored).values())
    return keys - owned_keys(listing.publisher_id, keys)
