"""What the platform API says of rows, as plain values in the shape of schemas/."""

from typing import Any

from sqlalchemy import Row

from marketplace.api.v1.platform.answers import moment
from marketplace.catalogue.models import Listing, ListingReview, ListingVersion, Revision
from marketplace.catalogue.publishing.services.drafts import working_content
from marketplace.installs.models import ErasureRequest


def installation(row: Row[Any]) -> dict[str, Any]:
    """An installation, of a row of queries/installations.py."""
    return {
        "id": row.public_id,
        "state": row.state.value,
        "environment": row.environment.value,
        "app": {"id": row.app_public_id, "name": row.app_name},
        "listing": (
            {"slug": row.listing_slug, "name": row.listing_name}
            if row.listing_slug is not None
            else None
        ),
        "organization": {"slug": row.organization_slug, "name": row.organization_name},
        "scopes": list(row.granted_scopes),
        "installed_at": moment(row.installed_at),
        "connected_at": moment(row.connected_at),
        "last_used_at": moment(row.last_used_at),
        "paused_at": moment(row.paused_at),
        "pause_cause": row.pause_cause.value if row.pause_cause is not None else None,
        "uninstalled_at": moment(row.uninstalled_at),
        "uninstall_reason": row.uninstall_reason,
    }


def member(row: Row[Any]) -> dict[str, Any]:
    """A member of a customer."""
    return {
        "name": row.name,
        "email": row.email if row.email_verified else None,
        "role": row.role.value,
        "joined_at": moment(row.created_at),
    }


def event(row: Row[Any]) -> dict[str, Any]:
    """An event of the feed."""
    return {
        "id": row.public_id,
        "type": row.type,
        "timestamp": moment(row.created_at),
        "environment": row.environment.value,
        "app": row.app_public_id,
        "installation": row.installation_public_id,
        "data": row.data,
    }


def erasure(found: ErasureRequest) -> dict[str, Any]:
    """A request to erase data."""
    organization = found.installation.organization
    return {
        "id": found.public_id,
        "state": "open" if found.completed_at is None else "completed",
        "environment": found.environment.value,
        "app": {"id": found.app.public_id, "name": found.app.name},
        "installation": found.installation.public_id,
        "organization": {"slug": organization.slug, "name": organization.name},
        "requested_at": moment(found.requested_at),
        "due_at": moment(found.due_at),
        "completed_at": moment(found.completed_at),
        "receipt": found.receipt,
    }


def review(found: ListingReview) -> dict[str, Any]:
    """A review of a partner's listing."""
    return {
        "id": found.id,
        "listing": {"slug": found.listing.slug, "name": found.listing.name},
        "organization": {"slug": found.organization.slug, "name": found.organization.name},
        "author": found.author_name,
        "rating": found.rating,
        "title": found.title,
        "body": found.body,
        "created_at": moment(found.created_at),
        "edited_at": moment(found.edited_at),
        "answer": (
            {"text": found.answer, "answered_at": moment(found.answered_at)}
            if found.answer
            else None
        ),
    }


def draft(revision: Revision | None) -> dict[str, Any] | None:
    """A listing's open revision."""
    if revision is None:
        return None
    return {
        "number": revision.number,
        "state": revision.state.value,
        "version": revision.lock_version,
        "updated_at": moment(revision.updated_at),
        "submitted_at": moment(revision.submitted_at),
    }


def own_listing(listing: Listing, revision: Revision | None, base: str) -> dict[str, Any]:
    """A partner's own listing in a list; `base` is the public address of the site."""
    return {
        "slug": listing.slug,
        "name": listing.name,
        "tagline": listing.tagline,
        "kind": listing.kind,
        "status": listing.status.value,
        "published_at": moment(listing.published_at),
        "suspended": listing.suspended_at is not None,
        "certified": listing.certified_at is not None,
        "url": f"{base}/listings/{listing.slug}",
        "draft": draft(revision),
    }


def working_listing(
    listing: Listing, revision: Revision | None, base: str, problems: dict[str, str]
) -> dict[str, Any]:
    """The same with its working content and what is wrong with it."""
    return {
        **own_listing(listing, revision, base),
        "content": working_content(listing, revision),
        "problems": [{"field": field, "detail": text} for field, text in problems.items()],
    }


def version(found: ListingVersion) -> dict[str, Any]:
    """A release."""
    return {
        "version": found.version,
        "released_on": found.released_on.isoformat(),
        "changelog": found.changelog,
        "created_at": moment(found.created_at),
    }
