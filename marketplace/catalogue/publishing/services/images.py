"""The logo and the screenshots of a draft."""

from typing import Any

from marketplace.catalogue.assets import store_image
from marketplace.catalogue.models import Listing
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.services.drafts import Saved, change_draft, refuse_in_review
from marketplace.core.errors import InvalidError
from marketplace.core.images import LOGO, SCREENSHOT, ImageRefusedError
from marketplace.core.permissions import Actor
from marketplace.core.storage import Storage

MOST_SCREENSHOTS = 8


def set_logo(listing: Listing, upload: bytes, storage: Storage, actor: Actor) -> Saved:
    """Make the upload the draft's logo. Raises InvalidError (field logo), InReviewError."""
    refuse_in_review(queries.open_revision(listing.id))
    try:
        image = store_image(storage, listing.publisher_id, upload, LOGO, user_id=actor.user_id)
    except ImageRefusedError as error:
        raise InvalidError({"logo": str(error)}) from error
    logo = {"key": image.key, "width": image.width, "height": image.height}
    return change_draft(listing, lambda content: {**content, "logo": logo}, actor)


def remove_logo(listing: Listing, actor: Actor) -> Saved:
    """Leave the draft without a logo; its initials are shown instead."""
    return change_draft(listing, lambda content: {**content, "logo": None}, actor)


def add_screenshot(
    listing: Listing, upload: bytes, *, caption: str, alt: str, storage: Storage, actor: Actor
) -> Saved:
    """Add a screenshot at the end. Raises InvalidError (field screenshot), InReviewError."""
    refuse_in_review(queries.open_revision(listing.id))
    try:
        image = store_image(
            storage, listing.publisher_id, upload, SCREENSHOT, user_id=actor.user_id
        )
    except ImageRefusedError as error:
        raise InvalidError({"screenshot": str(error)}) from error
    row = {
        "key": image.key,
        "width": image.width,
        "height": image.height,
        "caption": caption.strip(),
        "alt": alt.strip(),
    }

    def add(content: dict[str, Any]) -> dict[str, Any]:
        rows = _rows(content)
        if any(other["key"] == row["key"] for other in rows):
            raise InvalidError({"screenshot": "This screenshot is there already."})
        if len(rows) >= MOST_SCREENSHOTS:
            raise InvalidError(
                {"screenshot": f"There are {MOST_SCREENSHOTS} screenshots. Remove one first."}
            )
        return {**content, "screenshots": [*rows, row]}

    return change_draft(listing, add, actor)


def remove_screenshot(listing: Listing, key: str, actor: Actor) -> Saved:
    """Take a screenshot out of the draft; twice is harmless."""
    return change_draft(
        listing,
        lambda content: {
            **content,
            "screenshots": [row for row in _rows(content) if row["key"] != key],
        },
        actor,
    )


def move_screenshot(listing: Listing, key: str, by: int, actor: Actor) -> Saved:
    """Move a screenshot `by` places (-1: earlier); at an end it stays where it is."""

    def move(content: dict[str, Any]) -> dict[str, Any]:
        rows = _rows(content)
        at = next((n for n, row in enumerate(rows) if row["key"] == key), None)
        if at is not None and 0 <= at + by < len(rows):
            rows.insert(at + by, rows.pop(at))
        return {**content, "screenshots": rows}

    return change_draft(listing, move, actor)


def _rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in content.get("screenshots") or ()]
