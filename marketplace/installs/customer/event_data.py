"""What webhooks say about an installation."""

from typing import Any

from marketplace.installs.models import Installation


def installation_data(installation: Installation, **more: Any) -> dict[str, Any]:
    """The data of an installation's event, JSON without secrets; `more` is added at its top."""
    organization, listing = installation.organization, installation.listing
    return {
        "installation": {
            "id": installation.public_id,
            "state": installation.state.value,
            "environment": installation.environment.value,
            "scopes": list(installation.granted_scopes),
            "installed_at": installation.installed_at.isoformat(),
            "organization": {"slug": organization.slug, "name": organization.name},
        },
        "listing": {"slug": listing.slug, "name": listing.name} if listing is not None else None,
        **more,
    }
