"""Versions of a listing, told by hand or by CI."""

from datetime import date

from flask.typing import ResponseReturnValue
from pydantic import Field

from marketplace.api.v1.platform import rendering
from marketplace.api.v1.platform.answers import PAGING, answer, answer_page, read_place
from marketplace.api.v1.platform.authentication import Credential
from marketplace.api.v1.platform.bodies import Body, read_body
from marketplace.api.v1.platform.errors import VersionExistsError
from marketplace.api.v1.platform.guard import token_needs
from marketplace.api.v1.platform.operations import Group, Reply
from marketplace.api.v1.platform.queries import listings as queries
from marketplace.api.v1.platform.schemas.listings import VERSION, VERSION_PAGE
from marketplace.api.v1.platform.views.listings import own_listing
from marketplace.catalogue.models import Listing, ListingVersion
from marketplace.catalogue.publishing import queries as publishing
from marketplace.catalogue.publishing.services.life import CHANGELOG_LENGTH, add_version
from marketplace.catalogue.publishing.version_numbers import (
    MAX_LENGTH,
    parse_version,
    version_key,
)
from marketplace.core import clock
from marketplace.core.errors import InvalidError

group = Group("Versions")


@group.operation(
    "GET",
    "/listings/<slug>/versions",
    id="listVersions",
    summary="List versions",
    description="The versions of one of your listings, the last told first.",
    replies={200: Reply("A page of versions.", VERSION_PAGE, ("Link",))},
    parameters=PAGING,
    problems=(404,),
)
@token_needs("partner.listings.read", action="listing.view_draft", load=own_listing)
def versions(credential: Credential, listing: Listing) -> ResponseReturnValue:
    """A listing's versions."""
    kind = f"versions {listing.id}"
    place = read_place(credential, kind)
    rows = queries.versions(listing.id, after=place.after, limit=place.limit)
    return answer_page(
        credential,
        kind,
        place,
        rows,
        number=lambda row: row.id,
        render=rendering.version,
    )


class NewVersion(Body):
    """A release."""

    version: str = Field(
        min_length=1,
        max_length=MAX_LENGTH,
        description="Its number, such as 1.4.0 or 2.0.0-beta.1.",
        examples=["1.4.0"],
    )
    released_on: date | None = Field(
        default=None, description="The day; by default today (UTC).", examples=["2026-11-28"]
    )
    changelog: str = Field(
        max_length=CHANGELOG_LENGTH,
        description="What changed, as Markdown. Links lead where the approved listing's do.",
        examples=["Faster on large accounts."],
    )


@group.operation(
    "POST",
    "/listings/<slug>/versions",
    id="addVersion",
    summary="Tell of a version",
    description="Adds a release, for instance at the end of your CI. It is public at once. The "
    "same version with the same words again is answered with what is there (200); with other "
    "words it is refused (409).",
    replies={
        200: Reply("The version was told before.", VERSION),
        201: Reply("The version.", VERSION),
    },
    body=NewVersion,
    problems=(404, 409),
)
@token_needs(
    "partner.listings.write", live_only=True, action="listing.add_version", load=own_listing
)
def add(credential: Credential, listing: Listing) -> ResponseReturnValue:
    """A release."""
    given = read_body(NewVersion)
    listing_id = listing.id
    known = _find(listing_id, given.version)
    if known is not None:
        return _repeated(known, given)
    try:
        added = add_version(
            listing,
            version=given.version,
            released_on=given.released_on or clock.now().date(),
            changelog=given.changelog,
            actor=credential.actor,
        )
    except InvalidError:
        # Two builds at once: the other one's transaction came first.
        known = _find(listing_id, given.version)
        if known is None:
            raise
        return _repeated(known, given)
    return answer(rendering.version(added), 201)


def _find(listing_id: int, version: str) -> ListingVersion | None:
    """The listing's version of that number; `1.4` and `1.4.0` are the same."""
    number = parse_version(version)
    if number is None:
        return None
    key = version_key(number)
    return next(
        (
            row
            for row in publishing.versions(listing_id)
            if parse_version(row.version) and version_key(row.version) == key
        ),
        None,
    )


def _repeated(known: ListingVersion, given: NewVersion) -> ResponseReturnValue:
    changelog = given.changelog.replace("\r\n", "\n").strip()
    other_day = given.released_on is not None and given.released_on != known.released_on
    if changelog != known.changelog or other_day:
        raise VersionExistsError(
            f"Version {known.version} is there with other words or another day. Correct it in the "
            "portal, or choose a new number."
        )
    return answer(rendering.version(known))
