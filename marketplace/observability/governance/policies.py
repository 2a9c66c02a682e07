"""Who may govern."""

from marketplace.core.permissions import Actor, rule
from marketplace.observability.access import PROGRAM_ROLES


@rule("governance.read")
def may_govern(actor: Actor, _resource: object = None) -> bool:
    """Program managers, admins and owners of the platform."""
    return actor.is_staff_as(*PROGRAM_ROLES)
