"""Locks that hold on both databases.

An update that changes nothing, not SELECT FOR UPDATE: that locks the row on PostgreSQL, and the
whole file on SQLite, where a read alone would lock nothing.
"""

from sqlalchemy import update

from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.installs.models import WebhookEndpoint


def lock_organization(organization_id: int) -> None:
    """Let one transaction at a time add endpoints: they are counted under it."""
    db.session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(updated_at=Organization.updated_at)
        .execution_options(synchronize_session=False)
    )


def lock_endpoint(endpoint: WebhookEndpoint) -> None:
    """Let one transaction at a time change the endpoint; its values as they are now."""
    db.session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint.id)
        .values(lease_id=WebhookEndpoint.lease_id)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(endpoint)
