"""What an app may ask customers for: the scopes and words of its listing."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from marketplace.catalogue.models import Listing, ListingVersion, Revision
from marketplace.catalogue.models.revision import OPEN_STATES
from marketplace.core.database import db
from marketplace.installs.models import Environment, OAuthClient
from marketplace.installs.scopes import CUSTOMER_SCOPES, is_partners


def content_for(client: OAuthClient) -> Mapping[str, Any]:
    """What the consent page is made of: of a live client what is published and so was reviewed;
    of a test client the open draft when there is one. Empty for an app without a listing."""
    listing = client.app.listing if client.app is not None else None
    if listing is None:
        return {}
    if client.environment is Environment.TEST:
        draft: dict[str, Any] | None = db.session.scalar(
            select(Revision.content).where(
                Revision.listing_id == listing.id, Revision.state.in_(OPEN_STATES)
            )
        )
        if draft is not None:
            return draft
    return listing.content or {}


def reasons_in(content: Mapping[str, Any]) -> dict[str, str]:
    """The publisher's reason for each scope that the content names, in its order; without those
    of partners' own credentials, which no customer can grant."""
    # A draft may be half written.
    return {
        str(part["scope"]): str(part.get("reason") or "")
        for part in content.get("scopes") or ()
        if isinstance(part, dict) and part.get("scope") and not is_partners(str(part["scope"]))
    }


def allowed_scopes(client: OAuthClient) -> tuple[str, ...]:
    """The scopes that the client may ask a customer for, in the order of its listing."""
    return scopes_of(client, content_for(client))


def scopes_of(client: OAuthClient, content: Mapping[str, Any]) -> tuple[str, ...]:
    """The same for content that is loaded."""
    named = tuple(reasons_in(content))
    if client.environment is not Environment.TEST:
        return named
    return named + tuple(name for name in CUSTOMER_SCOPES if name not in named)


def latest_version(listing: Listing | None) -> str | None:
    """The version that the publisher released last, None without any."""
    if listing is None:
        return None
    return db.session.scalar(
        select(ListingVersion.version)
        .where(ListingVersion.listing_id == listing.id)
        .order_by(ListingVersion.released_on.desc(), ListingVersion.id.desc())
        .limit(1)
    )
