"""That an organization is who it says it is: the one place where this is noted."""

from datetime import datetime

from marketplace.core.database import db
from marketplace.identity.events import organization_changed
from marketplace.identity.models import Organization


def note_verified(organization: Organization, since: datetime | None) -> bool:
    """Note since when the organization is verified, None: it is not; whether that is news.

    What is already noted as verified keeps its day. Whoever listens (the search index) is told.
    """
    if (organization.verified_at is None) == (since is None):
        return False
    organization.verified_at = since
    db.session.flush()
    organization_changed(organization.id)
    return True
