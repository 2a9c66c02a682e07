"""Who may work on deals, decide about them, and split their credit."""

from typing import Any

from marketplace.core.database import db
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization
from marketplace.pipeline.deals.models import Deal, DealImport
from marketplace.pipeline.leads.policies import works_for_partner
from marketplace.program.standing.reading import has_module


@rule("deals.use")
def may_use_deals(actor: Actor, _resource: object) -> bool:
    """Owners, admins, editors and finance of a partner whose type has deals."""
    if not works_for_partner(actor):
        return False
    organization = db.session.get(Organization, actor.organization_id)
    return organization is not None and has_module(organization.partner_type, "deals")


@rule("deal.work")
def may_work(actor: Actor, deal: Any) -> bool:
    """The same, of the partner whose deal it is."""
    return (
        may_use_deals(actor, None)
        and isinstance(deal, Deal)
        and deal.organization_id == actor.organization_id
    )


@rule("deal_import.confirm")
def may_confirm_import(actor: Actor, found: Any) -> bool:
    """The same, of the partner whose file it is."""
    return (
        may_use_deals(actor, None)
        and isinstance(found, DealImport)
        and found.organization_id == actor.organization_id
    )


@rule("deals.manage")
def may_manage(actor: Actor, _resource: object) -> bool:
    """Program managers and finance."""
    return actor.is_staff_as("program_manager", "finance")


@rule("credits.split")
def may_split(actor: Actor, _resource: object) -> bool:
    """The same people: what counts for a partner is their decision."""
    return actor.is_staff_as("program_manager", "finance")
