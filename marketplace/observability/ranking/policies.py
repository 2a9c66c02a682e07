"""Who may read the reasons of a rank."""

from marketplace.core.permissions import Actor, rule
from marketplace.observability.access import acts_for_partner


@rule("ranking.read")
def may_read(actor: Actor, _resource: object = None) -> bool:
    """Everybody of a partner, of its own listings."""
    return acts_for_partner(actor)
