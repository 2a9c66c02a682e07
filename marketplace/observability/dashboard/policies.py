"""Who may read the dashboard."""

from marketplace.core.permissions import Actor, rule
from marketplace.observability.access import acts_for_partner


@rule("dashboard.read")
def may_read(actor: Actor, _resource: object = None) -> bool:
    """Everybody of a partner; figures of money are for those who deal with it."""
    return acts_for_partner(actor)
