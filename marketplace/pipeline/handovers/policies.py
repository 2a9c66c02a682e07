"""Who hands workspaces over."""

from typing import Any

from marketplace.core.database import db
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization
from marketplace.pipeline.handovers.models import ClientWorkspace
from marketplace.program.standing.reading import has_module

ROLES = frozenset({"owner", "admin"})


@rule("clients.use")
def may_use(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of partners whose type works for clients."""
    active = actor.organization
    if active is None or active.organization_kind != "partner" or active.role not in ROLES:
        return False
    organization = db.session.get(Organization, active.organization_id)
    return organization is not None and has_module(organization.partner_type, "clients")


@rule("client_workspace.manage")
def may_manage(actor: Actor, workspace: Any) -> bool:
    """The same, of the agency that set it up."""
    return (
        isinstance(workspace, ClientWorkspace)
        and workspace.partner_id == actor.organization_id
        and may_use(actor, None)
    )
