"""Who may read what was given and received."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization
from marketplace.observability.access import sees_money


@rule("reciprocity.read")
def may_read(actor: Actor, _resource: object = None) -> bool:
    """People of a partner who deal with its money, of its own."""
    return sees_money(actor)


@rule("reciprocity.read_all")
def may_read_all(actor: Actor, partner: Any) -> bool:
    """Program managers and finance of the platform, of every partner."""
    return actor.is_staff_as("program_manager", "finance") and isinstance(partner, Organization)
