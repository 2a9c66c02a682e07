"""Who writes to whom, who answers, and who says who is there for whom."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.program.contacts.models import ContactRequest

STAFF = ("program_manager", "reviewer", "support", "finance")
MANAGERS = frozenset({"owner", "admin"})


@rule("contacts.use")
def may_use_contacts(actor: Actor, _resource: object = None) -> bool:
    """Everybody who works for a partner."""
    organization = actor.organization
    return organization is not None and organization.organization_kind == "partner"


@rule("contact_request.take_part")
def may_take_part(actor: Actor, request: Any) -> bool:
    """The same, in the conversations of their own organization."""
    return (
        may_use_contacts(actor, None)
        and isinstance(request, ContactRequest)
        and request.organization_id is not None
        and request.organization_id == actor.organization_id
    )


@rule("program_manager.name")
def may_name_manager(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of a partner."""
    return (
        may_use_contacts(actor, None)
        and actor.organization is not None
        and actor.organization.role in MANAGERS
    )


@rule("contacts.manage")
def may_manage_contacts(actor: Actor, _resource: object = None) -> bool:
    """Program managers and admins."""
    return actor.is_staff_as("program_manager")


@rule("contact_requests.answer")
def may_answer_requests(actor: Actor, _resource: object = None) -> bool:
    """All of the staff: each has an inbox."""
    return actor.is_staff_as(*STAFF)


@rule("contact_request.answer")
def may_answer(actor: Actor, request: Any) -> bool:
    """Whoever has the conversation, was meant by it, or looks after all of them."""
    return (
        may_answer_requests(actor, None)
        and isinstance(request, ContactRequest)
        and (
            actor.user_id in (request.user_id, request.away_user_id)
            or request.user_id is None
            or may_manage_contacts(actor, None)
        )
    )
