"""Who may look at the whole program, and write to a partner."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization


@rule("program.read")
def may_read_program(actor: Actor, _resource: object = None) -> bool:
    """All of the staff."""
    return actor.is_staff


@rule("partner.write_to")
def may_write_to(actor: Actor, partner: Any) -> bool:
    """Program managers and support, admins and owners of the platform."""
    return actor.is_staff_as("program_manager", "support") and isinstance(partner, Organization)
