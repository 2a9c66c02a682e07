"""The role in which a person acts for an organization that installs."""

from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.installs.customer.install_policy import ADMINS

# Who of a partner works with its sandbox.
SANDBOX_ROLES = frozenset({"owner", "admin", "developer"})


def role_for(actor: Actor, organization: Organization) -> str | None:
    """The person's role there. A sandbox is run by its partner's owners, admins and developers."""
    if organization.sandbox_of_id is not None:
        return "admin" if actor.role_in(organization.sandbox_of_id) in SANDBOX_ROLES else None
    if organization.kind is OrganizationKind.PLATFORM:
        return None
    return actor.role_in(organization.id)


def is_admin_of(actor: Actor, organization: Organization) -> bool:
    """Whether the person looks after what the organization has installed."""
    return role_for(actor, organization) in ADMINS
