"""Whose an application is."""

from marketplace.core.database import db
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.program.applications.models import Application


def is_of_partner(application: Application) -> bool:
    """Whether a partner organization sent it: then its people answer in the portal, and the secret
    link of whoever sent it, who may have left since, only shows it."""
    organization = db.session.get(Organization, application.organization_id or 0)
    return organization is not None and organization.kind is OrganizationKind.PARTNER
