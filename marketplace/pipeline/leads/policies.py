"""Who may work on leads, and who may look after all of them."""

from typing import Any

from marketplace.core.database import db
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization
from marketplace.pipeline.leads.mails import WORKERS
from marketplace.pipeline.leads.models import Lead, LeadImport, LeadOffer, LeadState, LeadTask
from marketplace.program.standing.reading import has_module

_ROLES = frozenset(role.value for role in WORKERS)


def works_for_partner(actor: Actor) -> bool:
    """Owners, admins, editors and finance of the partner that they act for."""
    active = actor.organization
    return active is not None and active.organization_kind == "partner" and active.role in _ROLES


@rule("leads.use")
def may_use_leads(actor: Actor, _resource: object) -> bool:
    """The same, of partners whose type has leads."""
    if not works_for_partner(actor):
        return False
    organization = db.session.get(Organization, actor.organization_id)
    return organization is not None and has_module(organization.partner_type, "leads")


@rule("lead.work")
def may_work(actor: Actor, lead: Any) -> bool:
    """People of the partner that accepted it; nobody else ever sees the contact."""
    return (
        may_use_leads(actor, None)
        and isinstance(lead, Lead)
        and lead.state is LeadState.ACCEPTED
        and lead.owner_id == actor.organization_id
    )


@rule("lead_task.tick")
def may_tick(actor: Actor, task: Any) -> bool:
    """The same, of a lead's task."""
    return isinstance(task, LeadTask) and may_work(actor, task.lead)


@rule("lead_offer.answer")
def may_answer(actor: Actor, offer: Any) -> bool:
    """People of the partner that it was offered to."""
    return (
        may_use_leads(actor, None)
        and isinstance(offer, LeadOffer)
        and offer.organization_id == actor.organization_id
    )


@rule("lead_import.confirm")
def may_confirm(actor: Actor, found: Any) -> bool:
    """People of the partner whose file it is."""
    return (
        may_use_leads(actor, None)
        and isinstance(found, LeadImport)
        and found.organization_id == actor.organization_id
    )


@rule("leads.manage")
def may_manage(actor: Actor, _resource: object) -> bool:
    """Program managers and support."""
    return actor.is_staff_as("program_manager", "support")
