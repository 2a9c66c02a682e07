"""Who sees and pays royalties, and who grants territories."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.pipeline.franchises.models import RoyaltyInvoice, TerritoryGrant
from marketplace.sales.affiliates.policies import acts_for_partner


@rule("territories.use")
def may_use_territories(actor: Actor, _resource: object) -> bool:
    """Owners, admins and finance of a partner."""
    return acts_for_partner(actor)


@rule("territory.report")
def may_report(actor: Actor, grant: Any) -> bool:
    """The same, of the partner that holds it."""
    return (
        acts_for_partner(actor)
        and isinstance(grant, TerritoryGrant)
        and grant.organization_id == actor.organization_id
    )


@rule("royalty.view")
def may_view(actor: Actor, invoice: Any) -> bool:
    """The same, of the partner that owes it."""
    return (
        acts_for_partner(actor)
        and isinstance(invoice, RoyaltyInvoice)
        and invoice.organization_id == actor.organization_id
    )


@rule("territories.manage")
def may_manage(actor: Actor, _resource: object) -> bool:
    """Program managers and finance."""
    return actor.is_staff_as("program_manager", "finance")
