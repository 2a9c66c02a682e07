"""Who may copy badges and cards."""

from marketplace.core.permissions import Actor, rule


@rule("embeds.use")
def may_use_embeds(actor: Actor, _resource: object = None) -> bool:
    """Any member of the partner that they act for: all of it is public."""
    active = actor.organization
    return active is not None and active.organization_kind == "partner"
