"""Who runs campaigns, and who decides about them."""

from typing import Any

from marketplace.core.database import db
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization
from marketplace.pipeline.campaigns.models import Campaign
from marketplace.program.standing.reading import has_module

ROLES = frozenset({"owner", "admin", "editor", "finance"})


@rule("campaigns.use")
def may_use(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins, editors and finance of partners whose type has co-marketing."""
    active = actor.organization
    if active is None or active.organization_kind != "partner" or active.role not in ROLES:
        return False
    organization = db.session.get(Organization, active.organization_id)
    return organization is not None and has_module(organization.partner_type, "campaigns")


@rule("campaign.manage")
def may_manage(actor: Actor, campaign: Any) -> bool:
    """The same, of the partner whose campaign it is."""
    return (
        isinstance(campaign, Campaign)
        and campaign.organization_id == actor.organization_id
        and may_use(actor, None)
    )


@rule("campaigns.approve")
def may_approve(actor: Actor, _resource: object = None) -> bool:
    """The program manager decides, and answers for the platform's share."""
    return actor.is_staff_as("program_manager")
