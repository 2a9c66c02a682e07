"""Absolute addresses for mails, which are written where there is no request."""

from flask import current_app

from marketplace.installs.models import Installation


def absolute(path: str) -> str:
    """`path` (beginning with a slash) at this installation's public address."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def listing_url(slug: str) -> str:
    """A listing's public page."""
    return absolute(f"/listings/{slug}")


def install_page(slug: str, organization_slug: str) -> str:
    """The consent page of a listing, with the organization chosen."""
    return absolute(f"/listings/{slug}/install?organization={organization_slug}")


def installation_url(installation: Installation) -> str:
    """An installation's page; its organization is loaded."""
    return absolute(
        f"/organizations/{installation.organization.slug}/apps/{installation.public_id}"
    )


def requests_url(organization_slug: str) -> str:
    """The list of what members asked for."""
    return absolute(f"/organizations/{organization_slug}/apps/requests")


def partner_erasure_url(erasure_id: str) -> str:
    """Where a partner confirms an erasure."""
    return absolute(f"/partner/erasures/{erasure_id}")
