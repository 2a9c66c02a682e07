"""Who may read what is counted."""

from marketplace.core.permissions import Actor, rule
from marketplace.observability.access import PROGRAM_ROLES, acts_for_partner


@rule("analytics.read")
def may_read(actor: Actor, _resource: object = None) -> bool:
    """Everybody of a partner, of its own."""
    return acts_for_partner(actor)


@rule("analytics.read_all")
def may_read_all(actor: Actor, _resource: object = None) -> bool:
    """Program managers, admins and owners of the platform, of everybody's."""
    return actor.is_staff_as(*PROGRAM_ROLES)
